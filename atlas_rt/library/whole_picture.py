"""A picture in its full resolution, cut into upright tiles of several levels: what is looked at whole.

It is decoded once, as its file stores it. Colours and orientation are applied to each tile when it is cut, so no second
picture of that size is ever made. Level 0 is the full resolution, each further one half as large.

Memory: pictures of more than IN_MEMORY_PX are decoded into a temporary file (`decoding.paged_image`). Where the disk
has no room for that, a JPEG is decoded at a half, a quarter or an eighth of its size, which `remark` says.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from PIL import Image, ImageFile

from atlas_rt.core.arrays import Bytes
from atlas_rt.core.look_view import TILE_PX, TilePlace, level_size, tile_box
from atlas_rt.errors import DecodeError
from atlas_rt.library.decoding.colours import eight_bits, to_srgb
from atlas_rt.library.decoding.decode import UPRIGHT
from atlas_rt.library.decoding.paged_image import BYTES, paged_image, room_in
from atlas_rt.library.decoding.raw_preview import raw_preview
from atlas_rt.library.decoding.salvage import salvage
from atlas_rt.library.decoding.stored_picture import JPEGS, Enough, Stored, check_size, header, orientation_of
from atlas_rt.library.formats import RAW_SUFFIXES
from atlas_rt.library.tile_files import Rgb
from atlas_rt.library.tile_making import ground_of

IN_MEMORY_PX = 50_000_000
"""Larger pictures lie in a file: with its levels one of this size takes 270 MB."""
WITH_LEVELS = 4.0 / 3.0
SHRINKS = (0, 1, 2, 3)
"""How often a JPEG's sides may be halved while it is decoded."""
STRIP_PX = 1024
BORDER_PX = 1
"""Of its neighbours around a tile: interpolation goes on over the seam."""
_ALL = Enough(1 << 30, 1 << 30)


class AbandonedError(Exception):
    """Nobody wants the picture any more."""


@dataclass(frozen=True, slots=True)
class CutTile:
    """pixels: (h, w, 4) uint8 sRGB, opaque. inner: which part of it is the tile, left, top, right, bottom as shares."""

    pixels: Bytes
    inner: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class WholePicture:
    """One decoded picture.

    levels: as stored, `first` the number of the largest one that is there. size_px: upright, in full resolution.
    ground: what it lies on where it is transparent. remark: what is missing of it, in a few words.
    """

    levels: tuple[Image.Image, ...]
    first: int
    size_px: tuple[int, int]
    orientation: int
    profile: bytes | None
    ground: Rgb | None
    remark: str

    @property
    def last(self) -> int:
        """The coarsest level, which fits into one tile."""
        return self.first + len(self.levels) - 1

    def cut(self, place: TilePlace) -> CutTile:
        """One tile. Levels finer than `first` are not there."""
        size = level_size(self.size_px, place.level)
        left, top, right, bottom = tile_box(size, place)
        box = (
            max(left - BORDER_PX, 0),
            max(top - BORDER_PX, 0),
            min(right + BORDER_PX, size[0]),
            min(bottom + BORDER_PX, size[1]),
        )
        part = self.levels[place.level - self.first].crop(stored_box(box, size, self.orientation))
        part = to_srgb(part, self.profile)
        if self.orientation in UPRIGHT:
            part = part.transpose(UPRIGHT[self.orientation])
        if self.ground is not None and part.mode == "RGBA":
            plate = Image.new("RGB", part.size, self.ground)
            plate.paste(part, mask=part.getchannel("A"))
            part = plate
        wide, high = part.size
        inner = ((left - box[0]) / wide, (top - box[1]) / high, (right - box[0]) / wide, (bottom - box[1]) / high)
        return CutTile(np.array(part.convert("RGBA")), inner)


def open_whole(
    data: bytes, *, suffix: str, folder: Path, share: float = 1.0, abandoned: Callable[[], bool] = lambda: False
) -> WholePicture:
    """Decode a file's bytes. folder: for temporary files; share: of memory and disk that this picture may take.

    Raises DecodeError with the reason in a few words, AbandonedError soon after `abandoned` is true.
    """
    if not data:
        raise DecodeError("the file is empty")
    otherwise = 1
    if suffix in RAW_SUFFIXES:
        data, otherwise = raw_preview(data)
    limits = _Limits(folder, share, abandoned)
    try:
        try:
            stored, first = _load(data, limits)
        except (DecodeError, MemoryError, AbandonedError):
            raise
        except Exception as refusal:  # noqa: BLE001  Pillow raises anything on broken files
            stored, first = salvage(data, _ALL, refusal), 0
        return _made(stored, first, stored.orientation or otherwise, limits)
    except MemoryError as error:
        raise DecodeError("it needs more memory than there is") from error


