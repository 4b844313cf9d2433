"""A picture as its file stores it: 8 bits, reduced, but not turned yet and in its own colours. Read by Pillow.

Formats are told by content, never by name, and only those named here are tried: among Pillow's others is one that
starts Ghostscript.
"""

from __future__ import annotations

import contextlib
import io
import logging
import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec

from PIL import Image, ImageFile

from atlas_rt.errors import DecodeError
from atlas_rt.library.decoding.colours import eight_bits
from atlas_rt.library.decoding.native_messages import libtiff_is_silent, unheard

PIXELS_MAX = 300_000_000
"""A picture with more is refused: at 4 bytes a pixel it would take 1.2 GB."""
JPEG_PIXELS_MAX = 1_000_000_000
"""Of a JPEG, which is decoded line by line at an eighth of its size; a progressive one is held in memory whole."""

JPEGS = frozenset(["JPEG", "MPO"])
"""What Pillow calls a JPEG; the second has further pictures behind the first."""
JXL = "JXL"
"""What pylibjxl calls JPEG XL."""
_FORMATS = ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"]
_ORIENTATION_TAG = 0x0112
_TIFF = (b"II", b"MM")

# Pillow's own check ends in a warning, which is no answer; ours is `check_size`. Its other warnings tell of odd but
# readable files, its log of broken ones, and would reach the person's terminal.
Image.MAX_IMAGE_PIXELS = None
warnings.filterwarnings("ignore", module=r"PIL\.")
logging.getLogger("PIL").setLevel(logging.CRITICAL + 1)


@dataclass(frozen=True, slots=True)
class Enough:
    """How large a reduced picture must stay, at least; one smaller than this stays as it is."""

    long_px: int
    short_px: int

    def scale(self, width_px: int, height_px: int) -> float:
        """The factor, at most 1, by which a picture may shrink."""
        long, short = max(width_px, height_px), min(width_px, height_px)
        return min(1.0, max(self.long_px / long, self.short_px / short))


@dataclass(frozen=True, slots=True)
class Stored:
    """One picture of a file.

    image: L, RGB, RGBA (straight alpha), CMYK or LAB. width_px, height_px: of the original, as stored. profile: ICC.
    orientation: EXIF, 1 to 8, still to be applied; None where the file says nothing usable. incomplete: what is missing
    of it, in a few words; empty where nothing is.
    """

    image: Image.Image
    width_px: int
    height_px: int
    profile: bytes | None = None
    orientation: int | None = None
    incomplete: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """What is there of a picture. share: of its rows, 0..1. coarse: every row is there, but not all of its detail."""

    stored: Stored
    share: float = 1.0
    coarse: bool = False

    @property
    def is_whole(self) -> bool:
        return self.share == 1.0 and not self.coarse


def load(data: bytes, enough: Enough) -> Stored:
    """The whole picture in a file's bytes. Raises whatever Pillow does, and DecodeError for one that is too large."""
    with opened(data, enough) as (file, size):
        file.load()
        return Stored(reduced(eight_bits(file), enough), *size, file.info.get("icc_profile"), orientation_of(file))


@contextlib.contextmanager
def opened(data: bytes, enough: Enough) -> Iterator[tuple[ImageFile.ImageFile, tuple[int, int]]]:
    """A file about to be decoded, JPEG at the scale that is needed, and the original's width and height."""
    with header(data) as file:
        width_px, height_px = file.size
        scale = enough.scale(width_px, height_px)
        file.draft(None, (math.ceil(width_px * scale), math.ceil(height_px * scale)))
        check_size(*file.size)  # what is decoded: of a panorama in a JPEG that is little
        yield file, (width_px, height_px)


@contextlib.contextmanager
def header(data: bytes) -> Iterator[ImageFile.ImageFile]:
    """A file of which only the header was read. Raises DecodeError for a JPEG that is too large at any scale."""
    silent = not data.startswith(_TIFF) or libtiff_is_silent()
    with (
        contextlib.nullcontext() if silent else unheard(),
        Image.open(io.BytesIO(data), formats=formats_read()) as file,
    ):
        if file.format in JPEGS:
            check_size(*file.size, most=PIXELS_MAX if file.info.get("progressive") else JPEG_PIXELS_MAX)
        yield file


def check_size(width_px: int, height_px: int, *, most: int = PIXELS_MAX) -> None:
    """Raises DecodeError for a picture that is too large to be decoded."""
    if width_px * height_px > most:
        megapixels = width_px * height_px // 1_000_000
        raise DecodeError(f"it has {megapixels} megapixels, more than the {most // 1_000_000} that are read")


def orientation_of(file: ImageFile.ImageFile) -> int | None:
    """EXIF orientation that is still to be applied, 1 to 8; None where it is missing or broken.

    Pillow turns TIFF itself while loading, and says nothing afterwards. libjxl turns JPEG XL, where EXIF has no say.
    """
    if file.format == JXL:
        return None
    try:
        value = file.getexif().get(_ORIENTATION_TAG)
    except Exception:  # noqa: BLE001  broken EXIF is no reason to refuse the picture
        return None
    return value if value in range(1, 9) else None


def reduced(image: Image.Image, enough: Enough) -> Image.Image:
    """Averaged down by a whole factor, to no less than `enough`; premultiplied by Pillow where there is alpha."""
    factor = int(1.0 / enough.scale(*image.size))
    if factor < 2:
        return image
    return image.reduce((min(factor, image.width), min(factor, image.height)))


@lru_cache(maxsize=1)
def formats_read() -> list[str]:
    """The formats that are tried, with HEIF and JPEG XL where their readers are installed."""
    formats = list(_FORMATS)
    if find_spec("pillow_heif") is not None:
        import pillow_heif

        pillow_heif.register_heif_opener()
        formats.append("HEIF")
    if find_spec("pylibjxl") is not None:
        import pylibjxl

        pylibjxl.register_pillow()
        formats.append(JXL)
    return formats
