// A soft disc of light behind each card, four cards wide while the card is small, in the cluster's colour. It fades as
// the card grows on screen, or it would blind when near. LIT: only what a search found, otherwise what every node has.

#include "lib/nodes.glsl"
#include "lib/light.glsl"

in int row;
flat out vec3 light;
out vec2 at;

void main()
{
    gl_Position = vec4(0.0, 0.0, 2.0, 1.0);
    vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1) * 2.0 - 1.0;
    at = corner;
    Node node = node_at(row);
    vec4 in_view = view_from_world * vec4(node.place, 1.0);
    float depth = -in_view.z;
    if (depth <= node_size || node.scale <= 0.0)
        return;
    vec2 half_px = half_card_px(node, depth);
    float longest = max(half_px.x, half_px.y);
#ifdef LIT
    float strength = GLOW_FOUND * node.light * node.light * light_mix * (1.0 - FOUND_FADE * smoothstep(FOUND_FROM_PX, FOUND_TO_PX, longest));
#else
    float strength = GLOW_REST * glow_gain * (1.0 - smoothstep(GLOW_FROM_PX, GLOW_TO_PX, longest)) * mix(1.0, node.brightness, light_mix);
#endif
    strength *= clarity(distance(eye.xyz, node.place));
    if (strength < GLOW_LEAST)
        return;
    vec3 hue = hue_of(row);
    light = linear_of(hue) * hue * strength;

    gl_Position = clip_from_view * in_view;
    gl_Position.xy += corner * (half_px + vec2(min(longest * GLOW_SIDES, GLOW_HEIGHT * size_px.y))) * 2.0 * size_px.zw * gl_Position.w;
}
