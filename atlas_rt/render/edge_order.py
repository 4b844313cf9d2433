"""The links of the live marker to its neighbours."""

from __future__ import annotations

import numpy as np

from atlas_rt.core.arrays import Floats

LINK_STRENGTH = 0.9


def links(rows: tuple[int, ...]) -> Floats:
    """(k, 4) row, -1 for the live marker, strength, 0: its links to the images nearest to it, nearest first."""
    result = np.zeros((len(rows), 4), np.float32)
    result[:, 0] = rows
    result[:, 1] = -1.0
    result[:, 2] = np.linspace(LINK_STRENGTH, LINK_STRENGTH / 3.0, max(len(rows), 1))[: len(rows)]
    return result
