// The card's face: picture, rim, rounded corners with edges of one pixel. Software OpenGL spends most of its time here.

#include "lib/light.glsl"

uniform sampler2DArray tiles;

flat in vec4 tile;
flat in vec4 shape;
flat in vec4 rim;
flat in vec4 plain;
#ifndef SPRITE
in vec2 at_px;
#endif
out vec4 colour;

// The picture at `uv`. Level and inset are the same for the whole card, so neighbours in the atlas never bleed in,
// at any level.
vec3 picture(vec2 uv)
{
#if TILE == 0
    float inset = exp2(ceil(tile.w)) / 64.0;
    vec2 at = (tile.xy + clamp(uv, inset, 1.0 - inset)) / 64.0;
#else
    vec2 at = uv;
#endif
    return textureLod(tiles, vec3(at, tile.z), tile.w).rgb;
}

void main()
{
    vec2 half_px = shape.xy;
#ifdef SPRITE
    vec2 at_px = (gl_PointCoord * 2.0 - 1.0) * (max(half_px.x, half_px.y) + 1.0);
#endif
    vec2 corner = abs(at_px) - half_px + shape.z;
    float outside = length(max(corner, 0.0)) + min(max(corner.x, corner.y), 0.0) - shape.z;
    float cover = clamp(0.5 - outside, 0.0, 1.0);
    if (cover < 0.04)
        discard;

    vec2 uv = at_px / half_px * 0.5 + 0.5;
    vec3 face = picture(uv);
#ifndef DIRECT
    face = linear_of(face);
#endif
#if TILE == 0
    face = mix(plain.rgb, face, shape.w);
#else
    cover *= shape.w;
#endif
    // Light falls from above.
    face *= plain.a * (FACE_TOP - FACE_FALL * uv.y);

    float short_px = min(half_px.x, half_px.y);
    float rim_px = clamp(RIM_SHARE * short_px, RIM_LEAST_PX, RIM_MOST_PX);
    float on_rim = clamp((outside + rim_px + 0.5) * RIM_COVER, 0.0, RIM_COVER) * clamp(short_px * RIM_SLOPE - RIM_FROM, 0.0, 1.0);
    face = mix(face, rim.rgb, on_rim);
#ifdef DIRECT
    colour = vec4(mix(sqrt(FOG_COLOUR), face, rim.a), cover);
#else
    colour = vec4(mix(FOG_COLOUR, face, rim.a), cover);
#endif
}
