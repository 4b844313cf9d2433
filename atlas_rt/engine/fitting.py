"""A fit: the job that asks for one, what it comes to, and how it is made. Runs in the fitting process."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.arrays import Floats, Ids, Ints
from atlas_rt.core.maps import Cluster, Map, Subcluster
from atlas_rt.core.rows import rows_of
from atlas_rt.engine.placing import EDGES
from atlas_rt.library.file_content import content_hash
from atlas_rt.mapping import fit, layout
from atlas_rt.mapping.clusters import USUAL
from atlas_rt.mapping.neighbours import knn_edges, may_complete
from atlas_rt.search.labels import Vocabulary

COPIES = 64
"""Up to so many of one picture, edges are found by how near its neighbours are: copies are each compared with each."""
LAYOUT_SHARE, NETWORK_SHARE = 0.82, 0.12
"""Of the progress; clusters are the rest."""


@dataclass(frozen=True, slots=True)
class FitJob:
    """A fit to make of (n, dim) vectors in the rows of ids and paths.

    old: the map to start from and stay near, None for the first. anchored: its images are drawn back to their places;
    without, it is only where the layout starts and what it is turned to. granularity: of the clusters. only_clusters:
    the old map's images stay where they are. threads: of the search for neighbours, which finds the same with any
    number.
    """

    ids: Ids
    paths: tuple[str, ...]
    vocabulary: Vocabulary
    seed: int
    old: Map | None = None
    anchored: bool = False
    granularity: str = USUAL
    only_clusters: bool = False
    threads: int = 1


class Groups(NamedTuple):
    """The clusters of a fit and the subclusters within them."""

    clusters: Ints
    cluster_records: tuple[Cluster, ...]
    subclusters: Ints
    subcluster_records: tuple[Subcluster, ...]


@dataclass(frozen=True, slots=True)
class Fitted:
    """A finished fit: what `Map` holds under these names, in the rows of the job's ids. secs: of "layout" (neighbours
    and graph included), "network", "edges", "clusters" and "wall"."""

    positions: Floats
    edges: Ints
    weights: Floats
    clusters: Ints
    cluster_records: tuple[Cluster, ...]
    subclusters: Ints
    subcluster_records: tuple[Subcluster, ...]
    wall: Ints
    scale: float
    drift: float
    network: bytes
    secs: dict[str, float]


def fitted(vectors: Floats, job: FitJob, *, progress: Callable[[float], None]) -> Fitted:
    """The fit that a job describes: layout, the frame of the map before, network, edges, clusters."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):  # the last bits of BLAS depend on its threads
        return _fitted(vectors, job, progress)


def _fitted(vectors: Floats, job: FitJob, progress: Callable[[float], None]) -> Fitted:
    from threadpoolctl import threadpool_limits

    laps = [time.perf_counter()]
    one, of = _one_of_each(vectors)
    old = job.old
    if job.only_clusters and old is not None:
        groups = _groups(old.positions[one][of], vectors, job)
        return Fitted(old.positions, old.edges, old.weights, *groups, old.wall, old.scale, old.drift, old.network, {})
    old_rows, known = _known(job)
    held = known & old.fitted[old_rows] if old and job.anchored else None
    shared = known if held is None else held
    distinct = vectors[one]
    with threadpool_limits(job.threads):  # neighbours are the same with any number
        near = fit.nearest_others(distinct, threads=job.threads) if len(one) >= fit.SMALLEST_FIT else None
    made = fit.fit_umap(
        distinct,
        seed=job.seed,
        near=near,
        start=_start(distinct, old, old_rows[one], known[one], near) if old else None,
        held=None if held is None else held[one],
        progress=lambda share: progress(LAYOUT_SHARE * share),
    )
    ones = _placed(made.positions, distinct, job, old_rows[one][shared[one]], shared[one])
    places = ones if len(one) == len(vectors) else layout.apart(ones[of])
    how = layout.align(made.positions, ones, mirror=True)
    laps.append(time.perf_counter())
    network = _network(distinct, made, how, seed=job.seed, progress=progress)
    laps.append(time.perf_counter())
    progress(LAYOUT_SHARE + NETWORK_SHARE)
    with threadpool_limits(job.threads):
        edges, weights = knn_edges(vectors, EDGES, known=_near_of_all(near, of), threads=job.threads)
    laps.append(time.perf_counter())
    groups = _groups(places[one][of], vectors, job)
    laps.append(time.perf_counter())
    cells = _wall(places, _pairs(edges, near, one, of), job, old_rows, known)
    laps.append(time.perf_counter())
    secs = dict(zip(("layout", "network", "edges", "clusters", "wall"), np.diff(laps).tolist(), strict=True))
    drift = layout.drift(places[shared], old.positions[old_rows[shared]]) if old and job.anchored else 0.0
    scale = 1.0 / how.scale if how.scale > 0 and made.graph is not None else 0.0
    return Fitted(places, edges, weights, *groups, cells, scale, drift, network, secs)


def _network(
    vectors: Floats, made: fit.Layout, how: layout.Similarity, *, seed: int, progress: Callable[[float], None]
) -> bytes:
    """The network that learned the layout, as ONNX, empty where the layout has no graph to learn.

    how: from the layout's frame to that of the map.
    """
    from atlas_rt.mapping import parametric_umap

    if made.graph is None:
        return b""
    learned = parametric_umap.train(
        vectors,
        made.positions,
        made.graph,
        seed=seed,
        progress=lambda share: progress(LAYOUT_SHARE + NETWORK_SHARE * share),
    )
    return parametric_umap.to_onnx(learned.moved(how))


