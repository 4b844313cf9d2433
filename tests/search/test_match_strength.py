"""Strong, weak or none: what is there, what is not, nonsense, libraries of every size."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from atlas_rt.core.arrays import Floats
from atlas_rt.encoders.encoder import TextEncoder
from atlas_rt.encoders.registry import Calibration, Model, ModelFile
from atlas_rt.errors import MissingError
from atlas_rt.search.match_strength import Background, Judge, QueryVector, load_background, pieces_of
from atlas_rt.search.scoring import score
from atlas_rt.search.vector_index import VectorIndex

NONSENSE = ["zorfle quimble", "blavex", "furiously notwithstanding", "jatro wemgix", "nudlum", "if and only if"]


@pytest.fixture(scope="module")
def background(model: Model, text: TextEncoder, encoded_words: Path) -> Background:
    return load_background(model, text, encoded_words.parent)


@pytest.fixture(scope="module")
def judge(vectors: Floats, background: Background, model: Model) -> Judge:
    return Judge(VectorIndex(vectors), background, model.calibration)


def best_band(judge: Judge, vectors: Floats, text: TextEncoder, phrase: str) -> str:
    query = QueryVector(text.encode(phrase), pieces_of(phrase, text))
    return judge.bands(query, score(vectors, query.vector).max(initial=-1.0, keepdims=True))[0]


def test_a_name_of_what_is_there_is_stronger_than_nonsense(
    judge: Judge, text: TextEncoder, pixels: dict[str, Floats], vectors: Floats
) -> None:
    there = [best_band(judge, vectors, text, name) for name in pixels]
    assert there.count("strong") >= 0.4 * len(pixels)
    assert "strong" not in [best_band(judge, vectors, text, phrase) for phrase in NONSENSE]


def test_bands_follow_the_score_and_the_bars(
    judge: Judge, vectors: Floats, background: Background, text: TextEncoder
) -> None:
    query = QueryVector(text.encode("guitar"), 1.0)
    scores = np.linspace(-1, 1, 500, dtype=np.float32)
    assert (np.diff(judge.evidence(query, scores)) > 0).all()
    own = Judge(VectorIndex(vectors), background, Calibration(strong=2.0, weak=1.0, label_temperature=0.05))
    bands = own.bands(query, scores)
    assert bands == sorted(bands, key=["none", "weak", "strong"].index)
    assert set(bands) == {"none", "weak", "strong"}


def test_evidence_does_not_change_with_a_models_scale(
    vectors: Floats, text: TextEncoder, background: Background
) -> None:
    """Every picture moved alike, as in CLIP, where all cosines of pictures and words lie between 0.1 and 0.35."""
    calibration = Calibration(strong=2.0, weak=1.0, label_temperature=0.05)

    def widened(rows: Floats, own: float, other: float) -> Floats:
        extra = np.tile(np.array([own, other], np.float32), (len(rows), 1))
        found: Floats = np.column_stack([rows * np.float32(np.sqrt(1 - own**2 - other**2)), extra])
        return found

    pictures = vectors[::2]
    here = Background(background.words, background.abstract, pictures)
    there = Background(
        widened(background.words, 0.6, 0.5), widened(background.abstract, 0.6, 0.5), widened(pictures, 0.5, -0.6)
    )
    vector = text.encode("a tiger")
    query, moved = QueryVector(vector, 1.0), QueryVector(widened(vector[None], 0.6, 0.5)[0], 1.0)
    images = widened(vectors, 0.5, -0.6)
    one = Judge(VectorIndex(vectors), here, calibration).evidence(query, score(vectors, vector))
    other = Judge(VectorIndex(images), there, calibration).evidence(moved, score(images, moved.vector))
    np.testing.assert_allclose(one, other, atol=0.01)


def test_a_word_broken_to_pieces_and_an_abstract_one_need_better_images(judge: Judge, text: TextEncoder) -> None:
    assert pieces_of("guitar", text) == 1.0
    assert pieces_of("qzxvkj wqpfh", text) > 2.0
    assert pieces_of("", text) == pieces_of("   ", text) == 1.0
    scores = np.array([0.3], np.float32)
    whole, broken = (QueryVector(text.encode("guitar"), pieces) for pieces in (1.0, 3.0))
    assert judge.evidence(whole, scores)[0] > judge.evidence(broken, scores)[0]
    features = {word: judge.features(QueryVector(text.encode(word), 1.0), scores)[0] for word in ("guitar", "attitude")}
    assert features["attitude"][2] > features["guitar"][2] + 1.0  # abstract
    assert features["guitar"][1] == 0.0  # known: it is an everyday word
    nonsense = judge.features(QueryVector(text.encode("qzxvkj wqpfh"), 1.0), scores)[0]
    assert nonsense[2] > features["guitar"][2] + 1.0  # what says nothing is as far from pictures


def test_a_library_that_grew_is_judged_as_one_made_at_once(
    vectors: Floats, background: Background, model: Model, text: TextEncoder
) -> None:
    query = QueryVector(text.encode("guitar"), 1.0)
    scores = score(vectors, query.vector)

    def judged(*parts: Floats) -> Floats:
        judge = None
        for part in parts:
            judge = Judge(VectorIndex(part), background, model.calibration, before=judge)
        assert judge is not None
        return judge.evidence(query, scores)

    at_once = judged(vectors)
    np.testing.assert_allclose(judged(vectors[:0], vectors[:5], vectors.copy()), at_once, rtol=1e-5)
    np.testing.assert_allclose(judged(vectors[::-1].copy(), vectors), at_once, rtol=1e-5)
    np.testing.assert_allclose(judged(np.concatenate([vectors, vectors]), vectors), at_once, rtol=1e-5)


@pytest.mark.parametrize("count", [0, 1, 2])
@pytest.mark.parametrize(
    "phrase", ["", "guitar", "赤い車", "🎸", "gitarre " * 1250, "?!", "\ud800".encode("utf-8", "replace").decode()]
)
def test_any_phrase_over_few_images_gets_an_answer(
    vectors: Floats, background: Background, model: Model, text: TextEncoder, count: int, phrase: str
) -> None:
    judge = Judge(VectorIndex(vectors[:count]), background, model.calibration)
    query = QueryVector(text.encode(phrase), pieces_of(phrase, text))
    bands = judge.bands(query, score(vectors[:count], query.vector))
    assert len(bands) == count
    assert set(bands) <= {"strong", "weak", "none"}
    assert np.isfinite(judge.evidence(query, np.zeros(1, np.float32))).all()


def test_an_image_is_a_strong_match_of_itself_and_noise_is_none(vectors: Floats, judge: Judge) -> None:
    query = QueryVector(vectors[3], None)
    bands = judge.bands(query, score(vectors, query.vector))
    assert bands[3] == "strong"
    noise = np.random.default_rng(0).standard_normal((1, vectors.shape[1]), np.float32)
    noise = (noise / np.linalg.norm(noise, axis=1, keepdims=True))[0]
    assert set(judge.bands(QueryVector(noise, None), score(vectors, noise))) == {"none"}


def test_a_model_without_pictures_in_general_is_judged_by_its_scores(
    vectors: Floats, model: Model, text: TextEncoder, encoded_words: Path
) -> None:
    plain = replace(model, calibration=replace(model.calibration, background=None))
    background = load_background(plain, text, encoded_words.parent)
    assert background.pictures.shape == (0, model.dim)
    judge = Judge(VectorIndex(vectors), background, plain.calibration)
    assert best_band(judge, vectors, text, "blavex") == "none"


def test_a_background_of_another_size_is_refused(
    model: Model, text: TextEncoder, tmp_path: Path, encoded_words: Path
) -> None:
    file = tmp_path / "background.npy"
    np.save(file, np.zeros((4, 7), np.float16))
    recorded = ModelFile(file, hashlib.sha256(file.read_bytes()).hexdigest())
    other = replace(model, calibration=replace(model.calibration, background=recorded))
    with pytest.raises(MissingError, match=f"no vectors of {model.dim} dimensions"):
        load_background(other, text, encoded_words.parent)
