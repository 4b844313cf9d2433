"""A PNG file as its chunks, and the same picture with only those that it needs."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

SIGNATURE = b"\x89PNG\r\n\x1a\n"
PROFILE_BYTES_MAX = 32 * 2**20
"""Printers' profiles have a few megabytes; one that unpacks to more is ignored."""
_NEEDED = frozenset([b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"eXIf"])


@dataclass(frozen=True, slots=True)
class Png:
    """The still of a file, without text and animation. profile: ICC, None without one. ended: no chunk is missing."""

    data: bytes
    profile: bytes | None
    ended: bool


def essential(data: bytes) -> Png:
    """The picture without the chunks that readers may stumble over: text of any length, animation, profile."""
    parts, profile, ended = [SIGNATURE], None, False
    for name, body in _chunks(data):
        if name in _NEEDED:
            parts.append(struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)))
        elif name == b"iCCP":
            profile = _unpacked(body)
        elif name == b"IEND":
            parts.append(struct.pack(">I4sI", 0, name, zlib.crc32(name)))
            ended = True
    return Png(b"".join(parts), profile, ended)


def size_of(data: bytes) -> tuple[int, int] | None:
    """Width and height in pixels."""
    return struct.unpack(">II", data[16:24]) if len(data) >= 24 else None


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(name, content) of each; the last one's content may be cut short."""
    at = len(SIGNATURE)
    while at + 8 <= len(data):
        length, name = struct.unpack(">I4s", data[at : at + 8])
        if not name.isalpha():  # no chunk: zeros that fill a file up, say
            return
        yield name, data[at + 8 : at + 8 + length]
        if name == b"IEND":
            return
        at += 12 + length


def _unpacked(body: bytes) -> bytes | None:
    """The profile in an iCCP chunk: a name, a zero, the method (0), deflated bytes."""
    unpacker = zlib.decompressobj()
    try:
        profile = unpacker.decompress(body[body.index(b"\0") + 2 :], PROFILE_BYTES_MAX)
    except (ValueError, zlib.error):
        return None
    return profile if unpacker.eof else None
