"""What the first directory of a TIFF file says: how large the picture is, and whether all of its data are there."""

from __future__ import annotations

import struct

_KINDS = {1: "B", 3: "H", 4: "I", 16: "Q"}
"""Type of a field (BYTE, SHORT, LONG, LONG8) -> how struct names it."""
_SIZES = {2: 1, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 17: 8, 18: 8}
"""Further types -> bytes of a value."""
_WIDTH, _HEIGHT = 256, 257
_PLACES = {273: 279, 324: 325}
"""Tag with the places of strips or tiles -> the one with their lengths."""
_VALUES_MAX = 1_000_000


class Directory:
    """The first directory of a file. is_cut_short: the file ends before its directory or its pixels do."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._order = "<" if data[:2] == b"II" else ">"
        self._big = data[2:4] in (b"\x2b\0", b"\0\x2b")
        self.is_cut_short = False
        self.values: dict[int, tuple[int, ...]] = {}
        try:
            self._read()
        except (struct.error, IndexError):
            self.is_cut_short = True

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height in pixels."""
        width, height = self.values.get(_WIDTH), self.values.get(_HEIGHT)
        return (width[0], height[0]) if width and height else None

    def _read(self) -> None:
        place, count_format, entry, step = ("Q", "Q", "HHQ", 20) if self._big else ("I", "H", "HHI", 12)
        (at,) = self._unpack(place, 8 if self._big else 4)
        (count,) = self._unpack(count_format, at)
        at += struct.calcsize("<" + count_format)
        for number in range(min(count, 4096)):
            start = at + number * step
            tag, kind, amount = self._unpack(entry, start)
            self._check(kind, amount, start + struct.calcsize("<" + entry), place)
            if tag in (_WIDTH, _HEIGHT, *_PLACES, *_PLACES.values()) and kind in _KINDS and tag not in self.values:
                self.values[tag] = self._array(kind, amount, start + struct.calcsize("<" + entry), place)
        self.is_cut_short |= any(
            start + length > len(self._data)
            for places, lengths in _PLACES.items()
            for start, length in zip(self.values.get(places, ()), self.values.get(lengths, ()), strict=False)
        )

    def _check(self, kind: int, amount: int, at: int, place: str) -> None:
        """Note a field whose values lie beyond the end of the file."""
        size = amount * (struct.calcsize("<" + _KINDS[kind]) if kind in _KINDS else _SIZES.get(kind, 0))
        if size > struct.calcsize("<" + place):
            self.is_cut_short |= self._unpack(place, at)[0] + size > len(self._data)

    def _array(self, kind: int, amount: int, at: int, place: str) -> tuple[int, ...]:
        """The values of a field; an array that does not fit into the field lies elsewhere."""
        amount = min(amount, _VALUES_MAX)
        values = f"{amount}{_KINDS[kind]}"
        if struct.calcsize("<" + values) > struct.calcsize("<" + place):
            (at,) = self._unpack(place, at)
        return self._unpack(values, at)

    def _unpack(self, format_: str, at: int) -> tuple[int, ...]:
        return struct.unpack_from(self._order + format_, self._data, at)
