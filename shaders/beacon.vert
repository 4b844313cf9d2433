// The live marker: one quad of a steady size on screen, before the camera at the marker's place.

#include "lib/light.glsl"

out vec2 at;
flat out float fog;

void main()
{
    vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1) * 2.0 - 1.0;
    at = corner;
    vec4 in_view = view_from_world * vec4(marker.xyz, 1.0);
    float depth = -in_view.z;
    fog = max(clarity(distance(eye.xyz, marker.xyz)), BEACON_CLEAR);
    gl_Position = vec4(0.0, 0.0, 2.0, 1.0);
    if (depth < 0.02)
        return;
    float reach_px = clamp(node_size * BEACON_SIDES * focal_px / depth, BEACON_LEAST * lines_px, BEACON_MOST * lines_px);
    if (glass > 0.0) {  // it makes way for a visited card as other cards do
        vec2 beside = abs(in_view.xy / depth - visited_card.xy);
        vec2 overlap = (visited_card.zw + reach_px / focal_px - beside) / glass_margin + 1.0;
        fog *= 1.0 - glass * smoothstep(0.0, 1.0, min(overlap.x, overlap.y));
    }
    gl_Position = clip_from_view * in_view;
    gl_Position.xy += corner * reach_px * 2.0 * size_px.zw * gl_Position.w;
}
