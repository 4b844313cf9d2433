"""Thumbnails on disk: two flat files, a record an image in each, read ready to upload."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import simplejpeg

from atlas_rt.core.arrays import Bytes, Ids, Ints
from atlas_rt.core.images import SMALL_TILE_PX
from atlas_rt.errors import MissingError
from atlas_rt.library.disk_errors import damaged
from atlas_rt.library.record_file import RecordFile, read_record

SMALL_FILE, MEDIUM_FILE = "tiles-32.bin", "tiles-128.bin"
SMALL_RECORD_BYTES = SMALL_TILE_PX * SMALL_TILE_PX * 3
MEDIUM_RECORD_BYTES = 8192
"""Two bytes of length (little endian), a JPEG, zeros."""
RECORD_BYTES = {SMALL_FILE: SMALL_RECORD_BYTES, MEDIUM_FILE: MEDIUM_RECORD_BYTES}

Rgb = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class TileSet:
    """One image's thumbnails.

    small: (32, 32, 3) uint8. medium: JPEG of 128 x 128 that fits a record. mean_rgb: mean colour of what one sees.
    aspect: width / height of the tile's content, within 1/CARD_ASPECT_MAX..CARD_ASPECT_MAX.
    """

    small: Bytes
    medium: bytes
    mean_rgb: Rgb
    aspect: float


class TileFiles:
    """The tiles of a library, a record an image, in `tiles-32.bin` and `tiles-128.bin`.

    count: records that are named (`StoreReader.named_tiles`). One thread at a time per object; any number of objects
    may read while one writes. A reader that asks for a record behind its count finds it if the writer has put it there.
    """

    def __init__(self, folder: Path, *, writable: bool = False, count: int = 0) -> None:
        self._folder = folder
        self._writable = writable
        self._small = RecordFile(folder / SMALL_FILE, SMALL_RECORD_BYTES, writable=writable, count=count)
        self._medium = RecordFile(folder / MEDIUM_FILE, MEDIUM_RECORD_BYTES, writable=writable, count=count)

    @property
    def count(self) -> int:
        """Records in both files."""
        return min(self._small.count, self._medium.count)

    def append(self, sets: Sequence[TileSet]) -> int:
        """Add records; the first one's number. Raises MissingError where the disk refuses, nothing is added then."""
        first = self.count
        self._small.count = self._medium.count = first
        self._small.append(b"".join(tiles.small.tobytes() for tiles in sets))
        self._medium.append(b"".join(_medium_record(tiles.medium) for tiles in sets))
        return first

    def small(self, records: slice | Ints | Ids | Sequence[int]) -> Bytes:
        """(n, 32, 32, 3) of these records: a view of the map for a slice, otherwise a copy.

        Raises MissingError where the files are shorter.
        """
        self._reach(self._small, _end(records))
        shaped = self._small.records().reshape(-1, SMALL_TILE_PX, SMALL_TILE_PX, 3)
        return shaped[records]

    def medium_rgba(self, record: int) -> Bytes:
        """(128, 128, 4), decoded: 0.08 ms. Raises MissingError where the files are shorter or damaged."""
        self._reach(self._medium, record + 1)
        row = self._medium.records()[record]
        length = int(row[0]) | int(row[1]) << 8
        try:
            pixels: Bytes = simplejpeg.decode_jpeg(row[2 : 2 + length].tobytes(), colorspace="RGBA")
        except ValueError as error:
            raise damaged(self._folder) from error
        return pixels

    def flush(self) -> None:
        """Wait until the disk has what was appended: call it before the transaction that names it."""
        self._small.flush()
        self._medium.flush()

    def close(self) -> None:
        """Let go of the files; arrays handed out stay valid."""
        self._small.close()
        self._medium.close()

    def _reach(self, file: RecordFile, count: int) -> None:
        """As a reader, take note that the writer has come this far. Raises MissingError where it has not."""
        if self._writable or count <= file.count:
            return
        known, file.count = file.count, count
        try:
            file.records()
        except MissingError:
            file.count = known  # one record too many hides none of those that are there
            raise


def read_tiles(folder: Path, record: int, *, mean_rgb: Rgb, aspect: float) -> TileSet:
    """The tiles of one image of a library that another process may write, or delete: read, and not mapped.

    Raises MissingError where they are not there or damaged.
    """
    small = read_record(folder / SMALL_FILE, record, SMALL_RECORD_BYTES)
    medium = read_record(folder / MEDIUM_FILE, record, MEDIUM_RECORD_BYTES)
    jpeg = medium[2 : 2 + int.from_bytes(medium[:2], "little")]
    try:
        simplejpeg.decode_jpeg(jpeg)
    except ValueError as error:
        raise damaged(folder) from error
    shape = (SMALL_TILE_PX, SMALL_TILE_PX, 3)
    return TileSet(np.frombuffer(small, np.uint8).reshape(shape), jpeg, mean_rgb, aspect)


def _medium_record(jpeg: bytes) -> bytes:
    return (len(jpeg).to_bytes(2, "little") + jpeg).ljust(MEDIUM_RECORD_BYTES, b"\0")


def _end(records: slice | Ints | Ids | Sequence[int]) -> int:
    """One more than the highest record asked for."""
    if isinstance(records, slice):
        return int(records.stop or 0)
    return int(np.max(records, initial=-1)) + 1
