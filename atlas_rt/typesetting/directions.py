"""Which way each character of a line runs: the Unicode Bidirectional Algorithm (UAX 9), by python-bidi.

Controls of direction have no say: a name that holds one shows it as its number, or what looks like a picture could be a
program ("gpj.exe").
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any, TypeVar

from bidi import algorithm

RIGHT_TO_LEFT = frozenset(("R", "AL", "AN"))
SILENT = frozenset(("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI", "BN", "B", "S", ""))
NEUTRAL = "\ufffc"
"""In place of what has no say, so that each character keeps its index."""

Item = TypeVar("Item")


def levels_of(text: str) -> list[int]:
    """The level of each character: odd ones run from right to left. The first letter decides for the whole line."""
    kinds = [unicodedata.bidirectional(each) for each in text]
    if RIGHT_TO_LEFT.isdisjoint(kinds):
        return [0] * len(text)
    spoken = "".join(NEUTRAL if kind in SILENT else each for each, kind in zip(text, kinds, strict=True))
    storage: dict[str, Any] = algorithm.get_empty_storage()
    storage["base_level"] = algorithm.get_base_level(spoken)
    algorithm.get_embedding_levels(spoken, storage)
    algorithm.explicit_embed_and_overrides(storage)
    algorithm.resolve_weak_types(storage)
    algorithm.resolve_neutral_types(storage, debug=False)
    algorithm.resolve_implicit_levels(storage, debug=False)
    return [each["level"] for each in storage["chars"]]


def in_order_of_sight(runs: Sequence[tuple[int, Item]]) -> list[Item]:
    """Runs with their levels, in the order of the line -> as they stand from left to right (rule L2)."""
    ordered = list(runs)
    for level in range(max((level for level, _ in ordered), default=0), 0, -1):
        begin = 0
        while begin < len(ordered):
            end = begin
            while end < len(ordered) and ordered[end][0] >= level:
                end += 1
            ordered[begin:end] = reversed(ordered[begin:end])
            begin = end + 1
    return [item for _, item in ordered]
