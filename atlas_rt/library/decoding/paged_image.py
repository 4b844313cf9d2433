"""Pictures whose pixels lie in a temporary file instead of in memory, which the system pages in and out as it needs.

500 megapixels take 2 GB. In a mapped file they cost the process 30 MB of memory of its own while a JPEG is decoded.
"""

from __future__ import annotations

import mmap
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image

_core: Any = getattr(Image, "core")  # noqa: B009  what Pillow itself uses, and does not type
BYTES = {"L": 1, "RGB": 4, "RGBA": 4, "CMYK": 4}
"""Mode -> bytes for a pixel in Pillow's memory, of the modes that can lie in a file."""
SHARE_OF_DISK = 0.5
"""Of what is free, at most."""
FILE_BYTES_MAX = 8_000_000_000


def room_in(folder: Path) -> int:
    """Bytes that such files may take in a folder."""
    try:
        return min(int(shutil.disk_usage(folder).free * SHARE_OF_DISK), FILE_BYTES_MAX)
    except OSError:
        return 0


def paged_image(mode: str, size: tuple[int, int], folder: Path) -> Image.Image:
    """A black picture in a file of `folder`, which is gone with it. Raises OSError where there is no room.

    The room is taken at once: a mapped file that the disk has no room for would end the process when written to.
    """
    length = size[0] * size[1] * BYTES[mode]
    if length > room_in(folder):
        raise OSError("no room for the picture")
    with tempfile.TemporaryFile(dir=folder) as file:
        file.truncate(length)
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, length)
        pixels = mmap.mmap(file.fileno(), length)
    # What Pillow does itself with uncompressed files that it opens by name; the picture keeps the mapping.
    return Image.Image()._new(_core.map_buffer(pixels, size, "raw", 0, (mode, 0, 1)))
