// A picture whose first row is the topmost.

uniform sampler2D source;

in vec2 uv;
out vec4 colour;

void main() { colour = texture(source, vec2(uv.x, 1.0 - uv.y)); }
