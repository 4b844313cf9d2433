// The light of one node, in the small picture of glow: shared between four texels, or a disc that is soft to its edge.

#ifdef LIT
flat in vec3 light;
in vec2 at;
out vec4 colour;

void main()
{
    float away = dot(at, at);
    if (away > 1.0)
        discard;
    float fall = 1.0 - away;
    colour = vec4(light * fall * fall * fall, 1.0);
}
#else
flat in vec3 narrow;
flat in vec3 middle;
flat in vec3 wide;
layout(location = 0) out vec4 narrow_light;
layout(location = 1) out vec4 middle_light;
layout(location = 2) out vec4 wide_light;

void main()
{
    vec2 share = 1.0 - abs(gl_PointCoord * 2.0 - 1.0);
    float here = share.x * share.y;
    narrow_light = vec4(narrow * here, 1.0);
    middle_light = vec4(middle * here, 1.0);
    wide_light = vec4(wide * here, 1.0);
}
#endif
