"""Pixels of any depth, palette, colour model or profile, as 8-bit sRGB."""

from __future__ import annotations

import io
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from atlas_rt.errors import DecodeError

_PROFILE_TOLERANCE = 3
"""A profile that changes no colour by more levels than this is sRGB by another name."""


def eight_bits(image: Image.Image) -> Image.Image:
    """The same picture as L, RGB, RGBA, CMYK or LAB."""
    if image.mode.startswith("I") or image.mode == "F":
        return from_deep(np.asarray(image))
    if image.mode in ("LA", "La", "PA", "RGBa") or "transparency" in image.info:
        return image.convert("RGBA")
    if image.mode in ("L", "RGB", "RGBA", "CMYK", "LAB"):
        image.load()
        return image
    return image.convert("RGB")


def from_deep(values: NDArray[np.generic]) -> Image.Image:
    """(h, w) grey values or (h, w, 3) colours of 16 or 32 bits, or floats, as L or RGB.

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


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
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


def opaque_if_possible(image: Image.Image) -> Image.Image:
    """RGB where the alpha channel hides nothing."""
    if image.mode == "RGBA" and image.getchannel("A").getextrema()[0] == 255:
        return image.convert("RGB")
    return image
