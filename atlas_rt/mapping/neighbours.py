"""Nearest images by cosine, exactly, with FAISS. Vectors are unit length, so the inner product is the cosine.

FAISS only proposes: the similarities it finds are computed again one by one, and equal ones are put in the order of
their rows. So a row's neighbours and similarities are the same bits whatever is asked for together with it, and with
whatever number of threads.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

import faiss
import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.arrays import Floats, Ints

SPARE = 8
"""Candidates beyond the k asked for, so that rounding at the cut can't drop a true neighbour."""
BLOCK = 256
"""Rows rescored together: 256 x 24 x 384 floats are 9 MB. (In blocks of 4096 rows this was most of what a fit of 10,000
images held beyond one of 1,000: 150 of 174 MB.)"""
EXACT_TO = 4096
"""Rows up to which every one is looked at for a single query, in 0.1 ms."""
ALL_EXACT_TO = 20_000
"""Rows up to which every one is compared with every other for a graph: 4 s of one core, 92 s at 100,000."""
EDGES_EXACT_TO = 200_000
"""Rows up to which edges are exact all the same, in minutes, as they are what a person sees of a graph."""
CANDIDATES = 9
"""Beyond the k asked for, as 8 bits mix up what is nearly as near."""
LOOKED_INTO, LOOKED_INTO_FOR_ALL = 16, 8
"""Lists, of twice the root of the number of vectors. Of 100,000 vectors' 14 nearest these find 0.994 and 0.988."""
ROUNDS, POINTS = 5, 32
"""Of k-means, and vectors it looks at for a list: 2 s at 100,000 x 384; 8 and 256 take 6 and find no more."""
PAIRED, ROUNDING = 1024, np.float32(2e-6)
"""Rows compared with as many others at a time, and how far two ways to sum a similarity may lie apart."""
ALWAYS_DIRECT = 1 << 30
"""Above this many queries FAISS would use BLAS, whose last bits depend on the others in the batch."""
BLAS_FROM = 20
_TURN = threading.Lock()
"""The threshold is one for the whole process, so searches take turns. What uses BLAS for long runs in the engine."""


def nearest(vectors: Floats, queries: Floats, k: int, *, threads: int = 1) -> tuple[Floats, Ints]:
    """The k most similar rows of `vectors` for each query: similarities (q, k), rows (q, k), nearest first.

    With fewer than k vectors there are fewer columns. Each query is answered on its own, 0.8 ms at 10,000 x 384.
    """
    return _search(vectors, queries, k, threads, direct=True)


def knn(vectors: Floats, k: int, *, of: Ints | None = None, threads: int = 1) -> tuple[Floats, Ints]:
    """The k most similar other rows of each row: similarities (n, k), rows (n, k), nearest first, itself left out.

    of: only for these rows. With n <= k rows there are n - 1 columns.
    """
    own = np.arange(len(vectors), dtype=np.int32) if of is None else of
    similarities, rows = _search(vectors, vectors if of is None else vectors[of], k + 1, threads, direct=False)
    return _others(similarities, rows, own)


def _others(similarities: Floats, rows: Ints, own: Ints) -> tuple[Floats, Ints]:
    """Without itself: what each row of `own` found."""
    others = rows != own[:, None]
    # Among thousands of duplicates a row may not find itself: then the last one goes.
    others[:, -1:] &= ~others.all(axis=1)[:, None]
    shape = (len(own), max(rows.shape[1] - 1, 0))
    return similarities[others].reshape(shape), rows[others].reshape(shape)


