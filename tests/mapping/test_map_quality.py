"""How true a map is."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.manifold import trustworthiness

from atlas_rt.core.arrays import Floats
from atlas_rt.mapping.map_quality import placed_quality, quality_of


@pytest.fixture(scope="module")
def vectors() -> Floats:
    rng = np.random.default_rng(0)
    found = rng.normal(size=(400, 3)).astype(np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def test_it_is_the_trustworthiness_of_scikit_learn(vectors: Floats) -> None:
    positions = vectors + np.random.default_rng(1).normal(size=vectors.shape).astype(np.float32) * 0.3
    wanted = trustworthiness(vectors, positions, n_neighbors=15, metric="cosine")
    assert quality_of(vectors, positions).trustworthiness == pytest.approx(wanted, abs=1e-6)


def test_a_map_that_is_the_vectors_themselves_is_perfect(vectors: Floats) -> None:
    found = quality_of(vectors, vectors * 7, rows=np.arange(0, 400, 7, dtype=np.int32))
    assert (found.trustworthiness, found.recall) == (1.0, 1.0)


def test_one_at_random_finds_as_many_neighbours_as_chance(vectors: Floats) -> None:
    positions = np.random.default_rng(2).normal(size=(400, 3)).astype(np.float32)
    found = quality_of(vectors, positions)
    assert found.trustworthiness == pytest.approx(0.5, abs=0.05)
    assert found.recall == pytest.approx(15 / 399, abs=0.02)


def test_images_outside_are_judged_by_where_they_are_placed(vectors: Floats) -> None:
    inside, outside = vectors[:350], vectors[350:]
    right = placed_quality(outside, outside, inside, inside)
    wrong = placed_quality(outside, -outside, inside, inside)
    assert (right.trustworthiness, right.recall) == (1.0, 1.0)
    assert wrong.recall == 0.0
    assert placed_quality(outside[:0], outside[:0], inside, inside).recall == 0.0
