"""A library as the rows of a shard: what `atlas-rt export -o x.parquet` writes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path

import numpy as np

from atlas_rt.core.metadata import NOTHING_KNOWN
from atlas_rt.library.metadata.file_metadata import FileMetadata
from atlas_rt.library.store import StoredImage, StoreReader
from atlas_rt.library.tables.rows import FailureRow, ImageRow, Item, Row
from atlas_rt.library.tile_files import read_tiles
from atlas_rt.library.vectors import read_vector

TOGETHER = 500
"""Images whose metadata is asked for at once."""


def rows_of(store: StoreReader, folder: Path, *, model_id: str, dim: int) -> Iterator[Row]:
    """Every image that is shown, by id, then every file that failed.

    folder: of the library. Raises MissingError where the library is damaged.
    """
    images = store.stored_images(model_id)
    return chain(_images(store, folder, images, model_id, dim), _failures(store))


def _images(
    store: StoreReader, folder: Path, images: Iterator[StoredImage], model_id: str, dim: int
) -> Iterator[ImageRow]:
    while part := list(islice(images, TOGETHER)):
        told = store.metadata_of(np.array([each.known.id for each in part], np.int64))
        for each in part:
            known = each.known
            assert known.vector_row is not None  # `stored_images` asks for those that have one
            yield ImageRow(
                Item(each.path, each.size, each.mtime_ns, each.etag),
                each.hash,
                known.width_px,
                known.height_px,
                read_vector(folder / model_id, known.vector_row, dim).astype(np.float16),
                read_tiles(folder, known.tile, mean_rgb=known.mean_rgb, aspect=known.aspect),
                # without the stamp of sidecars: what it was made of is read again where they are
                FileMetadata(told[known.id]) if known.id in told else FileMetadata(NOTHING_KNOWN),
                store.labels(known.id, model_id),
                known.incomplete,
            )


def _failures(store: StoreReader) -> Iterator[FailureRow]:
    for each in store.failed_files():
        yield FailureRow(Item(each.path, each.size, each.mtime_ns, each.etag), each.reason, each.stage)
