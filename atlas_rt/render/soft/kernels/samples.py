"""Pictures summed up pixel by pixel, and their mean with bloom over it."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.arrays import Floats
from atlas_rt.render.soft.kernels.compiler import kernel, part
from atlas_rt.render.soft.kernels.pixels import FULL, HALF, ONE, ZERO, f32, packed, u32, u64
from atlas_rt.render.soft.kernels.records import Pixels

Sums = NDArray[np.uint64]
"""(h, w) three sums of 16 bits: red, green, blue."""
BYTE = u64(0xFF)
LANE = u64(0xFFFF)


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
def _bloom_row(bloom: Floats, at: f32, strength: f32, line: Floats) -> None:
    """A row of the bloom (h, w, 3) between its two nearest, into (w, 3)."""
    at = min(max(at, ZERO), f32(bloom.shape[0] - 1))
    top = int(at)
    bottom, below = min(top + 1, bloom.shape[0] - 1), at - f32(top)
    for x in range(bloom.shape[1]):
        for c in range(3):
            upper = bloom[top, x, c]
            line[x, c] = (upper + (bloom[bottom, x, c] - upper) * below) * strength * FULL


@kernel
def add_bloom(bloom: Floats, strength: f32, out: Pixels) -> None:
    """Add bloom, a smaller picture of light (h, w, 3), to a picture."""
    height, width = out.shape
    down, across = f32(bloom.shape[0]) / f32(height), f32(bloom.shape[1]) / f32(width)
    line, last = np.empty((bloom.shape[1], 3), np.float32), bloom.shape[1] - 1
    for y in range(height):
        _bloom_row(bloom, (f32(y) + HALF) * down - HALF, strength, line)
        for x in range(width):
            at = min(max((f32(x) + HALF) * across - HALF, ZERO), f32(last))
            left = int(at)
            one, other, beside = line[left], line[min(left + 1, last)], at - f32(left)
            pixel = out[y, x]
            red, green, blue = (
                f32((pixel >> u32(16)) & u32(255)),
                f32((pixel >> u32(8)) & u32(255)),
                f32(pixel & u32(255)),
            )
            red = f32(math.sqrt(red * red + one[0] + (other[0] - one[0]) * beside)) + HALF
            green = f32(math.sqrt(green * green + one[1] + (other[1] - one[1]) * beside)) + HALF
            blue = f32(math.sqrt(blue * blue + one[2] + (other[2] - one[2]) * beside)) + HALF
            out[y, x] = packed(red, green, blue)
