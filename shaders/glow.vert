// The light that each node throws on what lies behind the cloud: a soft disc, four cards wide while the card is small,
// in the cluster's colour. It fades as the card grows on screen, or it would blind when near. What every node gives is
// summed as one point a node into a small picture, to be blurred as a whole: three targets of growing width share the
// points between them so that a disc keeps its size. LIT: what a search found, as discs of their own in that picture.

#include "lib/nodes.glsl"
#include "lib/light.glsl"

#ifdef LIT
in int row;
out vec2 at;
flat out vec3 light;
#else
flat out vec3 narrow;
flat out vec3 middle;
flat out vec3 wide;
#endif

#ifndef LIT
// Shares the light of a disc between two neighbours of the three widths, so that the variance of the sum is its own.
void share(vec3 light, float variance)
{
    float middle_share = clamp((variance - GLOW_NARROW) / (GLOW_MIDDLE - GLOW_NARROW), 0.0, 1.0);
    float wide_share = clamp((variance - GLOW_MIDDLE) / (GLOW_WIDE - GLOW_MIDDLE), 0.0, 1.0);
    narrow = light * (1.0 - middle_share);
    middle = light * (middle_share - wide_share);
    wide = light * wide_share;
}
#endif

void main()
{
    gl_Position = vec4(0.0, 0.0, 2.0, 1.0);
#ifdef LIT
    vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1) * 2.0 - 1.0;
    at = corner;
#else
    int row = gl_VertexID;
    gl_PointSize = 2.0;  // exactly the four texels around the place, which share the light
#endif
    Node node = node_at(row);
    vec4 in_view = view_from_world * vec4(node.place, 1.0);
    float depth = -in_view.z;
    if (depth <= node_size || node.scale <= 0.0)
        return;
    vec2 half_px = half_card_px(node, depth);
    float longest = max(half_px.x, half_px.y);
#ifdef LIT
    float strength = GLOW_FOUND * node.light * node.light * light_mix * (1.0 - FOUND_FADE * smoothstep(FOUND_FROM_PX, FOUND_TO_PX, longest / unit_px()));
#else
    float strength = GLOW_REST * glow_gain * (1.0 - smoothstep(GLOW_FROM_PX, GLOW_TO_PX, longest / unit_px())) * mix(1.0, node.brightness, light_mix);
#endif
    strength *= clarity(distance(eye.xyz, node.place));
    if (strength < GLOW_LEAST)
        return;
    vec3 hue = hue_of(row);
    vec3 colour = linear_of(hue) * hue * strength;

    gl_Position = clip_from_view * in_view;
    vec2 reach_px = half_px + vec2(min(longest * GLOW_SIDES, GLOW_HEIGHT * lines_px));
#ifdef LIT
    light = colour;
    gl_Position.xy += corner * reach_px * 2.0 * size_px.zw * gl_Position.w;
#else
    // The disc (1 - r^2)^3 of radius R holds pi/4 R^2 of light and has a variance of R^2 / 10 along each axis.
    vec2 reach = reach_px * GLOW_LINES / lines_px;
    float square = reach.x * reach.y;
    share(colour * 0.7853982 * square, square * 0.1);
#endif
    gl_Position.xy /= GLOW_MARGIN;
}
