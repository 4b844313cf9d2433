"""Panels as they were drawn last, in a picture of the window's size, to put over a frame at the cost of their pixels.

Dear ImGui's triangles cost llvmpipe 4 to 5 ms a frame at 1280 x 720, because each fragment blends a colour with a
texture. From here it is one lookup a pixel inside the panels' rectangles, and one draw call for all of them: another
texture or uniform between two calls makes llvmpipe wait for everything before (2.4 ms where it was tried).
"""

from __future__ import annotations

from collections.abc import Sequence

import moderngl
import numpy as np

from atlas_rt.render.frame import CONSTANTS, FRAME
from atlas_rt.render.gl.cleanup import release_target
from atlas_rt.render.gl.drawing import Pulled
from atlas_rt.render.gl.program import Programs

Box = tuple[int, int, int, int]
"""Left, top, width and height in pixels of the target, y from the top."""
BOXES = 16
"""Rectangles that one draw call shows."""


class PanelLayer:
    """Owns the picture. All calls on the thread of the context."""

    def __init__(self, ctx: moderngl.Context) -> None:
        self._ctx = ctx
        self._programs = Programs(ctx, FRAME, CONSTANTS)
        self._pulled = Pulled(ctx)
        self._picture: moderngl.Framebuffer | None = None

    def open(self, size_px: tuple[int, int], box_px: Box) -> moderngl.Framebuffer:
        """The picture to draw panels into, empty inside a box; empty everywhere when its size is another one."""
        if self._picture is None or self._picture.size != size_px:
            self._let_go()
            texture = self._ctx.texture(size_px, 4)
            texture.filter = moderngl.NEAREST, moderngl.NEAREST
            texture.repeat_x = texture.repeat_y = False
            self._picture = self._ctx.framebuffer([texture])
            self._picture.clear(0.0, 0.0, 0.0, 0.0)
        left, top, width, height = box_px
        self._picture.clear(0.0, 0.0, 0.0, 0.0, viewport=(left, size_px[1] - top - height, width, height))
        self._picture.use()
        return self._picture

    def show(self, boxes_px: Sequence[Box], target: moderngl.Framebuffer) -> None:
        """Put what lies inside these boxes, of which no two overlap, over the target, which has the picture's size."""
        if self._picture is None or not boxes_px:
            return
        size_px = self._picture.size
        target.use()
        target.viewport = (0, 0, *size_px)
        self._ctx.enable_only(moderngl.BLEND)
        self._ctx.blend_equation = moderngl.FUNC_ADD, moderngl.FUNC_ADD
        self._ctx.blend_func = moderngl.ONE, moderngl.ONE_MINUS_SRC_ALPHA
        texture = self._picture.color_attachments[0]
        assert isinstance(texture, moderngl.Texture)
        texture.use(0)
        program = self._programs.get("panels", BOXES=BOXES)
        program["source"] = 0
        left, top, width, height = np.array(boxes_px, np.float32).T
        corners = np.stack([left, size_px[1] - top - height, left + width, size_px[1] - top], axis=1)
        corners /= np.array((*size_px, *size_px), np.float32)
        for start in range(0, len(corners), BOXES):
            some = np.zeros((BOXES, 4), np.float32)
            some[: len(corners[start : start + BOXES])] = corners[start : start + BOXES]
            program["boxes"].write(some)  # type: ignore[union-attr]
            self._pulled.render(program, moderngl.TRIANGLES, 6 * min(len(corners) - start, BOXES))

    def release(self) -> None:
        self._let_go()
        self._pulled.release()
        self._programs.release()

    def _let_go(self) -> None:
        if self._picture is not None:
            release_target(self._ctx, self._picture)
            self._picture = None
