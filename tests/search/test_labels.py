"""Words for pictures."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from atlas_rt.core.arrays import Floats
from atlas_rt.core.assets import assets_folder
from atlas_rt.encoders.encoder import TextEncoder
from atlas_rt.encoders.registry import Model
from atlas_rt.search.labels import (
    OWN_LENGTH_MAX,
    OWN_MAX,
    StoppedError,
    Vocabulary,
    fit_label_temperature,
    load_vocabulary,
    log_familiarity,
    read_own_words,
    read_words,
)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory, encoded_words: Path) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("cache")
    shutil.copytree(encoded_words, folder / "vocabulary")
    yield folder
    shutil.copytree(folder / "vocabulary", encoded_words, dirs_exist_ok=True)


@pytest.fixture(scope="module")
def vocabulary(model: Model, text: TextEncoder, cache: Path) -> Vocabulary:
    return load_vocabulary(model, cache, encoder=text)


class Recorded:
    """An encoder that knows the words already, and counts what it is asked: the real one takes a second for all."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._known = dict(zip(vocabulary.words, vocabulary.vectors, strict=True))
        self.asked = 0

    def encode_all(self, phrases: list[str]) -> Floats:
        self.asked += len(phrases)
        return np.stack([self._known[phrase] for phrase in phrases])


def test_the_shipped_words_are_many_clean_and_different() -> None:
    file = assets_folder("models") / "vocabulary.txt"
    words = read_words(file)
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    assert 1900 <= len(words) == len(lines) <= 2300
    assert all(word == word.strip().lower() and len(word) < 30 for word in words)
    assert {"person", "dog", "guitar", "car", "flower", "house", "tree", "sunset"} < set(words[:1600])
    assert not {"gorilla", "ape", "monster", "corpse", "nude", "slave", "whore", "gun barrel"} & set(words)
    assert words.index("dog") < words.index("dachshund")


def test_pictures_get_their_words(vocabulary: Vocabulary, pixels: dict[str, Floats], vectors: Floats) -> None:
    found = vocabulary.label(vectors)
    assert len(found) == len(vectors)
    named = [(title, labels) for title, labels in zip(pixels, found, strict=True) if title in vocabulary.words]
    right = [title in [word for word, _ in labels] for title, labels in named]
    assert len(named) >= 10
    assert np.mean(right) >= 0.4  # by chance 0.002


def test_confidences_fall_and_are_shares(vocabulary: Vocabulary, vectors: Floats) -> None:
    for labels in vocabulary.label(vectors, 3):
        confidences = [confidence for _, confidence in labels]
        assert len(labels) == 3
        assert confidences == sorted(confidences, reverse=True)
        assert 0.0 < sum(confidences) <= 1.0


def test_of_two_words_that_fit_the_more_familiar_is_the_surer() -> None:
    words = tuple(f"word {number}" for number in range(500))
    vectors = np.zeros((500, 4), np.float32)
    vectors[:, 3] = 1.0
    vectors[[10, 400]] = np.eye(4, dtype=np.float32)[0]
    picture = np.eye(4, dtype=np.float32)[:1]
    assert [word for word, _ in Vocabulary(words, vectors, 0.05).label(picture, 2)[0]] == ["word 10", "word 400"]
    (labels,) = Vocabulary(words, vectors, 0.05, own=100).label(picture, 2)
    assert [word for word, _ in labels] == ["word 400", "word 10"]  # the person's own is as familiar as the first


def test_fewer_words_than_asked_for_are_all_given() -> None:
    vocabulary = Vocabulary(("one", "two"), np.eye(2, 4, dtype=np.float32), 0.05)
    (labels,) = vocabulary.label(np.eye(4, dtype=np.float32)[:1])
    assert [word for word, _ in labels] == ["one", "two"]
    assert sum(confidence for _, confidence in labels) == pytest.approx(1.0)


def test_the_fitted_temperature_makes_confidence_a_share_that_is_right() -> None:
    """Pictures whose words are drawn by the very shares that a temperature gives: it is found again, and is honest."""
    rng, true = np.random.default_rng(0), 0.04
    scores = rng.normal(0.1, 0.08, (3000, 60)).astype(np.float32)
    logits = scores / true + log_familiarity(60)
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    drawn = np.array([rng.choice(60, p=row / row.sum()) for row in shares.astype(np.float64)])
    found = fit_label_temperature(scores, [{int(word)} for word in drawn])
    assert found == pytest.approx(true, rel=0.06)
    best = shares.argmax(axis=1)
    for confidence, right, count in reliability(shares.max(axis=1), best == drawn):
        assert right == pytest.approx(confidence, abs=3.0 * (0.25 / count) ** 0.5 + 0.02)


def reliability(shares: Floats, right: NDArray[np.bool_], bins: int = 10) -> list[tuple[float, float, int]]:
    """(mean confidence, share that is right, how many) of each tenth of the scale that holds any; equal when honest."""
    of = np.clip((shares * bins).astype(np.int64), 0, bins - 1)
    return [
        (float(shares[of == each].mean()), float(right[of == each].mean()), int((of == each).sum()))
        for each in range(bins)
        if (of == each).any()
    ]


