"""One pixel: colours packed and unpacked, light added, depths encoded."""

from __future__ import annotations

import math

import numpy as np

from atlas_rt.render import look
from atlas_rt.render.soft.kernels.compiler import part
from atlas_rt.render.soft.kernels.records import Pixels, Record

f32 = np.float32
i32 = np.int32
u16 = np.uint16
u32 = np.uint32
u64 = np.uint64
Index = int | np.uint64
"""Unsigned where it is known not to be negative: numba would look each time."""

FULL = f32(65025.0)
"""Light of 1, where a screen colour is 0..255: its square."""
MOST = f32(255.0)
ZERO, ONE, TWO, THREE, HALF = f32(0.0), f32(1.0), f32(2.0), f32(3.0), f32(0.5)
OPAQUE = u32(0xFF000000)
KNEE = f32(look.KNEE)
LEAST_CODE = i32(112 << 11)
"""Depths from 2 ** 15 down to 2 ** -16 are told apart, each to 0.05 %."""
VIGNETTE_FALL = f32(1.0 - look.VIGNETTE_LEAST)
VIGNETTE_FROM = f32(look.VIGNETTE_FROM)
VIGNETTE_TO = f32(look.VIGNETTE_TO)


@part
def smooth(low: f32, high: f32, value: f32) -> f32:
    """0 up to `low`, 1 from `high` on, an S between them: smoothstep of the shaders."""
    share = min(max((value - low) / (high - low), ZERO), ONE)
    return share * share * (THREE - TWO * share)


@part
def code_of(near: f32) -> i32:
    """The same for what surely lies within these limits."""
    return i32((f32(near).view(i32) >> i32(12)) - LEAST_CODE)


@part
def nearness(near: f32) -> i32:
    """One over a depth as 16 bits that grow with it, 1..65535: the float's own exponent (5 bits) and 11 of its bits."""
    return min(max(code_of(near), i32(1)), i32(65535))


@part
def packed(red: f32, green: f32, blue: f32) -> u32:
    """Screen colours 0..255 as a pixel."""
    r, g, b = u32(min(red, MOST)), u32(min(green, MOST)), u32(min(blue, MOST))
    return u32(OPAQUE | (r << u32(16)) | (g << u32(8)) | b)


@part
def vignette(frame: Record, x: f32, y: f32) -> f32:
    """How much light a pixel keeps."""
    across = x * frame.size_px[2] * TWO - ONE
    down = y * frame.size_px[3] * TWO - ONE
    return ONE - VIGNETTE_FALL * smooth(VIGNETTE_FROM, VIGNETTE_TO, across * across + down * down)


@part
def add_light(picture: Pixels, y: Index, x: Index, red: f32, green: f32, blue: f32) -> None:
    """Add linear light, 1 being white, to a pixel."""
    before = picture[y, x]
    r = f32((before >> u32(16)) & u32(255))
    g = f32((before >> u32(8)) & u32(255))
    b = f32(before & u32(255))
    r = f32(math.sqrt(r * r + red * FULL)) + HALF
    g = f32(math.sqrt(g * g + green * FULL)) + HALF
    b = f32(math.sqrt(b * b + blue * FULL)) + HALF
    picture[y, x] = packed(r, g, b)


@part
def toned(light: f32) -> f32:
    """Light after the shoulder of the tone curve, 0..1."""
    return min(light, KNEE) + (ONE - KNEE) * (ONE - f32(math.exp(-max(light - KNEE, ZERO) / (ONE - KNEE))))


@part
def add_bright(picture: Pixels, y: Index, x: Index, red: f32, green: f32, blue: f32) -> None:
    """Add light that may burn: the tone curve bends it."""
    before = picture[y, x]
    r = f32((before >> u32(16)) & u32(255)) / MOST
    g = f32((before >> u32(8)) & u32(255)) / MOST
    b = f32(before & u32(255)) / MOST
    r = max(f32(math.sqrt(toned(r * r + red))), r) * MOST + HALF
    g = max(f32(math.sqrt(toned(g * g + green))), g) * MOST + HALF
    b = max(f32(math.sqrt(toned(b * b + blue))), b) * MOST + HALF
    picture[y, x] = packed(r, g, b)
