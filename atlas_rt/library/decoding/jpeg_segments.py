"""A JPEG file as its segments (ITU-T T.81, annex B), and the same picture with only those that it needs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

SOI, EOI = b"\xff\xd8", b"\xff\xd9"
_END, _SCAN, _EXIF = 0xD9, 0xDA, 0xE1
_ALONE = frozenset([0x01, *range(0xD0, 0xD9)])
"""Markers without a length: temporary, restarts, start of image."""
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Start of frame: size and way of coding."""
_TABLES = frozenset([0xC4, 0xCC, 0xDB, 0xDC, 0xDD])
_APPS = {0xE0: b"JFIF\0", _EXIF: b"Exif\0", 0xE2: b"ICC_PROFILE\0", 0xEE: b"Adobe"}
"""Application segments that change how the picture looks, and how they begin."""
_DROPPED = frozenset([0xFE, *range(0xE0, 0xF0)])
_KNOWN = _FRAMES | _TABLES | _DROPPED | {_SCAN}
_MARKER = re.compile(rb"\xff([^\x00\xff])", re.DOTALL)
_AFTER_SCAN = re.compile(rb"\xff[\xc4\xcc\xd9-\xdd\xe0-\xef\xfe]")


@dataclass(frozen=True, slots=True)
class Jpeg:
    """The first picture of a file, without an end marker. ended: it had one. scans: how many have begun.

    frame: the marker that says how it is coded, bits: of a sample; 0 where the file ends before it.
    """

    data: bytes
    ended: bool
    scans: int
    frame: int
    bits: int

    @property
    def is_common(self) -> bool:
        """Whether it is coded in a way that is read here: 8 bits, baseline, extended or progressive, Huffman codes."""
        return self.frame in (0xC0, 0xC1, 0xC2) and self.bits == 8


def essential(data: bytes, *, exif: bool = True) -> Jpeg:
    """The picture without stray markers, indexes of further pictures, comments and whatever else is not needed.

    exif: keep the segment with the orientation.
    """
    parts, ended, scans, frame, bits = [SOI], False, 0, 0, 0
    for marker, segment in _segments(data):
        ended |= marker == _END
        if marker in _FRAMES:
            frame, bits = marker, segment[4] if len(segment) > 4 else 0
        scans += marker == _SCAN
        if _is_needed(marker, segment) and (exif or marker != _EXIF):
            parts.append(segment)
    return Jpeg(b"".join(parts), ended, scans, frame, bits)


def size_of(data: bytes) -> tuple[int, int] | None:
    """Width and height in pixels."""
    for marker, segment in _segments(data):
        if marker in _FRAMES and len(segment) >= 9:
            return int.from_bytes(segment[7:9], "big"), int.from_bytes(segment[5:7], "big")
    return None


def _is_needed(marker: int, segment: bytes) -> bool:
    wanted = _APPS.get(marker)
    return segment[4:].startswith(wanted) if wanted else marker in _FRAMES | _TABLES | {_SCAN}


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(marker, the segment with it) of the first picture; a scan with its coded data. Stops where the file does.

    A marker that the standard does not know is passed over: with what its length spans where a marker follows,
    otherwise alone.
    """
    at = len(SOI)
    while found := _MARKER.search(data, at):
        marker, body = found[1][0], found.end()
        end = body + int.from_bytes(data[body : body + 2], "big")
        if marker == _END:
            yield marker, EOI
            return
        if marker in _ALONE or marker not in _KNOWN:
            at = end if marker not in _ALONE and end > body and data[end : end + 1] == b"\xff" else body
            continue
        if end > len(data):
            return
        if marker == _SCAN:
            following = _AFTER_SCAN.search(data, end)
            end = following.start() if following else len(data)
        yield marker, data[found.start() : end]
        at = max(end, body)
