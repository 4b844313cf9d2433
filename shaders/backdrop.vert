// The space behind everything, as a grid of vertices: its colours change slowly, so what is dear is computed 33 x 19
// times and not at every pixel. Clouds are fixed in the world, and so turn with the head.

#include "lib/light.glsl"

out vec3 light;

const int ACROSS = 32;
const int DOWN = 18;

// centre: its direction in the world, and its width.
float cloud(vec3 way, vec4 centre) { return exp(-pow(distance(way, normalize(centre.xyz)) / centre.w, 2.0)); }

void main()
{
    int quad = gl_VertexID / 6;
    int corner = gl_VertexID - quad * 6;
    ivec2 at = ivec2(quad % ACROSS, quad / ACROSS);
    at += ivec2(corner == 1 || corner == 2 || corner == 4, corner == 2 || corner == 4 || corner == 5);
    vec2 ndc = vec2(at) / vec2(ACROSS, DOWN) * 2.0 - 1.0;
    gl_Position = vec4(ndc, 0.0, 1.0);

    vec3 in_view = vec3(ndc.x / clip_from_view[0][0], ndc.y / clip_from_view[1][1], -1.0);
    vec3 way = normalize(transpose(mat3(view_from_world)) * in_view);
    float away = length(ndc * vec2(size_px.x * size_px.w, 1.0)) / BACKDROP_REACH;
    light = mix(BACKDROP_MIDDLE, BACKDROP_BORDER, smoothstep(0.0, 1.0, away));
    light += VIOLET * (cloud(way, VIOLET_CLOUD) + cloud(way, VIOLET_CLOUD_2));
    light += TEAL * (cloud(way, TEAL_CLOUD) + cloud(way, TEAL_CLOUD_2));
#ifdef DIRECT
    light = sqrt(light * vignette(ndc));
#endif
}
