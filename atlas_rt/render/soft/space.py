"""The grid of colours behind the cards: the gradient, the clouds, and the glow of the nodes in front of it."""

from __future__ import annotations

import numpy as np

from atlas_rt.core.arrays import Floats, Ints
from atlas_rt.core.library_path import library_path_kept
from atlas_rt.core.scene import View
from atlas_rt.render import look
from atlas_rt.render.soft.kernels.glow import find_glow, sum_glow
from atlas_rt.render.soft.kernels.records import Counts, Records

with library_path_kept():
    import cv2

CELLS = 160 * 90
"""Of the grid: small enough to be blurred in a fifth of a millisecond, fine enough for the least disc of light."""
COARSE = 33, 19
"""Corners across and down of the grid that the gradient and the clouds are computed at, as OpenGL does."""
BLUR = 0.316
"""Standard deviation of (1 - r * r) ** 3 over a disc of radius 1, along one direction."""
CLOUDS = ((look.VIOLET_CLOUD, look.VIOLET), (look.VIOLET_CLOUD_2, look.VIOLET), (look.TEAL_CLOUD, look.TEAL), (look.TEAL_CLOUD_2, look.TEAL))  # fmt: skip


class Space:
    """The grid of a picture of one size, 8 px a cell at 1280 x 720."""

    def __init__(self, size_px: tuple[int, int]) -> None:
        width, height = size_px
        self.cell_px = max(round((width * height / CELLS) ** 0.5), 4)
        self._down = _spread(COARSE[1], height, self.cell_px)
        self._across = _spread(COARSE[0], width, self.cell_px)
        self._ndc = np.stack(
            np.meshgrid(np.linspace(-1.0, 1.0, COARSE[0]), np.linspace(1.0, -1.0, COARSE[1])), axis=-1
        ).astype(np.float32)  # (19, 33, 2), top row first
        away = np.linalg.norm(self._ndc * np.array([width / height, 1.0], np.float32), axis=-1)
        share = _smooth(away / look.BACKDROP_REACH)[..., None]
        middle, border = np.array(look.BACKDROP_MIDDLE), np.array(look.BACKDROP_BORDER)
        self._gradient = (middle + (border - middle) * share).astype(np.float32)
        squares = (self._ndc**2).sum(axis=-1)
        fall = _smooth((squares - look.VIGNETTE_FROM) / (look.VIGNETTE_TO - look.VIGNETTE_FROM))
        self._vignette = self._spread_out((1.0 - (1.0 - look.VIGNETTE_LEAST) * fall)[..., None])
        ways = np.array([cloud[:3] for cloud, _ in CLOUDS])
        self._ways = (ways / np.linalg.norm(ways, axis=1, keepdims=True)).T.astype(np.float32)
        self._widths = np.array([cloud[3] for cloud, _ in CLOUDS], np.float32)
        self._colours = np.array([colour for _, colour in CLOUDS], np.float32)

    def grid(
        self, view: View, frames: Records, nodes: Records, cards: Records, rows: Counts, count: int, *, glow: bool
    ) -> Floats:
        """(gh + 1, 3, gw + 1) screen colours 0..255. rows: the first `count` of them are the nodes on screen."""
        light = self._spread_out(self._gradient + self._clouds(view))
        cell = np.float32(self.cell_px)
        if glow and count:
            summed = np.zeros_like(light)
            radius_px = sum_glow(frames, nodes, cards, rows, count, cell, summed)
            light += cv2.GaussianBlur(summed, (0, 0), max(BLUR * float(radius_px) / self.cell_px, 0.3)).reshape(light.shape)
        if view.lights is not None and view.light_mix > 0.0:
            find_glow(frames, nodes, cards, rows, count, cell, light)
        colours = np.minimum(np.sqrt(light * self._vignette) * np.float32(255.0), np.float32(254.0))
        return np.ascontiguousarray(colours.transpose(0, 2, 1))

    def _clouds(self, view: View) -> Floats:
        flat = self._ndc / np.array([view.clip_from_view[0, 0], view.clip_from_view[1, 1]], np.float32)
        ways = np.concatenate([flat, np.full((*flat.shape[:2], 1), -1.0, np.float32)], axis=-1)
        ways = (ways / np.linalg.norm(ways, axis=-1, keepdims=True)) @ view.view_from_world[:3, :3]
        squares = np.maximum(2.0 - 2.0 * (ways @ self._ways), 0.0)  # of the distances to the clouds' middles
        clouds: Floats = np.exp(-squares / self._widths**2) @ self._colours
        return clouds

    def _spread_out(self, coarse: Floats) -> Floats:
        """(19, 33, c) -> the grid's own corners."""
        fine = np.einsum("ia,abc,jb->ijc", self._down, coarse, self._across, optimize=True)
        return np.ascontiguousarray(fine, np.float32)


def ordered_dither() -> Ints:
    """(8, 8) int32 of 0..255, each step as often as any other, neighbours far apart."""
    tile = np.zeros((1, 1), np.int32)
    while len(tile) < 8:
        tile = np.block([[4 * tile, 4 * tile + 2], [4 * tile + 3, 4 * tile + 1]]).astype(np.int32)
    return np.ascontiguousarray(tile * 4 + 2)


def _smooth(share: Floats) -> Floats:
    share = np.clip(share, 0.0, 1.0)
    return share * share * (3.0 - 2.0 * share)


def _spread(coarse: int, size_px: int, cell_px: int) -> Floats:
    """(fine, coarse) weights that interpolate from corners to corners; the last cell may reach beyond the picture."""
    fine = -(-size_px // cell_px) + 1
    at = np.minimum(np.arange(fine) * cell_px / size_px, 1.0) * (coarse - 1.0)
    low = np.minimum(at.astype(int), coarse - 2)
    weights = np.zeros((fine, coarse), np.float32)
    weights[np.arange(fine), low] = 1.0 - (at - low)
    weights[np.arange(fine), low + 1] = at - low
    return weights
