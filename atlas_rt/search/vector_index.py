"""The vectors of a library as searches see them: every image scored, or, of very many, those an index proposes.

Up to IN_MEMORY_TO images all are in memory and one product scores them. Above, they stay on disk as they are stored,
and an inverted file of 8-bit codes (FAISS), memory-mapped too, proposes the best hundred thousand, of which the best
thousand are scored again from the stored vectors. The index is of rows of the file of vectors, which are never written
again: what came since is scored image by image, what has gone is left out. So neither changes an index in use, and it
is made again, in a file of its own, when a twentieth is missing from it. (The live camera and `locate`, which place
images, still take all of them into memory.)
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.arrays import Floats, Ints
from atlas_rt.mapping.neighbours import inverted_file
from atlas_rt.search.scoring import score

IN_MEMORY_TO = 200_000
LIT, RERANKED, SAMPLE = 100_000, 1_000, 20_000
"""Images the index proposes; those of them scored exactly; images that show what a phrase scores as a rule."""
LOOKED_INTO = 0.125
"""Of the lists, for a phrase. Phrases lie far from all images: for vectors drawn at random among 1,000,000 x 512 this
finds 0.98 of the best ten (33 ms), a sixteenth 0.93, a quarter 0.995 (54 ms); for the middle of a crowd all of them."""
LOOKED_INTO_FOR_BEST, ALIVE = 16, 4
"""Lists looked into where one image is wanted, and how many are, as some may have gone."""
MISSING = 0.05
"""Of the rows, missing from an index: it is made again."""
BLOCK = 50_000
"""Rows read together: 100 MB at 512 dimensions."""
NAME, BESIDE = "search-{rows}.ivf", ".tmp-{process}-search"
Stored = NDArray[np.float16]


@dataclass(frozen=True, slots=True)
class Scored:
    """scores: (n,) float32, the cosine of each image, -inf where it was not looked at and is none of the best. usual:
    scores of images as they come."""

    scores: Floats
    usual: Floats


class VectorIndex:
    """(n, dim) float32 unit vectors, all in memory. May be asked from several threads at once."""

    def __init__(self, vectors: Floats) -> None:
        self._vectors = vectors

    def __len__(self) -> int:
        return len(self._vectors)

    @property
    def dim(self) -> int:
        return int(self._vectors.shape[1])

    @property
    def how(self) -> str:
        """How searches look through it, in words."""
        return "every image is scored"

    def at(self, rows: Ints) -> Floats:
        """(k, dim) of these images."""
        return self._vectors[rows]

    def whole(self) -> Floats:
        """(n, dim) of all."""
        return self._vectors

    def score(self, vector: Floats) -> Scored:
        """How near each image is to a vector, (dim,)."""
        scores = score(self._vectors, vector)
        return Scored(scores, scores[:: max(len(scores) // SAMPLE, 1)])

    def score_of(self, rows: Ints, vector: Floats) -> Floats:
        """(k,) how near these are, exactly."""
        return score(self._vectors[rows], vector)

    def best_of(self, queries: Floats) -> Floats:
        """(q,) what each query's best image scores, -1 where there is none."""
        best = np.full(len(queries), -1.0, np.float32)
        for block in self.blocks():
            np.maximum(best, (block @ queries.T).max(axis=0), out=best)
        return best

    def starts_with(self, other: VectorIndex) -> bool:
        """Whether the other's images are the first of these, unchanged."""
        both = type(self) is type(other) is VectorIndex  # what is on disk would have to be read
        return both and len(other) <= len(self) and np.array_equal(other.whole(), self._vectors[: len(other)])

    def tail(self, start: int) -> VectorIndex:
        """The images from that row on."""
        return VectorIndex(self._vectors[start:])

    def blocks(self, size: int = 1024) -> Iterator[Floats]:
        """All of them, (size, dim) at a time."""
        for start in range(0, len(self), size):
            yield self.at(np.arange(start, min(start + size, len(self)), dtype=np.int32))


