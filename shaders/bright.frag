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
    // Pictures reach 0.85 and grey; what shines is coloured or brighter.
    float coloured = (brightest - least) * smoothstep(0.15, 0.8, brightest - least);
    float over = max(brightest - 0.9, 0.0);
    light *= clamp(0.35 * coloured + over / (over + 0.35), 0.0, 1.0);
#endif
    colour = vec4(light, 1.0);
}
