"""A map that grows and shrinks without moving: new images get a place, forgotten ones leave, the rest stays to the
last bit."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.arrays import Floats, Ids, Ints
from atlas_rt.core.maps import Cluster, Map
from atlas_rt.core.rows import rows_of
from atlas_rt.core.submap import left
from atlas_rt.library.maps import FIT
from atlas_rt.mapping import layout, wall
from atlas_rt.mapping.duplicates import carried
from atlas_rt.mapping.neighbours import Neighbours
from atlas_rt.mapping.projector import Projector, Usual

EDGES = 5
"""Nearest neighbours that each image is joined to."""

Vectors = Callable[[Ints], Floats]
"""Rows of the file of vectors -> (n, dim) float32."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Where n new images stand, in which clusters and subclusters, and their nearest among the reference images: ids,
    rows of their vectors and similarities, (n, k) each."""

    positions: Floats
    clusters: Ints
    subclusters: Ints
    nearest: Ids
    nearest_rows: Ints
    similarities: Floats


class ReferenceMap:
    """A map that new images are placed in: among its images, never among each other, so that their places do not depend
    on which came first. stored: number of valid rows in the vector file; images of the map with a larger row have lost
    their vector. None if all have one."""

    def __init__(self, map_: Map, vectors_at: Vectors, *, stored: int | None = None) -> None:
        usable = np.ones(len(map_.rows), np.bool_) if stored is None else map_.rows < stored
        self.map = map_
        self._rows, self._positions = map_.rows[usable], map_.positions[usable]
        self._ids, self._clusters = map_.ids[usable], map_.clusters[usable]
        none = np.full(len(self._ids), -1, np.int32)
        self._subclusters = map_.subclusters[usable] if len(map_.subclusters) else none
        self._vectors_at = vectors_at
        self._usual: Usual | None = None

    @cached_property
    def _projector(self) -> Projector:
        # each round has its own among a map's images, and brings a few; while a library grows they serve for thousands
        return Projector(self._vectors_at(self._rows), self._positions, exact=self.map.kind == FIT, usual=self._usual)

    def make_ready(self) -> None:
        """Read and count now what placing needs: 0.8 s among 100,000, or 0.3 s after a rest."""
        self.place(self._vectors_at(self._rows[:1]))

    def rest(self) -> None:
        """Let go of what placing needs, a copy of all vectors, until it is needed again."""
        if "_projector" in self.__dict__:
            self._usual = self._projector.usual
            del self._projector

    def place(self, vectors: Floats) -> Placed:
        """Where new images stand; on principal axes where there is nothing to stand among."""
        if not len(self._rows):
            nowhere = np.full(len(vectors), -1, np.int32)
            none = np.zeros((len(vectors), 0))
            positions = layout.normalise(layout.principal_axes(vectors))
            nearest = none.astype(np.int64), none.astype(np.int32), none.astype(np.float32)
            return Placed(positions, nowhere, nowhere, *nearest)
        placements = self._projector.place(vectors)
        near = np.stack([placement.neighbours for placement in placements])
        groups = np.array([self._groups(rows) for rows in near[:, :EDGES]], np.int32).reshape(-1, 2)
        return Placed(
            np.stack([placement.position for placement in placements]),
            groups[:, 0],
            groups[:, 1],
            self._ids[near],
            self._rows[near],
            np.stack([placement.similarities for placement in placements]),
        )

    def _groups(self, neighbours: Ints) -> tuple[int, int]:
        """The cluster and the subcluster that most of an image's neighbours are in: rows, the nearest first."""
        cluster = _usual(self._clusters[neighbours])
        there = neighbours[self._clusters[neighbours] == cluster]  # a subcluster of another cluster is none of it
        return cluster, _usual(self._subclusters[there])

    def lack(self, ids: Ids, rows: Ints) -> NDArray[np.intp]:
        """Which of these images (ids, rows of their vectors) are none of the reference images, ascending."""
        at, known = rows_of(self._ids, ids)
        known[known] = self._rows[at[known]] == rows[known]
        return np.flatnonzero(~known)


