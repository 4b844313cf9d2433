"""Reader of Qt's binary resource files (`.rcc`), the way Qt programs carry their pictures.

The file, big-endian: `qres`, then version and the offsets of three sections: a tree of fixed-size records, the data,
the names. A folder's record names its children by count and index of the first; a file's record points into the data,
where a length precedes the bytes, which may be compressed (zlib with Qt's own length in front, or Zstandard).
Source: Qt's `qresource.cpp`, class QResourceRoot.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import zstandard

_ZLIB, _FOLDER, _ZSTANDARD = 1, 2, 4
_LARGEST_BYTES = 1 << 27


class ResourceError(Exception):
    """The bytes are no Qt resource file."""


def read_resources(path: Path) -> Iterator[tuple[str, bytes]]:
    """(name with folders, bytes) of each file inside, in the order of the tree. Raises ResourceError."""
    content = path.read_bytes()
    if content[:4] != b"qres":
        raise ResourceError(f"no Qt resource file: {path}")
    try:
        yield from _Tree(content).walk(0, "")
    except (struct.error, zlib.error, zstandard.ZstdError, UnicodeDecodeError) as error:
        raise ResourceError(f"damaged Qt resource file ({error}): {path}") from error


class _Tree:
    """The three sections of one file."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        version, self._tree, self._data, self._names = struct.unpack_from(">IIII", content, 4)
        self._record_bytes = 14 if version < 2 else 22  # version 2 added the time of change

    def walk(self, index: int, parent: str) -> Iterator[tuple[str, bytes]]:
        record = self._tree + index * self._record_bytes
        name_at, flags = struct.unpack_from(">IH", self._content, record)
        name = f"{parent}/{self._name(name_at)}" if index else ""  # record 0 is the root, which has no name
        if flags & _FOLDER:
            count, first = struct.unpack_from(">II", self._content, record + 6)
            for child in range(first, first + count):
                yield from self.walk(child, name)
        else:
            (data_at,) = struct.unpack_from(">I", self._content, record + 10)
            yield name.lstrip("/"), self._bytes(data_at, flags)

    def _name(self, at: int) -> str:
        at += self._names
        (length,) = struct.unpack_from(">H", self._content, at)
        return self._content[at + 6 : at + 6 + 2 * length].decode("utf-16-be")  # four bytes of hash lie between

    def _bytes(self, at: int, flags: int) -> bytes:
        at += self._data
        (length,) = struct.unpack_from(">I", self._content, at)
        body = self._content[at + 4 : at + 4 + length]
        if flags & _ZLIB:
            return zlib.decompress(body[4:])
        if flags & _ZSTANDARD:
            return zstandard.ZstdDecompressor().decompress(body, max_output_size=_LARGEST_BYTES)
        return body
