// Panels as they were drawn before, colours premultiplied by their alpha.

uniform sampler2D source;

in vec2 uv;
out vec4 colour;

void main() { colour = texture(source, uv); }
