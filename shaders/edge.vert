// An edge between two nodes: a ribbon of 1 to 5 px that always faces the camera (RIBBON), or a line of one pixel.
// Vertices are pulled by number: four an edge for ribbons, two for lines.

#include "lib/nodes.glsl"
#include "lib/light.glsl"

uniform sampler2D edge_ends;  // row, row (-1: the live marker), strength 0..1, phase 0..1

#ifdef RIBBON
out float across;  // -1..1
#endif
out vec3 light;
#ifdef PULSE
uniform sampler2D node_reached;  // world units along edges from what is selected or found
out vec2 walked;
#endif

const vec3 MARKER_LIGHT = vec3(0.55, 0.95, 1.0);
const float NEAR_CUT = 0.01;
const float LINE_LIGHT = 0.65;  // a hard line of a pixel is brighter than a soft one
#ifdef RIBBON
const float LEAST_LIGHT = 0.002;
#else
const float LEAST_LIGHT = 0.006;
#endif

struct End {
    vec3 place;
    vec3 light;
    float brightness;
};

End end_at(int row)
{
    if (row < 0)
        return End(marker.xyz, MARKER_LIGHT, 1.0);
    vec3 hue = hue_of(row);
    float lit = mix(1.0, 0.16 + 1.09 * light_of(row), light_mix);
    if (texelFetch(node_places, texel_of(row), 0).w < 0.0)
        lit = 0.0;  // its node is not drawn
    return End(place_of(row), linear_of(hue) * mix(hue, vec3(1.0), 0.25), lit);
}

#ifdef PULSE
float reached_at(int row) { return texelFetch(node_reached, texel_of(row), 0).r; }
#endif

void main()
{
#ifdef RIBBON
    int edge = gl_VertexID >> 2;
    int corner = gl_VertexID & 3;
    int which = corner >> 1;
    float side = float(corner & 1) * 2.0 - 1.0;
#else
    int edge = gl_VertexID >> 1;
    int which = gl_VertexID & 1;
#endif
    vec4 ends = texelFetch(edge_ends, texel_of(edge), 0);
    ivec2 rows = ivec2(ends.xy);
    End a = end_at(rows.x);
    End b = end_at(rows.y);
    End mine = which == 0 ? a : b;

    bool chosen_edge = any(equal(chosen.xx, rows)) || any(equal(chosen.yy, rows));
    float strength = ends.z * edge_gain * a.brightness * b.brightness;
    if (chosen_edge && a.brightness * b.brightness > 0.0)
        strength = max(strength * 2.0, 0.30);
    if (rows.y < 0)
        strength = ends.z;

    gl_Position = vec4(0.0, 0.0, 2.0, 1.0);
    // What would change no pixel is not drawn; both ends must agree on that.
    float seen = strength * max(clarity(distance(eye.xyz, a.place)), clarity(distance(eye.xyz, b.place)));
    if (seen < LEAST_LIGHT)
        return;

    // Behind the node's own card: cards are not crossed out by their edges.
    vec3 towards = normalize(mine.place - eye.xyz);
    vec3 place = mine.place;
    vec4 mine_in_view = view_from_world * vec4(place + towards * node_size * 1.3, 1.0);
    vec3 other = which == 0 ? b.place : a.place;
    vec4 other_in_view = view_from_world * vec4(other, 1.0);
    float depth = -mine_in_view.z;
    float other_depth = -other_in_view.z;
    if (depth < NEAR_CUT && other_depth < NEAR_CUT)
        return;
    if (depth < NEAR_CUT) {
        float share = (NEAR_CUT - depth) / (other_depth - depth);
        mine_in_view = mix(mine_in_view, other_in_view, share);
        place = mix(place, other, share);
        depth = NEAR_CUT;
    }
    float away = distance(eye.xyz, place);
    // Ribbons that pass close before the eye must not blind it.
    float open = smoothstep(0.03, 0.30, away);
    light = mine.light * strength * clarity(away) * open;
    vec4 clip = clip_from_view * mine_in_view;
    gl_Position = clip;
#ifdef RIBBON
    if (other_depth < NEAR_CUT)
        other_in_view = mix(other_in_view, mine_in_view, (NEAR_CUT - other_depth) / (depth - other_depth));
    vec4 other_clip = clip_from_view * other_in_view;
    vec2 run = (other_clip.xy / other_clip.w - clip.xy / clip.w) * size_px.xy;
    run = dot(run, run) > 1e-9 ? normalize(run) : vec2(1.0, 0.0);
    if (which == 1)
        run = -run;
    float wanted_px = 0.0021 * focal_px / depth * (chosen_edge || rows.y < 0 ? 1.8 : 1.0);
    float reach_px = clamp(wanted_px, 1.0, 5.0 * size_px.y / 900.0) * 1.1 + 0.5;
    // A ribbon that would be thinner than a pixel keeps a pixel and loses light.
    light *= mix(0.55, 1.0, clamp(wanted_px, 0.0, 1.0));
    gl_Position.xy += vec2(-run.y, run.x) * side * reach_px * size_px.zw * clip.w;
    across = side;
#endif
#ifndef RIBBON
    light *= LINE_LIGHT;
#endif
#ifdef PULSE
    float along = distance(place, a.place), left = distance(place, b.place);
    walked = vec2(along + ends.w * PULSE_SPACING, 1e6);  // without a source: by the edge's own phase
    if (pulse_walks > 0.0)
        walked = vec2(reached_at(rows.x) + along, reached_at(rows.y) + left);
#endif
#ifdef DIRECT
    light = screen_gain(light);
#endif
}
