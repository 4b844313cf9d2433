"""The texts of a PNG file (PNG 3, section 11.3.3)."""

from __future__ import annotations

import zlib

from atlas_rt.library.metadata.chunks import LIMIT
from atlas_rt.library.metadata.texts import decoded


def text_of(name: bytes, body: bytes) -> tuple[str, str]:
    """(keyword, text) of a chunk of this name. What is packed is unpacked up to LIMIT."""
    keyword, _, rest = body.partition(b"\0")
    return keyword.decode("latin-1"), decoded(_content(name, rest))


def _content(name: bytes, rest: bytes) -> bytes:
    if name == b"tEXt":
        return rest  # Latin-1, says the standard; many write UTF-8
    if name == b"zTXt":
        return _unpacked(rest[1:])
    content = rest[2:].partition(b"\0")[2].partition(b"\0")[2]  # behind language and translated keyword
    return _unpacked(content) if rest[:1] == b"\1" else content


def _unpacked(content: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(content, LIMIT)
    except zlib.error:
        return b""
