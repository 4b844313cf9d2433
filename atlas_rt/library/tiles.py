"""Thumbnails: made from a decoded picture, kept in two flat files, read ready to upload.

Every tile is a square that its picture fills; the card restores the aspect. sRGB, top row first.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import simplejpeg
from PIL import Image, ImageStat

from atlas_rt.core.records import CARD_ASPECT_MAX, LARGE_TILE_PX, MEDIUM_TILE_PX, SMALL_TILE_PX, Bytes, Ids, Ints
from atlas_rt.errors import MissingError
from atlas_rt.library import sources
from atlas_rt.library.decode import Decoded, Enough, read_picture
from atlas_rt.library.disk_errors import damaged
from atlas_rt.library.recordfile import RecordFile

SMALL_RECORD_BYTES = SMALL_TILE_PX * SMALL_TILE_PX * 3
MEDIUM_RECORD_BYTES = 8192
"""Two bytes of length (little endian), a JPEG, zeros."""
SLATE = (24, 28, 40)
"""What transparent pictures lie on."""
PALE_SLATE = (176, 186, 204)
"""What dark drawings lie on."""
MARGIN = 0.06
"""Around a transparent picture, of its long side."""

EMPTY = (127, 127, 127)
"""Taken for the mean of a picture of which nothing is visible."""

_DARK = 72.0
"""A drawing whose visible part has less luma than this would drown on the dark slate."""
_QUALITIES = (90, 82, 72, 60, 45, 30, 15, 5)
"""Tried in turn until a medium tile fits its record; photographs fit at 90 or 82, noise at 45."""


Rgb = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class TileSet:
    """One image's thumbnails.

    small: (32, 32, 3) uint8. medium: JPEG of 128 x 128 that fits a record. mean_rgb: mean colour of what one sees.
    aspect: width / height of the tile's content, within 1/CARD_ASPECT_MAX..CARD_ASPECT_MAX.
    """

    small: Bytes
    medium: bytes
    mean_rgb: Rgb
    aspect: float


class TileFiles:
    """The tiles of a library, a record an image, in `tiles-32.bin` and `tiles-128.bin`.

    count: records that are named (`Store.named_tiles`). One thread at a time per object; any number of objects may
    read beside one writer. A reader that asks for a record behind its count finds it if the writer has put it there.
    """

    def __init__(self, folder: Path, *, writable: bool = False, count: int = 0) -> None:
        self._folder = folder
        self._writable = writable
        self._small = RecordFile(folder / "tiles-32.bin", SMALL_RECORD_BYTES, writable=writable, count=count)
        self._medium = RecordFile(folder / "tiles-128.bin", MEDIUM_RECORD_BYTES, writable=writable, count=count)

    @property
    def count(self) -> int:
        """Records in both files."""
        return min(self._small.count, self._medium.count)

    def append(self, sets: Sequence[TileSet]) -> int:
        """Add records; the first one's number. Raises MissingError where the disk refuses, nothing is added then."""
        first = self.count
        self._small.count = self._medium.count = first
        self._small.append(b"".join(tiles.small.tobytes() for tiles in sets))
        self._medium.append(b"".join(_medium_record(tiles.medium) for tiles in sets))
        return first

    def small(self, records: slice | Ints | Ids | Sequence[int]) -> Bytes:
        """(n, 32, 32, 3) of these records: a view of the map for a slice, otherwise a copy.

        Raises MissingError where the files are shorter.
        """
        self._reach(self._small, _end(records))
        shaped = self._small.records().reshape(-1, SMALL_TILE_PX, SMALL_TILE_PX, 3)
        return shaped[records]

    def medium_rgba(self, record: int) -> Bytes:
        """(128, 128, 4), decoded: 0.08 ms. Raises MissingError where the files are shorter or damaged."""
        self._reach(self._medium, record + 1)
        row = self._medium.records()[record]
        length = int(row[0]) | int(row[1]) << 8
        try:
            pixels: Bytes = simplejpeg.decode_jpeg(row[2 : 2 + length].tobytes(), colorspace="RGBA")
        except ValueError as error:
            raise damaged(self._folder) from error
        return pixels

    def flush(self) -> None:
        """Wait until the disk has what was appended: call it before the transaction that names it."""
        self._small.flush()
        self._medium.flush()

    def close(self) -> None:
        """Let go of the files; arrays handed out stay valid."""
        self._small.close()
        self._medium.close()

    def _reach(self, file: RecordFile, count: int) -> None:
        """As a reader, take note that the writer has come this far. Raises MissingError where it has not."""
        if self._writable or count <= file.count:
            return
        known, file.count = file.count, count
        try:
            file.records()
        except MissingError:
            file.count = known  # one record too many hides none of those that are there
            raise


