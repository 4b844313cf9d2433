"""Making one map of what there is: a sketch, what a fit came to, or another map with new images placed in it.

Near-duplicates *stack* in every map but a sketch that is shown on the way. What was decided in the map that new images
are placed in, or that a fit goes on from, stands; so stacks do not depend on when a map was shown either.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from atlas_rt.core.arrays import Floats, Ids, Ints
from atlas_rt.core.maps import Map
from atlas_rt.core.rows import rows_of
from atlas_rt.engine.fit_in_hand import Begun
from atlas_rt.engine.fitting import Fitted
from atlas_rt.engine.placing import EDGES, ReferenceMap, extended
from atlas_rt.engine.stack_finder import StackFinder
from atlas_rt.library import maps
from atlas_rt.library.vectors import VectorFile
from atlas_rt.mapping import layout, wall
from atlas_rt.mapping.clusters import next_id
from atlas_rt.mapping.fit import SMALLEST_FIT
from atlas_rt.mapping.neighbours import knn_edges

SKETCH, PARTIAL, FIT = "principal axes", "umap so far", maps.FIT


class MapMaker:
    """Makes the maps of one library and one model; publishes none. Owned by the engine's main thread."""

    def __init__(
        self, folder: Path, *, vectors: VectorFile, stack_finder: StackFinder, model_id: str, seed: int
    ) -> None:
        """folder: of the model, where its maps lie."""
        self._folder, self._vectors, self._stack_finder = folder, vectors, stack_finder
        self._model_id, self._seed = model_id, seed

    def vectors_at(self, rows: Ints) -> Floats:
        """(n, dim) float32 of the rows of the file of vectors."""
        return self._vectors.array()[rows].astype(np.float32)

    def reference(self, map_: Map) -> ReferenceMap:
        """A map as what new images are placed in."""
        return ReferenceMap(map_, self.vectors_at, stored=self._vectors.rows)

    def sketch(self, ids: Ids, rows: Ints, *, before: Map | None) -> Map:
        """Principal axes, turned to the map `before`; nothing stacks."""
        vectors = self.vectors_at(rows)
        positions = layout.normalise(layout.principal_axes(vectors))
        if before is not None:
            positions = _aligned(positions, ids, before)
        edges, weights = knn_edges(vectors, EDGES)
        return Map(
            ids=ids,
            rows=rows,
            positions=positions,
            edges=edges,
            weights=weights,
            clusters=np.full(len(ids), -1, np.int32),
            fitted=np.zeros(len(ids), np.bool_),
            cluster_records=(),
            generation=0,
            kind=SKETCH,
            model=self._model_id,
            seed=self._seed,
            clusters_given=next_id(before),
        )

    def given(self, ids: Ids, rows: Ints, positions: Floats, *, shown: Map | None) -> Map:
        """A map by (n, 3) positions that somebody else made, without clusters. They stay as they are, to the bit, where
        they are in world units; others are moved and scaled as a whole."""
        edges, weights = knn_edges(self.vectors_at(rows), EDGES)
        made = Map(
            ids=ids,
            rows=rows,
            positions=positions if _in_world_units(positions) else layout.framed(positions),
            edges=edges,
            weights=weights,
            clusters=np.full(len(ids), -1, np.int32),
            fitted=np.ones(len(ids), np.bool_),
            cluster_records=(),
            generation=0,
            kind=FIT,
            model=self._model_id,
            seed=self._seed,
            fit=self._last_fit() + 1,
        )
        return self.completed(counted(made, shown), before=None)

    def fitted(self, begun: Begun, fitted: Fitted, *, kind: str, granularity: str, shown: Map | None) -> Map:
        """What a fit came to. granularity: of its clusters. shown: the newest map, whose ids of clusters are given."""
        made = Map(
            ids=begun.ids,
            rows=begun.rows,
            positions=fitted.positions,
            edges=fitted.edges,
            weights=fitted.weights,
            clusters=fitted.clusters,
            fitted=np.ones(len(begun.ids), np.bool_),
            cluster_records=fitted.cluster_records,
            subclusters=fitted.subclusters,
            subcluster_records=fitted.subcluster_records,
            wall=fitted.wall,
            generation=0,
            kind=kind,
            model=self._model_id,
            seed=self._seed,
            fit=self._last_fit() + 1,
            scale=fitted.scale,
            drift=fitted.drift,
            network=fitted.network,
            granularity=granularity,
        )
        return self.completed(counted(made, shown), before=begun.old)

    def extension(self, map_: Map, ids: Ids, rows: Ints, *, reference: ReferenceMap | None) -> Map:
        """A map of these images, with those that are new placed among the `reference`; None for the map itself."""
        reference = reference or self.reference(map_)
        provisional = map_.kind == PARTIAL
        made = extended(map_, ids, rows, reference=reference, vectors_at=self.vectors_at, provisional=provisional)
        return made if map_.kind == SKETCH and not has_stacks(map_) else self.completed(made, before=reference.map)

    def fitted_part(self, map_: Map | None) -> Map | None:
        """What of a map took part in its fit: what a resumed first indexing goes on from."""
        if map_ is None or map_.kind != PARTIAL:
            return map_
        fitted = map_.fitted & (map_.rows < self._vectors.rows)
        nothing = ReferenceMap(map_, self.vectors_at)  # none of them is new
        return extended(map_, map_.ids[fitted], map_.rows[fitted], reference=nothing, vectors_at=self.vectors_at)

    def completed(self, map_: Map, *, before: Map | None) -> Map:
        """With its near-duplicates stacked, as they were in the map `before`, and with a flat wall. A fit brings its
        own; a map written before there were walls gets one by its edges."""
        stacked = self._stack_finder.apply(map_, before=before, vectors_at=self.vectors_at)
        if has_wall(stacked):
            return stacked
        pairs = stacked.edges if stacked.kind != SKETCH else stacked.edges[:0]
        return dataclasses.replace(stacked, wall=wall.made(stacked.positions, pairs, seed=self._seed))

    def _last_fit(self) -> int:
        return max((each.fit for each in maps.kept(self._folder)), default=0)


