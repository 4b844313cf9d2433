"""The space behind everything: a coarse grid of colours, spread over the pixels and dithered."""

from __future__ import annotations

import numpy as np

from atlas_rt.core.arrays import Floats, Ints
from atlas_rt.render.soft.kernels.compiler import kernel
from atlas_rt.render.soft.kernels.pixels import f32, i32, u32
from atlas_rt.render.soft.kernels.records import Depths, Pixels

FIXED = f32(65536.0)
"""Colours 0..255 are interpolated with 16 bits behind the point."""


@kernel
def backdrop(grid: Floats, noise: Ints, picture: Pixels, depths: Depths, top: int, bottom: int) -> None:
    """Fill the rows top..bottom. grid: (gh + 1, gw + 1, 3) screen colours 0..255 at the corners of its cells.
    noise: (8, w) 0..255. Depths are cleared."""
    height, width = picture.shape
    high, wide = grid.shape[0] - 1, grid.shape[1] - 1
    line = np.empty((wide + 1, 3), np.int32)
    for y in range(top, bottom):
        at = (y + 0.5) / height * high
        cell = min(int(at), high - 1)
        share = f32(at - cell)
        for i in range(wide + 1):
            for c in range(3):
                line[i, c] = i32((grid[cell, i, c] + (grid[cell + 1, i, c] - grid[cell, i, c]) * share) * FIXED)
        out, near, dots = picture[y], depths[y], noise[y & 7]
        for i in range(wide):
            left, right = i * width // wide, (i + 1) * width // wide
            if right > left:
                _span(line[i], line[i + 1], dots[left:right], out[left:right])
        near[:] = np.uint16(0)


@kernel
def _span(start: Ints, end: Ints, dots: Ints, out: Pixels) -> None:
    """Pixels from one colour to the next. Everything in 32 bits, or it is not vectorised."""
    count = i32(len(out))
    red, green, blue = start[0], start[1], start[2]
    red_step = i32((end[0] - red) // count)
    green_step = i32((end[1] - green) // count)
    blue_step = i32((end[2] - blue) // count)
    for t in range(len(out)):
        k = i32(t)
        dot = i32(dots[t] << i32(8))
        r = i32(i32(i32(red + i32(red_step * k)) + dot) & i32(0xFF0000))
        g = i32(i32(i32(i32(green + i32(green_step * k)) + dot) >> i32(8)) & i32(0xFF00))
        b = i32(i32(i32(blue + i32(blue_step * k)) + dot) >> i32(16))
        out[t] = u32(i32(i32(r | g) | b)) | u32(0xFF000000)
