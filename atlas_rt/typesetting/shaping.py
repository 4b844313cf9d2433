"""A line of text in any script -> its glyphs in the order in which they stand, by HarfBuzz.

All lengths are ems, from the beginning of the line and its base line upwards: a line is shaped once for all sizes. What
no font has is shown as its number ("\\u0915"), in our own type.
"""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import uharfbuzz as hb
from numpy.typing import NDArray

from atlas_rt.typesetting.directions import in_order_of_sight, levels_of
from atlas_rt.typesetting.system_fonts import COLOURED, REMEMBERED, SystemFont, SystemFonts, is_emoji, script_of

CARRIED = ("Mn", "Me", "Zs")
"""Categories of characters that go with the one before, whatever it is: marks, spaces."""
BREATHS = frozenset("\u200b\u200c\u200d\u200e\u200f\u2060\u00ad\u034f\ufeff")
"""Seen by nobody, heard by HarfBuzz: joiners, marks of direction, places to break."""

TOUCHING_EMS = 1e-3
"""Characters that are no farther apart are covered as one."""
ZERO_WIDTH_JOINER = "\u200d"
PENDING_EMS = 0.55
"""How wide a character is taken to be while its font is sought."""


class Glyph(NamedTuple):
    font: SystemFont
    id: int
    x: float
    y: float


class Cell(NamedTuple):
    """Where one character stands; from right to left, where it begins is right."""

    left: float
    right: float
    leftwards: bool


class Placed(NamedTuple):
    """Glyphs of one font. at: (n, 2) float64, x and y."""

    font: SystemFont
    ids: tuple[int, ...]
    at: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A shaped line. ends: (n, 2) float64, left and right end of each character of the text. leftwards: (n,) bool.
    complete: False while a font is still sought.

    Arrays instead of an object for each glyph: of a thousand lines these would hold up the collector for 50 ms.
    """

    placed: tuple[Placed, ...]
    width: float
    ends: NDArray[np.float64]
    leftwards: NDArray[np.bool_]
    complete: bool = True

    @property
    def glyphs(self) -> list[Glyph]:
        """From left to right, but for marks."""
        return [
            Glyph(each.font, id_, x, y)
            for each in self.placed
            for id_, (x, y) in zip(each.ids, each.at.tolist(), strict=True)
        ]

    @property
    def cells(self) -> list[Cell]:
        """One for each character."""
        flags = self.leftwards.tolist()
        return [Cell(left, right, flag) for (left, right), flag in zip(self.ends.tolist(), flags, strict=True)]

    def caret(self, index: int) -> float:
        """Where the caret stands before a character, or behind the last one."""
        if not len(self.ends):
            return 0.0
        place, behind = min(index, len(self.ends) - 1), index >= len(self.ends)
        return float(self.ends[place, int(bool(self.leftwards[place]) != behind)])

    def index_at(self, x: float) -> int:
        """Before which character a caret is put by a click."""
        return min(range(len(self.ends) + 1), key=lambda index: abs(self.caret(index) - x))

    def spans(self, begin: int, end: int) -> list[tuple[float, float]]:
        """Left and right ends of what these characters cover."""
        spans: list[tuple[float, float]] = []
        for left, right in sorted(self.ends[begin:end].tolist()):
            touches = bool(spans) and left - spans[-1][1] < TOUCHING_EMS
            spans.append((spans.pop()[0] if touches else left, right))
        return spans


class Run(NamedTuple):
    """Characters that are shaped together. escaped: they are shown as their number."""

    begin: int
    text: str
    font: SystemFont
    leftwards: bool
    escaped: bool

    @property
    def characters(self) -> int:
        """How many of the text it stands for."""
        return 1 if self.escaped else len(self.text)


class Shaper:
    """Shapes lines in our own font, and in the system's fonts where it lacks something."""

    def __init__(self, own: SystemFont, system: SystemFonts) -> None:
        self._own, self._system = own, system
        faces = set(own.font.face.unicodes)
        self._simple = {code for code in faces if unicodedata.category(chr(code))[0] not in "MC"}

    def is_simple(self, text: str) -> bool:
        """Whether our own font has all of it and needs nothing but one glyph for each character."""
        return all(ord(each) in self._simple for each in text)

    def shape(self, text: str) -> Line:
        """While fonts for it are sought, a line without glyphs that is about as wide."""
        pending = [place for place in range(len(text)) if not self._is_known(text, place)]
        if pending:
            for place in pending:
                self._system.known(_sought(text, place))
            lefts = PENDING_EMS * np.arange(len(text), dtype=np.float64)
            ends = np.stack([lefts, lefts + PENDING_EMS], axis=1)
            return Line((), PENDING_EMS * len(text), ends, np.zeros(len(text), bool), complete=False)
        runs = list(self._runs(text, levels_of(text)))
        placed: list[Placed] = []
        ends, leftwards = np.zeros((len(text), 2)), np.zeros(len(text), bool)
        x = 0.0
        for run in in_order_of_sight(runs):
            shaped, x = _shape_run(run, x, ends)
            placed.append(shaped)
            leftwards[run.begin : run.begin + run.characters] = run.leftwards
        return Line(tuple(placed), x, ends, leftwards)

    def _is_known(self, text: str, place: int) -> bool:
        sought = _sought(text, place)
        return (
            self._owns(sought) or _is_carried(text[place]) or _is_hidden(text[place]) or self._system.is_known(sought)
        )

    def _owns(self, sought: str) -> bool:
        return ord(sought[0]) in self._simple and not is_emoji(sought)

    def _runs(self, text: str, levels: list[int]) -> Iterator[tuple[int, Run]]:
        """Pieces of one font, script and direction; a character that no font has is a piece by itself."""
        choices = self._choices(text)
        keys = list(zip(levels, choices, strict=True))
        for (level, (font, _)), places in itertools.groupby(range(len(text)), keys.__getitem__):
            listed = list(places)
            begin, end = listed[0], listed[-1] + 1
            if font is not None:
                yield level, Run(begin, text[begin:end], font, level % 2 == 1, escaped=False)
                continue
            for place in listed:
                yield level, Run(place, escape(text[place]), self._own, level % 2 == 1, escaped=True)

    def _choices(self, text: str) -> list[tuple[SystemFont | None, str]]:
        """For each character its font, None where there is none, and its script, empty where any will do."""
        choices: list[tuple[SystemFont | None, str]] = []
        font: SystemFont | None = self._own
        script = ""
        for place, character in enumerate(text):
            if not (_is_carried(character) and font is not None and _goes_with(character, font)):
                font, script = self._choice(text, place, font, script)
            choices.append((font, script))
        return choices

    def _choice(self, text: str, place: int, before: SystemFont | None, script: str) -> tuple[SystemFont | None, str]:
        character, sought = text[place], _sought(text, place)
        if _is_hidden(character):
            return (None, "") if character not in BREATHS else (self._own, "")
        if self._owns(sought):
            punctuation = unicodedata.category(character)[0] in "PN" and before is not None and not before.coloured
            stays = punctuation and before is not None and before is not self._own and before.has(character)
            return (before, script) if stays else (self._own, "")
        return self._system.known(sought), script_of(sought)