def test_captions_without_a_known_word_fit_nothing() -> None:
    with pytest.raises(ValueError, match="none of these captions"):
        fit_label_temperature(np.zeros((2, 3), np.float32), [set(), set()])


def test_no_pictures_get_no_words(vocabulary: Vocabulary, vectors: Floats) -> None:
    assert vocabulary.label(vectors[:0]) == []


def test_the_second_time_nothing_is_encoded(vocabulary: Vocabulary, model: Model, cache: Path) -> None:
    encoder = Recorded(vocabulary)
    again = load_vocabulary(model, cache, encoder=encoder)  # type: ignore[arg-type]
    assert (again.vectors == vocabulary.vectors).all()
    assert again.words == vocabulary.words
    assert encoder.asked == 0


def test_a_damaged_cache_is_made_again(vocabulary: Vocabulary, model: Model, cache: Path, tmp_path: Path) -> None:
    shutil.copytree(cache / "vocabulary", tmp_path / "vocabulary")
    for file in (tmp_path / "vocabulary").iterdir():
        file.write_bytes(file.read_bytes()[:1000])
    encoder = Recorded(vocabulary)
    for _ in range(2):
        again = load_vocabulary(model, tmp_path, encoder=encoder)  # type: ignore[arg-type]
        assert (again.vectors == vocabulary.vectors).all()
    assert encoder.asked == len(vocabulary.words)


def test_a_cache_that_cannot_be_written_is_done_without(vocabulary: Vocabulary, model: Model, tmp_path: Path) -> None:
    (tmp_path / "vocabulary").write_text("a file where the folder should be")
    assert load_vocabulary(model, tmp_path, encoder=Recorded(vocabulary)).words  # type: ignore[arg-type]


class Lettered:
    """An encoder that gives each phrase a vector of its own, in no time."""

    def __init__(self, dim: int) -> None:
        self._dim = dim
        self.asked: list[str] = []

    def encode_all(self, phrases: list[str]) -> Floats:
        self.asked += phrases
        seeds = [abs(hash(phrase)) for phrase in phrases]
        vectors = np.stack([np.random.default_rng(seed).normal(size=self._dim) for seed in seeds]).astype(np.float32)
        unit: Floats = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return unit


def test_own_words_are_added_and_change_the_key_but_not_the_shipped_vectors(model: Model, tmp_path: Path) -> None:
    encoder = Lettered(model.dim)
    plain = load_vocabulary(model, tmp_path, encoder=encoder)  # type: ignore[arg-type]
    shipped = len(encoder.asked)
    own = load_vocabulary(model, tmp_path, own=("Dog", "Grandma", "the blue vase", "grandma"), encoder=encoder)  # type: ignore[arg-type]
    assert own.words == (*plain.words, "grandma", "the blue vase")
    assert encoder.asked[shipped:] == ["grandma", "the blue vase"]
    assert (own.vectors[: len(plain.words)] == plain.vectors).all()
    assert (plain.own, own.own) == (0, 2)
    assert own.key != plain.key == load_vocabulary(model, tmp_path).key


def test_words_that_are_no_longer_wanted_are_not_encoded(model: Model, tmp_path: Path) -> None:
    encoder = Lettered(model.dim)
    with pytest.raises(StoppedError):
        load_vocabulary(model, tmp_path, encoder=encoder, wanted=lambda: len(encoder.asked) < 300)  # type: ignore[arg-type]
    assert 300 <= len(encoder.asked) <= 512
    assert not (tmp_path / "vocabulary").exists()


def test_a_persons_file_of_words_is_read_line_by_line(tmp_path: Path) -> None:
    file = tmp_path / "labels.txt"
    file.write_bytes("\ufeff# mine\r\n\r\n  Oma   Käthe \r\nگل\u200cها\r\nOma Käthe\r\n".encode())
    assert read_own_words(file).words == ("Oma Käthe", "گل\u200cها")
    assert read_own_words(file).remark == ""
    assert read_own_words(tmp_path / "none.txt") == read_own_words(None)


def test_what_is_wrong_with_a_persons_file_is_said_and_the_rest_used(tmp_path: Path) -> None:
    file = tmp_path / "labels.txt"
    file.write_bytes(b"caf\xe9\n")
    assert read_own_words(file).words == ()
    assert "save the file as text in UTF-8" in read_own_words(file).remark
    file.write_text(f"gnome\n{'x' * (OWN_LENGTH_MAX + 1)}\nbell\x07\n", encoding="utf-8")
    assert read_own_words(file).words == ("gnome",)
    assert "2 lines are longer than 60 characters or no plain text" in read_own_words(file).remark
    file.write_text("".join(f"word {number}\n" for number in range(10_000)), encoding="utf-8")
    assert len(read_own_words(file).words) == OWN_MAX
    assert "only the first 2,000 of 10,000 are used" in read_own_words(file).remark
    assert "cannot be read (Is a directory)" in read_own_words(tmp_path).remark
