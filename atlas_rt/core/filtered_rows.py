"""Which rows of a scene filters let through, and how the others are shown: as embers, or not at all.

What the person goes to all the same is let through as long as it is selected.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.arrays import Floats, Ints
from atlas_rt.core.lights import CLUSTER_LIGHT, carried
from atlas_rt.core.rows import Mask

PASSING_LIGHT = CLUSTER_LIGHT
"""What rows that are let through shine with while the others are embers, in deviations above the median."""


class FilteredRows:
    """Owned by the world. passing: (n,) what the filters let through, None while there are none. hides: the others are
    not drawn."""

    def __init__(self) -> None:
        self.passing: Mask | None = None
        self.hides = False
        self._let: Mask | None = None
        self._kept: tuple[int, ...] = ()  # rows that are shown although they do not pass

    @property
    def let(self) -> Mask | None:
        """(n,) what is let through now."""
        return self._let

    def change(self, passing: Mask | None, *, hides: bool) -> None:
        """Other filters."""
        self.passing, self.hides = passing, hides
        self._rebuild()

    def keep(self, rows: Iterable[int]) -> bool:
        """Let these rows through too, and no others that do not pass; whether that changes anything."""
        passing, before = self.passing, self._kept
        self._kept = () if passing is None else tuple(row for row in rows if row >= 0 and not passing[row])
        if self._kept == before:
            return False
        self._rebuild()
        return True

    def carry(self, rows: NDArray[np.intp], known: NDArray[np.bool_]) -> None:
        """Follow a change of rows; newcomers wait until it is known whether they pass. rows: the old row of each new
        one, where it is `known`."""
        self._kept = ()
        if self.passing is not None:
            self.passing = carried(self.passing.astype(np.float32), rows, known) > 0.0
        self._rebuild()

    def concealed(self, others: Mask | None) -> Mask | None:
        """(n,) which rows are not drawn, None where all are. others: what is not drawn for another reason."""
        if self._let is None or not self.hides:
            return others
        return ~self._let if others is None else others | ~self._let

    def lights(self, lights: Floats | None) -> Floats | None:
        """(n,) what every row shines with, None where all are as they are. lights: what else lights them."""
        if self._let is None or (lights is None and self.hides):
            return lights
        lit: Floats | np.float32 = np.float32(PASSING_LIGHT) if lights is None else lights
        return np.where(self._let, lit, np.float32(0.0)).astype(np.float32)

    def emptied(self, clusters: Ints) -> frozenset[int]:
        """The clusters of which no row is drawn any more. clusters: (n,) the cluster of each row."""
        if self._let is None or not self.hides:
            return frozenset()
        return frozenset(np.setdiff1d(clusters, clusters[self._let]).tolist())

    def _rebuild(self) -> None:
        self._let = self.passing
        if self.passing is not None and self._kept:
            self._let = self.passing.copy()
            self._let[list(self._kept)] = True
