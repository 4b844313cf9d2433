// Bloom over a finished picture: its light is taken back from the screen's curve, and both go through it together.

#include "lib/light.glsl"

uniform sampler2D scene;
uniform sampler2D bloom;

in vec2 uv;
out vec4 colour;

void main()
{
    vec3 screen = texelFetch(scene, ivec2(gl_FragCoord.xy), 0).rgb;
    vec2 at = whole_of(uv * 2.0 - 1.0);
    vec3 shine = texture(bloom, at * 0.5 + 0.5).rgb;
    vec3 light = screen * screen + shine * shine;
    colour = vec4(sqrt(light), 1.0);  // the screen is dithered already
}
