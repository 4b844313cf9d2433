"""The shard: images with all that a library keeps of them, as one Parquet file.

Workers write one a batch, on whatever machine; libraries take them in. A row is an image, or a file that could not
become one and why. The schema's metadata holds one key, `atlas_rt`: a JSON object that says which model, preprocessing,
worker and vocabulary made the rows (`Maker`). Any reader of Parquet can use the file: `uri`, `vector` and `labels` are
plain columns.

Equal rows give equal bytes (with one version of pyarrow). A shard is written next to its place, flushed and renamed, so
there is a whole one or none.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from atlas_rt.library import disk_errors
from atlas_rt.library.metadata.file_metadata import READER
from atlas_rt.library.tables.arrow import parquet
from atlas_rt.library.tables.metadata_text import text_of
from atlas_rt.library.tables.rows import FailureRow, ImageRow, Row

FORMAT = 1
"""Of the file: grows when an older reader would misread it. New columns alone do not make it grow."""
KEY = b"atlas_rt"
SUFFIX = ".parquet"
ROW_GROUP = 128
"""Rows that are read together: 1 MB."""

Position = tuple[float, float, float]
PlaceOf = Callable[[Row], Position | None]


@dataclass(frozen=True, slots=True)
class Maker:
    """What made a shard's rows.

    model: `Model.id`, which names the space of the vectors. model_hash: SHA-256 of the image tower's file.
    preprocessing: the fields of `encoders.preprocess.Preprocessing`. worker: version of the worker, 0 where the rows
    were exported. vocabulary: `Vocabulary.key` of the labels, empty where they are of several or there are none.
    """

    model: str
    model_name: str
    model_hash: str
    dim: int
    preprocessing: Mapping[str, Any]
    worker: int
    vocabulary: str
    metadata_reader: int = READER
    format: int = FORMAT

    def text(self) -> str:
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))


def schema_of(maker: Maker) -> Any:
    """The columns, with the maker in the metadata. A failure has a uri, its size, `failure` and `stage`."""
    pa, _ = parquet()
    label = pa.struct([("word", pa.string()), ("confidence", pa.float64())])
    columns = {
        "uri": pa.string(),
        "uri_bytes": pa.binary(),  # where a file's name is no text
        "etag": pa.string(),
        "size": pa.int64(),
        "mtime_ns": pa.int64(),
        "content_hash": pa.binary(),  # BLAKE2b, 16 bytes
        "width": pa.int32(),
        "height": pa.int32(),
        "vector": pa.list_(pa.float16(), maker.dim),
        "tile_small": pa.binary(),  # 32 x 32 RGB, raw
        "tile_medium": pa.binary(),  # 128 x 128 JPEG
        "mean_rgb": pa.list_(pa.uint8(), 3),
        "aspect": pa.float64(),
        "labels": pa.list_(label),
        "metadata": pa.string(),  # JSON
        "incomplete": pa.string(),
        "failure": pa.string(),
        "stage": pa.string(),
        "position": pa.list_(pa.float32(), 3),
    }
    return pa.schema(list(columns.items()), metadata={KEY: maker.text().encode()})


def nowhere(_: Row) -> Position | None:
    """The place on a map of a row that stands on none."""
    return None


def write_shard(path: Path, rows: Iterable[Row], maker: Maker, *, place_of: PlaceOf = nowhere) -> int:
    """Write one shard; how many rows it has. place_of: where a row stands on a map.

    Raises MissingError where the disk refuses or pyarrow is missing; nothing is left then.
    """
    beside = path.with_name(f".{path.name[:80]}-{os.getpid()}.tmp")
    with disk_errors.writing(path.parent):
        try:
            with beside.open("wb") as file:
                count = write_to(file, rows, maker, place_of=place_of)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        except BaseException:
            with suppress(OSError):
                beside.unlink(missing_ok=True)
            raise
        disk_errors.sync_folder(path.parent)
    return count


def shard_bytes(rows: Iterable[Row], maker: Maker) -> bytes:
    """The same in memory, for a host that puts shards into a bucket."""
    buffer = io.BytesIO()
    write_to(buffer, rows, maker)
    return buffer.getvalue()


def write_to(file: Any, rows: Iterable[Row], maker: Maker, *, place_of: PlaceOf = nowhere) -> int:
    """Into an open file, a group of rows at a time, so that any number of rows takes little memory."""
    pa, pq = parquet()
    schema, count, part = schema_of(maker), 0, list[Row]()
    plain = {name: "NONE" if name in {"tile_medium", "vector", "content_hash"} else "ZSTD" for name in schema.names}
    with pq.ParquetWriter(file, schema, compression=plain, use_dictionary=False, write_statistics=False) as writer:

        def put() -> None:
            writer.write_table(_table(pa, part, [place_of(row) for row in part], schema), row_group_size=ROW_GROUP)

        for row in rows:
            part.append(row)
            if len(part) == ROW_GROUP:
                put()
                count, part = count + len(part), []
        if part or not count:
            put()
    return count + len(part)


def _table(pa: Any, rows: Sequence[Row], positions: Sequence[Position | None], schema: Any) -> Any:
    columns = {name: [value(row) for row in rows] for name, value in _COMMON.items()}
    for name, of_image in _OF_IMAGES.items():
        columns[name] = [of_image(row) if isinstance(row, ImageRow) else None for row in rows]
    arrays = [
        _vectors(pa, rows, schema.field("vector").type) if name == "vector" else pa.array(columns[name], type_)
        for name, type_ in zip(schema.names, schema.types, strict=True)
        if name != "position"
    ]
    return pa.Table.from_arrays([*arrays, pa.array(list(positions), schema.field("position").type)], schema=schema)


def _vectors(pa: Any, rows: Sequence[Row], type_: Any) -> Any:
    """(n,) fixed-size lists of float16; null for failures."""
    vectors = np.zeros((len(rows), type_.list_size), np.float16)
    lacking = np.array([isinstance(row, FailureRow) for row in rows], np.bool_)
    for at, row in enumerate(rows):
        if isinstance(row, ImageRow):
            vectors[at] = row.vector
    return pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), type=type_, mask=pa.array(lacking))


def _is_text(uri: str) -> bool:
    try:
        uri.encode()
    except UnicodeEncodeError:
        return False
    return True


_COMMON: dict[str, Callable[[Row], Any]] = {
    "uri": lambda row: row.item.uri if _is_text(row.item.uri) else os.fsencode(row.item.uri).decode(errors="replace"),
    "uri_bytes": lambda row: None if _is_text(row.item.uri) else os.fsencode(row.item.uri),
    "etag": lambda row: row.item.etag,
    "size": lambda row: row.item.size,
    "mtime_ns": lambda row: row.item.mtime_ns,
    "content_hash": lambda row: row.content_hash or None,
    "failure": lambda row: row.reason if isinstance(row, FailureRow) else None,
    "stage": lambda row: row.stage if isinstance(row, FailureRow) else None,
}
_OF_IMAGES: dict[str, Callable[[ImageRow], Any]] = {
    "width": lambda row: row.width_px,
    "height": lambda row: row.height_px,
    "tile_small": lambda row: row.tiles.small.tobytes(),
    "tile_medium": lambda row: row.tiles.medium,
    "mean_rgb": lambda row: row.tiles.mean_rgb,
    "aspect": lambda row: row.tiles.aspect,
    "labels": lambda row: [{"word": word, "confidence": share} for word, share in row.labels],
    "metadata": lambda row: text_of(row.metadata.metadata),
    "incomplete": lambda row: row.incomplete,
}
"""Column -> its value in a row."""
