// Rectangles of a picture of the panels, pixel for pixel where they lie in it.

uniform vec4 boxes[BOXES]; // left, bottom, right, top; 0 to 1

out vec2 uv;

void main()
{
    vec4 box = boxes[gl_VertexID / 6];
    int corner = gl_VertexID % 6;
    uv = vec2(corner == 1 || corner == 2 || corner == 4 ? box.z : box.x, corner == 2 || corner >= 4 ? box.w : box.y);
    gl_Position = vec4(uv * 2.0 - 1.0, 0.0, 1.0);
}
