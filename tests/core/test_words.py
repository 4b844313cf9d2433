"""Texts as words: one way of splitting for what is indexed and what is typed."""

from __future__ import annotations

import hashlib
import uuid

import pytest

from atlas_rt.core.words import folded, hashes_of, indexed, pieces_of, words_of


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("IMG_0042", "img 0042"),
        ("holiday/beach", "holiday beach"),
        ("HolidayBeach IMGFile", "holiday beach img file"),
        ("DSC0042 5D", "dsc 0042 5 d"),
        ("Café STRAẞE ÉcoleÉtoile", "cafe strasse ecole etoile"),
        ("20230604T123310 IMG-20230604-WA0001", "20230604 t 123310 img 20230604 wa 0001"),
        ("家族旅行 ガラス", "家 族 旅 行 ガ ラ ス"),
        ("한국어 हिन्दी", "한국어 हिन्दी"),
        ("2019-face abba2010", "2019 face abba 2010"),
        ("a\0b\udce9c", "a b c"),
        ("-_- ''", ""),
    ],
)
def test_words_are_split_at_punctuation_case_and_digits(text: str, pieces: str) -> None:
    assert " ".join(pieces_of(text)) == pieces


def test_a_word_that_was_split_is_also_found_whole() -> None:
    assert indexed("GoPro_DSC0042") == "go pro dsc 0042 gopro dsc0042"


def test_a_hash_is_no_words() -> None:
    for number in range(200):
        name = hashlib.sha256(bytes([number])).hexdigest()
        assert words_of(name) == words_of(f"{name}.jpg")[:-1] == []
        assert hashes_of(name) == [name]
    name = str(uuid.UUID(int=0xBEE << 100))
    assert words_of(f"x {name}_small") == [("x",), ("small",)]
    assert hashes_of(f"x {name}_small") == [name.replace("-", "")]
    assert hashes_of("IMG_0042 20230604T123310 IMG-20230604-WA0001 abba2010 f1.4") == []


def test_folding_keeps_syllables() -> None:
    assert folded("ガ") != folded("カ")
    assert folded("É") == "e"
