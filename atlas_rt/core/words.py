"""Texts as words that can be looked up: names of files, captions, and what a person types, all split in one way.

    IMG_0042.jpg        img 0042 jpg           at punctuation, in small letters
    HolidayBeach        holiday beach          where small letters are followed by a capital
    DSC0042             dsc 0042               between letters and digits
    Café                cafe                   accents and compatibility forms folded
    家族旅行             家 族 旅 行              scripts that set no spaces: each character
    3fa9c8e1d7b2        (one piece, marked)    a hash is no words

A hash is kept whole, or every third one would hold "bee", "dad" or "cafe". Its mark stands before it, so that it is not
found by its first letters either, only by what holds a digit.
"""

from __future__ import annotations

import itertools
import re
import unicodedata

OPAQUE = "\ue000"
"""Stands before a hash. A private character, which nobody types and SQLite takes for a letter."""

_LETTER = r"(?:[^\W_]|[\u0900-\u0e7f])"
"""Letters and digits, and in the scripts of India and Thai the vowels, which Unicode counts as marks."""
_RUN = re.compile(f"{_LETTER}+")
_UUID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?=\b|_)", re.IGNORECASE)
_HEX = re.compile(r"[0-9a-f]{8,}", re.IGNORECASE)
_PIECE = re.compile(
    "[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]"  # Thai, kana and Han set no spaces
    r"|\d+|(?:[\u0900-\u0dff]|[^\W\d_\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff])+"
)
_HUMP = re.compile(r"(?<=[^\W\d_A-Z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][^\W\d_A-Z])")
HASH_CHANGES, HEX_CHANGES = 4, 2
"""A run in which letters and digits take turns more often is a hash; so is one of hexadecimal digits alone."""


def folded(text: str) -> str:
    """In small letters, without accents. Marks that make other syllables, in India's scripts and kana, stay."""
    apart = unicodedata.normalize("NFKD", text)
    bare = "".join(c for c in apart if not unicodedata.combining(c) or c >= "\u0900")
    return unicodedata.normalize("NFC", bare).casefold()


def words_of(text: str) -> list[tuple[str, ...]]:
    """The words of a text, each as its pieces: "DSC0042 beach" -> [("dsc", "0042"), ("beach",)]."""
    text = _UUID.sub(lambda match: f"{OPAQUE}{match[0].replace('-', '')}", text)
    return [pieces for run in re.finditer(f"{OPAQUE}?{_RUN.pattern}", text) if (pieces := _pieces(run[0]))]


def pieces_of(text: str) -> tuple[str, ...]:
    """All pieces of a text in a row, such as those of a phrase in quotes."""
    return tuple(piece for word in words_of(text) for piece in word)


def indexed(text: str) -> str:
    """A text as the index holds it: its pieces with spaces between, and then the words that were split, whole: people
    type "gopro" for GoPro, and "img0042" as it stands."""
    words = words_of(text)
    wholes = ("".join(word) for word in words if len(word) > 1 and not is_unspaced(word))
    return " ".join([*(piece for word in words for piece in word), *wholes])


def is_unspaced(pieces: tuple[str, ...]) -> bool:
    """Whether the script sets no spaces, so that each character is a piece."""
    return all(len(piece) == 1 and not piece.isascii() for piece in pieces)


def has_digit(pieces: tuple[str, ...]) -> bool:
    return any(letter.isdigit() for piece in pieces for letter in piece)


def _pieces(run: str) -> tuple[str, ...]:
    if run.startswith(OPAQUE):
        return (OPAQUE + folded(run[1:]),)
    parts = _PIECE.findall(run)
    changes = sum(one[0].isdigit() != other[0].isdigit() for one, other in itertools.pairwise(parts))
    if changes >= HASH_CHANGES or (changes >= HEX_CHANGES and _HEX.fullmatch(run)):
        return (OPAQUE + folded(run),)
    humps = (hump for part in parts for hump in _HUMP.split(part))
    return tuple(piece for hump in humps for piece in _RUN.findall(folded(hump)))
