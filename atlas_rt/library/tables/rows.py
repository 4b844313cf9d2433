"""The rows of a shard: an image with all that a library keeps of it, or a file that could not become one.

Plain values, without pyarrow: a worker makes them, a shard holds them, a library takes them in.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from atlas_rt.library.metadata.file_metadata import FileMetadata
from atlas_rt.library.tile_files import TileSet

VECTOR_TOLERANCE = 0.01
"""By how much a vector's length may differ from one; float16 alone makes it 0.001."""

Label = tuple[str, float]
"""A word and the confidence in it, 0..1."""


@dataclass(frozen=True, slots=True)
class Item:
    """One file or object that was read, or is to be. uri: its path, or its `s3://bucket/key` exactly as the key is.

    etag: of an object, without quotes; empty for files. mtime_ns: when it was changed last, since 1970.
    """

    uri: str
    size: int
    mtime_ns: int = 0
    etag: str = ""


@dataclass(frozen=True, slots=True)
class ImageRow:
    """An image. content_hash: `file_content.content_hash` of its bytes. width_px, height_px: of the upright original.

    vector: (dim,) float16, unit length. tiles, metadata: as the library keeps them. labels: best first.
    incomplete: which part of the picture is missing; empty if none is.
    """

    item: Item
    content_hash: bytes
    width_px: int
    height_px: int
    vector: NDArray[np.float16]
    tiles: TileSet
    metadata: FileMetadata
    labels: tuple[Label, ...] = ()
    incomplete: str = ""


@dataclass(frozen=True, slots=True)
class FailureRow:
    """A file that could not become an image. stage: "read", "decode" or "encode". content_hash: empty if not read."""

    item: Item
    reason: str
    stage: str
    content_hash: bytes = field(default=b"")


Row = ImageRow | FailureRow


def is_unit(vector: NDArray[np.floating]) -> bool:
    """Whether (dim,) has length one, as float16 keeps it; what holds no number has not."""
    with np.errstate(all="ignore"):
        return bool(abs(float(np.linalg.norm(vector.astype(np.float32))) - 1.0) < VECTOR_TOLERANCE)
