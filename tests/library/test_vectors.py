"""Vectors keep their rows, also beside a crash, a full disk and a reader."""

from __future__ import annotations

import resource
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from atlas_rt.errors import MissingError
from atlas_rt.library.vectors import VectorFile


def unit_vectors(count: int, dim: int, seed: int = 0) -> np.ndarray:
    values = np.random.default_rng(seed).normal(size=(count, dim)).astype(np.float32)
    values /= np.linalg.norm(values, axis=1, keepdims=True)
    return values


def test_rows_come_back_close_enough_for_cosines(tmp_path: Path) -> None:
    vectors = unit_vectors(50, 384)
    file = VectorFile(tmp_path / "vectors.f16", 384, writable=True, rows=0)
    assert file.append(vectors[:20]) == 0
    assert file.append(vectors[20:]) == 20
    file.flush()
    read = VectorFile(tmp_path / "vectors.f16", 384, rows=50).array()
    assert read.dtype == np.float16
    assert read.shape == (50, 384)
    exact = vectors @ vectors.T
    assert np.abs(read.astype(np.float32) @ read.astype(np.float32).T - exact).max() < 1e-3
    with pytest.raises(ValueError, match="read-only"):
        read[0, 0] = 1


def test_exactly_the_named_rows_are_seen_and_the_tail_is_written_over(tmp_path: Path) -> None:
    path = tmp_path / "vectors.f16"
    VectorFile(path, 8, writable=True, rows=0).append(unit_vectors(5, 8))
    assert VectorFile(path, 8, rows=3).array().shape == (3, 8)
    writer = VectorFile(path, 8, writable=True, rows=3)
    assert writer.append(unit_vectors(1, 8, seed=9)) == 3
    assert writer.rows == 4
    assert np.allclose(writer.array()[3], unit_vectors(1, 8, seed=9), atol=1e-3)
    assert np.allclose(writer.array()[:3], unit_vectors(5, 8)[:3], atol=1e-3)


def test_no_rows_need_no_file(tmp_path: Path) -> None:
    file = VectorFile(tmp_path / "vectors.f16", 8, rows=0)
    assert file.array().shape == (0, 8)
    assert list(tmp_path.iterdir()) == []


def test_the_wrong_dimension_and_missing_rows_are_refused(tmp_path: Path) -> None:
    file = VectorFile(tmp_path / "vectors.f16", 8, writable=True, rows=0)
    with pytest.raises(ValueError, match=r"shape \(k, 8\), not \(2, 9\)"):
        file.append(np.zeros((2, 9), np.float32))
    with pytest.raises(MissingError, match="damaged"):
        VectorFile(tmp_path / "vectors.f16", 8, rows=1)


def test_a_limit_on_file_size_leaves_the_named_rows_valid(tmp_path: Path) -> None:
    file = VectorFile(tmp_path / "vectors.f16", 8, writable=True, rows=0)
    file.append(unit_vectors(10, 8))
    with (
        file_size_limit(16 * 15),
        pytest.raises(MissingError, match="The disk is full; everything found so far is kept"),
    ):
        file.append(unit_vectors(10, 8, seed=1))
    assert file.rows == 10
    assert np.allclose(file.array(), unit_vectors(10, 8), atol=1e-3)
    assert file.append(unit_vectors(2, 8, seed=2)) == 10
    assert np.allclose(file.array()[10:], unit_vectors(2, 8, seed=2), atol=1e-3)


def test_a_full_disk_leaves_the_named_rows_valid(tmp_path: Path) -> None:
    with tiny_disk(tmp_path / "disk", "64k") as disk:
        file = VectorFile(disk / "vectors.f16", 256, writable=True, rows=0)
        file.append(unit_vectors(100, 256))
        with pytest.raises(MissingError, match=r"The disk is full.*--cache DIR"):
            file.append(unit_vectors(100, 256, seed=1))
        assert VectorFile(disk / "vectors.f16", 256, rows=100).array().shape == (100, 256)
        file.close()


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)


@contextmanager
def tiny_disk(folder: Path, size: str) -> Iterator[Path]:
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)
