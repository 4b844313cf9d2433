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

#ifdef RIBBON
const float LEAST_LIGHT = RIBBON_LEAST;
const float HIDE_PX = 0.8;
#else
const float LEAST_LIGHT = LINE_LEAST;
#endif

// Whether both cards at the ends of an edge hide all of it: each reaches to where the other begins, and the edge runs
// behind both. Most edges are so short that from afar nothing of them is seen: on an orbit around 10,000 images one of three.
#ifdef RIBBON
bool hidden_by_ends(Node node, Node far)
{
    vec4 node_in_view = view_from_world * vec4(node.place, 1.0);
    vec4 far_in_view = view_from_world * vec4(far.place, 1.0);
    float depth = -node_in_view.z;
    float far_depth = -far_in_view.z;
    if (min(depth, far_depth) <= node_size)
        return false;
    vec4 clip = clip_from_view * node_in_view;
    vec4 far_clip = clip_from_view * far_in_view;
    vec2 run = abs(far_clip.xy / far_clip.w - clip.xy / clip.w) * 0.5 * size_px.xy + 1e-3;
    // Corners are round and the ribbon has a width of its own.
    vec2 near_half = half_card_px(node, depth) * 0.9 - HIDE_PX;
    vec2 far_half = half_card_px(far, far_depth) * 0.9 - HIDE_PX;
    float near_share = clamp(min(near_half.x / run.x, near_half.y / run.y), 0.0, 1.0);
    float far_share = clamp(min(far_half.x / run.x, far_half.y / run.y), 0.0, 1.0);
    // The edge lies behind its own ends by so much; of the deeper card it is behind only close to that.
    float slack = BEHIND_CARD * node_size * 0.9 / max(abs(far_depth - depth), 1e-6);
    if (depth <= far_depth)
        far_share = min(far_share, slack);
    else
        near_share = min(near_share, slack);
    return near_share + far_share >= 1.0;
}
#endif

// The node at one end; the live marker for -1.
Node end_at(int row)
{
    if (row < 0)
        return Node(marker.xyz, 1.0, 1.0, 1.0, 1.0, false);
    Node node = node_at(row);
    node.brightness = mix(1.0, UNLIT + LIT_GAIN * node.light, light_mix) * node.scale;
    return node;
}

vec3 light_at(int row)
{
    if (row < 0)
        return MARKER_LIGHT;
    vec3 hue = hue_of(row);
    return linear_of(hue) * mix(hue, vec3(1.0), EDGE_WHITE);
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
    Node a = end_at(rows.x);
    Node b = end_at(rows.y);
    Node mine = which == 0 ? a : b;

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

#ifdef RIBBON
    if (rows.y >= 0 && hidden_by_ends(a, b))
        return;
#endif

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
    light = light_at(which == 0 ? rows.x : rows.y) * strength * clarity(away) * open;
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
    float reach_px = clamp(wanted_px, 1.0, RIBBON_MOST_PX * lines_px / RIBBON_LINES) * RIBBON_REACH + RIBBON_SOFT_PX;
    // A ribbon that would be thinner than a pixel keeps a pixel and loses light.
    light *= mix(RIBBON_THIN, 1.0, clamp(wanted_px, 0.0, 1.0));
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
