"""What is typed, read in a person's language: terms, signs and weights; which words nobody knows."""

from __future__ import annotations

import unicodedata

import pytest

from atlas_rt.core.language_names import LANGUAGE_NAMES
from atlas_rt.search.dictionary import languages
from atlas_rt.search.english_words import is_english
from atlas_rt.search.languages import gains_by_english, not_understood_words, reads_english_only, unread, words_of
from atlas_rt.search.query import parse, written
from atlas_rt.search.readings import Translated, dictionary_for, translated


def read(text: str, language: str) -> Translated:
    dictionary = dictionary_for(text, language)
    assert dictionary is not None
    return translated(text, dictionary, is_english=is_english)


@pytest.mark.parametrize(
    ("language", "text", "english"),
    [
        ("de", "+Baum -Apfel:2 Ball", "tree -apple:2 +ball"),
        ("de", '"roter Apfel":0.5 -Hund', '"red apple":0.5 -dog'),
        ("de", "„roter Apfel“:0.5 -Hund", '"red apple":0.5 -dog'),
        ("fr", "« pomme rouge »:2 +chat", '"red apple":2 +cat'),
        ("ja", "＋犬 －猫", "dog -cat"),
        ("ja", "犬\u3000-猫:2", "dog -cat:2"),
        ("ar", "\u200fكلب -قطة", "dog -cat"),
        ("he", "\u202bכלב\u202c", "dog"),
        ("ru", "кот cat", "cat cat"),
        ("fr", unicodedata.normalize("NFD", "éléphant"), "elephant"),
        ("fr", "elephant", "elephant"),
        ("es", "corazon +niño", "heart +child"),
        ("fr", "chat", "cat"),
        ("de", "🐕", "dog"),
        ("xx", "Hund", "Hund"),
    ],
)
def test_each_term_is_read_by_itself(language: str, text: str, english: str) -> None:
    if language == "xx":  # one without a dictionary
        assert dictionary_for(text, language) is None
        return
    assert written(read(text, language).terms) == english


def test_signs_and_quotes_mean_the_same_on_other_keyboards() -> None:
    assert parse("＋犬 －“red car”:2") == parse('+犬 -"red car":2')
    assert parse("−cat dog") == parse("-cat dog")
    assert parse("„as it stands“")[0].phrase == "„as it stands“"


def test_what_changes_nothing_is_no_reading() -> None:
    assert dictionary_for("a red apple", "en") is None
    assert dictionary_for("", "en") is None
    hotel = read("Hotel", "de")
    assert (hotel.reading, hotel.knows) == (None, True)
    for text in ("gift", "die", "qwrtz"):  # words of German too, that CLDR does not know, or that are only little
        assert read(text, "de").reading is None
    assert read("chat", "fr").reading is not None


def test_a_reading_says_which_word_is_what_and_which_nobody_knows() -> None:
    reading = read("Hund qwrtz guitars", "de").reading
    assert reading is not None
    assert (reading.language, reading.words, reading.unread) == ("de", (("Hund", "dog"),), ("qwrtz",))
    assert reading.english == "dog qwrtz guitars"


def test_thousands_of_characters_without_a_space_are_read_as_far_as_a_model_reads() -> None:
    long = read("犬と猫が走る" * 700, "ja")
    assert long.reading is not None
    assert len(long.reading.english) < 3000
    assert [typed for typed, _ in long.reading.words] == ["犬", "猫", "走る"]


def test_english_words_are_known_in_their_forms() -> None:
    known = ("reptile", "larvae", "guitars", "running", "Eiffel", "t-shirt", "photovoltaic", "cities", "dog's", "café")
    assert [word for word in known if not is_english(word)] == []
    assert [word for word in ("qwrtz", "Hund", "chien", "girafe", "犬", "кот", "") if is_english(word)] == []


def test_what_can_be_understood_is_words() -> None:
    assert words_of("IMG_0042.jpg 12:30 x=3 0042 C:\\pictures") == ()
    assert words_of("der Hund, „qwrtz“!") == ("Hund", "qwrtz")
    assert words_of("कुत्ता") == ("कुत्ता",)


def test_words_that_nobody_knows_are_named() -> None:
    said = not_understood_words(["qwrtz"], "starter")
    assert said.startswith("The search did not understand “qwrtz”.")
    assert "atlas-rt models get ViT-B-16-SigLIP2" in said
    assert not_understood_words(["a", "b", "c"], "") == "The search did not understand “a”, “b” and “c”."
    assert not_understood_words(["a", "b", "c", "d", "e"], "").endswith("“a”, “b”, “c” and 2 more words.")
    assert len(not_understood_words(["犬" * 4000], "")) < 80


def test_a_language_that_was_not_asked_for_can_be_set() -> None:
    for language in ("en", "fr"):
        said = unread("ein roter Apfel", "ViT-B-32-laion2b", sure=False, language=language)
        assert "With the language set to German (--language de) it is read." in said
    assert "(--language de)" not in unread("ein roter Apfel", "ViT-B-32-laion2b", sure=False, language="de")
    assert "With the language set to yours (--language)" in unread("красная машина", "ViT-B-32-laion2b", sure=False)
    assert "--language" not in unread("красная машина", "ViT-B-32-laion2b", sure=False, language="ru")


def test_the_registry_says_which_models_need_a_dictionary() -> None:
    assert all(map(gains_by_english, ("starter", "ViT-B-32-laion2b", "ViT-B-32-laion2b:int8")))
    assert not any(map(gains_by_english, ("ViT-B-16-SigLIP2", "ViT-B-32-SigLIP2-256:fp16", "a-model-of-ones-own")))
    assert reads_english_only("ViT-B-32-laion2b:int8")
    assert not reads_english_only("starter")


def test_the_names_of_languages_are_those_of_the_dictionary() -> None:
    assert languages() == LANGUAGE_NAMES
