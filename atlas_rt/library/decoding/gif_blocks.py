"""A GIF file as its blocks, as far as the first picture."""

from __future__ import annotations

_EXTENSION, _CONTROL = 0x21, 0xF9


def without_transparency(data: bytes) -> bytes:
    """The same file, its first picture opaque: missing pixels can then be told from transparent ones."""
    at = 13 + (3 << (data[10] & 7) + 1 if data[10] & 0x80 else 0)
    changed = bytearray(data)
    while at + 3 < len(data) and data[at] == _EXTENSION:
        if data[at + 1] == _CONTROL:
            changed[at + 3] &= 0xFE
        at += 2
        while at < len(data) and data[at]:
            at += 1 + data[at]
        at += 1
    return bytes(changed)
