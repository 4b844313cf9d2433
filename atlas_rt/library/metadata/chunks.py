"""JPEG, PNG and WebP files as the pieces that tell something; pixels are passed over, and so is what is damaged.

JPEG: ITU-T T.81, annex B. PNG: PNG 3, chapter 5. WebP: RFC 9649, section 2.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

JPEG, PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
"""How the files begin."""
LIMIT = 4 * 2**20
"""Bytes of a piece that are read; graphs of ComfyUI have up to one million."""
_APP1, _APP13 = 0xE1, 0xED
_END, _SCAN = 0xD9, 0xDA
_ALONE = frozenset([0x01, *range(0xD0, 0xD9)])
"""Markers without a length."""
EXIF = b"Exif\0\0"
"""What stands before EXIF in JPEG files, and by mistake in some others."""
_XMP, _PHOTOSHOP = b"http://ns.adobe.com/xap/1.0/\0", b"Photoshop 3.0\0"
_IPTC_RESOURCE = 0x0404


def is_webp(head: bytes) -> bool:
    return head[:4] == b"RIFF" and head[8:12] == b"WEBP"


def jpeg_blocks(file: BinaryIO) -> tuple[bytes, bytes, bytes]:
    """(EXIF, XMP, IPTC) of a JPEG file, the first of each, up to its pixels; empty where it has none."""
    exif = xmp = iptc = b""
    for body in _segments(file):
        if body.startswith(EXIF):
            exif = exif or body
        elif body.startswith(_XMP):
            xmp = xmp or body[len(_XMP) :]
        elif body.startswith(_PHOTOSHOP):
            iptc = iptc or _iptc_of(body[len(_PHOTOSHOP) :])
    return exif, xmp, iptc


def webp_blocks(file: BinaryIO) -> tuple[bytes, bytes]:
    """(EXIF, XMP) of a WebP file; empty where it has none."""
    exif = xmp = b""
    at = 12
    while True:
        file.seek(at)
        head = file.read(8)
        if len(head) < 8:
            return exif, xmp
        size = int.from_bytes(head[4:], "little")
        if head[:4] == b"EXIF":
            exif = exif or file.read(min(size, LIMIT))
        elif head[:4] == b"XMP ":
            xmp = xmp or file.read(min(size, LIMIT))
        at += 8 + size + size % 2


def png_chunks(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """(name, content) of the texts and of the EXIF block of a PNG file, wherever they stand."""
    at = len(PNG)
    while True:
        file.seek(at)
        head = file.read(8)
        if len(head) < 8 or not head[4:].isalpha() or head[4:] == b"IEND":
            return
        length, name = struct.unpack(">I4s", head)
        if name in (b"tEXt", b"zTXt", b"iTXt", b"eXIf"):
            yield name, file.read(min(length, LIMIT))
        at += 12 + length


def _segments(file: BinaryIO) -> Iterator[bytes]:
    """The contents of a JPEG file's segments that hold metadata."""
    at = 2
    while True:
        file.seek(at)
        head = file.read(4)
        if len(head) < 4 or head[0] != 0xFF or head[1] in (_END, _SCAN):
            return
        if head[1] == 0xFF:  # a filler
            at += 1
        elif head[1] in _ALONE:
            at += 2
        else:
            length = int.from_bytes(head[2:], "big")
            if head[1] in (_APP1, _APP13):
                yield file.read(max(length - 2, 0))
            at += 2 + max(length, 2)


def _iptc_of(resources: bytes) -> bytes:
    """The IPTC block among Photoshop's resources: "8BIM", number, a name and its length, size, content, each even."""
    at = 0
    while resources[at : at + 4] == b"8BIM" and at + 12 <= len(resources):
        number, named = struct.unpack_from(">HB", resources, at + 4)
        start = at + 7 + named + (named + 1) % 2
        size = int.from_bytes(resources[start : start + 4], "big")
        if number == _IPTC_RESOURCE:
            return resources[start + 4 : start + 4 + size]
        at = start + 4 + size + size % 2
    return b""
