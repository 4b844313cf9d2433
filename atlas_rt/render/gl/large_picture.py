"""Pictures larger than a driver's targets, or than memory allows at once: drawn in parts that fit together.

Each part has the perspective of the whole, off its centre, and every size in pixels refers to the whole, so that no
seam shows. Parts overlap: a point sprite is dropped when its centre lies outside of what is drawn. Glow is summed once
for the whole. Bloom reaches across parts, so parts are drawn twice: once for what shines in them, then for the
picture.
"""

from __future__ import annotations

import math
from typing import Protocol

import moderngl
import numpy as np

from atlas_rt.core.arrays import Bytes
from atlas_rt.core.quality import Step
from atlas_rt.core.scene import View
from atlas_rt.render.frame import Part
from atlas_rt.render.gl.offscreen import OffscreenTarget

PART_PX = 2040
"""Side of a part, a multiple of 12, so that bloom's texels fall in with it."""
OVERLAP_PX = 24
"""More than the half side of a sprite, and a multiple of 12 too."""


WHOLE_PX = 4096 * 2304
"""Pictures of at most so many pixels are drawn as a whole where the driver's targets are large enough."""


class PartDrawer(Protocol):
    """The renderer, as seen from here."""

    def prepare(self, view: View, step: Step) -> int: ...

    def draw_part(self, view: View, step: Step, part: Part, target: moderngl.Framebuffer, edges: int) -> None: ...

    def gather_bloom(self, part: Part, inner: Part) -> None: ...

    def blur_bloom(self) -> None: ...

    def develop(self, target: moderngl.Framebuffer) -> None: ...


def needs_parts(size_px: tuple[int, int], target_px: int) -> bool:
    """Whether a picture of this size is drawn in parts; target_px: the largest side the driver can draw into."""
    return max(size_px) > target_px or size_px[0] * size_px[1] > WHOLE_PX


def in_parts(ctx: moderngl.Context, renderer: PartDrawer, view: View, step: Step, *, part_px: int = PART_PX) -> Bytes:
    """(h, w, 3) uint8 RGB of the view at a step that draws every pixel, top row first."""
    width, height = view.size_px
    inner = [
        Part(left, bottom, min(part_px, width - left), min(part_px, height - bottom))
        for bottom in range(0, height, part_px)
        for left in range(0, width, part_px)
    ]
    side = math.ceil(part_px / 12) * 12 + 2 * OVERLAP_PX
    target = OffscreenTarget(ctx, (side, side))
    pixels = np.empty((height, width, 3), np.uint8)
    try:
        edges = renderer.prepare(view, step)
        if step.hdr:
            for part in inner:
                renderer.draw_part(view, step, _around(part, side), target.target, edges)
                renderer.gather_bloom(_around(part, side), part)
            renderer.blur_bloom()
        for part in inner:
            renderer.draw_part(view, step, _around(part, side), target.target, edges)
            if step.hdr:
                renderer.develop(target.target)
            drawn = target.read()[::-1][OVERLAP_PX:, OVERLAP_PX:][: part.height, : part.width]
            top = height - part.bottom - part.height
            pixels[top : top + part.height, part.left : part.left + part.width] = drawn[::-1]
        return pixels
    finally:
        target.release()


def _around(part: Part, side: int) -> Part:
    """What is drawn for a part: as much more on every side, of one size for all parts."""
    return Part(part.left - OVERLAP_PX, part.bottom - OVERLAP_PX, side, side)