def map_to_go_on_from(folder: Path) -> Map | None:
    """The newest map that holds an image, since nothing can be placed in an empty one, nor a fit go on from it; where
    all are empty, the newest as a sketch. (Version 0.1.0 published an empty fitted map of a folder that was empty for
    one start, as an unplugged drive leaves it, and could not go on from that.)
    """
    newest = maps.read_latest(folder)
    if newest is None or len(newest.ids):
        return newest
    return maps.read_latest(folder, holding_images=True) or dataclasses.replace(newest, kind=SKETCH)


def has_stacks(map_: Map) -> bool:
    """It was looked for near-duplicates."""
    return len(map_.stacks) == len(map_.ids)


def has_wall(map_: Map) -> bool:
    """Its images have cells on the flat wall."""
    return len(map_.wall) == len(map_.ids)


def counted(map_: Map, shown: Map | None) -> Map:
    """With the ids of clusters that were ever given, here and in the map that is shown."""
    return dataclasses.replace(map_, clusters_given=max(next_id(map_), next_id(shown)))


def same(map_: Map | None, ids: Ids, rows: Ints) -> bool:
    """A map of exactly these images."""
    return map_ is not None and np.array_equal(map_.ids, ids) and np.array_equal(map_.rows, rows)


def alike(one: Map | None, other: Map) -> bool:
    """The same images in the same places, joined by the same lines, in the same groups and stacks."""
    if one is None:
        return False
    names = ("ids", "rows", "positions", "edges", "weights", "clusters", "stacks", "subclusters", "wall")
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in names)


def _in_world_units(positions: Floats) -> bool:
    """Whether 95 % of the images lie within about the unit sphere: what is exported from a map of ours does, though new
    images were placed on it since it was fitted."""
    radius = float(np.quantile(np.linalg.norm(positions, axis=1), 0.95))
    return 0.5 < radius < 1.5


def _aligned(positions: Floats, ids: Ids, old: Map) -> Floats:
    """A new sketch turned so that the images both hold move as little as possible."""
    at, known = rows_of(old.ids, ids)
    if known.sum() < SMALLEST_FIT:
        return positions
    return layout.align(positions[known], old.positions[at[known]], mirror=True).apply(positions)
