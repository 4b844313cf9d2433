"""Which texts may stand on the map: characters that can be seen, and the joiners between them.

Persian, Hindi and other languages, and emoji of more than one person, need two characters that have no width: one that
joins its neighbours and one that keeps them apart. Other invisible characters could make two names look the same, or
turn the direction of what stands after them.
"""

from __future__ import annotations

from itertools import pairwise

JOINERS = frozenset("\u200c\u200d")
"""Zero-width non-joiner and joiner."""
_SELECTORS = frozenset(map(chr, range(0xFE00, 0xFE10)))
"""Choose one of two forms of the character before: of a heart the red one."""
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Printable by name only: fillers of Korean and Khmer, Braille without dots, a joiner of graphemes."""


def is_plain(text: str) -> bool:
    """Whether a text holds only characters that can be seen, single spaces included, and joiners between two of them.
    The empty text does."""
    if not all(each in JOINERS or (each.isprintable() and each not in _BLANK) for each in text):
        return False
    return not any(
        (this in JOINERS and not _joins(after)) or (after in JOINERS and not (_joins(this) or this in _SELECTORS))
        for this, after in pairwise(f" {text} ")
    )


def _joins(character: str) -> bool:
    """Whether it can stand next to a joiner."""
    return character not in JOINERS and character not in _SELECTORS and not character.isspace()
