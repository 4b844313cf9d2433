"""Words of many languages with their English ones, as the program's dictionary has them."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

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


def read_translations(file: Path) -> list[Translation]:
    """file: models/dictionary.zip, whose form `scripts/make_dictionary.py` describes. Raises OSError, BadZipFile."""
    found: dict[Translation, None] = {}
    with zipfile.ZipFile(file) as archive:
        english = archive.read("english").decode().splitlines()
        for language in (*READ_BY_ENCODER, *OTHERS):
            lines = archive.read(language).decode().split("\n")
            for meaning, line in zip(english, lines, strict=False):
                for entry in filter(None, line.split("|")):
                    found[Translation(language, entry.lstrip("=>").lower(), meaning)] = None
    return list(found)
