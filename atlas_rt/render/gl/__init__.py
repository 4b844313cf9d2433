"""Pixels drawn with OpenGL: everything that imports moderngl."""
