"""The language of a person: from their locale, from an option, from what they set in a window, and for the narrator."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from atlas_rt.commands import view
from atlas_rt.errors import UsageError
from atlas_rt.library.window_settings import WindowSettings
from atlas_rt.permission import answer_language
from atlas_rt.search import dictionary
from atlas_rt.settings import Settings
from atlas_rt.spoken import spoken_code


@pytest.mark.parametrize(
    ("locale", "code", "answers"),
    [
        ("C", "en", "en"), ("POSIX", "en", "en"), ("C.UTF-8", "en", "en"), ("xx_YY.UTF-8", "en", "en"),
        ("de_AT.UTF-8@euro", "de", "de"), ("zh_TW", "zh_Hant", "zh"), ("nb_NO.UTF-8", "no", "nb"), ("", "en", "en"),
    ],
)  # fmt: skip
def test_a_locale_is_a_language_or_english(
    monkeypatch: pytest.MonkeyPatch, locale: str, code: str, answers: str
) -> None:
    for name in ("LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LC_ALL", locale or "C")
    assert (spoken_code(Settings()), answer_language(Settings())) == (code, answers)


@pytest.mark.parametrize(("option", "code", "answers"), [("af", "af", "en"), ("no", "no", "nb"), ("de-CH", "de", "de")])
def test_the_narrator_answers_in_english_where_it_does_not_know_the_language(
    option: str, code: str, answers: str
) -> None:
    settings = Settings(language=option)
    assert (spoken_code(settings), answer_language(settings)) == (code, answers)


def test_a_language_that_is_none_is_refused() -> None:
    for asks in (spoken_code, answer_language):
        with pytest.raises(UsageError, match=r"--language must be one of .*, not 'klingon'"):
            asks(Settings(language="klingon"))


def test_a_damaged_dictionary_does_not_keep_a_window_from_opening(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "dictionary.zip"
    file.write_bytes(b"no archive")
    monkeypatch.setattr(dictionary, "FILE", str(file))
    caches = (dictionary._member, dictionary.languages)
    for each in caches:
        each.cache_clear()
    try:
        assert spoken_code(Settings(language="de_AT.UTF-8")) == "de"
    finally:
        for each in caches:
            each.cache_clear()


@pytest.mark.parametrize(("kept", "holds"), [("ja", "ja"), ("klingon", ""), ("", "")])
def test_what_was_set_in_a_window_holds_if_it_is_a_language(tmp_path: Path, kept: str, holds: str) -> None:
    file = WindowSettings(tmp_path)
    file.keep("language", kept)
    assert view._with_kept(file, argparse.Namespace()).language == holds
    assert view._with_kept(file, argparse.Namespace(language="de")).language == "de"
