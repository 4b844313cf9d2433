"""Which map is published when: sketches while a library is first indexed, one fit at its end, placing ever after.

* A *sketch* shows principal axes of what is known so far; it is made anew whenever the library has doubled, and images
  in between are placed into it. It is provisional and says so.
* A *fit* (UMAP, in a process of its own) replaces the last sketch. From then on new images are placed by the
  projector, and the others do not move by a single bit.
* New images are placed among those that the map held when the round began, never among each other: so their places do
  not depend on when a sketch was shown. Images whose files vanished keep theirs until the round ends, as they may have
  been moved, which is known only when their content is read again.
* A fit is due again only when most images are newer than it.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.records import Cluster, Floats, Ids, Ints, Map
from atlas_rt.core.world import rows_of
from atlas_rt.engine.fitting import FitProcess, Fitted
from atlas_rt.library import maps
from atlas_rt.library.store import Store
from atlas_rt.library.vectors import VectorFile
from atlas_rt.ml import layout
from atlas_rt.ml.fit import SMALLEST
from atlas_rt.ml.labels import Vocabulary
from atlas_rt.ml.neighbours import knn_edges, nearest
from atlas_rt.ml.projector import Projector

EDGES = 5
"""Nearest neighbours that each image is joined to."""
SKETCH, FIT = "principal axes", "umap"
SKETCH_EVERY_SECS = 1.0
SKETCH_GROWTH = 2.0
REFIT_SHARE = 0.5
"""A fit is due again when fewer of the images than this took part in it."""

Waiting = Callable[[float, float], bool]
"""(share done, seconds so far) -> go on; called while a fit runs."""


class Cartographer:
    """Makes and publishes the maps of one library and one model. Owned by the engine's main thread."""

    def __init__(
        self,
        folder: Path,
        *,
        store: Store,
        vectors: VectorFile,
        vocabulary: Callable[[], Vocabulary],
        model_id: str,
        seed: int,
        published: Callable[[Map], None],
    ) -> None:
        """folder: of the model, where its maps lie. vocabulary: gives it, and may wait for it; only a fit asks.

        published is called with each map once it is in its place.
        """
        self._folder = folder
        self._store, self._vectors, self._vocabulary = store, vectors, vocabulary
        self._model_id, self._seed = model_id, seed
        self._published = published
        self._fitter: FitProcess | None = None
        self._sketched = 0
        self._sketched_at_secs = -SKETCH_EVERY_SECS
        self.map: Map | None = maps.read_latest(folder)
        self._anchors: Map | None = self.map
        self.fit_secs = 0.0

    def begin(self) -> None:
        """A round begins: what is new in it will be placed among what the map holds now."""
        self._anchors = self.map
        self.fit_secs = 0.0

    def expect_fit(self, coming: int) -> None:
        """Warm the fitting process up beside the decoding, if so many images to come will need a fit."""
        if self._fitter is None and self._fit_due(len(self._store.encoded(self._model_id)[0]) + coming):
            self._fitter = FitProcess(self._folder)

    def sketch(self) -> None:
        """Show what is known so far, at most once a second."""
        if time.monotonic() - self._sketched_at_secs < SKETCH_EVERY_SECS:
            return
        ids, rows = self._store.encoded(self._model_id)
        stays = self._is_fitted or (self.map is not None and len(ids) < SKETCH_GROWTH * self._sketched)
        if stays:
            ids, rows = self._with_vanished(ids, rows)
        if len(ids) < 2 or self._is_current(ids, rows):
            return
        if stays:
            self._publish(self._extended(ids, rows))
        else:
            self._publish(self._sketched_map(ids, rows))
            self._sketched, self._anchors = len(ids), self.map
        self._sketched_at_secs = time.monotonic()

    def finish(self, *, fit: bool, waiting: Waiting) -> None:
        """Bring the map up to date with the library: a fit where one is due, places for what is new otherwise.

        Raises fitting.Cancelled when `waiting` says so, AtlasError when the fit fails.
        """
        ids, rows = self._store.encoded(self._model_id)
        if fit and self._fit_due(len(ids)):
            begun = time.monotonic()
            self._publish(self._fitted_map(ids, rows, waiting))
            self.fit_secs += time.monotonic() - begun
        elif not self._is_current(ids, rows):
            small = not self._is_fitted and len(ids) < SMALLEST
            self._publish(self._sketched_map(ids, rows) if small else self._extended(ids, rows))

    def close(self) -> None:
        """End the fitting process, whatever it does."""
        if self._fitter is not None:
            self._fitter.close()
            self._fitter = None

    # -- what is due -------------------------------------------------------------------------------------------------

    @property
    def _is_fitted(self) -> bool:
        return self.map is not None and self.map.kind == FIT

    def _fit_due(self, images: int) -> bool:
        if images < SMALLEST:
            return False
        if self.map is None or not self._is_fitted:
            return True
        return int(self.map.fitted.sum()) < REFIT_SHARE * images

    def _is_current(self, ids: Ids, rows: Ints) -> bool:
        return self.map is not None and np.array_equal(self.map.ids, ids) and np.array_equal(self.map.rows, rows)

    # -- maps --------------------------------------------------------------------------------------------------------

    def _sketched_map(self, ids: Ids, rows: Ints) -> Map:
        vectors = self._vectors_at(rows)
        positions = layout.normalise(layout.principal_axes(vectors))
        if self.map is not None:
            positions = _aligned(positions, ids, self.map)
        edges, weights = knn_edges(vectors, EDGES)
        return self._map(ids, rows, positions, edges, weights, kind=SKETCH)

    def _fitted_map(self, ids: Ids, rows: Ints, waiting: Waiting) -> Map:
        if self._fitter is None:
            self._fitter = FitProcess(self._folder)
        vectors = self._vectors_at(rows)
        catalogue = self._store.catalogue(self._model_id)
        old = self.map if self._is_fitted else None
        fitted: Fitted = self._fitter.fit(
            vectors,
            ids=ids,
            paths=catalogue.paths,
            vocabulary=self._vocabulary(),
            seed=self._seed,
            old=(old.ids, old.positions) if old else None,
            waiting=waiting,
        )
        edges, weights = knn_edges(vectors, EDGES)
        map_ = self._map(ids, rows, fitted.positions, edges, weights, kind=FIT)
        return dataclasses.replace(
            map_,
            clusters=fitted.clusters,
            cluster_records=fitted.cluster_records,
            fitted=np.ones(len(ids), np.bool_),
        )

    def _with_vanished(self, ids: Ids, rows: Ints) -> tuple[Ids, Ints]:
        """These images and those that only the map still holds."""
        assert self.map is not None
        lacking = ~np.isin(self.map.ids, ids) & (self.map.rows < self._vectors.rows)
        joined = np.concatenate([ids, self.map.ids[lacking]])
        order = np.argsort(joined, kind="stable")
        return joined[order], np.concatenate([rows, self.map.rows[lacking]])[order]

    def _extended(self, ids: Ids, rows: Ints) -> Map:
        """The map with what is new placed into it, and without what has gone; the others stay to the last bit."""
        old = self.map
        assert old is not None
        at, known = rows_of(old.ids, ids)
        kept = known & (old.rows[at] == rows)
        at = at[kept]
        vectors = self._vectors_at(rows)
        positions = np.empty((len(ids), 3), np.float32)
        positions[kept] = old.positions[at]
        clusters = np.full(len(ids), -1, np.int32)
        clusters[kept] = old.clusters[at]
        fitted = np.zeros(len(ids), np.bool_)
        fitted[kept] = old.fitted[at]
        new = np.flatnonzero(~kept)
        if len(new):
            positions[new], clusters[new] = self._placed(vectors[new])
        edges, weights = _extended_edges(old, ids, kept, at, vectors)
        map_ = self._map(ids, rows, positions, edges, weights, kind=old.kind)
        records = tuple(_resized(record, clusters) for record in old.cluster_records)
        return dataclasses.replace(map_, clusters=clusters, cluster_records=records, fitted=fitted)

    def _placed(self, vectors: Floats) -> tuple[Floats, Ints]:
        """Where new images stand among the anchors, and in which clusters; on principal axes where there are none."""
        anchors = self._anchors
        usable = anchors.rows < self._vectors.rows if anchors is not None else np.zeros(0, np.bool_)
        if anchors is None or not usable.any():
            return layout.normalise(layout.principal_axes(vectors)), np.full(len(vectors), -1, np.int32)
        projector = Projector(self._vectors_at(anchors.rows[usable]), anchors.positions[usable])
        placements = projector.place(vectors)
        clusters = anchors.clusters[usable]
        return (
            np.stack([placement.position for placement in placements]),
            np.array([_usual(clusters[placement.neighbours[:EDGES]]) for placement in placements], np.int32),
        )

    def _map(self, ids: Ids, rows: Ints, positions: Floats, edges: Ints, weights: Floats, *, kind: str) -> Map:
        generations = maps.generations(self._folder)
        return Map(
            ids=ids,
            rows=rows,
            positions=positions,
            edges=edges,
            weights=weights,
            clusters=np.full(len(ids), -1, np.int32),
            fitted=np.zeros(len(ids), np.bool_),
            cluster_records=(),
            generation=generations[-1] + 1 if generations else 1,
            kind=kind,
            model=self._model_id,
            seed=self._seed,
        )

    def _publish(self, map_: Map) -> None:
        maps.write_map(self._folder, map_)
        self.map = map_
        self._published(map_)

    def _vectors_at(self, rows: Ints) -> Floats:
        return self._vectors.array()[rows].astype(np.float32)


def _aligned(positions: Floats, ids: Ids, old: Map) -> Floats:
    """A new sketch turned so that the images both hold move as little as possible."""
    at, known = rows_of(old.ids, ids)
    if known.sum() < SMALLEST:
        return positions
    return layout.align(positions[known], old.positions[at[known]], mirror=True).apply(positions)


def _extended_edges(
    old: Map, ids: Ids, kept: NDArray[np.bool_], at: NDArray[np.intp], vectors: Floats
) -> tuple[Ints, Floats]:
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
