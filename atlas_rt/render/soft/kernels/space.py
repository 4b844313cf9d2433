"""The gradient and the clouds of the space behind everything, computed at a few points and spread over a finer grid."""

from __future__ import annotations

import math

import numpy as np

from atlas_rt.core.arrays import Floats
from atlas_rt.render import look
from atlas_rt.render.soft.kernels.compiler import kernel, part
from atlas_rt.render.soft.kernels.pixels import MOST, ONE, TWO, ZERO, f32, smooth
from atlas_rt.render.soft.kernels.records import Record, Records

ACROSS, DOWN = 33, 19
"""Points of the coarse grid, as OpenGL has them."""
BACKDROP_REACH = f32(look.BACKDROP_REACH)
COLOURS = np.array([look.BACKDROP_MIDDLE, look.BACKDROP_BORDER, look.VIOLET, look.TEAL], np.float32)
CLOUDS = np.array([look.VIOLET_CLOUD, look.VIOLET_CLOUD_2, look.TEAL_CLOUD, look.TEAL_CLOUD_2], np.float32)
CLOUDS[:, :3] /= np.linalg.norm(CLOUDS[:, :3], axis=1, keepdims=True)
VIGNETTE_LEAST = f32(look.VIGNETTE_LEAST)
VIGNETTE_FROM, VIGNETTE_TO = f32(look.VIGNETTE_FROM), f32(look.VIGNETTE_TO)
DIMMEST = f32(254.0)
"""So that the dither never carries a colour over 255."""


@part
def _cloud(frame: Record, x: f32, y: f32, which: int) -> f32:
    """0..1, how much of a cloud lies in the direction of a point of the screen."""
    m = frame.view_from_world
    view_x, view_y = x / frame.clip_from_view[0, 0], y / frame.clip_from_view[1, 1]
    length = f32(math.sqrt(view_x * view_x + view_y * view_y + ONE))
    along = ZERO
    for axis in range(3):
        way = m[axis, 0] * view_x + m[axis, 1] * view_y - m[axis, 2]
        along += way / length * CLOUDS[which, axis]
    return f32(math.exp(-max(TWO - TWO * along, ZERO) / (CLOUDS[which, 3] * CLOUDS[which, 3])))


@kernel
def coarse_light(frames: Records, coarse: Floats) -> None:
    """Fill (DOWN, 3, ACROSS) with light, top row first."""
    frame = frames[0]
    aspect = frame.size_px[0] * frame.size_px[3]
    for row in range(DOWN):
        y = ONE - TWO * f32(row) / f32(DOWN - 1)
        for column in range(ACROSS):
            x = TWO * f32(column) / f32(ACROSS - 1) - ONE
            share = smooth(ZERO, ONE, f32(math.sqrt(x * x * aspect * aspect + y * y)) / BACKDROP_REACH)
            violet = _cloud(frame, x, y, 0) + _cloud(frame, x, y, 1)
            teal = _cloud(frame, x, y, 2) + _cloud(frame, x, y, 3)
            for c in range(3):
                light = COLOURS[0, c] + (COLOURS[1, c] - COLOURS[0, c]) * share
                coarse[row, c, column] = light + COLOURS[2, c] * violet + COLOURS[3, c] * teal


@kernel
def spread_light(frames: Records, coarse: Floats, cell: f32, light: Floats) -> None:
    """Spread the coarse light over the grid (gh + 1, 3, gw + 1); its last cells may reach beyond the picture."""
    frame = frames[0]
    for row in range(light.shape[0]):
        at = min(f32(row) * cell * frame.size_px[3], ONE) * f32(DOWN - 1)
        upper = min(int(at), DOWN - 2)
        below = at - f32(upper)
        for column in range(light.shape[2]):
            at = min(f32(column) * cell * frame.size_px[2], ONE) * f32(ACROSS - 1)
            left = min(int(at), ACROSS - 2)
            right = at - f32(left)
            for c in range(3):
                one = coarse[upper, c, left] + (coarse[upper, c, left + 1] - coarse[upper, c, left]) * right
                other = (
                    coarse[upper + 1, c, left] + (coarse[upper + 1, c, left + 1] - coarse[upper + 1, c, left]) * right
                )
                light[row, c, column] = one + (other - one) * below


@kernel
def to_screen(frames: Records, cell: f32, light: Floats) -> None:
    """Light of the grid -> screen colours 0..255, in place."""
    frame = frames[0]
    for row in range(light.shape[0]):
        y = min(f32(row) * cell * frame.size_px[3], ONE) * TWO - ONE
        for column in range(light.shape[2]):
            x = min(f32(column) * cell * frame.size_px[2], ONE) * TWO - ONE
            fall = smooth(VIGNETTE_FROM, VIGNETTE_TO, x * x + y * y)
            kept = ONE - (ONE - VIGNETTE_LEAST) * fall
            for c in range(3):
                light[row, c, column] = min(f32(math.sqrt(light[row, c, column] * kept)) * MOST, DIMMEST)
