"""Pictures summed up pixel by pixel, and their mean with bloom over it."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.arrays import Floats
from atlas_rt.render import look
from atlas_rt.render.soft.kernels.compiler import kernel, part
from atlas_rt.render.soft.kernels.pixels import FULL, HALF, MOST, ONE, TWO, ZERO, f32, packed, smooth, u32, u64
from atlas_rt.render.soft.kernels.records import Pixels

Sums = NDArray[np.uint64]
"""(h, w) three sums of 16 bits: red, green, blue."""
BYTE = u64(0xFF)
LANE = u64(0xFFFF)
VIGNETTE_LEAST = f32(look.VIGNETTE_LEAST)
VIGNETTE_FROM, VIGNETTE_TO = f32(look.VIGNETTE_FROM), f32(look.VIGNETTE_TO)
BLOOM_NEAR, BLOOM_FAR = f32(look.BLOOM_NEAR), f32(look.BLOOM_FAR)


@kernel
def add_sample(picture: Pixels, sums: Sums) -> None:
    """Add a picture to the sums; at most 256 of them."""
    for y in range(picture.shape[0]):
        line, out = picture[y], sums[y]
        for x in range(len(line)):
            pixel = u64(line[x])
            red, green, blue = (pixel >> u64(16)) & BYTE, (pixel >> u64(8)) & BYTE, pixel & BYTE
            out[x] += (red << u64(32)) | (green << u64(16)) | blue


@kernel
def mean_of(sums: Sums, count: int, out: Pixels) -> None:
    """The mean of `count` pictures."""
    share = ONE / f32(count)
    for y in range(out.shape[0]):
        line, target = sums[y], out[y]
        for x in range(len(line)):
            pixel = line[x]
            red = f32(u32((pixel >> u64(32)) & LANE)) * share + HALF
            green = f32(u32((pixel >> u64(16)) & LANE)) * share + HALF
            blue = f32(u32(pixel & LANE)) * share + HALF
            target[x] = packed(red, green, blue)


@part
def _lookup(source: Floats, y: f32, x: f32, c: int) -> f32:
    """A channel of (h, w, 3) between its four nearest texels."""
    y = min(max(y - HALF, ZERO), f32(source.shape[0] - 1))
    x = min(max(x - HALF, ZERO), f32(source.shape[1] - 1))
    top, left = int(y), int(x)
    bottom, right = min(top + 1, source.shape[0] - 1), min(left + 1, source.shape[1] - 1)
    below, beside = y - f32(top), x - f32(left)
    upper = source[top, left, c] + (source[top, right, c] - source[top, left, c]) * beside
    lower = source[bottom, left, c] + (source[bottom, right, c] - source[bottom, left, c]) * beside
    return f32(upper + (lower - upper) * below)


@kernel
def add_bloom(near: Floats, far: Floats, strength: f32, first: int, step: int, out: Pixels) -> None:
    """Add bloom, two pictures of light (h, w, 3) of any size, to every `step`th row of a picture, from `first` on."""
    height, width = out.shape
    scale_y, scale_x = ONE / f32(height), ONE / f32(width)
    added = np.empty(3, np.float32)
    for row in range(first, height, step):
        y = (f32(row) + HALF) * scale_y
        for column in range(width):
            x = (f32(column) + HALF) * scale_x
            across, down = x * TWO - ONE, y * TWO - ONE
            fall = smooth(VIGNETTE_FROM, VIGNETTE_TO, across * across + down * down)
            kept = (ONE - (ONE - VIGNETTE_LEAST) * fall) * strength
            for c in range(3):
                added[c] = BLOOM_NEAR * _lookup(near, y * f32(near.shape[0]), x * f32(near.shape[1]), c)
                added[c] += BLOOM_FAR * _lookup(far, y * f32(far.shape[0]), x * f32(far.shape[1]), c)
                added[c] *= kept * FULL
            pixel = out[row, column]
            red, green, blue = (
                f32((pixel >> u32(16)) & u32(255)),
                f32((pixel >> u32(8)) & u32(255)),
                f32(pixel & u32(255)),
            )
            red = min(f32(math.sqrt(red * red + added[0])), max(red, MOST))
            green = min(f32(math.sqrt(green * green + added[1])), max(green, MOST))
            blue = min(f32(math.sqrt(blue * blue + added[2])), max(blue, MOST))
            out[row, column] = packed(red + HALF, green + HALF, blue + HALF)
