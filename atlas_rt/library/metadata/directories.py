"""EXIF's directories, which are those of TIFF (TIFF 6.0, section 2), read entry by entry.

Pillow ends a directory at its first broken entry, and with the first directory all others. Here each entry stands for
itself: one whose value lies nowhere is left out. Only what is asked for is read, so makers' notes, previews and places
of pixels cost nothing.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Collection, Mapping
from typing import BinaryIO

Value = bytes | tuple[float, ...]
"""Text and raw bytes, or numbers; a ratio by zero is no number (NaN)."""
Directory = Mapping[int, Value]
"""Tag -> value."""

XMP_TAG, IPTC_TAG = 0x02BC, 0x83BB
"""Blocks of bytes, whatever the entries call them: in TIFF files they lie in the first directory."""
_PHOTO, _GPS = 0x8769, 0x8825
"""Where the first directory says that the other two lie."""
_BYTES = frozenset([1, 2, 7, 129])
_NUMBERS = {3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 11: "f", 12: "d", 13: "I"}
_RATIOS = {5: "I", 10: "i"}
"""Kind of a value -> how struct names its numbers."""
_SIZES = dict.fromkeys(_BYTES, 1) | {kind: struct.calcsize("=" + each) for kind, each in _NUMBERS.items()}
_SIZES |= dict.fromkeys(_RATIOS, 8)
"""Kind of a value -> bytes of one."""
ENTRIES_MAX, VALUE_BYTES_MAX = 1_000, 4 * 2**20


def directories_of(file: BinaryIO, wanted: Collection[int]) -> tuple[Directory, Directory, Directory]:
    """The first directory, Exif's and that of GPS, as far as they can be read. wanted: tags."""
    file.seek(0)
    head = file.read(8)
    if len(head) < 8 or head[:2] not in (b"II", b"MM"):
        return {}, {}, {}
    order = "<" if head[:2] == b"II" else ">"
    (at,) = struct.unpack(order + "I", head[4:])
    main = _directory(file, order, at, {*wanted, _PHOTO, _GPS})
    photo, gps = (_directory(file, order, _place(main.get(tag)), wanted) for tag in (_PHOTO, _GPS))
    return main, photo, gps


def _place(value: Value | None) -> int:
    return max(int(value[0]), 0) if isinstance(value, tuple) and value and math.isfinite(value[0]) else 0


def _directory(file: BinaryIO, order: str, at: int, wanted: Collection[int]) -> dict[int, Value]:
    """Empty where there is none: at place 0 the file begins."""
    if not at:
        return {}
    file.seek(at)
    count = int.from_bytes(file.read(2), "little" if order == "<" else "big")
    entries = file.read(12 * min(count, ENTRIES_MAX))
    found: dict[int, Value] = {}
    for tag, *entry in struct.iter_unpack(order + "HHI4s", entries[: len(entries) // 12 * 12]):
        if tag in wanted and tag not in found and (held := _held(file, order, *entry)) is not None:
            found[tag] = held if tag in (XMP_TAG, IPTC_TAG) else _value(order, entry[0], held)
    return found


def _held(file: BinaryIO, order: str, kind: int, amount: int, held: bytes) -> bytes | None:
    """What an entry holds, in itself or elsewhere; None where it is not there, or of no kind that is read."""
    size = amount * _SIZES.get(kind, VALUE_BYTES_MAX + 1)
    if not 0 < size <= VALUE_BYTES_MAX:
        return None
    if size > 4:
        file.seek(*struct.unpack(order + "I", held))
        held = file.read(size)
    return held[:size] if len(held) >= size else None


def _value(order: str, kind: int, held: bytes) -> Value:
    if kind in _BYTES:
        return held
    letter = _NUMBERS.get(kind) or _RATIOS[kind]
    parts = struct.unpack(f"{order}{len(held) // struct.calcsize('=' + letter)}{letter}", held)
    if kind in _NUMBERS:
        return parts
    return tuple(over / under if under else math.nan for over, under in zip(parts[::2], parts[1::2], strict=True))
