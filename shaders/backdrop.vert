// The space behind everything, as a grid of vertices: its colours change slowly, so what is dear is computed 33 x 19
// times and not at every pixel. Clouds are fixed in the world, and so turn with the head.

#include "lib/light.glsl"

out vec3 light;

const int ACROSS = 32;
const int DOWN = 18;
const vec3 MIDDLE = vec3(0.0036, 0.0052, 0.0125);
const vec3 BORDER = vec3(0.0009, 0.0012, 0.0032);
const vec3 VIOLET = vec3(0.0048, 0.0018, 0.0100);
const vec3 TEAL = vec3(0.0006, 0.0046, 0.0064);

float cloud(vec3 way, vec3 centre, float width) { return exp(-pow(distance(way, normalize(centre)) / width, 2.0)); }

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
    float away = length(ndc * vec2(size_px.x * size_px.w, 1.0)) / 2.04;
    light = mix(MIDDLE, BORDER, smoothstep(0.0, 1.0, away));
    light += VIOLET * (cloud(way, vec3(-0.75, 0.25, -0.75), 0.75) + cloud(way, vec3(0.6, -0.3, 0.8), 0.6));
    light += TEAL * (cloud(way, vec3(0.85, -0.30, -0.60), 0.70) + cloud(way, vec3(-0.7, 0.35, 0.7), 0.65));
#ifdef DIRECT
    light = sqrt(light * vignette(ndc));
#endif
}
