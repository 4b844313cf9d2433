"""Words for pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from atlas_rt.core.assets import assets_folder
from atlas_rt.core.records import Floats
from atlas_rt.ml.encoder import TextEncoder
from atlas_rt.ml.labels import Vocabulary, load_vocabulary, read_words
from atlas_rt.ml.registry import Model


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def vocabulary(model: Model, text: TextEncoder, cache: Path) -> Vocabulary:
    return load_vocabulary(model, cache, encoder=text)


class Recorded:
    """An encoder that knows the words already, and counts what it is asked: the real one takes a second for all."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._known = dict(zip(vocabulary.words, vocabulary.vectors, strict=True))
        self.asked = 0

    def encode(self, phrase: str) -> Floats:
        self.asked += 1
        return self._known[phrase]


def test_the_shipped_words_are_many_clean_and_different() -> None:
    file = assets_folder("models") / "vocabulary.txt"
    words = read_words(file)
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    assert len(words) == len(lines) >= 400
    assert all(word == word.strip().lower() and len(word) < 30 for word in words)


def test_pictures_get_their_words(vocabulary: Vocabulary, pixels: dict[str, Floats], vectors: Floats) -> None:
    found = vocabulary.label(vectors)
    assert len(found) == len(vectors)
    named = [(title, labels) for title, labels in zip(pixels, found, strict=True) if title in vocabulary.words]
    right = [title in [word for word, _ in labels] for title, labels in named]
    assert len(named) >= 10
    assert np.mean(right) >= 0.6


def test_confidences_fall_and_are_shares(vocabulary: Vocabulary, vectors: Floats) -> None:
    for labels in vocabulary.label(vectors, 3):
        confidences = [confidence for _, confidence in labels]
        assert len(labels) == 3
        assert confidences == sorted(confidences, reverse=True)
        assert 0.0 < sum(confidences) <= 1.0


def test_no_pictures_get_no_words(vocabulary: Vocabulary, vectors: Floats) -> None:
    assert vocabulary.label(vectors[:0]) == []


def test_the_second_time_nothing_is_encoded(vocabulary: Vocabulary, model: Model, cache: Path) -> None:
    encoder = Recorded(vocabulary)
    again = load_vocabulary(model, cache, encoder=encoder)  # type: ignore[arg-type]
    assert (again.vectors == vocabulary.vectors).all()
    assert again.words == vocabulary.words
    assert encoder.asked == 0


def test_a_damaged_cache_is_made_again(vocabulary: Vocabulary, model: Model, cache: Path) -> None:
    (file,) = (cache / "vocabulary").iterdir()
    file.write_bytes(file.read_bytes()[:1000])
    encoder = Recorded(vocabulary)
    for _ in range(2):
        again = load_vocabulary(model, cache, encoder=encoder)  # type: ignore[arg-type]
        assert (again.vectors == vocabulary.vectors).all()
    assert encoder.asked == len(vocabulary.words)


def test_a_cache_that_cannot_be_written_is_done_without(vocabulary: Vocabulary, model: Model, tmp_path: Path) -> None:
    (tmp_path / "vocabulary").write_text("a file where the folder should be")
    assert load_vocabulary(model, tmp_path, encoder=Recorded(vocabulary)).words  # type: ignore[arg-type]
