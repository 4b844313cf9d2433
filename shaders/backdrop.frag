// The backdrop's colour, dithered where it goes straight to the screen.

#include "lib/light.glsl"

in vec3 light;
out vec4 colour;

void main()
{
#ifdef DIRECT
    colour = vec4(light + dither(gl_FragCoord.xy) * DITHER, 1.0);
#else
    colour = vec4(light, 1.0);
#endif
}
