"""The picture of a view at rest, refined over the next frames until it is smooth.

Each step draws the view once more, moved by a part of a pixel, with blended texels and soft edges, and shows the mean
of all so far. Bloom is added as the steps go on, so that it comes softly.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from atlas_rt.core.arrays import Floats
from atlas_rt.core.glass import VisitedCard
from atlas_rt.core.library_path import library_path_kept
from atlas_rt.core.scene import View
from atlas_rt.render import look
from atlas_rt.render.soft.kernels.records import Pixels
from atlas_rt.render.soft.kernels.samples import Sums, add_bloom, add_sample, mean_of

with library_path_kept():
    import cv2

Shift = tuple[np.float32, np.float32]
PASSES = 8
STEP_X, STEP_Y = 0.7548776662466927, 0.5698402909980532
"""Roberts' R2 sequence: however many of its points are taken, they lie evenly."""
NEAR_SHRINK, FAR_SHRINK = 4, 3
NEAR_SIGMA, FAR_SIGMA = 1.7, 2.4
"""Of a nine-tap blur of the shaders, and of two of them, in texels."""


class Refinement:
    """One picture on its way. Whoever draws another view drops it; between two steps nothing is held up."""

    def __init__(self, sample: Callable[[Shift], Pixels], view: View, *, passes: int = PASSES) -> None:
        """sample: draws the view, moved by so many pixels to the right and down."""
        self._sample, self._view = sample, view
        self.passes = passes
        self.done = 0
        """Steps that were made."""
        self._sums: Sums | None = None
        self._picture: Pixels | None = None
        self._bloom: Floats | None = None

    def step(self) -> Pixels | None:
        """The picture after one more pass, (h, w) as `Rasterizer.draw`'s, valid until the next step; None when it was
        finished before."""
        if self.done >= self.passes:
            return None
        pixels = self._sample(shift_of(self.done))
        self.done += 1
        if self._sums is None or self._picture is None:
            self._sums, self._picture = np.zeros(pixels.shape, np.uint64), np.empty_like(pixels)
            self._bloom = bloom_of(pixels) if pixels.size else None
            if self._bloom is not None and self._view.visited is not None:
                self._bloom *= _open_to_bloom(self._view, self._view.visited, self._bloom.shape)
        add_sample(pixels, self._sums)
        mean_of(self._sums, self.done, self._picture)
        if self._bloom is not None:
            add_bloom(self._bloom, np.float32(self.done / self.passes), self._picture)
        return self._picture


def shift_of(number: int) -> Shift:
    """Where a pass looks within each pixel, -0.5..0.5 to the right and down; the first in the middle."""
    x, y = ((0.5 + number * step) % 1.0 - 0.5 for step in (STEP_X, STEP_Y))
    return np.float32(x), np.float32(y)


def bloom_of(picture: Pixels) -> Floats:
    """(h / 4, w / 4, 3) the light that spreads around what shines, over a few pixels and over some dozens."""
    height, width = picture.shape
    size = max(width // NEAR_SHRINK, 1), max(height // NEAR_SHRINK, 1)
    bgra = picture.view(np.uint8).reshape(height, width, 4)
    small = cv2.resize(bgra, size, interpolation=cv2.INTER_AREA).reshape(size[1], size[0], 4)
    light = small[..., 2::-1].astype(np.float32) / np.float32(255.0)
    near = cv2.GaussianBlur(_shining(light * light), (0, 0), NEAR_SIGMA)
    far_size = max(size[0] // FAR_SHRINK, 1), max(size[1] // FAR_SHRINK, 1)
    far = cv2.GaussianBlur(cv2.resize(near, far_size, interpolation=cv2.INTER_AREA), (0, 0), FAR_SIGMA)
    spread = look.BLOOM_NEAR * near + look.BLOOM_FAR * cv2.resize(far, size, interpolation=cv2.INTER_LINEAR)
    bloom: Floats = (np.reshape(spread, light.shape) * _vignette(size)).astype(np.float32)
    return bloom


def _vignette(size_px: tuple[int, int]) -> Floats:
    """(h, w, 1) how much light each pixel keeps."""
    across, down = (2.0 * (np.arange(side) + 0.5) / side - 1.0 for side in size_px)
    squares = across[None, :, None] ** 2 + down[:, None, None] ** 2
    share = np.clip((squares - look.VIGNETTE_FROM) / (look.VIGNETTE_TO - look.VIGNETTE_FROM), 0.0, 1.0)
    kept: Floats = (1.0 - (1.0 - look.VIGNETTE_LEAST) * share * share * (3.0 - 2.0 * share)).astype(np.float32)
    return kept


def _open_to_bloom(view: View, card: VisitedCard, shape: tuple[int, ...]) -> Floats:
    """(h, w, 1) how much bloom each pixel may have: none within a visited card, as `mingle.frag` has it."""
    slope = np.tan(view.fov_y / 2.0)
    x = (2.0 * (np.arange(shape[1]) + 0.5) / shape[1] - 1.0) * slope * shape[1] / shape[0]
    y = (1.0 - 2.0 * (np.arange(shape[0]) + 0.5) / shape[0]) * slope
    inside = np.minimum(card.across - np.abs(x - card.x)[None], card.down - np.abs(y - card.y)[:, None])
    within = np.clip(inside / (look.BLOOM_EDGE * min(card.across, card.down)) + 1.0, 0.0, 1.0)
    left: Floats = (1.0 - card.glass * within[..., None]).astype(np.float32)
    return left


def _shining(light: Floats) -> Floats:
    """What is brighter or more coloured than a picture can be, as `bright.frag` has it."""
    brightest, least = light.max(axis=2, keepdims=True), light.min(axis=2, keepdims=True)
    spread = brightest - least
    share = np.clip((spread - look.BLOOM_FROM) / (look.BLOOM_TO - look.BLOOM_FROM), 0.0, 1.0)
    coloured = spread * share * share * (3.0 - 2.0 * share)
    over = np.maximum(brightest - look.BLOOM_OVER, 0.0)
    shining: Floats = light * np.clip(look.BLOOM_COLOURED * coloured + over / (over + look.BLOOM_SOFT), 0.0, 1.0)
    return shining.astype(np.float32)