@dataclass(frozen=True, slots=True)
class _Limits:
    folder: Path
    share: float
    abandoned: Callable[[], bool]

    def pages(self, size: tuple[int, int], mode: str) -> bool:
        """Whether a picture is too large for memory and can lie in a file."""
        return size[0] * size[1] > IN_MEMORY_PX * self.share and mode in BYTES

    def new(self, mode: str, size: tuple[int, int]) -> Image.Image | None:
        """A picture in a file, None for one that can lie in memory, or has no room on the disk."""
        if self.pages(size, mode):
            with contextlib.suppress(OSError):
                return paged_image(mode, size, self.folder)
        return None

    def heed(self) -> None:
        if self.abandoned():
            raise AbandonedError


class _Interruptible:
    """A file that is read no further once nobody wants what is in it."""

    def __init__(self, file: IO[bytes], limits: _Limits) -> None:
        self._file, self._limits = file, limits

    def read(self, size: int = -1) -> bytes:
        self._limits.heed()
        return self._file.read(size)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def _load(data: bytes, limits: _Limits) -> tuple[Stored, int]:
    """The picture as stored, and how often its sides were halved."""
    with header(data) as file:
        size = file.size
        first = _shrink(file, limits) if file.format in JPEGS else 0
        if first:
            file.draft(None, (size[0] >> first, size[1] >> first))
        if (room := limits.new(file.mode, file.size)) is not None:
            file.im = room.im
        if room is None or file.format not in JPEGS:
            check_size(*file.size)
        if file.fp is not None:
            file.fp = _Interruptible(file.fp, limits)  # type: ignore[assignment]
        file.load()
        return Stored(eight_bits(file), *size, file.info.get("icc_profile"), orientation_of(file)), first


def _shrink(file: ImageFile.ImageFile, limits: _Limits) -> int:
    """How often a JPEG's sides are halved so that there is room for it and its levels."""
    if not limits.pages(file.size, file.mode):
        return 0
    room = room_in(limits.folder) * limits.share
    for first in SHRINKS:
        width, height = level_size(file.size, first)
        fits_memory = width * height <= IN_MEMORY_PX * limits.share
        if fits_memory or width * height * BYTES[file.mode] * WITH_LEVELS <= room:
            return first
    return SHRINKS[-1]


def _made(stored: Stored, first: int, orientation: int, limits: _Limits) -> WholePicture:
    levels = [stored.image]
    while max(levels[-1].size) > TILE_PX:
        limits.heed()
        levels.append(_halved(levels[-1], limits))
    size = (stored.width_px, stored.height_px)
    remarks = [stored.incomplete] if stored.incomplete else []
    if first:
        remarks.append(f"shown at 1/{1 << first} of its size: the disk has no room for all of it")
    return WholePicture(
        levels=tuple(levels),
        first=first,
        size_px=size[::-1] if orientation >= 5 else size,
        orientation=orientation,
        profile=stored.profile,
        ground=ground_of(to_srgb(levels[-1], stored.profile)) if levels[-1].mode == "RGBA" else None,
        remark="; ".join(remarks),
    )


def _halved(image: Image.Image, limits: _Limits) -> Image.Image:
    factors = min(2, image.width), min(2, image.height)
    size = level_size(image.size, 1)
    half = limits.new(image.mode, size)
    if half is None:
        return image.reduce(factors)
    for top in range(0, image.height, STRIP_PX):
        limits.heed()
        strip = image.reduce(factors, box=(0, top, image.width, min(top + STRIP_PX, image.height)))
        half.paste(strip, (0, top // 2))
    return half


def stored_box(box: tuple[int, int, int, int], size: tuple[int, int], orientation: int) -> tuple[int, int, int, int]:
    """Where a box of the upright picture lies in the stored one. size: of the upright picture."""
    width, height = size
    (x0, y0), (x1, y1) = (
        {
            1: (x, y),
            2: (width - x, y),
            3: (width - x, height - y),
            4: (x, height - y),
            5: (y, x),
            6: (y, width - x),
            7: (height - y, width - x),
            8: (height - y, x),
        }[orientation]
        for x, y in (box[:2], box[2:])
    )
    return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)
