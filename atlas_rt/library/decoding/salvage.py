"""What can be shown of a file that Pillow refuses as it is.

First the picture without what only surrounds it (text, animation, indexes, stray markers), then as many rows of it as
there are; OpenCV is asked before a file is called damaged. A file that Pillow reads never comes here, so none of this
costs a sound picture any time.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from PIL import Image

from atlas_rt.errors import DecodeError
from atlas_rt.library.decoding import jpeg_segments, png_chunks, webp_chunks
from atlas_rt.library.decoding.file_structure import Format, format_of, is_cut_short, missing_bytes, size_of
from atlas_rt.library.decoding.gif_blocks import without_transparency
from atlas_rt.library.decoding.opencv_decode import load_with_opencv
from atlas_rt.library.decoding.stored_picture import Enough, Part, Stored, check_size, load, opened, reduced
from atlas_rt.library.decoding.written_pixels import MISSING, written_pixels
from atlas_rt.library.formats import FILE_BYTES_MAX

LEAST_SHARE = 0.1
"""Of its rows; a picture of which less is there is refused."""
END_MISSING = "the file is cut short: its end marker is missing, and every pixel is there"
_NOISE = random.Random(0).randbytes(2048).replace(b"\xff", b"\x5a")
"""Coded data of no picture, without markers."""
_ROOM = bytes(1 << 16)
"""Zeros behind a TIFF whose last directory values are cut off."""
_CODED = frozenset(["JPEG", "PNG"])
"""Formats whose data do not end in zeros: those stand where a download has not come to."""
DEFLATED = 8 * 1032
"""Pixels in a byte, at most: eight to a byte before deflating, which makes one of 1032."""
_DENSEST: dict[Format, int] = {"BMP": 128}
"""Where they can be less: a byte of a run in a bitmap stands for at most 127 pixels."""
_ALL_PX = Enough(1 << 30, 1 << 30)


def salvage(data: bytes, enough: Enough, refusal: Exception) -> Stored:
    """The picture, or the part of it that is there. refusal: what Pillow said.

    Raises DecodeError with the reason where less than LEAST_SHARE is there.
    """
    format_ = format_of(data)
    if format_ is None:
        raise DecodeError("it is not a picture in a known format") from refusal
    if format_ in _CODED:
        data = data.rstrip(b"\0")
    part = _tried(_WAYS[format_], data, enough) if _is_plausible(data, format_) else None
    cut = is_cut_short(data, format_)
    if part and part.is_whole:
        return replace(part.stored, incomplete=END_MISSING) if cut and format_ == "JPEG" else part.stored
    if not cut:
        with contextlib.suppress(DecodeError):
            return load_with_opencv(data, format_, enough)
    if part and part.share >= LEAST_SHARE:
        return replace(part.stored, incomplete=_what_is_missing(part, cut=cut))
    raise DecodeError(_too_little(part) if cut else _defect(data, format_, refusal)) from refusal


def _is_plausible(data: bytes, format_: Format) -> bool:
    """Whether so few bytes can hold a tenth of the picture: a damaged header must not cost gigabytes and seconds."""
    size = size_of(data, format_)
    return size is None or size[0] * size[1] * LEAST_SHARE <= _DENSEST.get(format_, DEFLATED) * len(data)


def _tried(way: Callable[[bytes, Enough], Part | None], data: bytes, enough: Enough) -> Part | None:
    """What a way gives, None where a decoder refuses. Raises DecodeError for a picture that is too large."""
    try:
        return way(data, enough)
    except (DecodeError, MemoryError):
        raise
    except Exception:  # noqa: BLE001  decoders raise anything on broken files
        return None


def _loaded(data: bytes, enough: Enough) -> Part:
    return Part(load(data, enough))


def _jpeg(data: bytes, enough: Enough) -> Part | None:
    """With its orientation where that can be read, otherwise without."""
    for exif in (True, False):
        jpeg = jpeg_segments.essential(data, exif=exif)
        part = _tried(_jpeg_loaded if jpeg.ended else _jpeg_rows, jpeg.data, enough)
        if part and not part.is_whole and jpeg.scans > 1:  # the first scan went over the whole picture
            return Part(part.stored, coarse=True)
        if part:
            return part
    return None


def _jpeg_loaded(data: bytes, enough: Enough) -> Part:
    return _loaded(data + jpeg_segments.EOI, enough)


def _jpeg_rows(data: bytes, enough: Enough) -> Part:
    data = data.rstrip(b"\xff")  # a marker may have been cut in two
    return _unlike(data + jpeg_segments.EOI, data + _NOISE + jpeg_segments.EOI, enough)


def _box_rows(data: bytes, enough: Enough) -> Part | None:
    missing = missing_bytes(data)
    if not 0 < missing < FILE_BYTES_MAX:
        return None
    noise = (_NOISE * (1 + missing // len(_NOISE)))[:missing]
    part = _unlike(data + bytes(missing), data + noise, enough)
    image = part.stored.image
    image.paste(MISSING[image.mode], (0, int(part.share * image.height), *image.size))
    return part


def _unlike(silent: bytes, noisy: bytes, enough: Enough) -> Part:
    """A picture whose decoder fills up what is missing: noise behind the data changes only what is not there."""
    stored, other = load(silent, enough), load(noisy, enough)
    rows = (np.asarray(stored.image) == np.asarray(other.image)).reshape(stored.image.height, -1).all(axis=1)
    return Part(stored, 1.0 if rows.all() else float(np.argmin(rows)) / len(rows))


def _png(data: bytes, enough: Enough) -> Part | None:
    png = png_chunks.essential(data)
    part = _tried(_loaded, png.data, enough) or written_pixels(png.data, enough)
    return replace(part, stored=replace(part.stored, profile=png.profile))


def _gif(data: bytes, enough: Enough) -> Part:
    with opened(data, enough) as (file, _):
        transparency = file.info.get("transparency")
    return written_pixels(without_transparency(data), enough, transparency)


def _tiff(data: bytes, enough: Enough) -> Part | None:
    """With zeros behind it where its directory reaches beyond the end; what they stand for is not the picture's own."""
    part = _tried(written_pixels, data, enough)
    if part and part.share:
        return part
    roomy = written_pixels(data + _ROOM, enough)
    return replace(roomy, share=min(roomy.share, 0.99))


