// A disc of light, soft to its edge.

#include "lib/light.glsl"

flat in vec3 light;
in vec2 at;
out vec4 colour;

void main()
{
    float away = dot(at, at);
    if (away > 1.0)
        discard;
    float fall = 1.0 - away;
    vec3 glow = light * fall * fall * fall;
#ifdef DIRECT
    colour = vec4(screen_gain(glow), 1.0);
#else
    colour = vec4(glow, 1.0);
#endif
}