def make_tiles(decoded: Decoded) -> TileSet:
    """Both tiles, the mean colour and the aspect of one picture. 2 ms for one reduced to 1000 px."""
    mean = _opaque_mean(decoded.image)
    shown = _laid_on_slate(decoded.image, mean) if mean else decoded.image.convert("RGB")
    box = _card_box(*shown.size)
    # HAMMING: half the time of BICUBIC, no worse where an image shrinks; boxes of whole pixels first halve it again.
    size = (MEDIUM_TILE_PX, MEDIUM_TILE_PX)
    medium = shown.resize(size, Image.Resampling.HAMMING, box=box, reducing_gap=2.0)
    small = np.asarray(medium.reduce(MEDIUM_TILE_PX // SMALL_TILE_PX))
    # A bright drawing seen from afar is its own colour, which the slate would dull; a dark one is its pale ground.
    mean_rgb = mean if mean and _ground(mean) == SLATE else _mean(small)
    return TileSet(small, _jpeg_within(medium, MEDIUM_RECORD_BYTES - 2), mean_rgb, _aspect(box))


def flatten(image: Image.Image) -> Image.Image:
    """RGB as it is; RGBA on slate, or on pale slate where the drawing is dark, with a margin."""
    mean = _opaque_mean(image)
    return _laid_on_slate(image, mean) if mean else image.convert("RGB")


def mips(rgba: Bytes) -> tuple[Bytes, ...]:
    """The picture (..., side, side, 4) and each half of it down to 1 x 1; side is a power of two.

    Leading axes are a batch. 0.5 ms for 512 x 512.
    """
    levels = [np.ascontiguousarray(rgba)]
    while levels[-1].shape[-2] > 1:
        levels.append(_half(levels[-1]))
    return tuple(levels)


def load_large(path: str) -> Bytes:
    """(512, 512, 4) of a source file, as the nearest cards show it. Raises DecodeError."""
    shown = flatten(_read(path, Enough(LARGE_TILE_PX, LARGE_TILE_PX)).image)
    tile = shown.resize((LARGE_TILE_PX, LARGE_TILE_PX), Image.Resampling.BICUBIC, box=_card_box(*shown.size))
    return np.array(tile.convert("RGBA"))


def load_picture(path: str, max_px: int) -> Bytes:
    """(h, w, 4) of a source file in its own aspect, its long side at most `max_px`. Raises DecodeError."""
    shown = flatten(_read(path, Enough(max_px, 1)).image)
    if max(shown.size) > max_px:
        shown.thumbnail((max_px, max_px), Image.Resampling.BICUBIC, reducing_gap=None)
    return np.array(shown.convert("RGBA"))


def _read(path: str, enough: Enough) -> Decoded:
    return read_picture(sources.read(path), enough=enough, suffix=sources.suffix_of(path))


def _card_box(width: int, height: int) -> tuple[float, float, float, float]:
    """What a card shows of a picture: all of it, or its middle where it is longer than CARD_ASPECT_MAX."""
    shown_width = min(width, height * CARD_ASPECT_MAX)
    shown_height = min(height, width * CARD_ASPECT_MAX)
    left, top = (width - shown_width) / 2, (height - shown_height) / 2
    return (left, top, left + shown_width, top + shown_height)


def _aspect(box: tuple[float, float, float, float]) -> float:
    left, top, right, bottom = box
    return (right - left) / (bottom - top)


def _opaque_mean(image: Image.Image) -> Rgb | None:
    """Mean colour of what is drawn in an RGBA picture, weighted by how opaque it is; None for other pictures.

    In premultiplied pixels that is the sum of a channel over the sum of alpha.
    """
    if image.mode != "RGBA":
        return None
    red, green, blue, alpha = ImageStat.Stat(image.convert("RGBa")).sum
    if not alpha:
        return EMPTY
    return (_level(255 * red / alpha), _level(255 * green / alpha), _level(255 * blue / alpha))


def _mean(pixels: Bytes) -> Rgb:
    red, green, blue = pixels.reshape(-1, 3).mean(axis=0)
    return (_level(red), _level(green), _level(blue))


def _level(value: float) -> int:
    return min(int(value + 0.5), 255)


def _ground(mean: Rgb) -> Rgb:
    """What a drawing of this mean colour stands out from. Luma: ITU-R BT.601, by which a full red is not dark."""
    red, green, blue = mean
    return PALE_SLATE if 0.299 * red + 0.587 * green + 0.114 * blue < _DARK else SLATE


def _laid_on_slate(image: Image.Image, mean: Rgb) -> Image.Image:
    margin = round(MARGIN * max(image.size))
    ground = Image.new("RGB", (image.width + 2 * margin, image.height + 2 * margin), _ground(mean))
    ground.paste(image, (margin, margin), mask=image.getchannel("A"))
    return ground


def _jpeg_within(image: Image.Image, size: int) -> bytes:
    """JPEG of the best quality that fits into `size` bytes."""
    for quality in _QUALITIES:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=quality)
        if buffer.tell() <= size:
            return buffer.getvalue()
    raise AssertionError(f"a tile of {image.size} does not fit {size} bytes at quality {_QUALITIES[-1]}")


def _medium_record(jpeg: bytes) -> bytes:
    return (len(jpeg).to_bytes(2, "little") + jpeg).ljust(MEDIUM_RECORD_BYTES, b"\0")


def _end(records: slice | Ints | Ids | Sequence[int]) -> int:
    """One more than the highest record asked for."""
    if isinstance(records, slice):
        return int(records.stop or 0)
    return int(np.max(records, initial=-1)) + 1


def _half(rgba: Bytes) -> Bytes:
    """Mean of each 2 x 2 block, four channels at a time in one 32-bit word; the rounding of the two steps cancels.

    a + b = 2 (a & b) + (a ^ b) = 2 (a | b) - (a ^ b): so the mean, rounded down or up, needs no wider integers.
    """
    words = rgba.view(np.uint32)[..., 0]
    above, below = words[..., 0::2, :], words[..., 1::2, :]
    rows = (above | below) - (((above ^ below) >> np.uint32(1)) & np.uint32(0x7F7F7F7F))
    left, right = rows[..., 0::2], rows[..., 1::2]
    means = (left & right) + (((left ^ right) >> np.uint32(1)) & np.uint32(0x7F7F7F7F))
    return np.ascontiguousarray(means)[..., None].view(np.uint8)
