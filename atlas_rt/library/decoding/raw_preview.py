"""The picture that a camera embeds in its RAW file, and which way up it belongs."""

from __future__ import annotations

import io

from atlas_rt.errors import DecodeError
from atlas_rt.library.decoding.native_messages import unheard

_FLIPS = {3: 3, 5: 8, 6: 6}
"""LibRaw's flip (180 degrees, 90 to the left, 90 to the right) -> EXIF orientation."""


def raw_preview(data: bytes) -> tuple[bytes, int]:
    """The embedded JPEG, and the orientation of the photograph for a preview that tells none. Raises DecodeError."""
    import rawpy

    try:
        with unheard(), rawpy.imread(io.BytesIO(data)) as raw:
            preview, flip = raw.extract_thumb(), int(raw.sizes.flip)
    except rawpy.LibRawError as error:
        raise DecodeError(_reason(error)) from error
    if preview.format != rawpy.ThumbFormat.JPEG:
        raise DecodeError("the RAW file holds no JPEG preview")
    return bytes(preview.data), orientation_of_flip(flip)


def orientation_of_flip(flip: int) -> int:
    """The EXIF orientation, 1 to 8, that turns a photograph as LibRaw's `sizes.flip` does."""
    return _FLIPS.get(flip, 1)


def _reason(error: Exception) -> str:
    text = str(error).lower()
    if "unsupported" in text:
        return "it uses a variant of its format that cannot be read"
    return "the RAW file holds no preview" if "thumb" in text else "the picture data is damaged"
