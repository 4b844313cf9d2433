"""What a person types becomes one vector: a plain phrase its own, signs and weights a mixture."""

from __future__ import annotations

import time

import numpy as np
import pytest

from atlas_rt.core.arrays import Floats
from atlas_rt.encoders.encoder import TextEncoder
from atlas_rt.search.query import Term, parse, phrase_vector, sought, vector_of


class Towers:
    """Gives each phrase an axis of its own, so that a mixture shows what it is made of."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode(self, phrase: str) -> Floats:
        if phrase not in self.asked:
            self.asked.append(phrase)
        vector = np.zeros(8, np.float32)
        vector[self.asked.index(phrase)] = 1.0
        return vector

    def mixed(self, text: str) -> dict[str, float]:
        """Each phrase that was encoded -> its part of the text's vector."""
        vector = vector_of(text, self.encode)
        assert np.linalg.norm(vector) == pytest.approx(1.0)
        return {phrase: round(float(vector[i]), 3) for i, phrase in enumerate(self.asked)}


@pytest.mark.parametrize(
    "text",
    [
        *(
            "red car",
            "",
            "  padded  ",
            "t-shirt",
            "rock - paper",
            "-",
            "+",
            "c++",
            "- apple",
            "--x",
            "+-x",
            "12:30 tea",
        ),
        *(
            "16:9",
            '12" vinyl',
            '"red car"',
            'he said "hi" loudly',
            '-""',
            '+"  "',
            '-"no end',
            'a -b"c',
            "x:1e9",
            "Über:zwei",
        ),
    ],
)
def test_what_only_looks_like_a_sign_is_text_as_it_stands(text: str) -> None:
    assert parse(text) == (Term(text, 1.0),)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("+apple", [("apple", 1.0)]),
        ("-apple", [("apple", -1.0)]),
        ("fruit -apple", [("fruit", 1.0), ("apple", -1.0)]),
        ("ripe fruit -apple +pear tree", [("ripe fruit", 1.0), ("apple", -1.0), ("pear", 1.0), ("tree", 1.0)]),
        ("apple:2 pear:0.5 plum:.25", [("apple", 2.0), ("pear", 0.5), ("plum", 0.25)]),
        ('beach -"many people":1.5', [("beach", 1.0), ("many people", -1.5)]),
        ('"red car" +"blue sky" tree', [("red car", 1.0), ("blue sky", 1.0), ("tree", 1.0)]),
        ("-12:30", [("12:30", -1.0)]),
        ("a:2:3", [("a:2", 3.0)]),
        ("+t-shirt", [("t-shirt", 1.0)]),
        ("+日本 -ä:2 +🌋 🐕:2", [("日本", 1.0), ("ä", -2.0), ("🌋", 1.0), ("🐕", 2.0)]),
        (" one   two  -three ", [("one two", 1.0), ("three", -1.0)]),
    ],
)
def test_signs_and_weights_belong_to_one_word_or_one_quoted_phrase(text: str, terms: list[tuple[str, float]]) -> None:
    assert [(term.phrase, term.weight) for term in parse(text)] == terms


def test_a_plain_phrase_has_exactly_its_own_vector(text: TextEncoder) -> None:
    for phrase in ("a red apple", "  a red apple ", "", "rock - paper"):
        assert vector_of(phrase, text.encode).tobytes() == text.encode(phrase).tobytes()
    assert vector_of("+apple", text.encode).tobytes() == text.encode("apple").tobytes()
    assert vector_of("apple:2", text.encode).tobytes() == text.encode("apple").tobytes()


def test_terms_are_mixed_by_weight_and_minus_terms_subtracted() -> None:
    towers = Towers()
    assert towers.mixed("fruit:3 +red:4") == {"fruit": 0.6, "red": 0.8}
    assert Towers().mixed("fruit -apple") == {"fruit": 0.707, "apple": -0.707}
    assert Towers().mixed('"red car" "blue sky" -dog:0') == {"red car": 0.707, "blue sky": 0.707, "dog": 0.0}
    assert Towers().mixed("-apple") == {"apple": -1.0}


def test_terms_that_cancel_each_other_out_leave_the_text_as_it_stands() -> None:
    assert Towers().mixed("apple -apple")["apple -apple"] == 1.0
    assert Towers().mixed("apple:0 -pear:0")["apple:0 -pear:0"] == 1.0


def test_a_minus_term_leads_away_from_it(text: TextEncoder) -> None:
    """With the shipped encoder: less apple, and still fruit."""
    fruit, apple = text.encode("fruit"), text.encode("apple")
    mixed = vector_of("fruit -apple:0.5", text.encode)
    assert mixed.dtype == np.float32
    assert mixed @ apple < fruit @ apple - 0.2
    assert mixed @ fruit > 0.7


@pytest.mark.parametrize(
    ("text", "wanted", "unwanted"),
    [
        ("red car", ("red", "car"), ()),
        ('"red car" +blue:2 -old', ("red car", "blue"), ("old",)),
        ('beach -"many people":1.5 beach', ("beach",), ("many people",)),
        ("holiday/beach IMG_0042.jpg", ("holiday/beach", "IMG_0042.jpg"), ()),
        ("", (), ()),
    ],
)
def test_words_are_sought_one_by_one_and_quoted_phrases_whole(
    text: str, wanted: tuple[str, ...], unwanted: tuple[str, ...]
) -> None:
    assert sought(text) == (wanted, unwanted)


def test_templates_are_averaged_for_single_words_alone() -> None:
    templates = ("a photo of a {}", "a drawing of a {}")

    def parts(text: str) -> dict[str, float]:
        towers = Towers()
        vector = vector_of(text, towers.encode, templates=templates)
        return {phrase: round(float(vector[i]), 2) for i, phrase in enumerate(towers.asked)}

    assert parts("dog") == {"a photo of a dog": 0.71, "a drawing of a dog": 0.71}
    assert parts("red dog") == {"red dog": 1.0}
    assert parts("dog -{}") == {"a photo of a dog": 0.5, "a drawing of a dog": 0.5} | {
        "a photo of a {}": -0.5,
        "a drawing of a {}": -0.5,
    }
    assert phrase_vector("", Towers().encode, templates).tolist() == Towers().encode("").tolist()


def test_bytes_that_are_no_text_do_no_harm(text: TextEncoder) -> None:
    assert vector_of("caf\udce9", text.encode).tobytes() == text.encode("caf?").tobytes()


def test_long_nonsense_is_read_in_a_moment() -> None:
    begun = time.perf_counter()
    for nonsense in ('"' + "a " * 50_000, "a:1" * 30_000, '-"' * 20_000, "+" * 50_000):
        parse(nonsense)
    assert time.perf_counter() - begun < 2.0
