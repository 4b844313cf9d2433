"""Thumbnails made from decoded pictures.

Every tile is a square that its picture fills; the card restores the aspect. sRGB, top row first.
"""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageStat

from atlas_rt.core.arrays import Bytes
from atlas_rt.core.images import CARD_ASPECT_MAX, LARGE_TILE_PX, MEDIUM_TILE_PX, SMALL_TILE_PX
from atlas_rt.library.decoding.decode import Decoded, read_picture
from atlas_rt.library.decoding.stored_picture import Enough
from atlas_rt.library.file_content import read
from atlas_rt.library.formats import suffix_of
from atlas_rt.library.tile_files import MEDIUM_RECORD_BYTES, Rgb, TileSet

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


def ground_of(image: Image.Image) -> Rgb | None:
    """What a picture lies on where it is transparent; None for one that has no alpha channel."""
    mean = _opaque_mean(image)
    return _ground(mean) if mean else None


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
    return read_picture(read(path), enough=enough, suffix=suffix_of(path))


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
