"""Scores and lights."""

from __future__ import annotations

import numpy as np
import pytest

from atlas_rt.core.arrays import Floats
from atlas_rt.search.scoring import lights, score


def test_scores_are_cosines(vectors: Floats) -> None:
    scores = score(vectors, vectors[3])
    assert scores.shape == (len(vectors),)
    assert scores[3] == pytest.approx(1.0, abs=1e-6)
    assert int(scores.argmax()) == 3


def test_a_score_has_the_same_bits_whatever_stands_beside_it(vectors: Floats) -> None:
    scores = score(vectors, vectors[3])
    assert [float(score(vectors[row : row + 1], vectors[3])[0]) for row in range(9)] == scores[:9].tolist()


def test_lights_stand_out_from_the_median() -> None:
    scores = np.array([0.1, 0.11, 0.09, 0.1, 0.12, 0.08, 0.1, 0.9], np.float32)
    found = lights(scores)
    assert found.dtype == np.float32
    assert np.median(found) == 0
    assert found[7] > 20
    assert found.argsort().tolist() == scores.argsort().tolist()


def test_a_bell_of_scores_has_lights_of_its_own_deviations() -> None:
    scores = np.random.default_rng(0).normal(0.2, 0.05, 20_000).astype(np.float32)
    assert lights(scores).std() == pytest.approx(1.0, abs=0.03)


@pytest.mark.parametrize("scores", [[], [0.3], [0.2, 0.2, 0.2]])
def test_where_nothing_stands_out_nothing_is_lit(scores: list[float]) -> None:
    assert lights(np.array(scores, np.float32)).tolist() == [0.0] * len(scores)


def test_one_match_among_identical_scores_is_lit() -> None:
    found = lights(np.array([0.1] * 9 + [0.5], np.float32))
    assert np.isfinite(found).all()
    assert found[9] > 2
