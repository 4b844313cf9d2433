// Shrinks by four or three; from screen colours to light, of which only what is brighter than a picture can be is kept,
// with a soft threshold (SOFT).

#include "lib/light.glsl"

uniform sampler2D source;
uniform vec2 texel;  // of the source, in uv

in vec2 uv;
out vec4 colour;

void main()
{
    vec3 light = 0.25 * (texture(source, uv + texel * vec2(-1.0, -1.0)).rgb + texture(source, uv + texel * vec2(1.0, -1.0)).rgb
                       + texture(source, uv + texel * vec2(-1.0, 1.0)).rgb + texture(source, uv + texel * vec2(1.0, 1.0)).rgb);
#ifdef SOFT
    light = light_from(light);
    float brightest = max(light.r, max(light.g, light.b));
    float least = min(light.r, min(light.g, light.b));
    float coloured = (brightest - least) * smoothstep(BLOOM_FROM, BLOOM_TO, brightest - least);
    float over = max(brightest - BLOOM_OVER, 0.0);
    light *= clamp(BLOOM_COLOURED * coloured + over / (over + BLOOM_SOFT), 0.0, 1.0);
#endif
    colour = vec4(light, 1.0);
}
