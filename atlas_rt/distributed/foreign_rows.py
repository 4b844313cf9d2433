"""Rows of another program's table made rows of a shard.

Vectors and positions are theirs. Tiles, size, metadata and what the content is recognised by come from the image, where
it is in the table or can be read; without it the card is plain grey and says so.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from atlas_rt.core.images import MEDIUM_TILE_PX, SMALL_TILE_PX
from atlas_rt.core.metadata import NOTHING_KNOWN
from atlas_rt.core.vectors import unit
from atlas_rt.distributed.image_worker import ImageWorker, PreparedImage, Unusable
from atlas_rt.errors import DecodeError
from atlas_rt.library.file_content import read
from atlas_rt.library.metadata.file_metadata import FileMetadata
from atlas_rt.library.tables.foreign_table import ForeignTable
from atlas_rt.library.tables.rows import FailureRow, ImageRow, Item, Row
from atlas_rt.library.tables.shard import Position
from atlas_rt.library.tables.shard_file import position_of
from atlas_rt.library.tile_files import TileSet
from atlas_rt.library.tile_making import EMPTY

WITHOUT_PICTURE = "the image could not be read; only its vector is known"
TOGETHER = 64
"""Images that are prepared at the same time."""


def rows_of(table: ForeignTable, worker: ImageWorker, *, threads: int) -> Iterator[tuple[Row, Position | None]]:
    """Every row of a table, in its order, and where it is given to stand. Rows without a vector are encoded."""
    with ThreadPoolExecutor(max(1, threads), thread_name_prefix="table") as pool:
        for start in range(0, len(table.uris), TOGETHER):
            numbers = range(start, min(start + TOGETHER, len(table.uris)))
            for number, row in zip(numbers, pool.map(lambda each: _row(table, each, worker), numbers), strict=True):
                yield row, position_of(table.positions[number]) if table.positions is not None else None


def _row(table: ForeignTable, number: int, worker: ImageWorker) -> Row:
    item, image = _image(table, number, worker)
    if table.vectors is None:
        return _embedded(item, image, worker)
    given = table.vectors[number]
    length = float(np.linalg.norm(given.astype(np.float64)))
    if not np.isfinite(length) or length < 1e-6:
        return FailureRow(item, "the table has no vector of it that can be used", "encode")
    vector = unit(given[None])[0].astype(np.float16)
    if isinstance(image, Unusable):
        known = hashlib.blake2b(
            item.uri.encode("utf-8", "surrogateescape"), digest_size=16, person=b"no image"
        ).digest()
        size = (MEDIUM_TILE_PX, MEDIUM_TILE_PX)
        return ImageRow(
            item, known, *size, vector, plain_card(), FileMetadata(NOTHING_KNOWN), incomplete=WITHOUT_PICTURE
        )
    size = (image.width_px, image.height_px)
    return ImageRow(item, image.content_hash, *size, vector, image.tiles, image.metadata, incomplete=image.incomplete)


def _embedded(item: Item, image: PreparedImage | Unusable, worker: ImageWorker) -> Row:
    """By our own encoder."""
    if isinstance(image, Unusable):
        return FailureRow(item, image.reason, image.stage)
    return worker.finish(item, image)


def _image(table: ForeignTable, number: int, worker: ImageWorker) -> tuple[Item, PreparedImage | Unusable]:
    """The image that a row is about, from the table or from its file."""
    uri, given = table.uris[number], table.pictures.get(number)
    item = Item(uri, len(given) if given else 0)
    try:
        if given is None:
            status = Path(uri).stat()
            item = replace(item, size=status.st_size, mtime_ns=status.st_mtime_ns)
        data = read(uri) if given is None else given
    except (OSError, ValueError, DecodeError) as error:
        reason = str(error) if isinstance(error, DecodeError) else "it is not there"
        return item, Unusable(reason, "read")
    return item, worker.prepare(data, uri, mtime_ns=item.mtime_ns)


def plain_card() -> TileSet:
    """What is shown of an image that nobody could read."""
    medium = io.BytesIO()
    Image.new("RGB", (MEDIUM_TILE_PX, MEDIUM_TILE_PX), EMPTY).save(medium, "JPEG", quality=82)
    return TileSet(np.full((SMALL_TILE_PX, SMALL_TILE_PX, 3), EMPTY, np.uint8), medium.getvalue(), EMPTY, 1.0)
