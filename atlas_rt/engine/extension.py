"""A map that grows and shrinks without moving: what is new gets a place, what has gone leaves, the rest stays to the
last bit."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.records import Cluster, Floats, Ids, Ints, Map
from atlas_rt.core.world import rows_of
from atlas_rt.ml import layout
from atlas_rt.ml.duplicates import carried
from atlas_rt.ml.neighbours import knn
from atlas_rt.ml.projector import Projector

EDGES = 5
"""Nearest neighbours that each image is joined to."""

Vectors = Callable[[Ints], Floats]
"""Rows of the file of vectors -> (n, dim) float32."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Where n new images stand, in which clusters, and their nearest among the anchors: ids and similarities (n, k)."""

    positions: Floats
    clusters: Ints
    nearest: Ids
    similarities: Floats


class Anchors:
    """A map that new images are placed in: among its images, never among each other, so that their places do not depend
    on which came first. stored: rows of the file of vectors, beyond which an image of the map has none any more; None
    where all have one."""

    def __init__(self, map_: Map, vectors_at: Vectors, *, stored: int | None = None) -> None:
        usable = np.ones(len(map_.rows), np.bool_) if stored is None else map_.rows < stored
        self.map = map_
        self._rows, self._positions = map_.rows[usable], map_.positions[usable]
        self._ids, self._clusters = map_.ids[usable], map_.clusters[usable]
        self._vectors_at = vectors_at

    @cached_property
    def _projector(self) -> Projector:
        return Projector(self._vectors_at(self._rows), self._positions)

    def place(self, vectors: Floats) -> Placed:
        """Where new images stand; on principal axes where there is nothing to stand among."""
        if not len(self._rows):
            nowhere = np.full(len(vectors), -1, np.int32)
            none = np.zeros((len(vectors), 0))
            positions = layout.normalise(layout.principal_axes(vectors))
            return Placed(positions, nowhere, none.astype(np.int64), none.astype(np.float32))
        placements = self._projector.place(vectors)
        near = np.stack([placement.neighbours[:EDGES] for placement in placements])
        return Placed(
            np.stack([placement.position for placement in placements]),
            np.array([_usual(self._clusters[rows]) for rows in near], np.int32),
            self._ids[near],
            np.stack([placement.similarities[:EDGES] for placement in placements]),
        )


def extended(
    old: Map, ids: Ids, rows: Ints, *, anchors: Anchors, vectors_at: Vectors, provisional: bool = False
) -> Map:
    """`old` as a map of these images (ids ascending, rows of their vectors), its generation left as it was.

    provisional: new images are joined to their nearest anchors, which are at hand, not to their nearest of all. They
    stack nowhere yet.
    """
    at, known = rows_of(old.ids, ids)
    kept = known & (old.rows[at] == rows)
    at = at[kept]
    vectors = vectors_at(rows)
    positions = np.empty((len(ids), 3), np.float32)
    positions[kept] = old.positions[at]
    clusters = np.full(len(ids), -1, np.int32)
    clusters[kept] = old.clusters[at]
    fitted = np.zeros(len(ids), np.bool_)
    fitted[kept] = old.fitted[at]
    new = np.flatnonzero(~kept)
    placed = anchors.place(vectors[new]) if len(new) else None
    if placed is not None:
        positions[new], clusters[new] = placed.positions, placed.clusters
    pairs, strengths = _of_new(ids, new, vectors, placed if provisional else None)
    edges, weights = _edges(old, ids, kept, at, pairs, strengths)
    stacks = carried(old.ids, old.rows, old.stacks, ids, rows)
    return dataclasses.replace(
        old,
        ids=ids,
        rows=rows,
        positions=positions,
        edges=edges,
        weights=weights,
        clusters=clusters,
        fitted=fitted,
        stacks=np.where(stacks < 0, ids, stacks) if len(old.stacks) else old.stacks,
        cluster_records=tuple(_resized(record, clusters) for record in old.cluster_records),
    )


def with_vanished(map_: Map, ids: Ids, rows: Ints, *, stored: int) -> tuple[Ids, Ints]:
    """These images and those that only the map still holds. stored: rows of the file of vectors."""
    lacking = ~np.isin(map_.ids, ids) & (map_.rows < stored)
    joined = np.concatenate([ids, map_.ids[lacking]])
    order = np.argsort(joined, kind="stable")
    return joined[order], np.concatenate([rows, map_.rows[lacking]])[order]


def _of_new(ids: Ids, new: NDArray[np.intp], vectors: Floats, placed: Placed | None) -> tuple[Ints, Floats]:
    """New images' edges, (m, 2) rows and (m,) similarities: to their nearest of all, or those they were placed by."""
    if placed is None:
        similarities, rows = knn(vectors, EDGES, of=new.astype(np.int32))
    else:
        found, known = rows_of(ids, placed.nearest.ravel())
        own = new.repeat(placed.nearest.shape[1])  # in place of an anchor that went: no edge
        rows = np.where(known, found, own).astype(np.int32).reshape(placed.nearest.shape)
        similarities = placed.similarities
    starts, ends = new.repeat(rows.shape[1]), rows.ravel()
    other = starts != ends
    pairs = np.sort(np.stack([starts[other], ends[other]], axis=1), axis=1).astype(np.int32)
    return pairs, similarities.ravel()[other]


def _edges(
    old: Map, ids: Ids, kept: NDArray[np.bool_], at: NDArray[np.intp], pairs: Ints, strengths: Floats
) -> tuple[Ints, Floats]:
    """The old edges whose ends both stay, and those of new images; the strongest first."""
    new_row = np.full(len(old.ids), -1, np.int32)
    new_row[at] = np.flatnonzero(kept)
    ends = new_row[old.edges]
    stays = (ends >= 0).all(axis=1)
    joined = np.concatenate([np.sort(ends[stays], axis=1), pairs]).astype(np.int32)
    weights = np.concatenate([old.weights[stays], strengths]).astype(np.float32)
    _, first = np.unique(joined[:, 0].astype(np.int64) * len(ids) + joined[:, 1], return_index=True)
    strongest = np.argsort(-weights[first], kind="stable")
    return joined[first][strongest], weights[first][strongest]


def _usual(clusters: Ints) -> int:
    """The cluster most of the neighbours are in, the nearest one's at a tie."""
    values, first, counts = np.unique(clusters, return_index=True, return_counts=True)
    return int(values[np.lexsort((first, -counts))[0]])


def _resized(record: Cluster, clusters: Ints) -> Cluster:
    return dataclasses.replace(record, size=int((clusters == record.id).sum()))
