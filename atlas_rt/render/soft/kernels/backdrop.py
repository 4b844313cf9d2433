"""The space behind everything: a coarse grid of colours, spread over the pixels and dithered."""

from __future__ import annotations

import numpy as np

from atlas_rt.core.arrays import Floats, Ints
from atlas_rt.render.soft.kernels.compiler import part
from atlas_rt.render.soft.kernels.pixels import f32, i32, u16, u32
from atlas_rt.render.soft.kernels.records import Depths, Pixels

FIXED = f32(65536.0)
"""Colours 0..255 are interpolated with 16 bits behind the point."""


@part
def backdrop(grid: Floats, cell_px: int, noise: Ints, picture: Pixels, depths: Depths, top: int, bottom: int) -> None:
    """Fill the rows top..bottom. grid: (gh + 1, 3, gw + 1) screen colours 0..255 at the corners of square cells.
    noise: (8, 8) 0..255. Depths are cleared.

    Each row of corners is spread over the columns once; the rows of pixels between two of them are long plain loops.
    """
    width = picture.shape[1]
    upper, lower, dots = np.empty((3, width), np.int32), np.empty((3, width), np.int32), np.empty((8, width), np.int32)
    for y in range(8):
        for x in range(width):
            dots[y, x] = noise[y, x & 7] << 8
    before = -1
    for y in range(top, bottom):
        cell = y // cell_px
        if cell != before:
            _spread(grid[cell], cell_px, upper)
            _spread(grid[cell + 1], cell_px, lower)
            for c in range(3):
                for x in range(width):
                    lower[c, x] = i32(f32(lower[c, x] - upper[c, x]) / f32(cell_px))
            before = cell
        _row(upper, lower, i32(y - cell * cell_px), dots[y & 7], picture[y])
        clear(depths[y])


@part
def clear(line: Depths) -> None:
    """Nothing is nearer than anything. (A loop: numba takes a second to compile the assignment of a slice.)"""
    for x in range(len(line)):
        line[x] = u16(0)


@part
def _spread(corners: Floats, cell_px: int, line: Ints) -> None:
    """Colours at a row of corners -> at all columns of pixels, (3, w)."""
    width = line.shape[1]
    for c in range(3):
        out = line[c]
        for cell in range(corners.shape[1] - 1):
            value = i32(corners[c, cell] * FIXED)
            step = i32((corners[c, cell + 1] - corners[c, cell]) * FIXED / f32(cell_px))
            start = cell * cell_px
            for x in range(start, min(start + cell_px, width)):
                out[x] = value
                value += step


@part
def _row(upper: Ints, step: Ints, k: i32, dots: Ints, out: Pixels) -> None:
    """One row of pixels, k below its corners. Everything in 32 bits, or it is not vectorised."""
    red, green, blue = upper[0], upper[1], upper[2]
    red_step, green_step, blue_step = step[0], step[1], step[2]
    for x in range(len(out)):
        r = i32(i32(i32(red[x] + i32(red_step[x] * k)) + dots[x]) & i32(0xFF0000))
        g = i32(i32(i32(i32(green[x] + i32(green_step[x] * k)) + dots[x]) >> i32(8)) & i32(0xFF00))
        b = i32(i32(i32(blue[x] + i32(blue_step[x] * k)) + dots[x]) >> i32(16))
        out[x] = u32(i32(i32(r | g) | b)) | u32(0xFF000000)
