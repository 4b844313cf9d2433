"""A map that grows and shrinks without moving: what is new gets a place, what has gone leaves, the rest stays to the
last bit."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.records import Cluster, Floats, Ids, Ints, Map
from atlas_rt.core.world import rows_of
from atlas_rt.ml import layout
from atlas_rt.ml.neighbours import nearest
from atlas_rt.ml.projector import Projector

EDGES = 5
"""Nearest neighbours that each image is joined to."""

Vectors = Callable[[Ints], Floats]
"""Rows of the file of vectors -> (n, dim) float32."""


class Anchors:
    """A map that new images are placed in: among its images, never among each other, so that their places do not depend
    on which came first. stored: rows of the file of vectors, beyond which an image of the map has none any more."""

    def __init__(self, map_: Map, vectors_at: Vectors, *, stored: int | None = None) -> None:
        usable = map_.rows < (len(map_.rows) if stored is None else stored)
        self.map = map_
        self._rows, self._positions = map_.rows[usable], map_.positions[usable]
        self._clusters = map_.clusters[usable]
        self._vectors_at = vectors_at

    @cached_property
    def _projector(self) -> Projector:
        return Projector(self._vectors_at(self._rows), self._positions)

    def place(self, vectors: Floats) -> tuple[Floats, Ints]:
        """Where new images stand, and in which clusters; on principal axes where there is nothing to stand among."""
        if not len(self._rows):
            return layout.normalise(layout.principal_axes(vectors)), np.full(len(vectors), -1, np.int32)
        placements = self._projector.place(vectors)
        return (
            np.stack([placement.position for placement in placements]),
            np.array([_usual(self._clusters[placement.neighbours[:EDGES]]) for placement in placements], np.int32),
        )


def extended(old: Map, ids: Ids, rows: Ints, *, anchors: Anchors, vectors_at: Vectors) -> Map:
    """`old` as a map of these images (ids ascending, rows of their vectors), its generation left as it was."""
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
    if len(new):
        positions[new], clusters[new] = anchors.place(vectors[new])
    edges, weights = _edges(old, ids, kept, at, vectors)
    return dataclasses.replace(
        old,
        ids=ids,
        rows=rows,
        positions=positions,
        edges=edges,
        weights=weights,
        clusters=clusters,
        fitted=fitted,
        cluster_records=tuple(_resized(record, clusters) for record in old.cluster_records),
    )


def with_vanished(map_: Map, ids: Ids, rows: Ints, *, stored: int) -> tuple[Ids, Ints]:
    """These images and those that only the map still holds. stored: rows of the file of vectors."""
    lacking = ~np.isin(map_.ids, ids) & (map_.rows < stored)
    joined = np.concatenate([ids, map_.ids[lacking]])
    order = np.argsort(joined, kind="stable")
    return joined[order], np.concatenate([rows, map_.rows[lacking]])[order]


def _edges(old: Map, ids: Ids, kept: NDArray[np.bool_], at: NDArray[np.intp], vectors: Floats) -> tuple[Ints, Floats]:
    """The old edges whose ends both stay, and each new image's edges to its nearest; the strongest first."""
    new_row = np.full(len(old.ids), -1, np.int32)
    new_row[at] = np.flatnonzero(kept)
    ends = new_row[old.edges]
    stays = (ends >= 0).all(axis=1)
    pairs, weights = [np.sort(ends[stays], axis=1)], [old.weights[stays]]
    new = np.flatnonzero(~kept).astype(np.int32)
    if len(new):
        similarities, rows = nearest(vectors, vectors[new], EDGES + 1)
        starts = np.repeat(new, rows.shape[1])
        other = starts != rows.ravel()
        pairs.append(np.sort(np.stack([starts[other], rows.ravel()[other]], axis=1), axis=1))
        weights.append(similarities.ravel()[other])
    joined = np.concatenate(pairs).astype(np.int32)
    _, first = np.unique(joined[:, 0].astype(np.int64) * len(ids) + joined[:, 1], return_index=True)
    strengths = np.concatenate(weights)[first].astype(np.float32)
    strongest = np.argsort(-strengths, kind="stable")
    return joined[first][strongest], strengths[strongest]


def _usual(clusters: Ints) -> int:
    """The cluster most of the neighbours are in, the nearest one's at a tie."""
    values, first, counts = np.unique(clusters, return_index=True, return_counts=True)
    return int(values[np.lexsort((first, -counts))[0]])


def _resized(record: Cluster, clusters: Ints) -> Cluster:
    return dataclasses.replace(record, size=int((clusters == record.id).sum()))
