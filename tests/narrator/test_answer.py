"""Claude's answer is data: what a name on the map may be, and what is asked for again."""

from __future__ import annotations

from typing import Any

import pytest

from atlas_rt.errors import UsageError
from atlas_rt.narrator.answer import AnswerError, NumberedClaim, read_answer
from atlas_rt.narrator.language import NAMES, checked_language, is_in

GOOD = {
    "name": "Wild animals",
    "english_name": "Wild animals",
    "why": "They are animals drawn from the side.",
    "claims": [{"text": "four legs", "images": [2, 1]}, {"text": "a mane", "images": [3]}],
}


def read(language: str = "en", **changes: Any) -> Any:
    return read_answer(GOOD | changes, pictures=4, language=language)


def test_a_good_answer_is_read() -> None:
    answer = read(name="  Wild \n animals ")
    assert (answer.name, answer.why) == ("Wild animals", "They are animals drawn from the side.")
    assert answer.claims == (NumberedClaim("four legs", (1, 2)), NumberedClaim("a mane", (3,)))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": None}, "name is missing"),
        ({"name": ["x"]}, "name is missing"),
        ({"name": "  "}, "name is empty"),
        ({"name": "x" * 4000}, "name has 4000 characters, and at most 60 are allowed"),
        ({"name": "These are wild animals."}, "the name is a sentence"),
        ({"name": "many animals that stand there and look at us"}, "the name is a sentence"),
        ({"name": "**Wild** animals"}, "name holds markup"),
        ({"name": "# Wild animals"}, "name holds markup"),
        ({"name": "<b>Animals</b>"}, "name holds markup"),
        ({"name": "Ani\u200bmals"}, "name holds markup or characters that cannot be printed"),
        ({"name": "Animals\u200d"}, "name holds markup or characters that cannot be printed"),
        ({"name": "Animals \u202e\u0007"}, "name holds markup or characters that cannot be printed"),
        ({"why": "see https://example.com/x"}, "why holds markup"),
        ({"why": "x" * 300}, "why has 300 characters"),
        ({"caption": "x" * 301}, "caption has 301 characters, and at most 300 are allowed"),
        ({"caption": "See <b>this</b>."}, "caption holds markup"),
        ({"caption": ["x"]}, "caption is missing"),
        ({"caption": "Die Tiere sind von der Seite und mit dem Kopf auf der Wiese"}, "it is not written in English"),
        ({"claims": []}, "no claim names pictures by their numbers from 1 to 4"),
        ({"claims": "many"}, "no claim names pictures"),
        (
            {"claims": [{"text": "a tail", "images": [5]}, {"text": "an ear", "images": [0]}, 7]},
            "no claim names pictures",
        ),
        ({"why": "Die Tiere sind von der Seite und mit dem Kopf auf der Wiese"}, "it is not written in English"),
        ({"why": "Звери, нарисованные сбоку на белом фоне бумаги"}, "it is not written in English"),
    ],
)
def test_what_cannot_be_used_says_why(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(AnswerError) as told:
        read(**changes)
    assert said in str(told.value)


def test_a_caption_may_be_sentences_and_is_of_clusters_alone() -> None:
    caption = "Here are wild animals. Do they look at you?"
    assert (read(caption=caption).caption, read().caption) == (caption, "")
    assert read_answer(GOOD | {"caption": caption}, pictures=4, language="en", kind="view").caption == ""


def test_a_title_may_be_longer_than_a_name_on_the_map_and_is_no_sentence_either() -> None:
    title = GOOD | {"name": "What most of these many animals have in common"}
    assert read_answer(title, pictures=4, language="en", kind="selection").name == title["name"]
    with pytest.raises(AnswerError, match="must be a short title"):
        read_answer(title | {"name": "They are animals."}, pictures=4, language="en", kind="difference")


def test_a_claim_about_pictures_that_do_not_exist_is_left_out() -> None:
    claims = [{"text": "a tail", "images": [1, 99]}, {"text": "an ear", "images": [True]}, GOOD["claims"][1]]
    assert read(claims=claims).claims == (NumberedClaim("a mane", (3,)),)


@pytest.mark.parametrize(
    ("language", "name", "why"),
    [
        ("fa", "گل\u200cهای سرخ", "همه گل\u200cهای سرخ را نشان می\u200cدهند"),
        ("hi", "क्\u200dषेत्र", "सभी चित्र खेत दिखाते हैं"),
        ("en", "Families \U0001f468\u200d\U0001f469\u200d\U0001f467", "They show families."),
    ],
)
def test_a_name_with_joiners_is_a_name(language: str, name: str, why: str) -> None:
    claims = [{"text": why, "images": [1]}]
    answer = read(language, name=name, why=why, claims=claims)
    assert (answer.name, answer.why) == (name, why)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de", "Wilde Tiere: die meisten Bilder zeigen Tiere mit Fell auf der Wiese"),
        ("fr", "Animaux sauvages : la plupart des images montrent des animaux"),
        ("ru", "Дикие животные на белом фоне"),
        ("ja", "野生の動物が描かれている"),
        ("pl", "Dzikie zwierzęta narysowane z boku"),
        ("en", "Piñata and El Niño toys in the sun"),
    ],
)
def test_the_right_language_is_recognised(language: str, text: str) -> None:
    assert is_in(text, language)
    assert not is_in(text, "ko")


def test_a_language_is_named_by_its_code() -> None:
    assert (checked_language("de_AT.UTF-8"), checked_language("EN")) == ("de", "en")
    with pytest.raises(UsageError, match=r"--language must be one of .*, not 'klingon'"):
        checked_language("klingon")
    assert set(NAMES) >= {"en", "de", "zh"}
