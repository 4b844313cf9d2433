"""A file's blocks of metadata, found without decoding a pixel: in JPEG, PNG, WebP, TIFF and RAW files by what lies
around, in AVIF and HEIC by Pillow."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

from PIL import Image

from atlas_rt.library.decoding.stored_picture import formats_read
from atlas_rt.library.metadata import chunks
from atlas_rt.library.metadata.directories import IPTC_TAG, XMP_TAG, Directory, directories_of
from atlas_rt.library.metadata.exif import TAGS
from atlas_rt.library.metadata.png_text import text_of

_TIFF = (b"II*\0", b"MM\0*", b"IIRO", b"IIRS", b"IIU\0")
"""How TIFF files begin, and Olympus' and Panasonic's RAW files, which are TIFF files but for this."""
_FUJI, _FUJI_PREVIEW = b"FUJIFILMCCD-RAW", 84
"""How Fujifilm's RAW files begin, and where they say where their JPEG preview lies."""
_CANON, _CANON_HEAD = b"ftypcrx ", 2**16
"""What Canon's newer RAW files begin with, and how much of them holds their directories."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """What a file holds. main, photo, gps: EXIF's directories. xmp, iptc: as stored. texts: keyword -> text."""

    main: Directory = field(default_factory=dict)
    photo: Directory = field(default_factory=dict)
    gps: Directory = field(default_factory=dict)
    xmp: bytes = b""
    iptc: bytes = b""
    texts: Mapping[str, str] = field(default_factory=dict)


def blocks_of(file: BinaryIO) -> Blocks:
    """The blocks of a file that can be sought in. Raises whatever Pillow does for one that it cannot read."""
    head = file.read(16)
    if head.startswith(chunks.JPEG):
        exif, xmp, iptc = chunks.jpeg_blocks(file)
        return _of_exif(exif, xmp, iptc)
    if head.startswith(chunks.PNG):
        return _of_png(file)
    if chunks.is_webp(head):
        return _of_exif(*chunks.webp_blocks(file))
    if head.startswith(_TIFF):
        return _of_tiff(file)
    if head.startswith(_FUJI):
        return _of_fuji(file)
    file.seek(0)
    if head[4:12] == _CANON:
        return _of_canon(file.read(_CANON_HEAD))
    with Image.open(file, formats=formats_read()) as image:
        return _of_exif(_bytes(image.info.get("exif")), _bytes(image.info.get("xmp")))


def _of_exif(exif: bytes, xmp: bytes, iptc: bytes = b"", texts: Mapping[str, str] | None = None) -> Blocks:
    return Blocks(*directories_of(io.BytesIO(exif.removeprefix(chunks.EXIF)), TAGS), xmp, iptc, texts or {})


def _of_png(file: BinaryIO) -> Blocks:
    """The first of several texts of a keyword counts."""
    found = list(chunks.png_chunks(file))
    exif = next((body for name, body in found if name == b"eXIf"), b"")
    texts = dict(text_of(name, body) for name, body in reversed(found) if name != b"eXIf")
    return _of_exif(exif, texts.pop("XML:com.adobe.xmp", "").encode(), texts=texts)


def _of_tiff(file: BinaryIO) -> Blocks:
    main, photo, gps = directories_of(file, {*TAGS, XMP_TAG, IPTC_TAG})
    return Blocks(main, photo, gps, _bytes(main.get(XMP_TAG)), _bytes(main.get(IPTC_TAG)))


def _of_fuji(file: BinaryIO) -> Blocks:
    file.seek(_FUJI_PREVIEW)
    start, length = (int.from_bytes(file.read(4), "big") for _ in range(2))
    file.seek(start)
    return blocks_of(io.BytesIO(file.read(length)))


def _of_canon(head: bytes) -> Blocks:
    """Each directory is a TIFF file of its own, in a box of its own."""
    boxes = (head.partition(name)[2] for name in (b"CMT1", b"CMT2", b"CMT4"))
    main, photo, gps = (directories_of(io.BytesIO(box), TAGS)[0] for box in boxes)
    return Blocks(main, photo, gps)


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else b""
