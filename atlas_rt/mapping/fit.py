"""A map from vectors: neighbours by FAISS, UMAP's fuzzy graph and 3D layout by umap-learn.

Meant for a process of its own: umap-learn takes 1.5 s to import, 4 s to compile in each process, and holds the GIL for
whole epochs. Nothing heavy is imported before it is used. One seed gives the same bits in every process: everything
runs on one thread, and the neighbours' last bits depend on nothing else.
"""

from __future__ import annotations

import contextlib
import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atlas_rt import kernel_cache
from atlas_rt.core.arrays import Floats, Ints
from atlas_rt.mapping import anchored_refit
from atlas_rt.mapping.attraction_curve import A, B
from atlas_rt.mapping.layout import principal_axes
from atlas_rt.mapping.neighbours import knn_graph
from atlas_rt.mapping.parametric_umap import Graph

NEIGHBOURS = 15
"""As UMAP counts them, itself included."""
SMALLEST_FIT = 10
"""Below so many images a layout by neighbours says nothing: the principal axes are the map."""
GRAPH_SHARE = 0.1
"""Of the progress: what the neighbours and the graph take of the whole time, about."""
EPOCHS, EPOCHS_LARGE, LARGE = 500, 200, 10_000
"""umap-learn's own numbers, up to so many images and above."""
WARM_RATE = 0.25
"""The first step of a layout that goes on from another, where umap-learn's own is 1. From 300 to 1,000 and to 3,000
images the old ones move by 0.12 and 0.10 of the radius in the median instead of 0.24 and 0.14; trustworthiness is
0.958 and 0.972, as with 1 and as from the start, and more true neighbours stand together (0.539 and 0.513 of 15, from
the start 0.535 and 0.503)."""


@dataclass(frozen=True, slots=True)
class Layout:
    """positions: (n, 3) float32 in UMAP's own units; `layout.normalise` makes a map of them. graph: what they were laid
    out by, None where there are too few images for one, or all are the same."""

    positions: Floats
    graph: Graph | None


def fit_umap(
    vectors: Floats,
    *,
    seed: int,
    near: tuple[Floats, Ints] | None = None,
    start: Floats | None = None,
    held: NDArray[np.bool_] | None = None,
    progress: Callable[[float], None] | None = None,
) -> Layout:
    """(n, dim) unit vectors -> where each stands.

    near: what `nearest_others` finds, where that is known. start: (n, 3) in UMAP's units, where the layout begins; from
    the graph's eigenvectors without. held: (n,), images that are drawn back to where they begin (`anchored_refit`).
    progress: told the share that is done, 0..1, some times a second. Any n; below ten, and for images that are all the
    same, the principal axes. Raises ValueError for vectors that are not finite.
    """
    tell = progress or _silent
    tell(0.0)
    if not np.isfinite(vectors).all():
        raise ValueError("a vector holds what is no number")
    if len(vectors) < SMALLEST_FIT or not np.ptp(vectors, axis=0).any():
        tell(1.0)
        return Layout(principal_axes(vectors), None)
    layout = _layout(vectors, near or nearest_others(vectors), seed, start, held, tell)
    tell(1.0)
    return layout


def nearest_others(vectors: Floats, *, threads: int = 1) -> tuple[Floats, Ints]:
    """What a layout is made by: similarities (n, 14) and rows (n, 14) of each image's nearest others."""
    return knn_graph(vectors, min(NEIGHBOURS, len(vectors) - 1) - 1, threads=threads)


def warm_up(folder: Path | None = None) -> None:
    """Import and compile everything a fit needs, while the first images are still being decoded: 6 s, and 2 from the
    second time on, as what is compiled is kept with umap-learn's other functions. folder: where to keep it if the
    user's cache folder is no use (`kernel_cache.prepare`)."""
    kernel_cache.prepare(folder)
    _keep_compiled()
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(64, 8)).astype(np.float32)
    fit_umap(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), seed=0)


@dataclass(frozen=True, slots=True)
class UmapAlone:
    """What umap-learn makes of the same vectors without us: what the benches compare with.

    positions: (n, 3), or as many dimensions as were asked for. place: its own way to place new images, (q, dim) -> the
    same.
    """

    positions: Floats
    place: Callable[[Floats], Floats]


def umap_alone(vectors: Floats, *, seed: int, dimensions: int = 3) -> UmapAlone:
    """Fitted with its own search for neighbours."""
    kernel_cache.prepare()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import umap

        fitted = umap.UMAP(
            n_components=dimensions, n_neighbors=NEIGHBOURS, metric="cosine", random_state=seed, n_jobs=1
        )
        fitted.fit(vectors)

    def place(queries: Floats) -> Floats:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return np.asarray(fitted.transform(queries), np.float32)

    return UmapAlone(np.asarray(fitted.embedding_, np.float32), place)


