// Light along an edge: gaussian across, with a slow pulse running outward from the focus.

#include "lib/light.glsl"

#ifdef RIBBON
in float across;
#endif
in vec3 light;  // in screen colours already where it goes straight to the screen
#ifdef PULSE
in vec3 at_place;
#endif
#ifdef GLOW
uniform sampler2D glow;
#endif
out vec4 colour;

#ifdef PULSE
// Rings that travel outward from the focus, weaker the further they are.
float pulse()
{
    float away = distance(at_place, focus.xyz);
    float wave = (fract(away * PULSE_WAVES - pulse_secs * PULSE_SPEED) - 0.5) * PULSE_SHARPNESS;
    return focus.w * exp(-wave * wave - PULSE_FALL * away);
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
