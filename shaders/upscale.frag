// A smaller picture, enlarged: nothing but the lookup, which llvmpipe then does by its fastest path.

uniform sampler2D source;

in vec2 uv;
out vec4 colour;

void main() { colour = texture(source, uv); }