def _keep_compiled() -> None:
    """umap-learn asks numba to keep some of its functions only; compiling these takes three quarters of a warm-up."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from umap import layouts, umap_

    kernels = (
        (umap_, "smooth_knn_dist"),
        (umap_, "compute_membership_strengths"),
        (layouts, "_nb_optimize_layout_euclidean_single_epoch"),
    )
    for module, name in kernels:
        with contextlib.suppress(AttributeError, RuntimeError):  # another version's, or nowhere to keep it
            getattr(module, name).enable_caching()


def _layout(
    vectors: Floats,
    near: tuple[Floats, Ints],
    seed: int,
    start: Floats | None,
    held: NDArray[np.bool_] | None,
    tell: Callable[[float], None],
) -> Layout:
    kernel_cache.prepare()
    with warnings.catch_warnings():
        # umap-learn warns about graphs in several parts and about its own imports; neither concerns a person.
        warnings.simplefilter("ignore")
        import numba
        from threadpoolctl import threadpool_limits
        from umap.umap_ import fuzzy_simplicial_set

        numba.set_num_threads(1)
        with threadpool_limits(1):  # the last bits of BLAS depend on its threads
            similarities, others = near
            own = np.arange(len(others), dtype=np.int32)[:, None]
            # umap-learn expects each image itself first
            rows = np.hstack([own, others])
            distances = np.hstack([np.zeros_like(own, np.float32), np.maximum(1.0 - similarities, 0.0)])
            fuzzy, _, _ = fuzzy_simplicial_set(
                vectors, rows.shape[1], np.random.RandomState(seed), "cosine", knn_indices=rows, knn_dists=distances
            )
            found = fuzzy.tocsr()[own.repeat(others.shape[1], axis=1).ravel(), others.ravel()]
            weights = np.asarray(found, np.float32).reshape(others.shape)
            tell(GRAPH_SHARE)
            if start is None:
                positions = _embed(vectors, fuzzy, seed, tell)
            elif held is None:
                positions = _moved_on(fuzzy, start, seed, tell)
            else:
                positions = _relaxed(fuzzy, start, held, seed, tell)
            return Layout(positions, Graph(others, weights))


def _moved_on(fuzzy: Any, start: Floats, seed: int, tell: Callable[[float], None]) -> Floats:
    """From a layout that is there. (umap-learn stretches one that it is given to a cube first.)"""
    from umap.layouts import optimize_layout_euclidean
    from umap.umap_ import make_epochs_per_sample

    epochs = EPOCHS if len(start) <= LARGE else EPOCHS_LARGE
    edges = fuzzy.tocoo()
    edges.sum_duplicates()
    edges.data[edges.data < edges.data.max() / epochs] = 0.0
    edges.eliminate_zeros()
    random = np.random.RandomState(seed).randint(np.iinfo(np.int32).min + 1, np.iinfo(np.int32).max - 1, 3)
    positions = np.array(start, np.float32, order="C")
    moved: Floats = optimize_layout_euclidean(
        positions, positions, edges.row, edges.col, epochs, len(positions),
        make_epochs_per_sample(edges.data, epochs), A, B, random.astype(np.int64),
        initial_alpha=WARM_RATE, parallel=False, tqdm_kwds=_bar(tell), move_other=True,
    )  # fmt: skip
    return moved


def _relaxed(fuzzy: Any, start: Floats, held: NDArray[np.bool_], seed: int, tell: Callable[[float], None]) -> Floats:
    edges = fuzzy.tocoo()
    return anchored_refit.relax(
        start,
        held,
        (edges.row.astype(np.int32), edges.col.astype(np.int32), edges.data.astype(np.float32)),
        seed=seed,
        progress=lambda share: tell(GRAPH_SHARE + (1.0 - GRAPH_SHARE) * share),
    )


def _embed(vectors: Floats, graph: Any, seed: int, tell: Callable[[float], None]) -> Floats:
    """Starts from the graph's eigenvectors; where those can't be had (few images, many parts), the principal axes."""
    for init in _starts(vectors):
        try:
            positions = _optimise(vectors, graph.copy(), init, seed, tell)
        except (ValueError, TypeError, ArithmeticError, np.linalg.LinAlgError, RuntimeError):
            continue
        if np.isfinite(positions).all():
            return positions
    return principal_axes(vectors)


def _starts(vectors: Floats) -> Iterator[Any]:
    """One after the other, as the second is rarely wanted and takes 55 MB at 10,000 images to make."""
    yield "spectral"
    yield principal_axes(vectors)


def _optimise(vectors: Floats, graph: Any, init: Any, seed: int, tell: Callable[[float], None]) -> Floats:
    from umap.umap_ import simplicial_set_embedding

    positions, _ = simplicial_set_embedding(
        vectors,
        graph,
        n_components=3,
        initial_alpha=1.0,
        a=A,
        b=B,
        gamma=1.0,
        negative_sample_rate=5,
        n_epochs=EPOCHS if len(vectors) <= LARGE else EPOCHS_LARGE,
        init=init,
        random_state=np.random.RandomState(seed),
        metric="cosine",
        metric_kwds={},
        densmap=False,
        densmap_kwds={},
        output_dens=False,
        parallel=False,
        tqdm_kwds=_bar(tell),
    )
    result: Floats = np.asarray(positions, np.float32)
    return result


def _bar(tell: Callable[[float], None]) -> dict[str, Any]:
    """How umap-learn is to show its progress bar: written to us, the only way to hear from inside its loop."""
    from umap import layouts

    layouts.tqdm.monitor_interval = 0  # no thread that watches the progress bar
    # Its own lock is a named semaphore, which outlives a process that is killed, and is complained about.
    layouts.tqdm.set_lock(threading.RLock())
    return {"disable": False, "file": _Bar(tell), "bar_format": "{n}/{total}", "mininterval": 0.2}


class _Bar:
    def __init__(self, tell: Callable[[float], None]) -> None:
        self._tell = tell

    def write(self, text: str) -> None:
        done, slash, total = text.strip().partition("/")
        if slash and done.isdigit() and total.isdigit():
            self._tell(GRAPH_SHARE + (1.0 - GRAPH_SHARE) * int(done) / int(total))

    def flush(self) -> None:
        """Nothing is held back."""


def _silent(_: float) -> None:
    """Nobody listens."""
