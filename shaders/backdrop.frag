// The backdrop's colour, with the light that all nodes together throw on it (GLOW), dithered against banding.

#include "lib/light.glsl"

in vec3 light;
#ifdef GLOW
uniform sampler2D glow;
in float shade;
in vec2 glow_uv;
#endif
out vec4 colour;

void main()
{
#ifdef GLOW
    vec3 screen = screen_of((light + texture(glow, glow_uv).rgb) * shade);
#else
    vec3 screen = light;
#endif
    colour = vec4(screen + dither(gl_FragCoord.xy) * DITHER, 1.0);
}
