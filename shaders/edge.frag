// Light along an edge: gaussian across, with light that runs along it.

#include "lib/light.glsl"

#ifdef RIBBON
in float across;
#endif
in vec3 light;  // in screen colours already where it goes straight to the screen
#ifdef PULSE
in vec2 walked;  // world units along edges, over the one end and over the other
#endif
#ifdef GLOW
uniform sampler2D glow;
#endif
out vec4 colour;

#ifdef PULSE
// How bright the fronts are here: `core/pulse.py` has the same formula, and the reasons.
float pulse()
{
    float reached = min(walked.x, walked.y);
    float pace = mix(PULSE_AMBIENT_PACE, PULSE_PACE, pulse_walks);
    float off = (fract((reached - pace * pulse_secs) / PULSE_SPACING) - 0.5) * PULSE_SPACING / PULSE_WIDTH;
    return pulse_strength * exp(-off * off - PULSE_FADE * reached * pulse_walks);
}
#endif

void main()
{
    vec3 light_here = light;
#ifdef RIBBON
#ifdef DIRECT
    light_here *= exp(-2.2 * across * across) - 0.11;
#else
    light_here *= exp(-RIBBON_FALL * across * across);
#endif
#endif
#ifdef PULSE
    light_here *= 1.0 + PULSE_GAIN * pulse();
#endif
#ifdef DIRECT
    colour = vec4(light_here, 1.0);
#else
    vec2 at = whole_of(gl_FragCoord.xy * size_px.zw * 2.0 - 1.0);
    float shade = vignette(at);
    vec3 behind = BACKDROP_MIDDLE;
#ifdef GLOW
    behind += texture(glow, at / GLOW_MARGIN * 0.5 + 0.5).rgb;
#endif
    colour = vec4(screen_gain_over(behind * shade, light_here * shade), 1.0);
#endif
}
