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
out vec3 at_place;
#endif

#ifdef RIBBON
const float LEAST_LIGHT = RIBBON_LEAST;
#else
const float LEAST_LIGHT = LINE_LEAST;
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
    float lit = mix(1.0, UNLIT + LIT_GAIN * light_of(row), light_mix);
    if (texelFetch(node_places, texel_of(row), 0).w < 0.0)
        lit = 0.0;  // its node is not drawn
    return End(place_of(row), linear_of(hue) * mix(hue, vec3(1.0), EDGE_WHITE), lit);
}

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
        strength = max(strength * CHOSEN_GAIN, CHOSEN_LEAST);
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
    vec4 mine_in_view = view_from_world * vec4(place + towards * node_size * BEHIND_CARD, 1.0);
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
    float open = smoothstep(OPEN_FROM, OPEN_TO, away);
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
    float wanted_px = RIBBON_WIDTH * focal_px / depth * (chosen_edge || rows.y < 0 ? CHOSEN_WIDTH : 1.0);
    float reach_px = clamp(wanted_px, 1.0, RIBBON_MOST_PX * size_px.y / RIBBON_LINES) * RIBBON_REACH + RIBBON_SOFT_PX;
    // A ribbon that would be thinner than a pixel keeps a pixel and loses light.
    light *= mix(RIBBON_THIN, 1.0, clamp(wanted_px, 0.0, 1.0));
    gl_Position.xy += vec2(-run.y, run.x) * side * reach_px * size_px.zw * clip.w;
    across = side;
#endif
#ifndef RIBBON
    light *= LINE_LIGHT;
#endif
#ifdef PULSE
    at_place = place;
#endif
#ifdef DIRECT
    light = screen_gain(light);
#endif
}