def escape(character: str) -> str:
    """A character as its number, as Python writes it; a byte of a name that is no text as that byte."""
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def cut_before(text: str, place: int) -> int:
    """Where a text is to be cut so that at most so many characters stand before, and no mark loses its letter."""
    while 0 < place < len(text) and (_is_bound(text[place]) or text[place - 1] == ZERO_WIDTH_JOINER):
        place -= 1
    return place


def _is_bound(character: str) -> bool:
    """Belongs to the character before: marks, joiners, what chooses a form or the colour of a skin."""
    if character.isascii():
        return False
    bound = character in BREATHS or _selects(character) or "\U0001f3fb" <= character <= "\U0001f3ff"
    return bound or unicodedata.category(character) in ("Mn", "Mc", "Me")


def _sought(text: str, place: int) -> str:
    """A character with what chooses its colours behind it, if that stands there."""
    return text[place] + (COLOURED if text[place + 1 : place + 2] == COLOURED else "")


@lru_cache(REMEMBERED)
def _is_carried(character: str) -> bool:
    tag = "\U000e0020" <= character <= "\U000e007f"  # the letters of Scotland's flag
    return tag or character in BREATHS or unicodedata.category(character) in CARRIED


def _goes_with(character: str, font: SystemFont) -> bool:
    """Whether a font can draw a character that follows one of its own. Spaces of emoji fonts are as wide as emoji."""
    if character.isspace():
        return not font.coloured and font.has(character)
    return character in BREATHS or unicodedata.category(character) == "Cf" or _selects(character) or font.has(character)


def _selects(character: str) -> bool:
    """Chooses a form of the character before."""
    return "\ufe00" <= character <= "\ufe0f"


@lru_cache(REMEMBERED)
def _is_hidden(character: str) -> bool:
    """Controls, controls of direction among them, and what is no character at all."""
    return unicodedata.category(character) in ("Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp")


def _shape_run(run: Run, x: float, ends: NDArray[np.float64]) -> tuple[Placed, float]:
    """A run's glyphs behind `x`, and where it ends; `ends` of its characters are filled in."""
    buffer = hb.Buffer()
    buffer.add_codepoints([ord(each) for each in run.text])
    buffer.guess_segment_properties()
    buffer.direction = "rtl" if run.leftwards and not run.escaped else "ltr"
    hb.shape(run.font.font, buffer)
    begin, upem = x, run.font.upem
    at: list[tuple[float, float]] = []
    widths: dict[int, float] = {}
    for info, position in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
        at.append((x + position.x_offset / upem, position.y_offset / upem))
        x += position.x_advance / upem
        widths[info.cluster] = widths.get(info.cluster, 0.0) + position.x_advance / upem
    ids = tuple(info.codepoint for info in buffer.glyph_infos)
    ends[run.begin : run.begin + run.characters] = (begin, x) if run.escaped else _ends(run, (begin, x), widths)
    return Placed(run.font, ids, np.array(at, np.float64).reshape(-1, 2)), x


def _ends(run: Run, of_run: tuple[float, float], widths: dict[int, float]) -> list[tuple[float, float]]:
    """Share each cluster's width among its characters: a ligature's parts can be told apart by a caret."""
    clusters = sorted(widths)
    ends: list[tuple[float, float]] = []
    at = 0.0
    for cluster, after in zip(clusters, [*clusters[1:], len(run.text)], strict=True):
        share = widths[cluster] / (after - cluster)
        for _ in range(cluster, after):
            low, at = at, at + share
            ends.append((of_run[1] - at, of_run[1] - low) if run.leftwards else (of_run[0] + low, of_run[0] + at))
    return ends
