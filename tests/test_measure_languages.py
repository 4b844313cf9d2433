"""What `scripts/measure-languages` and the other languages of `scripts/calibrate` count, without their packages."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from calibrate import LANGUAGES, NONSENSE, Captioned, Spelling, abroad, nonsense_of
from measure_languages import Measure, named

from atlas_rt.encoders.registry import Model
from atlas_rt.search.dictionary import Dictionary, load_dictionary


@pytest.fixture(scope="module", params=LANGUAGES)
def dictionary(request: pytest.FixtureRequest) -> Dictionary:
    found = load_dictionary(request.param)
    assert found is not None
    return found


def test_nonsense_is_spelled_as_the_language_is_and_always_the_same(dictionary: Dictionary) -> None:
    found = nonsense_of(dictionary, np.random.default_rng(0))
    assert len(found) == len(set(found)) == NONSENSE
    assert found == nonsense_of(dictionary, np.random.default_rng(0))
    japanese = [phrase for phrase in found if max(phrase) > "\u3040"]
    assert bool(japanese) == (dictionary.language == "ja")


def test_invented_words_follow_the_letters_of_real_ones() -> None:
    spelling, chance = Spelling(["banana", "bandana"]), np.random.default_rng(0)
    words = {spelling.word(chance) for _ in range(50)}
    assert not words & {"banana", "bandana"}
    assert all(word.startswith("ban") and set(word) <= set("band") for word in words if len(word) > 2)


def test_words_are_asked_for_as_the_language_has_them() -> None:
    german = load_dictionary("de")
    assert german is not None
    assert abroad(["dog", "cat", "no such thing"], german) == [german.word_for("dog"), german.word_for("cat")]


def test_the_better_of_both_readings_counts(model: Model, tmp_path: Path) -> None:
    """Eleven pictures of one thing and one of another, which the second reading names."""
    measure = Measure(model, tmp_path)
    dog, cat = (measure.readings(word, "en", "both")[0].vector for word in ("dog", "cat"))
    pictures = measure.pictures(np.stack([*[dog] * 11, cat]))
    (typed,), (translated,) = (measure.readings("Katze", "de", which) for which in ("typed", "translated"))
    assert np.array_equal(translated.vector, cat)
    assert not np.array_equal(typed.vector, cat)
    assert len(measure.readings("dog Katze", "de", "both")) == 2
    assert measure.recall({"Katze": [11], "dog": [11]}, pictures, "de", "both") == 50.0


def test_names_belong_to_drawings_by_their_files() -> None:
    files = ("a/words_sample/dog.webp", "a/words_sample/puppy.webp", "b/dog.webp", "a/words_sample/cat.webp")
    drawings = [Captioned("", file, b"") for file in files]
    right, rows = named(drawings, {"dog": "Hund", "puppy": "Hund", "cat": "Katze"})
    assert right == {"Hund": [0, 1], "Katze": [2]}
    assert rows == [0, 1, 3]
