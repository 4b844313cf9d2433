// The ring around a hovered or selected card.

#include "lib/nodes.glsl"
#include "lib/light.glsl"

in int row;
in float kind;  // -1 of the same stack as what is selected, 0 hovered, 1 selected, 2 the newest selection
flat out vec2 half_px;
flat out vec3 light;
flat out float width_px;
out vec2 at_px;

void main()
{
    Node node = node_at(row);
    vec4 in_view = view_from_world * vec4(node.place, 1.0);
    float depth = -in_view.z;
    gl_Position = vec4(0.0, 0.0, 2.0, 1.0);
    vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1) * 2.0 - 1.0;
    half_px = vec2(1.0);
    light = vec3(0.0);
    width_px = 1.0;
    at_px = corner;
    if (depth <= nearest || node.scale <= 0.0)
        return;
    half_px = half_card_px(node, depth);
    float scale = lines_px / RIBBON_LINES;
    float shortest = min(half_px.x, half_px.y);
    width_px = clamp(RING_SHARE * shortest, RING_LEAST_PX * scale, RING_MOST_PX * scale) * (kind > 0.5 ? RING_CHOSEN : 1.0);
    light = kind > 0.5 ? SELECTED * SELECTED_GAIN : kind < -0.5 ? SELECTED * FAN_GAIN : HOVERED * HOVERED_GAIN;
    if (kind > 1.5)
        light *= 1.0 + RING_BEAT * ambient * sin(pulse_secs * RING_BEAT_SPEED);
    half_px += width_px * 0.5 + 1.0;
    at_px = corner * (half_px + width_px * 7.0 + 4.0);
    vec4 clip = clip_of_card(row, node, in_view);
    gl_Position = clip;
    gl_Position.xy += at_px * 2.0 * size_px.zw * clip.w;
}
