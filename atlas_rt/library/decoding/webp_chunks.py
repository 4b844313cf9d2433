"""A WebP file as its chunks: the first frame of an animation as a still, and as many rows as there are of a cut file.

Pillow reads whole files only, animations included. libwebp, which Pillow brings along, also decodes what is there.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from atlas_rt.core.arrays import Bytes

_RGBA = 1
"""MODE_RGBA of libwebp's decode.h."""
_ALPHA_FLAG = 0x10


@dataclass(frozen=True, slots=True)
class Still:
    """One frame as a file of its own, and its place on the canvas in pixels. profile: ICC, None without one."""

    data: bytes
    left: int
    top: int
    canvas: tuple[int, int]
    profile: bytes | None


def is_cut_short(data: bytes) -> bool:
    """Whether the file is shorter than it says."""
    return len(data) < 12 or len(data) < 8 + int.from_bytes(data[4:8], "little")


def first_frame(data: bytes) -> Still | None:
    """The first frame of an animation; None for any other file."""
    canvas, profile = (0, 0), None
    for name, size, body in _chunks(data, 12):
        if name == b"VP8X" and len(body) >= 10:
            canvas = (1 + _int24(body, 4), 1 + _int24(body, 7))
        elif name == b"ICCP":
            profile = body
        elif name == b"ANMF" and len(body) > 24:
            extents = body[6:12]
            still = _still_file(body[16:], size - 16, extents)
            return Still(still, 2 * _int24(body, 0), 2 * _int24(body, 3), canvas, profile)
    return None


def profile_of(data: bytes) -> bytes | None:
    """The ICC profile of a file."""
    return next((body for name, _, body in _chunks(data, 12) if name == b"ICCP"), None)


def size_of(data: bytes) -> tuple[int, int] | None:
    """Width and height in pixels; None where its header is not there."""
    if data[12:16] == b"VP8X" and len(data) >= 30:
        return 1 + _int24(data, 24), 1 + _int24(data, 27)
    width, height = ctypes.c_int(), ctypes.c_int()
    get_info = _function("WebPGetInfo", ctypes.c_int)
    if get_info is None or not get_info(data, ctypes.c_size_t(len(data)), ctypes.byref(width), ctypes.byref(height)):
        return None
    return width.value, height.value


def rows_there(data: bytes, size: tuple[int, int]) -> tuple[Bytes, int]:
    """(h, w, 4) straight RGBA of a file of this size, and how many rows of it, from the top, are decoded."""
    width, height = size
    pixels = np.zeros((height, width, 4), np.uint8)
    new, append = _function("WebPINewRGB", ctypes.c_void_p), _function("WebPIAppend", ctypes.c_int)
    ask, delete = _function("WebPIDecGetRGB", ctypes.c_void_p), _function("WebPIDelete", None)
    if not (new and append and ask and delete):
        return pixels, 0
    buffer = pixels.ctypes.data_as(ctypes.c_void_p)
    decoder = ctypes.c_void_p(new(_RGBA, buffer, ctypes.c_size_t(pixels.nbytes), 4 * width))
    rows = ctypes.c_int(0)
    try:
        append(decoder, data, ctypes.c_size_t(len(data)))
        ask(decoder, ctypes.byref(rows), None, None, None)
    finally:
        delete(decoder)
    return pixels, rows.value


def _chunks(data: bytes, at: int) -> Iterator[tuple[bytes, int, bytes]]:
    """(name, size, content) of each from a place on; the last one's content may be shorter than its size."""
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        if not data[at : at + 4].strip().isalnum():  # no chunk: zeros that fill a file up, say
            return
        yield data[at : at + 4], size, data[at + 8 : at + 8 + size]
        at += 8 + size + (size & 1)


def _still_file(frame: bytes, size: int, extents: bytes) -> bytes:
    """A file with the chunks of one frame, of which `size` bytes should be there. extents: its width and height, less
    one, in 24 bits each."""
    head = b""
    if frame.startswith(b"ALPH"):
        head = b"VP8X" + struct.pack("<IB3x", 10, _ALPHA_FLAG) + extents
    return b"RIFF" + struct.pack("<I", 4 + len(head) + size) + b"WEBP" + head + frame


def _int24(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 3], "little")


def _function(name: str, result: type[ctypes.c_int | ctypes.c_void_p] | None) -> Callable[..., Any] | None:
    """A function of the libwebp that Pillow brings; None where it cannot be reached (it is linked in on Windows)."""
    try:
        from PIL import _webp  # Pillow can be built without

        function = ctypes.CDLL(_webp.__file__)[name]
    except (ImportError, OSError, AttributeError):
        return None
    function.restype = result
    return function
