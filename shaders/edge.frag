// Light along an edge: gaussian across, with a slow pulse running outward from the focus.

#include "lib/light.glsl"

#ifdef RIBBON
in float across;
#endif
in vec3 light;  // in screen colours already where it goes straight to the screen
#ifdef PULSE
in vec3 at_place;
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
    vec3 glow = light;
#ifdef RIBBON
#ifdef DIRECT
    glow *= exp(-2.2 * across * across) - 0.11;
#else
    glow *= exp(-RIBBON_FALL * across * across);
#endif
#endif
#ifdef PULSE
    glow *= 1.0 + PULSE_GAIN * pulse();
#endif
    colour = vec4(glow, 1.0);
}
