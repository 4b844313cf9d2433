// A card before the camera. SPRITE: all rows as point sprites, for those that are small on screen (one vertex instead
// of four). Otherwise quads, for those that are large: one instance a row of a list, or four vertices a row for ALL.

#include "lib/nodes.glsl"
#include "lib/light.glsl"

uniform sampler2D node_order;  // rows, roughly from front to back
uniform sampler2D node_slots;  // cell in the atlas, medium layer, large layer (-1: none), when the newest came

flat out vec4 tile;   // u, v and layer of its corner in the texture, level
flat out vec4 shape;  // half sides in pixels, corner radius, share of the tile that is shown
flat out vec4 rim;    // its colour, how much light reaches the eye through the fog
flat out vec4 plain;  // colour where there is no tile yet, brightness of the picture
#ifndef SPRITE
out vec2 at_px;
#endif
#ifndef DIRECT
#ifdef SPRITE
flat
#endif
out float shade;
#endif
#if !defined(SPRITE) && !defined(ALL)
in int row;
#endif

// Row of a place in the order. Rims are blended, so they come from back to front.
int row_at(int place)
{
#ifdef RIM
    place = chosen.w - 1 - place;
#endif
    return int(texelFetch(node_order, texel_of(place), 0).r);
}

float faded_in(float came_at)
{
    return clamp((time_secs - came_at) / FADE_SECS, 0.0, 1.0);
}

// The tile this pass draws, or false where the card belongs to another pass.
bool choose_tile(vec4 slots, float side_px)
{
    float fade = faded_in(slots.w);
    bool has_medium = slots.y >= 0.0;
    bool has_large = slots.z >= 0.0;
    shape.w = 1.0;
#if TILE == 0
#ifndef SPRITE  // sprites show the small tile whatever else is there: no other pass draws what is so small
    if ((has_medium || has_large) && fade >= 1.0)
        return false;
#endif
    const float levels = 3.0;
    const float tile_px = 32.0;
    float record = max(slots.x, 0.0);
    float page = floor(record / 4096.0);
    float at = record - page * 4096.0;
    tile.xyz = vec3(mod(at, 64.0), floor(at / 64.0), page);
    shape.w = slots.x < 0.0 ? 0.0 : 1.0;
#elif TILE == 1
    if (!has_medium || (has_large && fade >= 1.0))
        return false;
    const float levels = 5.0;
    const float tile_px = 128.0;
    tile.xyz = vec3(0.0, 0.0, slots.y);
    shape.w = has_large ? 1.0 : fade;
#else
    if (!has_large)
        return false;
    const float levels = 7.0;
    const float tile_px = 512.0;
    tile.xyz = vec3(0.0, 0.0, slots.z);
    shape.w = fade;
#endif
    tile.w = clamp(log2(tile_px / max(side_px, 1.0)) - LEVEL_BIAS, 0.0, levels);
    return true;
}

void main()
{
    gl_Position = vec4(0.0, 0.0, 2.0, 1.0);  // outside, until the card proves to be drawn here
#ifdef SPRITE
    int row = row_at(gl_VertexID);
    gl_PointSize = 1.0;
#elif defined(ALL)
    int row = row_at(gl_VertexID >> 2);
#endif
    Node node = node_at(row);
    vec4 in_view = view_from_world * vec4(node.place, 1.0);
    float depth = -in_view.z;
    if (depth <= nearest || node.scale <= 0.0)
        return;

    vec2 half_px = half_card_px(node, depth);
    float longest = max(half_px.x, half_px.y);
#ifdef SPRITE
    if (longest > sprite_px)
        return;
    half_px = max(half_px, POINT_LEAST_PX);
#else
    if (longest <= sprite_px)
        return;
#endif
    vec4 slots = texelFetch(node_slots, texel_of(row), 0);
    if (!choose_tile(slots, 2.0 * sqrt(half_px.x * half_px.y)))
        return;

    vec4 clip = clip_of_card(row, node, in_view);
    vec3 mean, hue;
    bool away;
    colours_of(row, mean, hue, away);
    // A small card gets more light; a tiny one has no room for its picture and takes on some of its cluster's colour.
    float small = 1.0 - smoothstep(SMALL_FROM, SMALL_TO, longest);
    float tiny = 1.0 - smoothstep(TINY_FROM, TINY_TO, longest);
    float light = PICTURE_LIGHT * node.brightness * (1.0 + SMALL_GAIN * small) * (away ? AWAY_LIGHT : 1.0);
    float clear = max(clarity(distance(eye.xyz, node.place)), CLEAR_LEAST);
    bool is_point = longest < card_px;
    float short_px = min(half_px.x, half_px.y);
    shape.xyz = vec3(half_px, short_px * (is_point ? 1.0 : CORNER));
    #if TILE == 0
    shape.w *= is_point ? 0.0 : 1.0 - TINY_FADE * tiny;
#endif
    plain.rgb = mix(mean, hue, TINY_HUE * tiny);
    rim.rgb = hue * mix(hue, vec3(1.0), RIM_WHITE) * RIM_LIGHT;
#ifdef DIRECT
    // The same in screen colours, but for the shoulder of the tone curve: a square root of each factor.
    light *= vignette(whole_of(clip.xy / clip.w));
    plain.a = min(sqrt(light), 1.0);
    rim.a = sqrt(clear);
    rim.rgb *= min(sqrt(light / PICTURE_LIGHT), RIM_LIGHT_MAX);
#else
    plain.rgb = linear_of(plain.rgb);
    plain.a = light;
    rim.rgb = linear_of(rim.rgb) * light / PICTURE_LIGHT;
    rim.a = clear;
#endif

    gl_Position = clip;
#ifdef SPRITE
    gl_PointSize = 2.0 * longest + 2.0;
#else
    vec2 corner = vec2(gl_VertexID & 1, (gl_VertexID >> 1) & 1) * 2.0 - 1.0;
    at_px = corner * (half_px + 1.0);
    gl_Position.xy += vec2(at_px.x, -at_px.y) * 2.0 * size_px.zw * clip.w;
#endif
#ifndef DIRECT
    shade = vignette(whole_of(gl_Position.xy / clip.w));
#endif
}
