// Near and far bloom in one picture of screen colours, so that the full size looks up only one, of eight bits. None lies
// over a visited card: `core/glass.py`.

uniform sampler2D near_bloom;
uniform sampler2D far_bloom;

in vec2 uv;
out vec4 colour;

// How much bloom a point may have: none within the visited card.
float open_to_bloom()
{
    vec2 size = vec2(textureSize(near_bloom, 0));
    vec2 at = (uv * 2.0 - 1.0) * vec2(size.x / size.y, 1.0) * 0.5 * lines_px / focal_px;
    vec2 inside = (visited_card.zw - abs(at - visited_card.xy)) / (BLOOM_EDGE * min(visited_card.z, visited_card.w));
    return 1.0 - glass * clamp(min(inside.x, inside.y) + 1.0, 0.0, 1.0);
}

void main()
{
    vec3 light = BLOOM_NEAR * texture(near_bloom, uv).rgb + BLOOM_FAR * texture(far_bloom, uv).rgb;
    if (glass > 0.0)
        light *= open_to_bloom();
    colour = vec4(sqrt(light), 1.0);
}
