// Light along an edge: gaussian across, with light that runs along it.

#include "lib/light.glsl"

#ifdef RIBBON
in float across;
#endif
in vec3 light;  // in screen colours already where it goes straight to the screen
#ifdef PULSE
in vec2 walked;  // world units along edges, over the one end and over the other
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
    vec3 glow = light;
#ifdef RIBBON
#ifdef DIRECT
    glow *= exp(-2.2 * across * across) - 0.11;
#else
    glow *= exp(-3.2 * across * across);
#endif
#endif
#ifdef PULSE
    glow *= 1.0 + PULSE_GAIN * pulse();
#endif
    colour = vec4(glow, 1.0);
}
