// Light along an edge: gaussian across, with a slow pulse running outward from the focus.

#include "lib/light.glsl"

#ifdef RIBBON
in vec2 along;
#endif
in vec3 light;
in vec3 place;
out vec4 colour;

#ifdef PULSE
// Rings that travel outward from the focus, weaker the further they are.
float pulse()
{
    float away = distance(place, focus.xyz);
    float wave = fract(away * 1.1 - time_secs * 0.22);
    float ring = exp(-pow((wave - 0.5) * 9.0, 2.0));
    return focus.w * ring * exp(-1.3 * away);
}
#endif

void main()
{
    vec3 glow = light;
#ifdef RIBBON
    glow *= exp(-3.2 * along.x * along.x);
#endif
#ifdef PULSE
    glow *= 1.0 + 4.0 * pulse();
#endif
#ifdef DIRECT
    colour = vec4(screen_gain(glow), 1.0);
#else
    colour = vec4(glow, 1.0);
#endif
}
