"""A fixed number of places, given to whoever was used most recently."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import NamedTuple


class Seat(NamedTuple):
    """A slot just given out, and the key that had to leave it (None when it was free)."""

    slot: int
    evicted: int | None


class Slots:
    """Which key (a tile record) holds which of `count` slots; the least recently used key gives way.

    Keys are integers and slots run from 0 to count - 1. It knows nothing of what is stored there.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._slot_of: OrderedDict[int, int] = OrderedDict()
        self._free = list(range(count - 1, -1, -1))

    def __len__(self) -> int:
        return len(self._slot_of)

    def __contains__(self, key: int) -> bool:
        return key in self._slot_of

    def items(self) -> tuple[tuple[int, int], ...]:
        """(key, slot) of every key that holds one, least recently used first."""
        return tuple(self._slot_of.items())

    def find(self, key: int) -> int | None:
        """The key's slot, or None; not counted as a use."""
        return self._slot_of.get(key)

    def touch(self, keys: Iterable[int]) -> None:
        """Count these keys as used now, in this order; those that hold no slot are passed over."""
        for key in keys:
            if key in self._slot_of:
                self._slot_of.move_to_end(key)

    def take(self, key: int) -> Seat:
        """Give the key a slot: its own if it has one, else a free one, else the least recently used."""
        held = self._slot_of.get(key)
        if held is not None:
            self._slot_of.move_to_end(key)
            return Seat(held, None)
        evicted: int | None = None
        if self._free:
            slot = self._free.pop()
        else:
            evicted, slot = self._slot_of.popitem(last=False)
        self._slot_of[key] = slot
        return Seat(slot, evicted)