def extended(
    old: Map, ids: Ids, rows: Ints, *, reference: ReferenceMap, vectors_at: Vectors, provisional: bool = False
) -> Map:
    """`old` as a map of these images (ids ascending, rows of their vectors), its generation left as it was.

    provisional: new images are joined to their nearest anchors, which are at hand, not to their nearest of all. They
    stack nowhere yet.
    """
    at, kept = rows_of(old.ids, ids)
    kept[kept] = old.rows[at[kept]] == rows[kept]  # an empty map has no row to ask
    at = at[kept]
    positions = np.empty((len(ids), 3), np.float32)
    positions[kept] = old.positions[at]
    clusters = np.full(len(ids), -1, np.int32)
    clusters[kept] = old.clusters[at]
    subclusters = np.full(len(ids) if len(old.subclusters) else 0, -1, np.int32)
    if len(old.subclusters):
        subclusters[kept] = old.subclusters[at]
    fitted = np.zeros(len(ids), np.bool_)
    fitted[kept] = old.fitted[at]
    new = np.flatnonzero(~kept)
    pairs, strengths = np.zeros((0, 2), np.int32), np.zeros(0, np.float32)
    if len(new):
        vectors = vectors_at(rows[new])
        placed = reference.place(vectors)
        positions[new], clusters[new] = layout.off_taken(placed.positions, positions[kept]), placed.clusters
        if len(subclusters):
            subclusters[new] = placed.subclusters
        found = [_among_anchors(ids, rows, new, placed)]
        if not provisional:
            others = reference.lack(ids, rows)
            similarities, near = Neighbours(vectors_at(rows[others]), exact=True).nearest(vectors, EDGES + 1)
            found.append((others[near], similarities))
        pairs, strengths = _pairs(new, *(np.hstack(part) for part in zip(*found, strict=True)))
    edges, weights = _edges(old, ids, kept, at, pairs, strengths)
    cells = np.zeros((len(ids) if len(old.wall) else 0, 2), np.int32)
    if len(cells):
        cells[kept] = old.wall[at]
        cells = wall.grown(cells, kept, edges, positions)
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
        subclusters=subclusters,
        subcluster_records=left(old.subcluster_records, ids, subclusters),
        wall=cells,
    )


def _among_anchors(ids: Ids, rows: Ints, new: NDArray[np.intp], placed: Placed) -> tuple[NDArray[np.intp], Floats]:
    """The reference images nearest to each new image, as rows of ids, and their similarities. One that went, or is
    another picture by now, is replaced by the new image itself."""
    found, known = rows_of(ids, placed.nearest.ravel())
    there = known & (rows[found] == placed.nearest_rows.ravel())
    own = new.repeat(placed.nearest.shape[1])
    return np.where(there, found, own).reshape(placed.nearest.shape), placed.similarities


def _pairs(new: NDArray[np.intp], found: NDArray[np.intp], similarities: Floats) -> tuple[Ints, Floats]:
    """New images' edges, (m, 2) rows and (m,) similarities: to the nearest of those found, (n, k) each."""
    others = found != new[:, None]
    order = np.lexsort((found, -np.where(others, similarities, np.float32(-2.0))), axis=1)[:, :EDGES]
    ends, strengths = np.take_along_axis(found, order, axis=1), np.take_along_axis(similarities, order, axis=1)
    starts = np.broadcast_to(new[:, None], ends.shape)
    pairs = np.sort(np.stack([starts, ends], axis=2), axis=2).astype(np.int32)
    kept = starts != ends
    return pairs[kept], strengths[kept]


def _edges(
    old: Map, ids: Ids, kept: NDArray[np.bool_], at: NDArray[np.intp], pairs: Ints, strengths: Floats
) -> tuple[Ints, Floats]:
    """The old edges whose ends both stay, and those of new images, which no old one is of; the strongest first."""
    new_row = np.full(len(old.ids), -1, np.int32)
    new_row[at] = np.flatnonzero(kept)
    ends = new_row[old.edges]
    stays = (ends >= 0).all(axis=1)
    _, first = np.unique(pairs[:, 0].astype(np.int64) * len(ids) + pairs[:, 1], return_index=True)
    joined = np.concatenate([np.sort(ends[stays], axis=1), pairs[first]]).astype(np.int32)
    weights = np.concatenate([old.weights[stays], strengths[first]]).astype(np.float32)
    order = _strongest_first(joined, weights, ordered=int(stays.sum()))
    return joined[order], weights[order]


def _strongest_first(pairs: Ints, weights: Floats, *, ordered: int) -> NDArray[np.intp]:
    """The order of m edges by weight, equal ones by their rows. Where the first `ordered` of them are in order, as they
    are unless they come from a fit, that takes a tenth of the time: 12 ms of half a million."""
    order = np.argsort(-weights, kind="stable")
    in_doubt = np.ones(len(order), np.bool_)
    if _are_ordered(pairs[:ordered], weights[:ordered]):
        ranked = weights[order]
        run = np.cumsum(np.diff(ranked, prepend=ranked[:1]) != 0.0)  # equal weights have the same number
        in_doubt = np.isin(run, run[order >= ordered])
    some = order[in_doubt]
    order[in_doubt] = some[np.lexsort((pairs[some, 1], pairs[some, 0], -weights[some]))]
    return order


def _are_ordered(pairs: Ints, weights: Floats) -> bool:
    falls, (first, second) = np.diff(weights), np.diff(pairs, axis=0).T
    return bool(np.all((falls < 0.0) | ((falls == 0.0) & ((first > 0) | ((first == 0) & (second > 0))))))


def _usual(clusters: Ints) -> int:
    """The cluster most of the neighbours are in, the nearest one's at a tie."""
    values, first, counts = np.unique(clusters, return_index=True, return_counts=True)
    return int(values[np.lexsort((first, -counts))[0]])


def _resized(record: Cluster, clusters: Ints) -> Cluster:
    return dataclasses.replace(record, size=int((clusters == record.id).sum()))
