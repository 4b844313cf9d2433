"""Vectors of length one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.arrays import Floats

SHORTEST = np.float32(1e-12)
"""Shorter vectors have no direction; they stay as short as they are."""


def unit(vectors: NDArray[np.floating[Any]]) -> Floats:
    """(..., dim) float32 of length one along the last axis, from vectors of any length."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    of_length_one: Floats = (vectors / np.maximum(lengths, SHORTEST)).astype(np.float32, copy=False)
    return of_length_one
