"""Vectors that are kept from one reading to the next are those that are stored."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from atlas_rt.core.arrays import Floats
from atlas_rt.library.vectors import VectorFile
from atlas_rt.search.held_vectors import HeldVectors

DIM = 8


def store(path: Path, count: int, *, seed: int) -> Floats:
    """Append so many vectors; all that are stored."""
    vectors = np.random.default_rng(seed).standard_normal((count, DIM)).astype(np.float32)
    rows = path.stat().st_size // (2 * DIM) if path.exists() else 0
    file = VectorFile(path, DIM, writable=True, rows=rows)
    file.append(vectors)
    file.close()
    return np.fromfile(path, np.float16).reshape(-1, DIM).astype(np.float32)


def test_new_rows_are_put_behind_those_that_are_held(tmp_path: Path) -> None:
    path, held = tmp_path / "vectors.f16", HeldVectors()

    def floats(stored: Floats, rows: list[int], ids: list[int]) -> Floats:
        array = VectorFile(path, DIM, rows=len(stored)).array()
        found = held.floats(array, np.array(rows, np.int32), ids=np.array(ids, np.int64), path=path)
        np.testing.assert_array_equal(found, stored[rows])
        return found

    stored = store(path, 40, seed=1)
    first = floats(stored, list(range(32)), list(range(1, 33)))
    kept = first.copy()
    more = floats(stored, list(range(34)), list(range(1, 35)))
    assert np.shares_memory(first, more)  # nothing was read again
    stored = store(path, 20, seed=2)
    floats(stored, list(range(60)), list(range(1, 61)))  # more than there was room for
    floats(stored, list(range(1, 60)), list(range(2, 61)))  # one is hidden
    floats(stored, [59, *range(2, 59)], list(range(2, 60)))  # one was encoded again
    floats(stored, [], [])
    floats(stored, [3, 2], [1, 2])
    np.testing.assert_array_equal(first, kept)


def test_another_file_under_the_same_name_is_read(tmp_path: Path) -> None:
    """As a cleaning makes one: the same rows may hold something else."""
    path, held = tmp_path / "vectors.f16", HeldVectors()
    rows, ids = np.arange(4, dtype=np.int32), np.arange(4, dtype=np.int64)
    store(path, 4, seed=1)
    held.floats(VectorFile(path, DIM, rows=4).array(), rows, ids=ids, path=path)
    packed = store(tmp_path / "packed", 4, seed=2)
    shutil.move(tmp_path / "packed", path)
    found = held.floats(VectorFile(path, DIM, rows=4).array(), rows, ids=ids, path=path)
    np.testing.assert_array_equal(found, packed)
