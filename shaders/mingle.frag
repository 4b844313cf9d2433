// Near and far bloom in one picture of screen colours, so that the full size looks up only one, of eight bits.

uniform sampler2D near_bloom;
uniform sampler2D far_bloom;

in vec2 uv;
out vec4 colour;

void main()
{
    vec3 light = BLOOM_NEAR * texture(near_bloom, uv).rgb + BLOOM_FAR * texture(far_bloom, uv).rgb;
    colour = vec4(sqrt(light), 1.0);
}
