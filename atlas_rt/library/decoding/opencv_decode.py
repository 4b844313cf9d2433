"""The second decoder: what Pillow refuses, OpenCV may know, such as a TIFF of floats in three channels."""

from __future__ import annotations

import numpy as np
from PIL import Image

from atlas_rt.core.library_path import library_path_kept
from atlas_rt.errors import DecodeError
from atlas_rt.library.decoding.colours import from_deep
from atlas_rt.library.decoding.file_structure import Format, size_of
from atlas_rt.library.decoding.native_messages import unheard
from atlas_rt.library.decoding.stored_picture import Enough, Stored, check_size, reduced

_TURNED_BY_OPENCV = frozenset(["JPEG", "WEBP", "AVIF"])
"""Formats with an orientation of their own, for which alpha and depth are given up to have OpenCV heed it."""


def load_with_opencv(data: bytes, format_: Format, enough: Enough) -> Stored:
    """The picture in a file's bytes. Raises DecodeError where OpenCV does not know it either, or it is too large."""
    with library_path_kept():
        import cv2  # 15 ms and 40 MB that few libraries need

    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    size = size_of(data, format_)
    if size is None:  # it could be of any size
        raise DecodeError("its header is damaged")
    check_size(*size)
    flags = cv2.IMREAD_COLOR if format_ in _TURNED_BY_OPENCV else cv2.IMREAD_UNCHANGED
    with unheard():
        try:
            pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
        except cv2.error as error:
            raise DecodeError("the picture data is damaged") from error
    if pixels is None:
        raise DecodeError("the picture data is damaged")
    height, width = pixels.shape[:2]
    if pixels.ndim == 3:
        pixels = pixels[..., [2, 1, 0, 3][: pixels.shape[2]] if pixels.shape[2] >= 3 else 0]
    image = Image.fromarray(np.ascontiguousarray(pixels)) if pixels.dtype == np.uint8 else from_deep(pixels)
    return Stored(reduced(image, enough), width, height)
