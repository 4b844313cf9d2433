"""How alike two pictures of the same view are: structural similarity (Wang 2004) where there is anything to see."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.arrays import Bytes, Floats

GREY = np.array([0.299, 0.587, 0.114], np.float32)
SEEN = 4.0
"""Steps of 255 by which a pixel must differ from the empty background, in one picture or the other, to count."""
GROWN_PX = 2
"""Pixels by which the area that counts is grown."""
TAPS, SIGMA = 11, 1.5
LUMINANCE, CONTRAST = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def likeness(picture: Bytes, reference: Bytes, empty_picture: Bytes, empty_reference: Bytes) -> float:
    """0..1, the mean similarity of two pictures (h, w, 3) RGB, halved by area, where either shows anything.

    empty_...: the same view without a node, drawn by the same renderer. 1 where neither shows anything.
    """
    one, other = _grey(picture), _grey(reference)
    seen = np.abs(one - _grey(empty_picture)) > SEEN
    seen |= np.abs(other - _grey(empty_reference)) > SEEN
    counts = _halved(_grown(seen).astype(np.float32)) >= 0.5
    if not counts.any():
        return 1.0
    return float(_similarity(_halved(one), _halved(other))[counts].mean())


def _grey(rgb: Bytes) -> Floats:
    grey: Floats = np.rint(rgb.astype(np.float32) @ GREY).astype(np.float32)
    return grey


def _halved(grey: Floats) -> Floats:
    height, width = (side // 2 * 2 for side in grey.shape)
    halved: Floats = grey[:height, :width].reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3), dtype=np.float32)
    return halved


def _grown(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    for axis in (0, 1):
        padded = np.pad(mask, [(GROWN_PX, GROWN_PX) if axis == other else (0, 0) for other in (0, 1)])
        mask = np.asarray(np.lib.stride_tricks.sliding_window_view(padded, 2 * GROWN_PX + 1, axis=axis).any(axis=-1))
    return mask


def _blurred(grey: Floats) -> Floats:
    away = np.arange(TAPS, dtype=np.float32) - TAPS // 2
    taps = np.exp(-(away**2) / np.float32(2.0 * SIGMA**2)).astype(np.float32)
    taps /= taps.sum()
    for axis in (0, 1):
        padded = np.pad(grey, [(TAPS // 2,) * 2 if axis == other else (0, 0) for other in (0, 1)], mode="reflect")
        size = grey.shape[axis]
        parts = [tap * padded.take(range(at, at + size), axis=axis) for at, tap in enumerate(taps)]
        grey = np.sum(parts, axis=0, dtype=np.float32)
    return grey


def _similarity(one: Floats, other: Floats) -> Floats:
    mean_one, mean_other = _blurred(one), _blurred(other)
    spread_one = _blurred(one * one) - mean_one**2
    spread_other = _blurred(other * other) - mean_other**2
    shared = _blurred(one * other) - mean_one * mean_other
    similarity = ((2 * mean_one * mean_other + LUMINANCE) * (2 * shared + CONTRAST)) / (
        (mean_one**2 + mean_other**2 + LUMINANCE) * (spread_one + spread_other + CONTRAST)
    )
    return np.asarray(similarity, np.float32)
