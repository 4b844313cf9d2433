"""A file's bytes made an upright sRGB picture, no larger than what is needed of it.

The story of one file: Pillow reads the header; JPEG is decoded at 1/2, 1/4 or 1/8 by scaling its DCT blocks (12
megapixels at 1/8: 14 ms; simplejpeg 13, OpenCV's reduced modes 17, so the one reader that also knows CMYK, profiles and
orientation is kept); everything is brought to 8 bits; what is still much too large is averaged down; then colours go to
sRGB and the EXIF orientation is applied, once. With tiles and encoder input 27 ms, against 235 for decoding and
resizing in full.

Formats are told by content, never by name, and only those named here are tried: among Pillow's others is one that
starts Ghostscript.
"""

from __future__ import annotations

import io
import math
import warnings
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageFile, UnidentifiedImageError

from atlas_rt.core.records import MEDIUM_TILE_PX
from atlas_rt.errors import DecodeError
from atlas_rt.library.formats import RAW_SUFFIXES

PIXELS_MAX = 300_000_000
"""A picture with more is refused: at 4 bytes a pixel it would take 1.2 GB."""

OVERSIZE = 3
"""How many times the encoder's input a reduced picture stays, for the antialiased resize after it to have something to
average. 50 photographs of 12 megapixels, starter model, cosine to the vector of the picture decoded in full: at 2 the
worst is 0.9888 and the mean 0.9954, at 3 they are 0.9967 and 0.9986 (DCT scale 1/4 instead of 1/8: 2 ms more)."""

_FORMATS = ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"]
_ORIENTATION_TAG = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF orientation -> what makes the picture upright (EXIF 2.32, tag 274)."""
_PROFILE_TOLERANCE = 3
"""A profile that changes no colour by more levels than this is sRGB by another name."""

# Pillow's own check ends in a warning, which is no answer; ours is `_check_size`. Its other warnings tell of odd but
# readable files and would reach the person's terminal.
Image.MAX_IMAGE_PIXELS = None
warnings.filterwarnings("ignore", module=r"PIL\.")


@dataclass(frozen=True, slots=True)
class Decoded:
    """One picture, upright, in sRGB.

    image: RGB, or RGBA (straight alpha) where something is transparent; reduced. width_px, height_px: of the upright
    original.
    """

    image: Image.Image
    width_px: int
    height_px: int


@dataclass(frozen=True, slots=True)
class Enough:
    """How large a reduced picture must stay, at least; one smaller than this stays as it is."""

    long_px: int
    short_px: int

    def scale(self, width_px: int, height_px: int) -> float:
        """The factor, at most 1, by which a picture may shrink."""
        long, short = max(width_px, height_px), min(width_px, height_px)
        return min(1.0, max(self.long_px / long, self.short_px / short))


def read_image(data: bytes, *, target_px: int, fit: str = "letterbox", suffix: str = "") -> Decoded:
    """The picture in a file's bytes, large enough for the tiles and for an encoder's square input of `target_px`.

    OVERSIZE times the target is kept: of the long side where the whole picture goes into the square (fit "letterbox"),
    otherwise ("crop", "squash") of the short side. suffix: of the file's name, which only decides about camera RAW.
    Raises DecodeError, whose text is the reason in a few words.
    """
    side_px = OVERSIZE * target_px
    enough = Enough(side_px, MEDIUM_TILE_PX) if fit == "letterbox" else Enough(0, max(side_px, MEDIUM_TILE_PX))
    return read_picture(data, enough=enough, suffix=suffix)


def read_picture(data: bytes, *, enough: Enough, suffix: str = "") -> Decoded:
    """The picture in a file's bytes, reduced to no less than `enough`. Raises DecodeError."""
    if not data:
        raise DecodeError("the file is empty")
    try:
        if suffix in RAW_SUFFIXES:
            data = _raw_preview(data)
        return _decode(data, enough)
    except DecodeError:
        raise
    except UnidentifiedImageError as error:
        raise DecodeError("it is not a picture in a known format") from error
    except MemoryError as error:
        raise DecodeError("it needs more memory than there is") from error
    except Exception as error:
        raise DecodeError(_reason(error)) from error


def _decode(data: bytes, enough: Enough) -> Decoded:
    with Image.open(io.BytesIO(data), formats=_formats()) as file:
        width_px, height_px = file.size
        _check_size(width_px, height_px)
        scale = enough.scale(width_px, height_px)
        file.draft(None, (math.ceil(width_px * scale), math.ceil(height_px * scale)))
        file.load()
        orientation = _orientation(file)
        profile = file.info.get("icc_profile")
        image = _reduce(_eight_bits(file), enough)
    image = _opaque_if_possible(_to_srgb(image, profile))
    if orientation in _UPRIGHT:
        image = image.transpose(_UPRIGHT[orientation])
    if orientation >= 5:
        width_px, height_px = height_px, width_px
    return Decoded(image, width_px, height_px)


def _check_size(width_px: int, height_px: int) -> None:
    if width_px * height_px > PIXELS_MAX:
        megapixels = width_px * height_px // 1_000_000
        raise DecodeError(f"it has {megapixels} megapixels, more than the {PIXELS_MAX // 1_000_000} that are read")


