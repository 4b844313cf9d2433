"""From an image's id to its row: the only such look-up.

Ids often arrive from another scene than the newest one: a panel lists what has been deleted since, an answer
comes late. So a look-up always says when an id is not there.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.arrays import Ids

Mask = NDArray[np.bool_]


def rows_of(ids: Ids, wanted: Ids) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """For each wanted id its row in `ids` (ascending) and whether it is there at all; rows of missing ones are 0."""
    if not len(ids):
        return np.zeros(len(wanted), np.intp), np.zeros(len(wanted), np.bool_)
    if ids is wanted or np.array_equal(ids, wanted):  # mostly so, and a look instead of 100,000 searches
        return np.arange(len(ids)), np.ones(len(ids), np.bool_)
    rows = np.minimum(np.searchsorted(ids, wanted), len(ids) - 1)
    known: NDArray[np.bool_] = ids[rows] == wanted
    return np.where(known, rows, 0), known


class IdMask:
    """Sets of images as masks of rows, to combine many: a union of 100,000 takes 10 microseconds, and 2 ms where
    sets are arrays of ids. ids: (n,) ascending."""

    def __init__(self, ids: Ids) -> None:
        self.ids = ids
        self._last = int(ids[-1]) if len(ids) else -1
        self._rows = np.full(self._last + 2, len(ids), np.int32)  # ids that are not there share a row beyond the last
        self._rows[ids] = np.arange(len(ids), dtype=np.int32)

    def of(self, *found: Ids) -> Mask:
        """(n,) the rows of these images; ids that are not there are left out."""
        mask = np.zeros(len(self.ids) + 1, np.bool_)
        for ids in found:
            mask[self._rows[np.minimum(ids, self._last + 1)]] = True
        return mask[:-1]

    def all(self) -> Mask:
        return np.ones(len(self.ids), np.bool_)


def row_of(ids: Ids, id_: int) -> int | None:
    """The row of one id in `ids` (ascending), None where it is not there."""
    row = int(np.searchsorted(ids, id_))
    return row if row < len(ids) and ids[row] == id_ else None
