"""A smaller target that is drawn in and then enlarged to the whole: what software OpenGL pays for is the pixel."""

from __future__ import annotations

import moderngl

from atlas_rt.render.gl.cleanup import release_target
from atlas_rt.render.gl.drawing import Pulled
from atlas_rt.render.gl.nodes import UNIT_SOURCE
from atlas_rt.render.gl.program import Programs


class Upscaler:
    """Owns the smaller target, made again when its size changes."""

    def __init__(self, ctx: moderngl.Context, programs: Programs, pulled: Pulled) -> None:
        self._ctx, self._programs, self._pulled = ctx, programs, pulled
        self._target: moderngl.Framebuffer | None = None

    def open(self, size_px: tuple[int, int]) -> moderngl.Framebuffer:
        """The target to draw into, with colour and depth."""
        if self._target is None or self._target.size != size_px:
            self.release()
            texture = self._ctx.texture(size_px, 4)
            texture.filter = moderngl.LINEAR, moderngl.LINEAR
            texture.repeat_x = texture.repeat_y = False
            self._target = self._ctx.framebuffer([texture], self._ctx.depth_renderbuffer(size_px))
        return self._target

    def upscale(self, target: moderngl.Framebuffer, size_px: tuple[int, int]) -> None:
        """Write what was drawn into all of `target`."""
        assert self._target is not None
        texture = self._target.color_attachments[0]
        assert isinstance(texture, moderngl.Texture)
        self._ctx.enable_only(moderngl.NOTHING)
        target.use()
        target.viewport = (0, 0, *size_px)
        texture.use(UNIT_SOURCE)
        program = self._programs.get("upscale")
        program["source"] = UNIT_SOURCE
        self._pulled.render(program, moderngl.TRIANGLES, 3)

    def release(self) -> None:
        if self._target is not None:
            release_target(self._ctx, self._target)
            self._target = None
