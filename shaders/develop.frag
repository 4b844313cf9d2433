// From light to screen: bloom, vignette, tone curve, dither.

#include "lib/light.glsl"

uniform sampler2D scene;
uniform sampler2D near_bloom;
uniform sampler2D far_bloom;

in vec2 uv;
out vec4 colour;

void main()
{
    vec3 light = texture(scene, uv).rgb;
    light += BLOOM_NEAR * texture(near_bloom, uv).rgb + BLOOM_FAR * texture(far_bloom, uv).rgb;
    light *= vignette(uv * 2.0 - 1.0);
    colour = vec4(screen_of(light) + dither(gl_FragCoord.xy) * DITHER, 1.0);
}