class StoredVectorIndex(VectorIndex):
    """The same, of vectors on disk. stored: (m, dim) float16, memory-mapped. rows: (n,) of it, one for each image.
    index: of the first rows of `stored`; without one every image is scored, in 0.6 s at 1,000,000."""

    def __init__(self, stored: Stored, rows: Ints, index: faiss.IndexIVF | None) -> None:
        self._stored, self._rows, self._index = stored, rows, index
        self._image = np.full(len(stored), -1, np.int32)
        self._image[rows] = np.arange(len(rows), dtype=np.int32)
        self._beyond = np.flatnonzero(rows >= (index.ntotal if index is not None else 0)).astype(np.int32)

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def dim(self) -> int:
        return int(self._stored.shape[1])

    @property
    def how(self) -> str:
        if self._index is None:
            return "every image is scored, from the disk, as no index is made yet"
        since = f", {len(self._beyond):,} since are scored all" if len(self._beyond) else ""
        return f"an index of {self._index.ntotal:,} vectors{since}"

    def at(self, rows: Ints) -> Floats:
        return self._stored[self._rows[rows]].astype(np.float32)

    def whole(self) -> Floats:
        return self.at(np.arange(len(self), dtype=np.int32))

    def score(self, vector: Floats) -> Scored:
        scores = np.full(len(self), -np.inf, np.float32)
        scores[self._beyond] = self.score_of(self._beyond, vector)
        if self._index is not None:
            images, near = self._proposed(vector[None], LIT, max(1, round(LOOKED_INTO * self._index.nlist)))
            images, near = images[0][images[0] >= 0], near[0][images[0] >= 0]
            scores[images] = near
            best = images[np.argsort(-near, kind="stable")[:RERANKED]]
            scores[best] = self.score_of(best, vector)
        return Scored(scores, score(self._sample, vector))

    def score_of(self, rows: Ints, vector: Floats) -> Floats:
        found = np.empty(len(rows), np.float32)
        for start in range(0, len(rows), BLOCK):
            found[start : start + BLOCK] = score(self.at(rows[start : start + BLOCK]), vector)
        return found

    def best_of(self, queries: Floats) -> Floats:
        if self._index is None:
            return super().best_of(queries)
        images, near = self._proposed(queries, ALIVE, LOOKED_INTO_FOR_BEST)
        best: Floats = np.where(images >= 0, near, np.float32(-1.0)).max(axis=1)
        for start in range(0, len(self._beyond), BLOCK):
            block = self.at(self._beyond[start : start + BLOCK])
            np.maximum(best, (block @ queries.T).max(axis=0), out=best)
        return best

    def _proposed(self, queries: Floats, count: int, lists: int) -> tuple[Ints, Floats]:
        """(q, count) images, -1 for what is none, and about how near each is."""
        assert self._index is not None
        faiss.omp_set_num_threads(1)
        how = faiss.SearchParametersIVF()
        how.nprobe = lists
        near, rows = self._index.search(np.ascontiguousarray(queries, np.float32), count, params=how)
        there = (rows >= 0) & (rows < len(self._image))
        return np.where(there, self._image[np.where(there, rows, 0)], -1).astype(np.int32), near

    @cached_property
    def _sample(self) -> Floats:
        return self.at(np.linspace(0, len(self) - 1, min(SAMPLE, len(self))).astype(np.int32))


def recall_at_10(vector_index: VectorIndex, queries: Floats) -> float:
    """The share of each query's truly best ten images that are among the best ten found."""
    count = min(10, len(vector_index))
    if not count:
        return 1.0
    exact = np.concatenate([block @ queries.T for block in vector_index.blocks(BLOCK)])
    found = [
        len(np.intersect1d(_best(vector_index.score(query).scores, count), _best(scores, count)))
        for query, scores in zip(queries, exact.T, strict=True)
    ]
    return sum(found) / (count * len(queries))


def _best(scores: Floats, count: int) -> NDArray[np.intp]:
    return np.argsort(-scores, kind="stable")[:count]


def _floats(stored: Stored, rows: Ints) -> Floats:
    return stored[rows].astype(np.float32)


def vector_index_of(
    stored: Stored, rows: Ints, folder: Path, floats: Callable[[Stored, Ints], Floats] = _floats
) -> VectorIndex:
    """The vector index of these rows of a model's vectors. folder: of the model, where its index lies. floats: gives
    those that are kept in memory."""
    if len(rows) > IN_MEMORY_TO:
        return StoredVectorIndex(stored, rows, _opened(folder, stored))
    return VectorIndex(floats(stored, rows))


def keep_index(stored: Stored, folder: Path, *, going_on: Callable[[float], None]) -> bool:
    """Make the index again where there are many vectors and too many of them are missing from it; whether it did.

    going_on: told the share that is done between blocks; what it raises ends the work, and nothing is left. Takes a
    minute on one core at 1,000,000 x 512. Raises OSError on a full disk.
    """
    count, dim = stored.shape
    known = _opened(folder, stored)
    if count <= IN_MEMORY_TO or (known is not None and count - known.ntotal <= MISSING * count):
        return False
    faiss.omp_set_num_threads(1)
    index = inverted_file(dim, round(2.0 * count**0.5))
    sample = np.linspace(0, count - 1, min(count, index.nlist * index.cp.max_points_per_centroid)).astype(np.intp)
    going_on(0.0)
    index.train(stored[sample].astype(np.float32))
    for start in range(0, count, BLOCK):
        going_on(start / count)
        index.add(stored[start : start + BLOCK].astype(np.float32))
    beside = folder / BESIDE.format(process=os.getpid())
    try:
        with beside.open("wb") as file:
            file.write(faiss.serialize_index(index).data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(folder / NAME.format(rows=count))
    finally:
        beside.unlink(missing_ok=True)
    for left in {*folder.glob(NAME.format(rows="*")), *folder.glob(BESIDE.format(process="*"))}:
        if left.name != NAME.format(rows=count):
            with contextlib.suppress(OSError):  # in use, on Windows: the next one removes it
                left.unlink()
    return True


def _newest(folder: Path) -> tuple[int, Path] | None:
    """The rows and the file of the index that holds most."""
    named = [(file.stem.partition("-")[2], file) for file in folder.glob(NAME.format(rows="*"))]
    return max(((int(rows), file) for rows, file in named if rows.isdecimal()), default=None)


def _opened(folder: Path, stored: Stored) -> faiss.IndexIVF | None:
    """The newest index, None where it is not one of these vectors."""
    found = _newest(folder)
    if found is None:
        return None
    rows, file = found
    try:
        if file.stat().st_size < rows * stored.shape[1]:  # cut off: reading it would end the process
            return None
        index = faiss.read_index(str(file), faiss.IO_FLAG_MMAP | faiss.IO_FLAG_READ_ONLY)
    except (OSError, RuntimeError):
        return None
    fits = (index.ntotal, index.d) == (rows, stored.shape[1]) and rows <= len(stored)
    return index if fits and isinstance(index, faiss.IndexIVF) else None
