"""What Pillow writes of a picture before it gives up, and which pixels those are.

Its decoders write into a picture that is there already. It is filled with one value first, then with another: pixels
that differ afterwards were never written.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from atlas_rt.core.arrays import Bytes
from atlas_rt.library.decoding.colours import eight_bits
from atlas_rt.library.decoding.stored_picture import Enough, Part, Stored, opened, orientation_of, reduced

MISSING: dict[str, int | tuple[int, ...]] = {
    "L": 128,
    "RGB": (128, 128, 128),
    "RGBA": (128, 128, 128, 255),
    "CMYK": (0, 0, 0, 127),
    "LAB": (137, 128, 128),
}
"""Mode -> what stands for missing pixels: the grey that JPEG decoders put there."""
_ADAM7 = ((2, 1), (2, 2), (4, 2), (4, 4), (8, 4), (8, 8))
"""Rows and columns that a pixel stands for after the sixth pass of an interlaced PNG, after the fifth, ... first."""
_GIF_PASSES = ((2, 1), (4, 1), (8, 1))

_BAND_ROWS = 256

Passes = tuple[tuple[int, int], ...]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Attempt:
    """image: as decoded, of any mode. box: where the file puts pixels at all: left, top, right, bottom."""

    image: Image.Image
    width_px: int
    height_px: int
    orientation: int | None
    box: tuple[int, int, int, int]
    passes: Passes


def written_pixels(data: bytes, enough: Enough, transparency: int | bytes | None = None) -> Part:
    """The picture, grey where nothing is written. Raises what Pillow's `open` does.

    transparency: the palette's, where the file had to be stripped of it.
    """
    first = _decoded(data, enough, 0)
    there = _alike(first.image, _decoded(data, enough, 1).image)
    left, top, right, bottom = first.box
    outside = np.ones_like(there)
    outside[top:bottom, left:right] = False
    there |= outside
    if transparency is not None:
        first.image.info["transparency"] = transparency
    image = eight_bits(first.image)
    coarse = bool(first.passes) and not there.all()
    if coarse:
        image = _without_holes(image, there, first.passes)
    share = float(there[top:bottom].all(axis=1).mean()) if bottom > top else 0.0
    if share < 1.0:
        image.paste(MISSING[image.mode], mask=Image.fromarray(~there))
    profile = first.image.info.get("icc_profile")
    stored = Stored(reduced(image, enough), first.width_px, first.height_px, profile, first.orientation)
    return Part(stored, share, coarse)


def _decoded(data: bytes, enough: Enough, ground: int) -> _Attempt:
    with opened(data, enough) as (file, size):
        boxes = np.array([tile[1] for tile in file.tile if tile[1]] or [(0, 0, *file.size)])
        box = (*boxes[:, :2].min(axis=0).tolist(), *boxes[:, 2:].max(axis=0).tolist())
        passes = _passes(file)
        file.im = Image.new(file.mode, file.size, ground).im
        _load_what_is_there(file)
        file.tile = []
        return _Attempt(file, *size, orientation_of(file), box, passes)


def _alike(first: Image.Image, second: Image.Image) -> Mask:
    """(h, w): which pixels of two pictures are the same. In bands: the pictures may be large."""
    there = np.zeros((first.height, first.width), np.bool_)
    for top in range(0, first.height, _BAND_ROWS):
        band = (0, top, first.width, min(top + _BAND_ROWS, first.height))
        same = np.asarray(first.crop(band)) == np.asarray(second.crop(band))
        there[band[1] : band[3]] = same.all(axis=2) if same.ndim == 3 else same
    return there


def _load_what_is_there(file: ImageFile.ImageFile) -> None:
    try:
        file.load()
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001  what was written until then is what is wanted
        return


def _passes(file: ImageFile.ImageFile) -> Passes:
    """In which coarse steps the file stores its pixels; empty where it goes from row to row."""
    if file.format == "PNG" and file.info.get("interlace"):
        return _ADAM7
    arguments = file.tile[0][3] if file.format == "GIF" and file.tile else ()
    return _GIF_PASSES if isinstance(arguments, tuple) and len(arguments) > 1 and arguments[1] else ()


def _without_holes(image: Image.Image, there: Mask, passes: Passes) -> Image.Image:
    """Pixels of later passes take the colour of the pixel that stood for them; `there` grows by them."""
    pixels: Bytes = np.array(image)
    rows, columns = np.arange(there.shape[0]), np.arange(there.shape[1])
    for height, width in passes:
        origin = np.ix_(rows // height * height, columns // width * width)
        holes = ~there & there[origin]
        pixels[holes] = pixels[origin][holes]
        there |= holes
    return Image.fromarray(pixels)
