"""A map from vectors: neighbours by FAISS, UMAP's fuzzy graph and 3D layout by umap-learn.

Meant for a process of its own: umap-learn takes 1.5 s to import, 4 s to compile in each process, and holds the GIL for
whole epochs. Nothing heavy is imported before it is used. One seed gives the same bits in every process: everything
runs on one thread, and the neighbours' last bits depend on nothing else.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from atlas_rt.core.records import Floats, Ints
from atlas_rt.ml.curve import A, B
from atlas_rt.ml.layout import principal_axes
from atlas_rt.ml.neighbours import knn

NEIGHBOURS = 15
"""As UMAP counts them, itself included."""
SMALLEST = 10
"""Below so many images a layout by neighbours says nothing: the principal axes are the map."""
GRAPH_SHARE = 0.1
"""Of the progress: what the neighbours and the graph take of the whole time, about."""


def fit_umap(
    vectors: Floats,
    *,
    seed: int,
    n_neighbors: int = NEIGHBOURS,
    progress: Callable[[float], None] | None = None,
) -> Floats:
    """(n, dim) unit vectors -> (n, 3) float32 positions in UMAP's own units; `layout.normalise` makes a map of them.

    progress: told the share that is done, 0..1, some times a second. Any n; below ten, and for images that are all the
    same, the principal axes. Raises ValueError for vectors that are not finite.
    """
    tell = progress or _silent
    tell(0.0)
    if not np.isfinite(vectors).all():
        raise ValueError("a vector holds what is no number")
    if len(vectors) < SMALLEST or not np.ptp(vectors, axis=0).any():
        tell(1.0)
        return principal_axes(vectors)
    rows, distances = _neighbours(vectors, min(n_neighbors, len(vectors) - 1))
    positions = _layout(vectors, rows, distances, seed, tell)
    tell(1.0)
    return positions


def warm_up() -> None:
    """Import and compile everything a fit needs, in 6 s, while the first images are still being decoded."""
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(64, 8)).astype(np.float32)
    fit_umap(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), seed=0)


def umap_transform(vectors: Floats, *, seed: int) -> Callable[[Floats], Floats]:
    """umap-learn's own way to place new images, fitted on these vectors: what `bench locate` compares with."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import umap

        fitted = umap.UMAP(n_components=3, n_neighbors=NEIGHBOURS, metric="cosine", random_state=seed, n_jobs=1)
        fitted.fit(vectors)

    def transform(queries: Floats) -> Floats:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return np.asarray(fitted.transform(queries), np.float32)

    return transform


def _neighbours(vectors: Floats, k: int) -> tuple[Ints, Floats]:
    """The k nearest of each row by cosine distance, itself first, as umap-learn expects them."""
    similarities, rows = knn(vectors, k - 1)
    own = np.arange(len(vectors), dtype=np.int32)[:, None]
    distances = np.maximum(1.0 - similarities, 0.0)
    return np.hstack([own, rows]), np.hstack([np.zeros_like(own, np.float32), distances])


def _layout(vectors: Floats, rows: Ints, distances: Floats, seed: int, tell: Callable[[float], None]) -> Floats:
    with warnings.catch_warnings():
        # umap-learn warns about graphs in several parts and about its own imports; neither concerns a person.
        warnings.simplefilter("ignore")
        import numba
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]
        from umap.umap_ import fuzzy_simplicial_set

        numba.set_num_threads(1)
        with threadpool_limits(1):  # the last bits of BLAS depend on its threads
            random = np.random.RandomState(seed)
            graph, _, _ = fuzzy_simplicial_set(
                vectors, rows.shape[1], random, "cosine", knn_indices=rows, knn_dists=distances
            )
            tell(GRAPH_SHARE)
            return _embed(vectors, graph, seed, tell)


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
    from umap import layouts
    from umap.umap_ import simplicial_set_embedding

    layouts.tqdm.monitor_interval = 0  # no thread that watches the progress bar
    # Its own lock is a named semaphore, which outlives a process that is killed, and is complained about.
    layouts.tqdm.set_lock(threading.RLock())
    positions, _ = simplicial_set_embedding(
        vectors,
        graph,
        n_components=3,
        initial_alpha=1.0,
        a=A,
        b=B,
        gamma=1.0,
        negative_sample_rate=5,
        n_epochs=None,
        init=init,
        random_state=np.random.RandomState(seed),
        metric="cosine",
        metric_kwds={},
        densmap=False,
        densmap_kwds={},
        output_dens=False,
        parallel=False,
        tqdm_kwds={"disable": False, "file": _Bar(tell), "bar_format": "{n}/{total}", "mininterval": 0.2},
    )
    result: Floats = np.asarray(positions, np.float32)
    return result


class _Bar:
    """What umap-learn's progress bar is written to: the only way to hear from inside its loop."""

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
