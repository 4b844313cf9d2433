"""What a picture file says of itself without being decoded: its format, its size, whether its end is there."""

from __future__ import annotations

from typing import Literal

from atlas_rt.library.decoding import jpeg_segments, png_chunks, webp_chunks
from atlas_rt.library.decoding.tiff_tags import Directory

Format = Literal["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF"]

_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_BITMAP_HEADERS = (12, 40, 52, 56, 64, 108, 124)
"""Sizes of the header after a bitmap's first 14 bytes."""
_BRANDS: dict[bytes, Format] = {b"avif": "AVIF", b"avis": "AVIF", b"mif1": "HEIF", b"msf1": "HEIF"}
_BRANDS |= dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"), "HEIF")
"""Brand of an ISO base media file -> its format; `mif1` may be either."""


def format_of(data: bytes) -> Format | None:
    """The format of a file by its first bytes; None for what is none of those that are read."""
    if data.startswith(jpeg_segments.SOI + b"\xff"):
        return "JPEG"
    if data.startswith(png_chunks.SIGNATURE):
        return "PNG"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "WEBP"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if data.startswith(_TIFF):
        return "TIFF"
    if data[4:8] == b"ftyp" and data[8:12] in _BRANDS:
        return "AVIF" if b"avif" in data[16:64] else _BRANDS[data[8:12]]
    is_bitmap = data.startswith(b"BM") and int.from_bytes(data[14:18], "little") in _BITMAP_HEADERS
    return "BMP" if is_bitmap else None


def is_cut_short(data: bytes, format_: Format) -> bool:
    """Whether the file ends before its format says that it should."""
    match format_:
        case "JPEG":
            return not jpeg_segments.essential(data).ended
        case "PNG":
            return not png_chunks.essential(data).ended
        case "WEBP":
            return webp_chunks.is_cut_short(data)
        case "GIF":
            return not data.rstrip(b"\0").endswith(b";")
        case "TIFF":
            return Directory(data).is_cut_short
        case "AVIF" | "HEIF":
            return missing_bytes(data) > 0
        case "BMP":
            return len(data) < 26 or len(data) < int.from_bytes(data[2:6], "little")


def size_of(data: bytes, format_: Format) -> tuple[int, int] | None:
    """Width and height in pixels as the header tells them; None where it does not."""
    match format_:
        case "JPEG":
            return jpeg_segments.size_of(data)
        case "PNG":
            return png_chunks.size_of(data)
        case "WEBP":
            return webp_chunks.size_of(data)
        case "GIF":
            return _two(data, 6, 2, "little")
        case "TIFF":
            return Directory(data).size
        case "AVIF" | "HEIF":
            place = data.find(b"ispe")
            return _two(data, place + 8, 4, "big") if place >= 0 else None
        case "BMP":
            size = _two(data, 18, 4, "little") if data[14:15] != b"\x0c" else _two(data, 18, 2, "little")
            return (size[0], min(size[1], 2**32 - size[1])) if size else None


def missing_bytes(data: bytes) -> int:
    """By how much a box of an ISO base media file (ISO/IEC 14496-12, 4.2) reaches beyond the end; 0 where none does."""
    at = 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16], "big")
        if size < 8:  # 0: to the end of the file
            return 0
        at += size
    return max(at - len(data), 0)


def _two(data: bytes, at: int, size: int, order: Literal["little", "big"]) -> tuple[int, int] | None:
    if len(data) < at + 2 * size:
        return None
    return int.from_bytes(data[at : at + size], order), int.from_bytes(data[at + size : at + 2 * size], order)
