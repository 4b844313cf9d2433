"""A rasterizer of our own, for machines whose OpenGL driver draws on the processor."""