class Neighbours:
    """The rows of `vectors` nearest to any query, one at a time in a tenth of a millisecond.

    Beyond EXACT_TO rows candidates come from an inverted file of 8-bit codes (FAISS) and are scored exactly: 0.98 of
    the 15 nearest are found. It is made with one thread, so the same vectors give the same lists, in 0.1 s at
    5,000 x 384 and 2 s at 100,000. May be asked from several threads at once.
    exact: every image is looked at however many there are, 3 ms each at 100,000 and nothing to make ready.
    """

    def __init__(self, vectors: Floats, *, threads: int = 1, exact: bool = False) -> None:
        self._vectors, self._threads, self._exact = np.ascontiguousarray(vectors, np.float32), threads, exact
        self._index = _inverted(self._vectors) if len(vectors) > EXACT_TO and not exact else None

    def nearest(self, queries: Floats, k: int) -> tuple[Floats, Ints]:
        """As `nearest`."""
        if self._exact:
            return _search(self._vectors, queries, k, self._threads, direct=False)
        if self._index is None:
            return nearest(self._vectors, queries, k, threads=self._threads)
        return _among(self._index, self._vectors, queries, k, self._threads)

    def of_rows(self, rows: Ints, k: int) -> tuple[Floats, Ints]:
        """As `knn` of these rows: exact."""
        return knn(self._vectors, k, of=rows, threads=self._threads)


def knn_graph(vectors: Floats, k: int, *, threads: int = 1) -> tuple[Floats, Ints]:
    """As `knn` of all rows, for a layout: exact to ALL_EXACT_TO rows; above, 0.99 of them in a tenth of the time."""
    if len(vectors) <= ALL_EXACT_TO:
        return knn(vectors, k, threads=threads)
    vectors = np.ascontiguousarray(vectors, np.float32)
    found = _among(_inverted(vectors), vectors, vectors, k + 1, threads, looked_into=LOOKED_INTO_FOR_ALL)
    return _others(*found, np.arange(len(vectors), dtype=np.int32))


def inverted_file(dim: int, lists: int) -> faiss.IndexIVF:
    """An empty inverted file of 8-bit codes, for unit vectors."""
    index = faiss.IndexIVFScalarQuantizer(
        faiss.IndexFlatIP(dim), dim, lists, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
    )
    index.cp.spherical, index.cp.niter = True, ROUNDS
    index.cp.max_points_per_centroid, index.cp.min_points_per_centroid = POINTS, 1  # it warns below 39
    return index


def _inverted(vectors: Floats) -> faiss.IndexIVF:
    faiss.omp_set_num_threads(1)
    index = inverted_file(vectors.shape[1], round(2.0 * len(vectors) ** 0.5))
    with _threshold(direct=False):  # three times as fast to train
        index.train(vectors)
        index.add(vectors)
    return index


def _among(
    index: faiss.IndexIVF, vectors: Floats, queries: Floats, k: int, threads: int, *, looked_into: int = LOOKED_INTO
) -> tuple[Floats, Ints]:
    """As `nearest`, among what an inverted file proposes."""
    queries, k = np.ascontiguousarray(queries, np.float32), min(k, len(vectors))
    faiss.omp_set_num_threads(threads)
    how = faiss.SearchParametersIVF()
    how.nprobe = looked_into
    with _threshold(direct=True):
        candidates = index.search(queries, k + CANDIDATES, params=how)[1]
    similarities, rows = _best(vectors, queries, candidates, k)
    short = np.flatnonzero((rows < 0).any(axis=1))  # what is far from all else may have lists of next to nothing
    if len(short):
        similarities[short], rows[short] = nearest(vectors, queries[short], k, threads=threads)
    return similarities, rows


def may_complete(count: int) -> bool:
    """Whether edges of so many images take of what `knn_graph` found only how near their neighbours are at least."""
    return ALL_EXACT_TO < count <= EDGES_EXACT_TO


def knn_edges(
    vectors: Floats, k: int = 5, *, known: tuple[Floats, Ints] | None = None, threads: int = 1
) -> tuple[Ints, Floats]:
    """Lines between each row and its k nearest: edges (m, 2) int32, each pair once with a < b, and similarities (m,).

    Mutual neighbours come first, then by falling similarity, so that a shorter list keeps the truest edges. Exact to
    EDGES_EXACT_TO rows. known: what `knn_graph` found of k or more.
    """
    n = len(vectors)
    if known is None:
        known = (knn if n <= EDGES_EXACT_TO else knn_graph)(vectors, k, threads=threads)
    elif may_complete(n):
        known = _completed(vectors, known[0][:, k - 1], k)
    similarities, rows = known[0][:, :k], known[1][:, :k]
    ends = np.stack([np.repeat(np.arange(n), rows.shape[1]), rows.ravel()], axis=1)
    ends.sort(axis=1)
    keys = ends[:, 0] * n + ends[:, 1]
    unique, first, seen = np.unique(keys, return_index=True, return_counts=True)
    weights = similarities.ravel()[first]
    order = np.lexsort((unique, -weights, -seen))
    return ends[first[order]].astype(np.int32), weights[order]


