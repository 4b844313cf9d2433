"""How alike two pictures of one scene are: structural similarity where either shows more than empty space.

Wang, Bovik, Sheikh and Simoncelli 2004, on grey pictures, an 11 x 11 gaussian, both halved by area.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.arrays import Bytes
from atlas_rt.core.library_path import library_path_kept

with library_path_kept():
    import cv2

WINDOW, SIGMA = 11, 1.5
C1, C2 = (0.01 * 255.0) ** 2, (0.03 * 255.0) ** 2
EMPTY_LEVELS = 4
"""By so many of 255 a pixel may differ from the empty background and still count as empty."""
GROWN_PX = 2


def likeness(picture: Bytes, reference: Bytes, empty: Bytes) -> float:
    """1 where they are the same, about 0.1 for an empty picture. All three (h, w, 3) RGB of one size; empty: the
    background alone."""
    differs = [np.abs(each.astype(np.int16) - empty).max(axis=2) > EMPTY_LEVELS for each in (picture, reference)]
    shown = (differs[0] | differs[1]).astype(np.uint8)
    shown = cv2.dilate(shown, np.ones((2 * GROWN_PX + 1,) * 2, np.uint8))
    half = (max(picture.shape[1] // 2, 1), max(picture.shape[0] // 2, 1))
    mask = cv2.resize(shown, half, interpolation=cv2.INTER_NEAREST).astype(bool)
    if not mask.any():
        return 1.0
    similar = _similarity(_grey(picture, half), _grey(reference, half))
    return float(similar[mask].mean())


def _grey(picture: Bytes, half: tuple[int, int]) -> NDArray[np.float64]:
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return cv2.resize(grey, half, interpolation=cv2.INTER_AREA).astype(np.float64)


def _similarity(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    def blurred(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(cv2.GaussianBlur(values, (WINDOW, WINDOW), SIGMA))

    mean_a, mean_b = blurred(a), blurred(b)
    var_a, var_b = blurred(a * a) - mean_a**2, blurred(b * b) - mean_b**2
    both = blurred(a * b) - mean_a * mean_b
    over = (2.0 * mean_a * mean_b + C1) * (2.0 * both + C2)
    under = (mean_a**2 + mean_b**2 + C1) * (var_a + var_b + C2)
    return np.asarray(over / under)
