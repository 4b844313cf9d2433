"""The grid of colours behind the cards: the gradient, the clouds, and the glow of the nodes in front of it."""

from __future__ import annotations

import numpy as np

from atlas_rt.core.arrays import Floats, Ints
from atlas_rt.core.scene import View
from atlas_rt.render.soft.kernels.glow import blur, find_glow, sum_glow
from atlas_rt.render.soft.kernels.records import Counts, Records
from atlas_rt.render.soft.kernels.space import ACROSS, DOWN, coarse_light, spread_light, to_screen

CELLS = 160 * 90
"""Of the grid: small enough to be blurred in a fifth of a millisecond, fine enough for the least disc of light."""
LEAST_CELL_PX = 4


class Space:
    """The grid of a picture of one size, 8 px a cell at 1280 x 720."""

    def __init__(self, size_px: tuple[int, int]) -> None:
        width, height = size_px
        self.cell_px = max(round((width * height / CELLS) ** 0.5), LEAST_CELL_PX)
        shape = -(-height // self.cell_px) + 1, 3, -(-width // self.cell_px) + 1
        self._coarse: Floats = np.zeros((DOWN, 3, ACROSS), np.float32)
        self._light: Floats = np.zeros(shape, np.float32)
        self._summed, self._room = np.zeros_like(self._light), np.zeros_like(self._light)

    def grid(
        self, view: View, frames: Records, nodes: Records, cards: Records, rows: Counts, count: int, *, glow: bool
    ) -> Floats:
        """(gh + 1, 3, gw + 1) screen colours 0..255. rows: the first `count` of them are the nodes on screen."""
        light, cell = self._light, np.float32(self.cell_px)
        coarse_light(frames, self._coarse)
        spread_light(frames, self._coarse, cell, light)
        if glow and count:
            self._summed[:] = 0.0
            radius_px = sum_glow(frames, nodes, cards, rows, count, cell, self._summed)
            blur(self._summed, np.float32(radius_px / self.cell_px), self._room, light)
        if view.lights is not None and view.light_mix > 0.0:
            find_glow(frames, nodes, cards, rows, count, cell, light)
        to_screen(frames, cell, light)
        return light


def ordered_dither() -> Ints:
    """(8, 8) int32 of 0..255, each step as often as any other, neighbours far apart."""
    tile = np.zeros((1, 1), np.int32)
    while len(tile) < 8:
        tile = np.block([[4 * tile, 4 * tile + 2], [4 * tile + 3, 4 * tile + 1]]).astype(np.int32)
    return np.ascontiguousarray(tile * 4 + 2)