def _near_of_all(near: tuple[Floats, Ints] | None, of: NDArray[np.intp]) -> tuple[Floats, Ints] | None:
    """What is known of the neighbours of all images from those of the distinct ones; None where that is not enough.

    of: the distinct row of each image.
    """
    if near is None or len(near[0]) == len(of):
        return near
    if may_complete(len(of)) and np.bincount(of).max() <= COPIES:
        return near[0][of], near[1][of]  # a copy has others at least as near as its original has
    return None


def _pairs(edges: Ints, near: tuple[Floats, Ints] | None, one: NDArray[np.intp], of: NDArray[np.intp]) -> Ints:
    """(m, 2) rows that belong next to each other: neighbours, and copies next to the first of them."""
    if near is None:
        return edges
    others = near[1]
    neighbours = np.stack([np.repeat(one, others.shape[1]), one[others.ravel()]], axis=1)
    copies = np.flatnonzero(one[of] != np.arange(len(of)))
    return np.concatenate([neighbours, np.stack([copies, one[of[copies]]], axis=1)]).astype(np.int32)


def _wall(places: Floats, pairs: Ints, job: FitJob, old_rows: NDArray[np.intp], known: NDArray[np.bool_]) -> Ints:
    """A refit's goes on from the wall before, as its map does."""
    from atlas_rt.mapping import wall

    start = None
    if job.old is not None and job.anchored and len(job.old.wall) and known.any():
        start = wall.grown(job.old.wall[old_rows], known, pairs, places)
    return wall.made(places, pairs, seed=job.seed, start=start)


def _groups(places: Floats, vectors: Floats, job: FitJob) -> Groups:
    """places: copies all where the first of them is, as spread out they'd be a dozen clusters."""
    from atlas_rt.mapping.clusters import find_clusters
    from atlas_rt.mapping.subclusters import find_subclusters
    from atlas_rt.search.cluster_words import words_from

    describe = words_from(job.vocabulary, vectors)
    clusters, records = find_clusters(
        places,
        vectors=vectors,
        ids=job.ids,
        paths=job.paths,
        describe=describe,
        old=job.old,
        granularity=job.granularity,
    )
    subclusters, within = find_subclusters(
        places,
        clusters=clusters,
        records=records,
        vectors=vectors,
        ids=job.ids,
        paths=job.paths,
        describe=describe,
        old=job.old,
    )
    return Groups(clusters, records, subclusters, within)


def _one_of_each(vectors: Floats) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The first row of each vector, ascending, and for every row which of those is its own.

    A map is laid out of one of all copies, around which the others then stand. A thousand copies have no neighbours but
    each other: UMAP gives them a third of the map and hurls them far from all else. (1,000 copies, 1,000 pictures that
    resemble each other and 974 others: these lay within 0.14 of the map's radius, and now within 0.4.)
    """
    known: dict[bytes, int] = {}
    of = np.array([known.setdefault(content_hash(vector.tobytes()), len(known)) for vector in vectors], np.intp)
    if len(known) <= 1:  # all the same: `layout.normalise` knows what to do
        return np.arange(len(vectors)), np.arange(len(vectors))
    return np.unique(of, return_index=True)[1], of


def _known(job: FitJob) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """The row of each of the job's images in the map before, and whether it holds it at all."""
    if job.old is None:
        return np.zeros(len(job.ids), np.intp), np.zeros(len(job.ids), np.bool_)
    return rows_of(job.old.ids, job.ids)


def _start(
    vectors: Floats,
    old: Map,
    old_rows: NDArray[np.intp],
    known: NDArray[np.bool_],
    near: tuple[Floats, Ints] | None,
) -> Floats | None:
    """Where each image stands in the map before, in UMAP's units; what is new begins in the middle of its nearest old
    ones."""
    from atlas_rt.mapping.projector import Projector, among

    if not old.scale or not known.any() or near is None:
        return None
    start = np.empty((len(vectors), 3), np.float32)
    start[known] = old.positions[old_rows[known]]
    new = np.flatnonzero(~known)
    near_old = known[near[1][new]]
    lonely = ~near_old.any(axis=1)
    start[new] = among(start[near[1][new]], near[0][new], near_old)
    if lonely.any():
        placements = Projector(vectors[known], start[known]).place(vectors[new[lonely]])
        start[new[lonely]] = [each.position for each in placements]
    scaled: Floats = start * np.float32(old.scale)
    return scaled


def _placed(
    positions: Floats, vectors: Floats, job: FitJob, old_rows: NDArray[np.intp], shared: NDArray[np.bool_]
) -> Floats:
    """In world units: in the frame of every map, turned to the map before; or, where springs held enough of it, in
    that map's own frame. shared: the images by which it is turned, at old_rows in the map before."""
    places = layout.normalise(positions)
    if job.old is None:
        # as the sketch that is on screen: a flip, so that the longest axis stays x
        flips = np.where((places * layout.principal_axes(vectors)).sum(axis=0) < 0, -1.0, 1.0)
        return (places * flips).astype(np.float32)
    before = job.old.positions[old_rows]
    if job.anchored and job.old.scale and len(before) >= fit.SMALLEST_FIT:  # fewer fix no frame
        back = layout.align(positions[shared], before, mirror=True)
        return layout.apart(back.apply(positions))
    turned: Floats = (places @ layout.align(places[shared], before, mirror=True).turn).astype(np.float32)
    return turned
