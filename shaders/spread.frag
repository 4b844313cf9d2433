// A gaussian along one direction, and another picture added to it (ADD). WIDTH says which of the glow's three: each blurs
// what the one before has left to do. Reach and weights are constants, so the loop is unrolled: kept as uniforms they
// took software OpenGL four times as long.

uniform sampler2D source;
uniform ivec2 along;
#ifdef ADD
uniform sampler2D added;
#endif

out vec4 colour;

#if WIDTH == 3
const float VARIANCE = GLOW_WIDE - GLOW_MIDDLE;
const int REACH = 15;
#elif WIDTH == 2
const float VARIANCE = GLOW_MIDDLE - GLOW_NARROW;
const int REACH = 6;
#else
const float VARIANCE = GLOW_NARROW - 1.0 / 6.0;  // a point shared linearly by four texels has that much
const int REACH = 2;
#endif

void main()
{
    ivec2 here = ivec2(gl_FragCoord.xy);
    ivec2 last = textureSize(source, 0) - 1;
    vec3 light = texelFetch(source, here, 0).rgb;
    float total = 1.0;
    for (int i = 1; i <= REACH; i++) {
        float weight = exp(-0.5 * float(i * i) / VARIANCE);
        ivec2 away = along * i;
        light += weight * (texelFetch(source, min(here + away, last), 0).rgb + texelFetch(source, max(here - away, 0), 0).rgb);
        total += 2.0 * weight;
    }
    light /= total;
#ifdef ADD
    light += texelFetch(added, here, 0).rgb;
#endif
    colour = vec4(light, 1.0);
}
