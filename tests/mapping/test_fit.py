"""UMAP's layout: true to its neighbours, the same each time, and quiet."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
from calibrate import DEMO, Encoder

from atlas_rt.core.arrays import Floats
from atlas_rt.encoders.registry import Model
from atlas_rt.mapping.fit import fit_umap
from atlas_rt.mapping.layout import principal_axes
from atlas_rt.mapping.neighbours import knn

Crowd = Callable[[int], Floats]

ELSEWHERE = """
import hashlib, sys, warnings
warnings.simplefilter("error")
import numpy as np
from atlas_rt.mapping.fit import fit_umap, warm_up
assert "umap" not in sys.modules and "sklearn" not in sys.modules and "numba" not in sys.modules
warm_up()
vectors = np.frombuffer(sys.stdin.buffer.read(), np.float32).reshape(-1, 32)
print(hashlib.sha256(fit_umap(vectors, seed=3).positions.tobytes()).hexdigest())
"""


def recall(vectors: Floats, positions: Floats, k: int = 15) -> float:
    """Share of each image's k nearest that also stand nearest to it."""
    apart = ((positions[:, None] - positions[None]) ** 2).sum(axis=2)
    np.fill_diagonal(apart, np.inf)
    stand = np.argsort(apart, axis=1)[:, :k]
    return float(np.mean([np.isin(a, b).mean() for a, b in zip(knn(vectors, k)[1], stand, strict=True)]))


@pytest.mark.slow
def test_neighbours_stand_together_more_than_on_principal_axes(model: Model) -> None:
    encode = Encoder(model)
    vectors = np.concatenate([encode(path.read_bytes(), path.name) for path in sorted(DEMO.glob("*.webp"))])
    assert recall(vectors, fit_umap(vectors, seed=0).positions) > recall(vectors, principal_axes(vectors)) + 0.1


@pytest.mark.slow
def test_one_seed_gives_the_same_bits_in_every_process_and_nothing_is_printed(crowd: Crowd) -> None:
    group = crowd(120)
    here = hashlib.sha256(fit_umap(group, seed=3).positions.tobytes()).hexdigest()
    there = subprocess.run(
        [sys.executable, "-c", ELSEWHERE], input=group.tobytes(), capture_output=True, check=True, timeout=100
    )
    assert there.stdout.decode().strip() == here
    assert there.stderr == b""
    assert hashlib.sha256(fit_umap(group, seed=4).positions.tobytes()).hexdigest() != here


@pytest.mark.parametrize("count", [0, 1, 5, 9, 10, 11, 16, 40])
def test_any_number_of_images_has_places(crowd: Crowd, count: int) -> None:
    positions = fit_umap(crowd(count), seed=0).positions
    assert positions.shape == (count, 3)
    assert positions.dtype == np.float32
    assert np.isfinite(positions).all()


def test_identical_images_and_far_parts_have_places() -> None:
    same = np.tile(np.eye(1, 32, dtype=np.float32), (60, 1))
    parts = np.repeat(np.eye(3, 32, dtype=np.float32), 20, axis=0)
    assert np.isfinite(fit_umap(same, seed=0).positions).all()
    positions = fit_umap(parts, seed=0).positions
    assert np.isfinite(positions).all()
    centres = positions.reshape(3, 20, 3).mean(axis=1)
    assert np.linalg.norm(centres[0] - centres[1]) > 2 * positions.reshape(3, 20, 3).std(axis=1).max()


def test_progress_rises_from_nothing_to_all(crowd: Crowd) -> None:
    told: list[float] = []
    fit_umap(crowd(300), seed=0, progress=told.append)
    assert told[0] == 0.0
    assert told[-1] == 1.0
    assert told == sorted(told)
    assert len(told) > 3
