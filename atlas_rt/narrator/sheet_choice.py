"""Which images of a group its contact sheet shows."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.arrays import Floats, Rows
from atlas_rt.search.vector_index import VectorIndex

TYPICAL_SHARE = 0.75
"""A sheet shows images from the middle of its group to this share of it: what is typical, not only what is central."""

T = TypeVar("T", bound=np.generic)


def typical(rows: Rows, vector_index: VectorIndex, mean: Floats, count: int) -> Rows:
    """At most `count` images of a group: evenly from the most central on. mean: (dim,) of the group."""
    order = np.argsort(-(vector_index.at(rows.astype(np.int32)) @ mean), kind="stable")
    if len(rows) <= count:
        return rows[order]
    last = max(count, round(TYPICAL_SHARE * len(rows))) - 1
    return rows[order[np.linspace(0, last, count).round().astype(np.intp)]]


def spread(values: NDArray[T], count: int) -> NDArray[T]:
    """At most `count` of these, evenly over all."""
    if len(values) <= count:
        return values
    return values[np.linspace(0, len(values) - 1, count).astype(np.intp)]
