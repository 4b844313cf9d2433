// One row of the data textures as a node, and how large its card is. `core/visibility.py` computes the same sizes.

uniform sampler2D node_places;
uniform sampler2D node_old_places;
uniform sampler2D node_colours;
uniform sampler2D node_lights;

struct Node {
    vec3 place;
    float aspect;
    float scale;       // 1; towards 0 for what leaves or makes way, 0 for what is not drawn, under its stack's leader
    float light;       // 0..1 by the search
    float brightness;  // 1 when nothing is searched
    bool fanned;       // out of its stack, before what is not
};

ivec2 texel_of(int row) { return ivec2(row & 2047, row >> 11); }

vec3 unpacked(float packed_rgb)
{
    int bits = int(packed_rgb);
    return vec3(bits >> 16, (bits >> 8) & 255, bits & 255) / 255.0;
}

vec3 place_of(int row)
{
    vec3 place = texelFetch(node_places, texel_of(row), 0).xyz;
    float way = row < chosen.z ? morph : gone;
    if (way < 1.0)
        place = mix(texelFetch(node_old_places, texel_of(row), 0).xyz, place, way);
    return place;
}

float light_of(int row)
{
    if (light_mix <= 0.0)
        return 0.0;
    float deviations = texelFetch(node_lights, texel_of(row), 0).r;
    return clamp((deviations - LIGHT_FROM) / (LIGHT_TO - LIGHT_FROM), 0.0, 1.0);
}

// Half sides of the card on screen in pixels, for a node this deep in front of the eye.
vec2 half_card_px(Node node, float depth)
{
    float world = node_size * mix(1.0, LIT_SIZE_LEAST + LIT_SIZE_MORE * node.light, size_mix);
    float least = depth * min_angle * (1.0 + LIT_GROWTH * node.light * light_mix);
    world = max(world, min(least, world * GROWTH_MAX));
    float root = sqrt(node.aspect);
    world /= mix(1.0, max(root, 1.0 / root), flatness);
    return node.scale * world * focal_px / depth * vec2(root, 1.0 / root);
}

// What is left of a card where some make way for a visited one: `core/glass.py` has the same formula, and the reasons.
float standing(Node node)
{
    vec3 in_view = (view_from_world * vec4(node.place, 1.0)).xyz;
    float depth = -in_view.z;
    if (depth <= nearest || depth >= visited_depth)
        return 1.0;
    vec2 beside = abs(in_view.xy / depth - visited_card.xy);
    vec2 reach = visited_card.zw + half_card_px(node, depth) / focal_px - beside;
    float overlap = min(reach.x, reach.y) / glass_margin + 1.0;
    float nearer = (visited_depth - depth) / visited_depth;
    return 1.0 - glass * smoothstep(GLASS_FROM, GLASS_TO, nearer) * smoothstep(0.0, 1.0, overlap);
}

Node node_at(int row)
{
    Node node;
    vec4 texel = texelFetch(node_places, texel_of(row), 0);
    node.place = place_of(row);
    node.fanned = texel.w >= FANNED_FROM;
    node.aspect = node.fanned ? texel.w - FANNED_FROM : abs(texel.w);
    node.scale = texel.w < 0.0 ? 0.0 : row < chosen.z ? 1.0 : 1.0 - gone;
    node.light = light_of(row);
    if (glass > 0.0 && row != visited)
        node.scale *= standing(node);
    node.brightness = mix(1.0, UNLIT + LIT_GAIN * node.light, light_mix) * node.scale;
    if (row == chosen.x || row == chosen.y)
        node.brightness = max(node.brightness, 1.0);
    return node;
}

// Mean colour and the cluster's hue, in screen colours, and whether the image's file is away.
void colours_of(int row, out vec3 mean, out vec3 hue, out bool away)
{
    vec2 texel = texelFetch(node_colours, texel_of(row), 0).xy;
    away = texel.x < 0.0;
    mean = unpacked(away ? -1.0 - texel.x : texel.x);
    hue = unpacked(texel.y);
}

vec3 hue_of(int row) { return unpacked(texelFetch(node_colours, texel_of(row), 0).y); }

// Clip position of a card's centre. What is hovered, selected or found stands before the pile it lies in, and what is
// visited before all else.
vec4 clip_of_card(int row, Node node, vec4 in_view)
{
    vec4 clip = clip_from_view * in_view;
    float nearer = -in_view.z * FOUND_NEARER * node.light * light_mix;
    if (node.fanned)
        nearer = max(nearer, -in_view.z * FANNED_NEARER);
    if (row == chosen.x || row == chosen.y)
        nearer = max(nearer * CHOSEN_FIRST, min(CHOSEN_NEARER * node_size, -0.5 * in_view.z));
    float covering = -in_view.z - nearer;
    if (row == visited)
        covering *= pow(first_depth / covering, glass);
    if (covering < -in_view.z) {
        vec4 before = vec4(in_view.xy, -covering, in_view.w);
        vec4 clip_before = clip_from_view * before;
        clip.z = clip_before.z / clip_before.w * clip.w;
    }
    return clip;
}