def _completed(vectors: Floats, floors: Floats, k: int) -> tuple[Floats, Ints]:
    """As `knn`, of rows that are known to have k others at least as near as their floor (n,).

    Each pair is looked at once, for both of its ends, and few are nearer than a floor: half the time of `knn`, 45 s of
    one core at 100,000 x 384.
    """
    vectors, floors = np.ascontiguousarray(vectors, np.float32), floors - ROUNDING
    owners, others = [], []
    for start in range(0, len(vectors), PAIRED):
        block = slice(start, start + PAIRED)
        for first in range(start, len(vectors), PAIRED):
            beside = slice(first, first + PAIRED)
            similarities = vectors[block] @ vectors[beside].T
            rows, columns = divmod(np.flatnonzero(similarities >= floors[block, None]), similarities.shape[1])
            owners.append(rows + start)
            others.append(columns + first)
            if first > start:
                rows, columns = divmod(np.flatnonzero(similarities >= floors[None, beside]), similarities.shape[1])
                owners.append(columns + first)
                others.append(rows + start)
    owner, other = np.concatenate(owners), np.concatenate(others)
    owner, other = owner[owner != other], other[owner != other]
    scores = np.concatenate(
        [
            np.einsum("nd,nd->n", vectors[owner[i : i + PAIRED]], vectors[other[i : i + PAIRED]])
            for i in range(0, len(owner), PAIRED)
        ]
    )
    order = np.lexsort((other, -scores, owner))
    firsts = np.searchsorted(owner[order], np.arange(len(vectors)))
    best = order[firsts[:, None] + np.arange(k)]
    return scores[best], other[best].astype(np.int32)


@contextlib.contextmanager
def _threshold(*, direct: bool) -> Iterator[None]:
    """While FAISS is asked: whether each query is compared on its own, or many at once by BLAS."""
    with _TURN:
        faiss.cvar.distance_compute_blas_threshold = ALWAYS_DIRECT if direct else BLAS_FROM
        yield


def _search(vectors: Floats, queries: Floats, k: int, threads: int, *, direct: bool) -> tuple[Floats, Ints]:
    vectors = np.ascontiguousarray(vectors, np.float32)
    queries = np.ascontiguousarray(queries, np.float32)
    k = min(k, len(vectors))
    if not k or not len(queries):
        return np.empty((len(queries), k), np.float32), np.empty((len(queries), k), np.int32)
    faiss.omp_set_num_threads(threads)
    with _threshold(direct=direct):
        _, rows = faiss.knn(queries, vectors, min(k + SPARE, len(vectors)), metric=faiss.METRIC_INNER_PRODUCT)
    return _best(vectors, queries, rows, k)


def _best(vectors: Floats, queries: Floats, rows: NDArray[np.int64], k: int) -> tuple[Floats, Ints]:
    """The k best of each query's candidates, scored again. Candidates of -1 are none."""
    similarities = np.where(rows < 0, np.float32(-2.0), _similarities(vectors, queries, rows))
    order = np.lexsort((rows, -similarities), axis=1)[:, :k]
    each = np.arange(len(rows))[:, None]
    return similarities[each, order], rows[each, order].astype(np.int32)


def _similarities(vectors: Floats, queries: Floats, rows: NDArray[np.int64]) -> Floats:
    """(q, k) inner products of each query with its own rows, each summed alone and so always in the same order."""
    similarities = np.empty(rows.shape, np.float32)
    for start in range(0, len(queries), BLOCK):
        block = slice(start, start + BLOCK)
        np.einsum("qd,qkd->qk", queries[block], vectors[rows[block]], out=similarities[block])
    return similarities
