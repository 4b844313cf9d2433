"""Scores, lights, and whether anything matches."""

from __future__ import annotations

import numpy as np
import pytest

from atlas_rt.core.records import Floats
from atlas_rt.ml.encoder import TextEncoder
from atlas_rt.ml.registry import Calibration, Model
from atlas_rt.ml.scoring import NEUTRAL_PHRASES, Judge, lights, score


@pytest.fixture(scope="module")
def neutral(text: TextEncoder) -> Floats:
    return np.stack([text.encode(phrase) for phrase in NEUTRAL_PHRASES])


def test_scores_are_cosines(vectors: Floats) -> None:
    scores = score(vectors, vectors[3])
    assert scores.shape == (len(vectors),)
    assert scores[3] == pytest.approx(1.0, abs=1e-6)
    assert int(scores.argmax()) == 3


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


def test_a_name_of_what_is_there_is_stronger_than_nonsense(
    text: TextEncoder, pixels: dict[str, Floats], vectors: Floats, neutral: Floats, model: Model
) -> None:
    judge = Judge(vectors, neutral, model.calibration)

    def bands(phrases: list[str]) -> list[str]:
        return [judge.band(float(score(vectors, text.encode(phrase)).max())) for phrase in phrases]

    nonsense = ["zorfle quimble", "blavex", "furiously notwithstanding", "jatro wemgix", "nudlum", "if and only if"]
    assert bands(list(pixels)).count("strong") >= 0.4 * len(pixels)
    assert "strong" not in bands(nonsense)


def test_bands_follow_the_calibration(vectors: Floats, neutral: Floats) -> None:
    judge = Judge(vectors, neutral, Calibration(strong=2.0, weak=1.0, label_temperature=0.05))
    scores = np.linspace(-1, 1, 500)
    bands = [judge.band(float(value)) for value in scores]
    assert bands == sorted(bands, key=["none", "weak", "strong"].index)
    assert judge.evidence(0.5) > judge.evidence(0.4)
    assert {judge.band(float(value)) for value in scores} == {"none", "weak", "strong"}


@pytest.mark.parametrize("count", [0, 1])
def test_an_almost_empty_library_can_be_judged(vectors: Floats, neutral: Floats, model: Model, count: int) -> None:
    judge = Judge(vectors[:count], neutral, model.calibration)
    assert judge.band(-1.0) == "none"
