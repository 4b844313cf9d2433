"""A file's blocks of metadata, found without decoding a pixel.

Pillow reads the structure of JPEG, WebP, AVIF, HEIC and GIF, and the directories of EXIF, of which TIFF and most RAW
files are one themselves. exifread would be one more dependency, takes ten times as long, as it looks into all that
makers wrote for themselves, and knows neither XMP's nor IPTC's fields.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from PIL import ExifTags, Image

from atlas_rt.library.decoding.stored_picture import formats_read
from atlas_rt.library.metadata import png_text
from atlas_rt.library.metadata.exif import Directory

_XMP_TAG, _IPTC_TAG, _IPTC_RESOURCE = 0x02BC, 0x83BB, 0x0404
_TIFF = (b"II*\0", b"MM\0*")
_TIFF_OF_CAMERAS = (b"IIRO", b"IIRS", b"IIU\0")
"""How Olympus' and Panasonic's RAW files begin, which are TIFF files but for this."""
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
    file.seek(0)
    if head.startswith(png_text.SIGNATURE):
        texts, exif = png_text.texts_of(file)
        return _of_exif(exif, xmp=texts.pop("XML:com.adobe.xmp", "").encode(), texts=texts)
    if head.startswith(_TIFF):
        return _of_tiff(file)
    if head.startswith(_TIFF_OF_CAMERAS):
        return _of_tiff(io.BytesIO(_TIFF[0] + file.read()[4:]))
    if head.startswith(_FUJI):
        return _of_fuji(file)
    if head[4:12] == _CANON:
        return _of_canon(file.read(_CANON_HEAD))
    with Image.open(file, formats=formats_read()) as image:
        resources = image.info.get("photoshop", {})
        iptc = resources.get(_IPTC_RESOURCE, b"") if isinstance(resources, dict) else b""
        return _of_exif(image.info.get("exif", b""), xmp=_bytes(image.info.get("xmp")), iptc=_bytes(iptc))


def _of_exif(block: bytes, *, xmp: bytes = b"", iptc: bytes = b"", texts: Mapping[str, str] | None = None) -> Blocks:
    main, photo, gps = _directories(io.BytesIO(re.sub(rb"^(Exif\0\0)+", b"", block)))
    return Blocks(main, photo, gps, xmp, iptc, texts or {})


def _of_tiff(file: BinaryIO) -> Blocks:
    main, photo, gps = _directories(file)
    return Blocks(main, photo, gps, _bytes(main.get(_XMP_TAG)), _bytes(main.get(_IPTC_TAG)))


def _of_fuji(file: BinaryIO) -> Blocks:
    file.seek(_FUJI_PREVIEW)
    start, length = (int.from_bytes(file.read(4), "big") for _ in range(2))
    file.seek(start)
    return blocks_of(io.BytesIO(file.read(length)))


def _of_canon(head: bytes) -> Blocks:
    """Each directory is a TIFF file of its own, in a box of its own."""
    boxes = (head.partition(name)[2] for name in (b"CMT1", b"CMT2", b"CMT4"))
    main, photo, gps = (_directories(io.BytesIO(box))[0] for box in boxes)
    return Blocks(main, photo, gps)


def _directories(file: BinaryIO) -> tuple[Directory, Directory, Directory]:
    """The first directory, Exif's and that of GPS; empty where they cannot be read."""
    exif = Image.Exif()
    try:
        exif.load_from_fp(file)
    except Exception:  # noqa: BLE001  Pillow raises anything on broken files
        return {}, {}, {}
    tags = [tag for tag in exif if tag < 0x0100 or tag > 0x0118 or tag in (0x010E, 0x010F, 0x0110)]
    main = {tag: value for tag in tags if (value := _value(exif, tag)) is not None}
    return main, _directory(exif, ExifTags.IFD.Exif), _directory(exif, ExifTags.IFD.GPSInfo)


def _directory(exif: Image.Exif, tag: int) -> Directory:
    try:
        return exif.get_ifd(tag)
    except Exception:  # noqa: BLE001
        return {}


def _value(exif: Image.Exif, tag: int) -> Any:
    try:
        return exif.get(tag)
    except Exception:  # noqa: BLE001
        return None


def _bytes(value: Any) -> bytes:
    """As bytes, which TIFF may call numbers of one byte each."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace")
    if isinstance(value, tuple) and all(isinstance(part, int) and 0 <= part < 256 for part in value):
        return bytes(value)
    return value if isinstance(value, bytes) else b""
