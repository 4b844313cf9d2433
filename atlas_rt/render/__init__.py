"""Pixels: everything that speaks to OpenGL through moderngl."""
