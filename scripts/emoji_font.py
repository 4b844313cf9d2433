"""The pictures inside a bitmap colour font (tables CBDT and CBLC), with the names Unicode gives them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from pathlib import Path

from fontTools.ttLib import TTFont

_LIGATURE = 4
_EXTENSION = 7
_SILENT = {0x200D, 0xFE0F, 0x20E3}
"""Joiner, emoji presentation, keycap: they bind a sequence and say nothing about the picture."""
_FLAG_LETTERS = {0x1F1E6 + letter: chr(ord("a") + letter) for letter in range(26)}
"""Regional indicators; two of them are the flag of a country."""
_TAGS = {0xE0000 + ascii_code: chr(ascii_code) for ascii_code in range(0x20, 0x7F)}
"""Characters that follow a flag, and spell the part of a country it belongs to."""


def read_emoji(path: Path) -> Iterator[tuple[str, bytes]]:
    """(name such as `woman astronaut`, PNG bytes) of each picture that text can reach, by glyph order."""
    font = TTFont(path)
    names = _names(font)
    for glyph, bitmap in font["CBDT"].strikeData[0].items():
        if glyph in names:
            yield names[glyph], bitmap.imageData


def _names(font: TTFont) -> dict[str, str]:
    """Glyph name -> what it shows: one character of the font's map, or a sequence joined by its ligatures."""
    points = {glyph: (point,) for point, glyph in sorted(font.getBestCmap().items(), reverse=True)}
    for glyph, parts in _ligatures(font):
        if glyph not in points and all(part in points for part in parts):
            points[glyph] = tuple(point for part in parts for point in points[part])
    named = ((glyph, spoken(sequence)) for glyph, sequence in points.items())
    return {glyph: name for glyph, name in named if name}


def _ligatures(font: TTFont) -> Iterator[tuple[str, list[str]]]:
    for lookup in font["GSUB"].table.LookupList.Lookup:
        for table in lookup.SubTable:
            table = table.ExtSubTable if lookup.LookupType == _EXTENSION else table  # noqa: PLW2901
            if table.LookupType == _LIGATURE:
                for first, ligatures in table.ligatures.items():
                    for ligature in ligatures:
                        yield ligature.LigGlyph, [first, *ligature.Component]


def spoken(sequence: tuple[int, ...]) -> str:
    """The name of a sequence of code points; empty for what is no picture of its own."""
    letters = "".join(_FLAG_LETTERS.get(point) or _TAGS.get(point, "") for point in sequence)
    if letters:
        return f"flag {letters}" if len(letters) > 1 else ""  # one alone is a letter in a box
    words = [unicodedata.name(chr(point), "").lower() for point in sequence if point not in _SILENT]
    return " ".join(word.replace("emoji modifier fitzpatrick type", "skin") for word in words if word)
