"""How true a map is to the vectors it was made of: trustworthiness and neighbour recall.

Trustworthiness is 1 less a penalty for every image that stands among the k nearest of another without being near it
(Venna and Kaski 2001); recall is the share of the k truly nearest that stand among the k nearest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from atlas_rt.core.arrays import Floats, Ints

NEIGHBOURS = 15
BLOCK = 256
"""Images judged together: their ranks among 10,000 are 10 MB."""


@dataclass(frozen=True, slots=True)
class Quality:
    trustworthiness: float
    recall: float


def quality_of(vectors: Floats, positions: Floats, *, rows: Ints | None = None, k: int = NEIGHBOURS) -> Quality:
    """Of a map, (n, dim) unit vectors at (n, 3), judged by these of its rows, or by all."""
    judged = np.arange(len(vectors), dtype=np.int32) if rows is None else rows
    return placed_quality(vectors[judged], positions[judged], vectors, positions, own=judged, k=k)


def placed_quality(
    queries: Floats, places: Floats, vectors: Floats, positions: Floats, *, own: Ints | None = None, k: int = NEIGHBOURS
) -> Quality:
    """Of `queries` (q, dim) placed at (q, 3) in a map. own: the row of each in the map, where it is part of it."""
    penalty = recalled = 0.0
    for start in range(0, len(queries), BLOCK):
        block = slice(start, start + BLOCK)
        ranks, stand = _ranks(queries[block], places[block], vectors, positions, None if own is None else own[block], k)
        of_standing = np.take_along_axis(ranks, stand, axis=1)
        penalty += float(np.maximum(of_standing - (k - 1), 0).sum())
        recalled += float((of_standing < k).sum())
    count = len(queries)
    if not count or len(vectors) <= 2 * k:
        return Quality(1.0, recalled / max(count * k, 1))
    worst = count * k * (2 * len(vectors) - 3 * k - 1) / 2
    return Quality(1.0 - penalty / worst, recalled / (count * k))


def _ranks(
    queries: Floats, places: Floats, vectors: Floats, positions: Floats, own: Ints | None, k: int
) -> tuple[Ints, Ints]:
    """(q, n) how many images are more similar than each, and (q, k) the rows that stand nearest."""
    similarities = queries @ vectors.T
    squared = (places**2).sum(axis=1)[:, None] - 2.0 * places @ positions.T + (positions**2).sum(axis=1)
    if own is not None:
        at = np.arange(len(queries))
        similarities[at, own], squared[at, own] = -2.0, np.inf
    order = np.argsort(-similarities, axis=1, kind="stable")
    ranks = np.empty(order.shape, np.int32)
    np.put_along_axis(ranks, order, np.arange(order.shape[1], dtype=np.int32)[None], axis=1)
    return ranks, np.argpartition(squared, k, axis=1)[:, :k].astype(np.int32)
