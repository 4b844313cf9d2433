"""Preprocessing as data: how one encoder wants its picture, and the one function that obeys."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from atlas_rt.core.arrays import Bytes, Floats

RESAMPLING = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}
RESIZES = ("letterbox", "crop", "squash")
REDUCING_GAP = 4.0
"""Larger pictures are first averaged in whole boxes down to about this many times the target: a 12-megapixel PNG, which
cannot be reduced while decoding, then costs a third of the time, and its vector keeps cosine 0.9986 in the mean."""


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How an encoder's input is made of a picture.

    size_px: side of the square input. resize: "letterbox" keeps the aspect and pads with `fill`; "crop" keeps it and
    cuts the long side around the centre; "squash" stretches. pixel_max: what a white pixel becomes (255 or 1) before
    `mean` is subtracted and the rest divided by `std`, where given. fill: RGB bytes; in a letterbox also what shows
    through transparent pixels. Crop and squash are open_clip's transforms, to the pixel where nothing was reduced
    before, and so drop the alpha channel after resizing: what was transparent is black.
    """

    size_px: int
    resize: str = "letterbox"
    interpolation: str = "bicubic"
    fill: tuple[int, int, int] = (255, 255, 255)
    pixel_max: float = 255.0
    mean: tuple[float, float, float] | None = None
    std: tuple[float, float, float] | None = None


def to_input(image: Image.Image, spec: Preprocessing) -> Floats:
    """An oriented sRGB picture (mode RGB or RGBA) -> (3, size, size) float32, as the encoder wants it.

    Resizing is antialiased; without that a vector falls to cosine 0.94 of the right one.
    """
    square = _fit(image, spec)
    pixels = np.ascontiguousarray(square.transpose(2, 0, 1), dtype=np.float32)
    if spec.pixel_max != 255.0:
        pixels *= np.float32(spec.pixel_max / 255.0)
    if spec.mean is not None:
        pixels -= np.asarray(spec.mean, np.float32)[:, None, None]
    if spec.std is not None:
        pixels /= np.asarray(spec.std, np.float32)[:, None, None]
    return pixels


def _fit(image: Image.Image, spec: Preprocessing) -> Bytes:
    """The picture in its square: (size, size, 3) uint8."""
    image = _reduced(image, spec)
    size = spec.size_px
    if spec.resize == "letterbox":
        # Laid on the fill and padded before resizing, as in training: the other order moves edges by a fraction of a
        # pixel and the vectors of drawings to cosine 0.995 in the mean, 0.95 at worst.
        return np.asarray(_resized(_padded(_flattened(image, spec), spec), size, size, spec))
    if spec.resize == "squash":
        return np.asarray(_resized(image, size, size, spec).convert("RGB"))
    short, long = min(image.size), int(size * max(image.size) / min(image.size))  # cut off, not rounded
    width, height = (size, long) if image.width == short else (long, size)
    left, top = round((width - size) / 2), round((height - size) / 2)
    return np.asarray(_resized(image, width, height, spec).crop((left, top, left + size, top + size)).convert("RGB"))


def _reduced(image: Image.Image, spec: Preprocessing) -> Image.Image:
    """Averaged over whole boxes, while each side that matters stays well above the target."""
    short, long = min(image.size), max(image.size)
    sides = {"crop": (short, short), "letterbox": (long, long), "squash": image.size}[spec.resize]
    across, down = (max(1, int(side / spec.size_px / REDUCING_GAP)) for side in sides)
    if across == down == 1:
        return image
    if image.mode != "RGBA":
        return image.reduce((across, down))
    return image.convert("RGBa").reduce((across, down)).convert("RGBA")


def _flattened(image: Image.Image, spec: Preprocessing) -> Image.Image:
    if image.mode != "RGBA":
        return image
    flat = Image.new("RGB", image.size, spec.fill)
    flat.paste(image, mask=image)
    return flat


def _padded(image: Image.Image, spec: Preprocessing) -> Image.Image:
    side = max(image.size)
    if image.size == (side, side):
        return image
    square = Image.new("RGB", (side, side), spec.fill)
    square.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
    return square


def _resized(image: Image.Image, width: int, height: int, spec: Preprocessing) -> Image.Image:
    return image if image.size == (width, height) else image.resize((width, height), RESAMPLING[spec.interpolation])
