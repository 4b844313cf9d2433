"""The dictionary that ships: words of other languages in English, and English ones in those."""

from __future__ import annotations

import unicodedata

import pytest

from atlas_rt.search.dictionary import Dictionary, code_of, languages, load_dictionary
from atlas_rt.search.english_words import is_english


def dictionary(code: str) -> Dictionary:
    found = load_dictionary(code)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("code", "phrase", "english"),
    [
        ("de", "Hund", "dog"),
        ("de", "ein Hund", "dog"),
        ("de", "Bäume", "tree"),
        ("de", unicodedata.normalize("NFD", "Bär und Löwe"), "bear lion"),
        ("de", "weißes Pferd", "white horse"),
        ("de", "Hund Mallorca", "dog mallorca"),
        ("fr", "l'arbre", "tree"),
        ("fr", "chats noirs", "cat black"),
        ("es", "corazon", "heart"),
        ("ja", "自転車に乗る人", "person biking"),
        ("ja", "赤の花", "red flower"),
        ("zh", "一只狗", "dog"),
        ("ar", "الكلب", "dog"),
        ("he", "הכלב", "dog"),
        ("hi", "लाल फूल", "red flower"),
        ("ko", "고양이가", "cat"),
        ("tr", "KÖPEK", "dog"),
        ("nl", "tulpenveld", "tulip field"),
        ("el", "σκυλος", "dog"),
        ("de", "🐕 im Schnee", "dog snow"),
        ("de", "Hund am Strand", "dog beach"),
        ("ru", "машина", "car"),
        ("ja", "動物", "animal"),
        ("sv", "en katt i trädgården", "cat garden"),
        ("fi", "kissa puutarhassa", "cat garden"),
        ("en", "🐕", "dog"),
        ("en", "red car", "red car"),
        ("ja", "🐕🏽", "dog"),
        ("de", "Hund,Katze;Tiger", "dog cat tiger"),
        ("de", "Hund-Katze/Bär", "dog cat bear"),
        ("de", "xy-12", "xy-12"),
        ("ja", "ｄｏｇ", "dog"),
        ("ja", "ﾈｺ", "cat"),
        ("ja", "red dog 猫", "red dog cat"),
        ("ar", "كَلْب", "dog"),
        ("he", "כֶּלֶב", "dog"),
        ("de", "die roten Rosen", "red rose"),
        ("fr", "chats rouges", "cat red"),
        ("es", "blanca", "white"),
        ("ru", "белая кошка", "white cat"),
        ("ja", "黒い犬", "black dog"),
    ],
)
def test_a_phrase_is_read_in_english(code: str, phrase: str, english: str) -> None:
    assert dictionary(code).translate(phrase).english == english


@pytest.mark.parametrize("code", ["zh", "zh_Hant", "yue", "ja", "th", "lo", "km", "my"])
def test_english_in_a_language_without_spaces_is_left_as_it_is(code: str) -> None:
    for phrase in ("a dog in the snow", "door", "red car", "o", "café"):
        told = dictionary(code).translate(phrase)
        assert (told.english, told.read) == (phrase, ())


def test_no_english_word_is_guessed_to_be_another() -> None:
    for code, word in (("fr", "castle"), ("fr", "cherry"), ("es", "castle"), ("de", "dachshund")):
        assert dictionary(code).translate(word).read
        assert dictionary(code).translate(word, is_english=is_english).read == ()
    assert (
        dictionary("fr").translate("roses", is_english=is_english).english == "pink"
    )  # as CLDR has it; one letter more


def test_what_was_read_and_what_was_not_is_told_as_it_was_typed() -> None:
    told = dictionary("de").translate("Ein Hund in Xyzzy 🐈")
    assert told.read == (("Hund", "dog"), ("🐈", "cat"))
    assert told.unread == ("Xyzzy",)
    assert dictionary("de").translate("Xyzzy").read == ()
    assert dictionary("ja").translate("ヴォ　ヴィ").read == ()  # a wide space alone is nothing to tell of
    assert dictionary("en").translate("ｄｏｇ").read == (("ｄｏｇ", "dog"),)


def test_a_very_long_phrase_is_read_in_no_time() -> None:
    assert dictionary("ja").translate("犬" * 4000).english.startswith("dog dog dog")


@pytest.mark.parametrize("code", ["de", "ja", "ru", "ar", "pt"])
def test_what_a_word_is_called_means_that_word(code: str) -> None:
    for english in ("dog", "guitar", "butterfly", "elephant"):
        word = dictionary(code).word_for(english)
        assert word
        assert dictionary(code).english_of(word) == english


def test_words_are_written_as_the_language_writes_them() -> None:
    assert dictionary("de").word_for("Dog") == "Hund"
    assert dictionary("de").word_for("xyzzy") == ""


@pytest.mark.parametrize(
    ("locale", "code"),
    [
        ("de_AT.UTF-8", "de"), ("zh-TW", "zh_Hant"), ("zh_CN", "zh"), ("pt_BR", "pt"), ("nb_NO", "no"),
        ("sr_RS@latin", "sr_Latn"), ("EN", "en"), ("C", ""), ("xx_YY", ""), ("", ""),
    ],
)  # fmt: skip
def test_locales_name_languages(locale: str, code: str) -> None:
    assert code_of(locale) == code


def test_there_are_a_hundred_languages_and_each_opens() -> None:
    assert len(languages()) > 100
    assert languages()["de"] == ("Deutsch", "German")
    assert load_dictionary("xx") is None
    for code in ("th", "pl", "uk", "fi"):
        assert dictionary(code).word_for("dog")