@lru_cache(maxsize=1)
def _formats() -> list[str]:
    """The formats that are tried, with HEIF where its reader is installed."""
    if find_spec("pillow_heif") is None:
        return _FORMATS
    import pillow_heif

    pillow_heif.register_heif_opener()
    return [*_FORMATS, "HEIF"]


def _raw_preview(data: bytes) -> bytes:
    """The JPEG that a camera embeds in its RAW file. Raises DecodeError where there is none."""
    import rawpy

    with rawpy.imread(io.BytesIO(data)) as raw:
        preview = raw.extract_thumb()
    if preview.format != rawpy.ThumbFormat.JPEG:
        raise DecodeError("the RAW file holds no JPEG preview")
    return bytes(preview.data)


def _orientation(file: ImageFile.ImageFile) -> int:
    """EXIF orientation that is still to be applied, 1 to 8; 1 where it is missing or broken.

    Pillow turns TIFF itself while loading, and says 1 afterwards.
    """
    try:
        value = file.getexif().get(_ORIENTATION_TAG, 1)
    except Exception:  # noqa: BLE001  broken EXIF is no reason to refuse the picture
        return 1
    return value if value in _UPRIGHT else 1


def _eight_bits(image: Image.Image) -> Image.Image:
    """The same picture as L, RGB, RGBA, CMYK or LAB."""
    if image.mode.startswith("I") or image.mode == "F":
        return _from_deep(np.asarray(image))
    if image.mode in ("LA", "La", "PA", "RGBa") or "transparency" in image.info:
        return image.convert("RGBA")
    if image.mode in ("L", "RGB", "RGBA", "CMYK", "LAB"):
        image.load()
        return image
    return image.convert("RGB")


def _from_deep(values: NDArray[np.generic]) -> Image.Image:
    """(h, w) grey values of 16 or 32 bits, or floats, as L.

    16 bits scale by their full range, as the formats define it. Wider ones have no agreed range: kept where they fit a
    common one (0..1 for floats, 0..255, 0..65535), otherwise stretched from the darkest to the brightest.
    """
    grey = np.nan_to_num(values.astype(np.float32), posinf=0.0, neginf=0.0)
    low, high = float(grey.min()), float(grey.max())
    if values.dtype.itemsize == 2:
        low, high = 0.0, 65535.0
    elif low >= 0.0 and high <= 65535.0:
        low, high = 0.0, 1.0 if values.dtype.kind == "f" and high <= 1.0 else 255.0 if high <= 255.0 else 65535.0
    scaled = (grey - low) * (255.0 / max(high - low, 1e-9))
    return Image.fromarray(np.clip(scaled + 0.5, 0, 255).astype(np.uint8))


def _reduce(image: Image.Image, enough: Enough) -> Image.Image:
    """Averaged down by a whole factor, to no less than `enough`; premultiplied by Pillow where there is alpha."""
    factor = int(1.0 / enough.scale(*image.size))
    if factor < 2:
        return image
    return image.reduce((min(factor, image.width), min(factor, image.height)))


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """RGB or RGBA in sRGB."""
    alpha = image.getchannel("A") if image.mode == "RGBA" else None
    plain = image.convert("RGB") if alpha else image
    transform = _transform(profile or b"", plain.mode)
    converted = ImageCms.applyTransform(plain, transform) if transform else plain.convert("RGB")
    if converted is None:
        raise DecodeError("its colour profile is damaged")
    if alpha:
        converted.putalpha(alpha)
    return converted


@lru_cache(maxsize=32)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """The way from a profile to sRGB; None where there is nothing to do, or the profile is damaged or of another mode.

    One is made per profile: building takes milliseconds, a library has a handful, and threads may share it.
    """
    if not profile and mode != "LAB":
        return None
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile)) if mode != "LAB" else ImageCms.createProfile("LAB")
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None
    return None if mode == "RGB" and _changes_nothing(transform) else transform


def _changes_nothing(transform: ImageCms.ImageCmsTransform) -> bool:
    """Whether a grid of colours comes out as it went in."""
    levels = np.arange(0, 256, 51, dtype=np.uint8)
    grid = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(1, -1, 3)
    result = ImageCms.applyTransform(Image.fromarray(grid), transform)
    if result is None:
        return True
    return int(np.abs(np.asarray(result).astype(int) - grid).max()) <= _PROFILE_TOLERANCE


def _opaque_if_possible(image: Image.Image) -> Image.Image:
    """RGB where the alpha channel hides nothing."""
    if image.mode == "RGBA" and image.getchannel("A").getextrema()[0] == 255:
        return image.convert("RGB")
    return image


def _reason(error: Exception) -> str:
    """Why Pillow gave up, in a few plain words: its own texts name objects, tiles and addresses."""
    text = str(error).lower()
    if "truncated" in text or "not enough" in text or isinstance(error, EOFError):
        return "the file is cut short"
    if "unsupported" in text or "not supported" in text:
        return "it uses a variant of its format that cannot be read"
    return "the picture data is damaged"
