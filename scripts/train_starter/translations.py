"""Words of many languages with their English ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from atlas_rt.search.english_words import is_english

READ_BY_ENCODER = ("ar", "de", "es", "fr", "it", "ja", "ko", "nl", "pl", "pt", "ru", "th", "tr", "zh")
"""What the multilingual encoder was made for, besides English."""
OTHERS = (
    *("bg", "ca", "cs", "da", "el", "et", "fi", "he", "hi", "hr", "hu", "id", "lt", "lv", "no", "ro", "sk", "sl"),
    *("sr", "sv", "uk", "vi"),
)
"""What it learns a few words of; in these and all others the dictionary does the most."""


@dataclass(frozen=True)
class Translation:
    """foreign: in lower case."""

    language: str
    foreign: str
    english: str


def read_translations(texts: Mapping[str, str]) -> list[Translation]:
    """texts: what `make_dictionary.members` gives.

    Without words that mean something else in English (`rock`, a skirt in German): English would be unlearned.
    """
    english = texts["english"].split("\n")
    found: dict[Translation, None] = {}
    for language in (*READ_BY_ENCODER, *OTHERS):
        for meaning, line in zip(english, texts[language].split("\n"), strict=True):
            for entry in filter(None, line.split("|")):
                foreign = entry.lstrip("=>").lower()
                if foreign == meaning or not is_english(foreign):
                    found[Translation(language, foreign, meaning)] = None
    return list(found)
