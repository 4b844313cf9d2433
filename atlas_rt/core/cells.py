"""The rows of a scene in cells of neighbours, each with a box around it: looking around costs a glance at each box, and
an exact look at the rows of the few that matter.

A cell keeps its rows while they move. Every row goes straight from where it stood to its place, all by the same share,
so the box between the box of a cell's starts and the box of its ends holds them at every moment.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from atlas_rt.core.arrays import Floats, Ints, Rows

CELL = 32
"""Rows of a cell. With more of them there are fewer boxes to glance at, and more rows to look at exactly; at 100,000
rows, 32 is quickest for picking."""
_BITS = 10
"""Steps of each axis by which neighbours are found, as bits."""


@dataclass(frozen=True, slots=True)
class Boxes:
    """A box around each cell's rows, along the axes. middles, halves: (k, 3) world units."""

    middles: Floats
    halves: Floats

    def on_the_way(self, ends: Boxes, share: float) -> Boxes:
        """Where the boxes are between these and `ends`, after this share of the way."""
        if share >= 1.0 or ends is self:
            return ends
        part = np.float32(share)
        return Boxes(
            self.middles + part * (ends.middles - self.middles), self.halves + part * (ends.halves - self.halves)
        )


@dataclass(frozen=True, slots=True)
class Cells:
    """rows: (k, CELL) int32, each row of the scene once; -1 fills the last cell up."""

    rows: Ints

    def boxes(self, positions: Floats) -> Boxes:
        """Around where the rows stand, positions (n, 3). 100,000 take 2 ms: not for every frame."""
        if not len(self.rows):
            return Boxes(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.float32))
        filled = np.where(self.rows < 0, self.rows[-1, 0], self.rows) if self.rows[-1, -1] < 0 else self.rows
        low, high = np.empty((2, len(filled), 3), np.float32)
        for axis in range(3):
            places = positions[:, axis][filled]
            places.min(axis=1, out=low[:, axis])
            places.max(axis=1, out=high[:, axis])
        return Boxes((low + high) / np.float32(2.0), (high - low) / np.float32(2.0))

    def rows_in(self, cells: Rows) -> Rows:
        """The rows of some cells."""
        rows = self.rows[cells].ravel()
        return (rows if not len(rows) or rows[-1] >= 0 else rows[rows >= 0]).astype(np.intp)


def cells_of(positions: Floats) -> Cells:
    """Cells of rows that stand near each other, by places (n, 3): along a Morton curve (Morton 1966)."""
    count = -(-len(positions) // CELL)
    rows = np.full(count * CELL, -1, np.int32)
    rows[: len(positions)] = np.argsort(_curve(positions), kind="stable")
    return Cells(rows.reshape(count, CELL))


def _curve(positions: Floats) -> Ints:
    """(n,) places along the curve."""
    if not len(positions):
        return np.zeros(0, np.int32)
    low = positions.min(axis=0)
    size = max(float((positions.max(axis=0) - low).max()), 1e-9)
    steps = ((positions - low) * np.float32(((1 << _BITS) - 1) / size)).astype(np.int32)
    along = np.zeros(len(positions), np.int32)
    for bit in range(_BITS):
        for axis in range(3):
            along |= ((steps[:, axis] >> bit) & 1) << (3 * bit + axis)
    return along
