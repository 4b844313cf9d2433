"""The texts and the EXIF block of a PNG file, wherever in it they stand (PNG 3, 11.3); pixels are passed over."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from atlas_rt.library.metadata.texts import decoded

SIGNATURE = b"\x89PNG\r\n\x1a\n"
LIMIT = 4 * 2**20
"""Bytes of a chunk that are read, and that it may unpack to: graphs of ComfyUI have up to one million."""


def texts_of(file: BinaryIO) -> tuple[dict[str, str], bytes]:
    """(keyword -> text, EXIF block), as far as the file can be read. The first of several texts of a keyword counts."""
    texts, exif = dict[str, str](), b""
    for name, body in _chunks(file):
        if name == b"eXIf":
            exif = exif or body
        else:
            keyword, _, rest = body.partition(b"\0")
            texts.setdefault(keyword.decode("latin-1"), _text(name, rest))
    return texts, exif


def _chunks(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """(name, content) of those that tell something."""
    at = len(SIGNATURE)
    while True:
        file.seek(at)
        head = file.read(8)
        if len(head) < 8 or not head[4:].isalpha() or head[4:] == b"IEND":
            return
        length, name = struct.unpack(">I4s", head)
        if name in (b"tEXt", b"zTXt", b"iTXt", b"eXIf"):
            yield name, file.read(min(length, LIMIT))
        at += 12 + length


def _text(name: bytes, body: bytes) -> str:
    if name == b"tEXt":
        return decoded(body)  # Latin-1, says the standard; many write UTF-8
    if name == b"zTXt":
        return decoded(_unpacked(body[1:]))
    packed = body[:1] == b"\1"
    body = body[2:].partition(b"\0")[2].partition(b"\0")[2]  # behind language and translated keyword
    return decoded(_unpacked(body) if packed else body)


def _unpacked(body: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(body, LIMIT)
    except zlib.error:
        return b""