def _webp(data: bytes, enough: Enough) -> Part | None:
    frame = webp_chunks.first_frame(data)
    if frame is None:
        part = _webp_rows(data, enough)
        return part and replace(part, stored=replace(part.stored, profile=webp_chunks.profile_of(data)))
    part = _tried(_loaded, frame.data, _ALL_PX) or _webp_rows(frame.data, _ALL_PX)
    if part is None:
        return None
    check_size(*frame.canvas)
    canvas = Image.new("RGBA", frame.canvas)
    canvas.paste(part.stored.image.convert("RGBA"), (frame.left, frame.top))
    return replace(part, stored=Stored(reduced(canvas, enough), *frame.canvas, frame.profile))


def _webp_rows(data: bytes, enough: Enough) -> Part | None:
    size = webp_chunks.size_of(data)
    if size is None:
        return None
    check_size(*size)
    pixels, rows = webp_chunks.rows_there(data, size)
    pixels[rows:] = MISSING["RGBA"]
    return Part(Stored(reduced(Image.fromarray(pixels), enough), *size), rows / size[1])


_WAYS: dict[Format, Callable[[bytes, Enough], Part | None]] = {
    "JPEG": _jpeg,
    "PNG": _png,
    "GIF": _gif,
    "TIFF": _tiff,
    "WEBP": _webp,
    "BMP": written_pixels,
    "AVIF": _box_rows,
    "HEIF": _box_rows,
}
"""Format -> how to get at what is there."""


def _what_is_missing(part: Part, *, cut: bool) -> str:
    defect = "the file is cut short" if cut else "the picture data is damaged"
    if part.share == 1.0:
        return f"{defect}: all of its rows are there, but not all of their detail"
    return f"{defect}: {_percent(part.share)} of its rows {'are there' if cut else 'can be read'}"


def _too_little(part: Part | None) -> str:
    if part and part.share:
        return f"the file is cut short: only {_percent(part.share)} of its rows are there"
    return "the file is cut short"


def _percent(share: float) -> str:
    return f"{min(max(int(share * 100), 1), 99)} %"


def _defect(data: bytes, format_: Format, refusal: Exception) -> str:
    """What is wrong with a file that is all there, in a few plain words: Pillow's own name objects and addresses."""
    text = str(refusal).lower()
    uncommon = format_ == "JPEG" and not jpeg_segments.essential(data).is_common
    if uncommon or "unsupported" in text or "not supported" in text:
        return "it uses a variant of its format that cannot be read"
    if size_of(data, format_) is None:
        return "its header is damaged"
    return "the picture data is damaged"
