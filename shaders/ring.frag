// A bright line along the card's border and a short halo outside it, additive.

#include "lib/light.glsl"

flat in vec2 half_px;
flat in vec3 light;
flat in float width_px;
in vec2 at_px;
out vec4 colour;

void main()
{
    float radius = min(half_px.x, half_px.y) * CORNER;
    vec2 corner = abs(at_px) - half_px + radius;
    float outside = length(max(corner, 0.0)) + min(max(corner.x, corner.y), 0.0) - radius;
    float line = clamp(width_px * 0.5 + 0.5 - abs(outside), 0.0, 1.0);
    float halo = exp(-max(outside, 0.0) / (width_px * RING_HALO_REACH)) * step(0.0, outside) * RING_HALO;
    float reach = 1.0 - smoothstep(width_px * 4.0, width_px * 7.0 + 4.0, outside);
    vec3 glow = light * max(line, halo * reach);
#ifdef DIRECT
    colour = vec4(screen_gain(min(glow, 1.0)), 1.0);
#else
    colour = vec4(glow, 1.0);
#endif
}
