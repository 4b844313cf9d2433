"""Every image's score, and its light in the cloud. Whether it is a match: `bands`."""

from __future__ import annotations

import numpy as np

from atlas_rt.core.arrays import Floats

NORMAL = 1.4826
"""Median absolute deviation -> standard deviation, for normally distributed scores."""
LEAST_SPREAD = 1e-6
"""Cosines that differ by less differ by rounding."""


def score(matrix: Floats, vector: Floats) -> Floats:
    """The cosine of every image, (n, dim) and (dim,) -> (n,): 6.5 ms at 100,000 x 512, as fast as memory is read.

    Row by row, so an image's score has the same bits whatever other rows there are. BLAS's product of matrix and vector
    takes 15.2 ms, NumPy's einsum 8.4, FAISS on two threads 36.
    """
    scores: Floats = np.vecdot(matrix, vector)
    return scores


def lights(scores: Floats, usual: Floats | None = None) -> Floats:
    """(n,) scores -> (n,) float32 deviations above their median, which is where the cloud stays dark.

    The deviation is the scaled median absolute one, which the few matches do not widen; where more than half of the
    scores are the same, the standard deviation. Scores that are all the same, or only one, give no light, nor does one
    of -inf. usual: scores by which median and deviation are judged, all by default.
    """
    usual = scores if usual is None else usual
    if not len(usual):
        return np.zeros(len(scores), np.float32)
    median = _median(usual)
    spread = NORMAL * float(_median(np.abs(usual - median)))
    if spread < LEAST_SPREAD:
        spread = float((usual - median).std())
    if spread < LEAST_SPREAD:
        return np.zeros(len(scores), np.float32)
    above = (scores - median) / np.float32(spread)
    return np.where(np.isfinite(above), above, np.float32(0.0))


def _median(values: Floats) -> np.float32:
    """The upper one of the two in the middle: half the 1.2 ms of NumPy's at 100,000."""
    middle = len(values) // 2
    median: np.float32 = np.partition(values, middle)[middle]
    return median
