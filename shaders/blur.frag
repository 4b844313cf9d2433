// Nine-tap gaussian along one direction, in five reads between texels.

uniform sampler2D source;
uniform vec2 along;  // one texel in this direction, in uv

in vec2 uv;
out vec4 colour;

void main()
{
    vec3 light = texture(source, uv).rgb * 0.2270270270;
    light += (texture(source, uv + along * 1.3846153846).rgb + texture(source, uv - along * 1.3846153846).rgb) * 0.3162162162;
    light += (texture(source, uv + along * 3.2307692308).rgb + texture(source, uv - along * 3.2307692308).rgb) * 0.0702702703;
    colour = vec4(light, 1.0);
}
