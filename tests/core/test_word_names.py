"""English words of the vocabulary as a person reads and types them."""

from __future__ import annotations

import pytest

from atlas_rt.core.word_names import IN_ENGLISH, Words, begun, unbracketed

VOCABULARY = frozenset(("dog", "stone", "rock", "lighthouse", "bus stop"))
MEANT = {"hunde": "dog", "fels": "rock"}


def german() -> Words:
    said = {"dog": "Hund", "stone": "Stein", "rock": "Stein"}
    return Words("de", said, VOCABULARY, lambda typed: MEANT.get(typed.lower(), ""))


@pytest.mark.parametrize(
    ("english", "shown"),
    [
        ("dog", "Hund"),
        ("dog, lighthouse", "Hund, (lighthouse)"),
        ("dog 2", "Hund 2"),
        ("lighthouse 12", "(lighthouse) 12"),
        ("stone, rock", "Stein"),
        ("Grandma's garden", "Grandma's garden"),
        ("", ""),
    ],
)
def test_names_are_shown_word_by_word_and_what_a_person_added_as_it_is(english: str, shown: str) -> None:
    assert german().name(english) == shown
    assert IN_ENGLISH.name(english) == english


@pytest.mark.parametrize(
    ("why", "shown"),
    [
        ("most look like: dog, lighthouse", "most look like: Hund, (lighthouse)"),
        ("most look like: dog; dog rather than bus stop", "most look like: Hund; Hund rather than (bus stop)"),
        ("most look like: rock; rock rather than stone", "most look like: Stein"),
        ("no word fits; it is named after its most typical picture, dog", None),
    ],
)
def test_reasons_are_shown_word_by_word(why: str, shown: str | None) -> None:
    assert german().reason(why) == (shown or why)


@pytest.mark.parametrize(
    ("typed", "english"),
    [
        ("Hund", "dog"), ("hund", "dog"), ("DOG", "dog"), ("Hunde", "dog"), ("(lighthouse)", "lighthouse"),
        ("Stein", "stone"), ("Fels", "rock"), ("Oma", "Oma"),
    ],
)  # fmt: skip
def test_either_language_may_be_typed(typed: str, english: str) -> None:
    assert german().english(typed) == english


def test_what_is_called_alike_in_one_list_keeps_its_english() -> None:
    assert german().listed(("stone", "dog", "rock", "mine")) == ("Stein (stone)", "Hund", "Stein (rock)", "mine")
    assert german().listed(("stone", "dog")) == ("Stein", "Hund")
    assert german().meanings("stein") == ("stone", "rock")


def test_an_english_word_in_an_arabic_line_keeps_its_brackets() -> None:
    arabic = Words("ar", {"dog": "كلب"}, VOCABULARY)
    shown = arabic.name("dog, lighthouse")
    assert shown == "كلب, \u200e(lighthouse)\u200e"
    assert unbracketed(shown) == "كلب, lighthouse"
    assert arabic.english("\u200e(lighthouse)\u200e") == "lighthouse"


def test_only_scripts_that_have_capitals_for_it_begin_sentences_with_one() -> None:
    assert [begun(text) for text in ("hund, 2 images", "ძაღლი", "犬", "(dog)", "")] == [
        "Hund, 2 images", "ძაღლი", "犬", "(dog)", "",
    ]  # fmt: skip
