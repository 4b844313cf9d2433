"""Texts as words that can be looked up: names of files, captions, and what a person types, all split in one way.

IMG_0042.jpg        img 0042 jpg           at punctuation, in small letters
HolidayBeach        holiday beach          where small letters are followed by a capital
DSC0042             dsc 0042               between letters and digits
Café                cafe                   accents and compatibility forms folded
家族旅行             家 族 旅 行              scripts that set no spaces: each character
3fa9c8e1d7b2        (nothing)              a hash is no words: every third one would hold "bee", "dad" or "cafe"
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterator

_LETTER = r"(?:[^\W_]|[\u0900-\u0e7f])"
"""Letters and digits, and in the scripts of India and Thai the vowels, which Unicode counts as marks."""
_UUID = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_RUN = re.compile(rf"{_UUID}(?!{_LETTER})|{_LETTER}+")
_HEX = re.compile(r"[0-9a-f]{8,}", re.IGNORECASE)
_PIECE = re.compile(
    "[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]"  # Thai, kana and Han set no spaces
    r"|\d+|(?:[\u0900-\u0dff]|[^\W\d_\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff])+"
)
HASH_CHANGES, HEX_CHANGES = 4, 2
"""A run in which letters and digits take turns more often is a hash; so is one of hexadecimal digits alone."""


def folded(text: str) -> str:
    """In small letters, without accents. Marks that make other syllables, in India's scripts and kana, stay."""
    apart = unicodedata.normalize("NFKD", text)
    bare = "".join(c for c in apart if not unicodedata.combining(c) or c >= "\u0900")
    return unicodedata.normalize("NFC", bare).casefold()


def words_of(text: str) -> list[tuple[str, ...]]:
    """The words of a text, each as its pieces: "DSC0042 beach" -> [("dsc", "0042"), ("beach",)]."""
    runs = (run[0] for run in _RUN.finditer(text) if not _is_hash(run[0]))
    return [pieces for run in runs if (pieces := _pieces(run))]


def hashes_of(text: str) -> list[str]:
    """The hashes in a text, in small letters."""
    return [run[0].replace("-", "").lower() for run in _RUN.finditer(text) if _is_hash(run[0])]


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
    humps = (hump for part in _PIECE.findall(run) for hump in _humps(part))
    return tuple(piece for hump in humps for piece in _RUN.findall(folded(hump)))


def _is_hash(run: str) -> bool:
    if "-" in run:
        return True
    parts = _PIECE.findall(run)
    changes = sum(one[0].isdigit() != other[0].isdigit() for one, other in itertools.pairwise(parts))
    return changes >= HASH_CHANGES or (changes >= HEX_CHANGES and _HEX.fullmatch(run) is not None)


def _humps(part: str) -> Iterator[str]:
    """ "HolidayBeach" -> Holiday, Beach; "IMGFile" -> IMG, File."""
    begin = 0
    if not part[1:].islower() and not part.isupper():
        for at in range(1, len(part)):
            before, letter = part[at - 1], part[at]
            if letter.isupper() and (before.islower() or (before.isupper() and part[at + 1 : at + 2].islower())):
                yield part[begin:at]
                begin = at
    yield part[begin:]
