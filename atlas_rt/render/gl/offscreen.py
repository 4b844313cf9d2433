"""A target of our own to draw into, and pixels read back."""

from __future__ import annotations

import moderngl
import numpy as np

from atlas_rt.core.arrays import Bytes
from atlas_rt.render.gl.cleanup import release_target

Target = moderngl.Framebuffer


class OffscreenTarget:
    """A target of one size with colour and depth, to draw into and read."""

    def __init__(self, ctx: moderngl.Context, size_px: tuple[int, int]) -> None:
        self.size_px = size_px
        self.target = ctx.framebuffer([ctx.texture(size_px, 4)], ctx.depth_renderbuffer(size_px))
        self._ctx = ctx

    def read(self, *, components: int = 3) -> Bytes:
        """(h, w, components) uint8 RGB or RGBA, top row first."""
        return read(self.target, components=components)

    def release(self) -> None:
        release_target(self._ctx, self.target)


def read(target: Target, *, components: int = 3) -> Bytes:
    """(h, w, components) uint8 of a framebuffer object, top row first; not for the window's own framebuffer."""
    width, height = target.size
    rows = np.frombuffer(target.read(components=components, alignment=1), np.uint8).reshape(height, width, components)
    return np.ascontiguousarray(rows[::-1])
