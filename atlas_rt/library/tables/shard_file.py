"""A shard as it is read: refused whole with one sentence, or survived row by row.

A file that is no whole Parquet file, comes from a newer version, or is no shard is refused, as is one whose columns are
not of a shard's types. In one that can be read each row is checked by itself: what has no unit vector, no proper tiles
or no content hash counts as not there.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import simplejpeg

from atlas_rt.core.images import CARD_ASPECT_MAX, MEDIUM_TILE_PX, SMALL_TILE_PX
from atlas_rt.errors import UsageError
from atlas_rt.library.metadata.file_metadata import FileMetadata
from atlas_rt.library.tables.arrow import parquet
from atlas_rt.library.tables.metadata_text import metadata_of
from atlas_rt.library.tables.rows import FailureRow, ImageRow, Item, Row, is_unit
from atlas_rt.library.tables.shard import FORMAT, KEY, Maker, Position, schema_of
from atlas_rt.library.tile_files import MEDIUM_RECORD_BYTES, SMALL_RECORD_BYTES, TileSet

_INDEX = ("uri", "uri_bytes", "etag", "size", "mtime_ns", "content_hash", "failure")
_NEEDED = (
    "uri",
    "content_hash",
    "width",
    "height",
    "vector",
    "tile_small",
    "tile_medium",
    "mean_rgb",
    "aspect",
    "failure",
)
"""Columns without which a file is no shard; the others may be missing."""
_SIZE_MAX = 1 << 20
"""Pixels of a side; more is no picture's size."""
_DIM_MAX = 65_536


@dataclass(frozen=True, slots=True)
class IndexRow:
    """What a row is found by. content_hash: empty where it is not known. failed: it could not become an image."""

    item: Item
    content_hash: bytes
    failed: bool


class ShardFile:
    """One shard, open for reading. Owned by one thread at a time."""

    def __init__(self, path: Path) -> None:
        """Raises UsageError for what is no shard that this version can read, MissingError without pyarrow."""
        pa, pq = parquet()
        self.path = path
        try:
            self._file = pq.ParquetFile(path, memory_map=False)
            schema = self._file.schema_arrow
            self.maker = maker_of(schema.metadata or {}, path)
            _check_columns(schema, self.maker, path)
        except (pa.ArrowInvalid, OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{why_unreadable(error)}: {path}") from error
        self.rows: int = self._file.metadata.num_rows
        check_rows(self.rows, path)
        groups = range(self._file.metadata.num_row_groups)
        self.starts = np.cumsum([0, *(self._file.metadata.row_group(each).num_rows for each in groups)], dtype=np.int64)
        """The first row of each group, and at last how many rows there are."""

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> ShardFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def groups(self) -> int:
        return len(self.starts) - 1

    def index(self) -> list[IndexRow]:
        """What each row is found by; the columns of pictures and vectors are not read."""
        columns = [name for name in _INDEX if name in self._file.schema_arrow.names]
        return [_index_row(values) for values in self._values(self._read(columns=columns))]

    def group(self, group: int) -> list[Row | None]:
        """The rows of one group, None for each that cannot be used."""
        table = self._read(group)
        vectors = np.asarray(table["vector"].combine_chunks().flatten().to_numpy(zero_copy_only=False), np.float16)
        has = np.asarray(table["vector"].is_valid().to_numpy(zero_copy_only=False), np.bool_)
        whole = np.zeros((len(has), self.maker.dim), np.float16)
        whole[has] = vectors.reshape(-1, self.maker.dim)  # what is null has no place in it
        rows = self._values(table.drop_columns(["vector"]))
        return [_row(values, vector) for values, vector in zip(rows, whole, strict=True)]

    def positions(self) -> list[Position | None]:
        """Where each row stands on the map it was exported with, None where that is not known."""
        if "position" not in self._file.schema_arrow.names:
            return [None] * self.rows
        given = self._read(columns=["position"])["position"].to_pylist()
        return [position_of(each) for each in given]

    def _values(self, table: Any) -> list[dict[str, Any]]:
        """The rows of a table as Python's values. Raises UsageError where a text is none."""
        try:
            rows: list[dict[str, Any]] = table.to_pylist()
        except UnicodeDecodeError as error:
            raise UsageError(f"{why_unreadable(error)}: {self.path}") from error
        return rows

    def _read(self, group: int | None = None, columns: Sequence[str] | None = None) -> Any:
        pa, _ = parquet()
        try:
            if group is not None:
                return self._file.read_row_group(group)
            return self._file.read(columns=list(columns) if columns is not None else None)
        except (pa.ArrowInvalid, pa.ArrowKeyError, OSError) as error:
            raise UsageError(f"{why_unreadable(error)}: {self.path}") from error


def maker_of(metadata: dict[bytes, bytes], path: Path | str) -> Maker:
    """Who made a shard. Raises UsageError for a file of another kind or of a newer version."""
    if KEY not in metadata:
        raise UsageError(f"This Parquet file is no shard of atlas_rt: {path}")
    try:
        values = json.loads(metadata[KEY])
        version = int(values["format"])
        if version <= FORMAT:
            maker = Maker(**{field.name: values[field.name] for field in fields(Maker)})
            texts = (maker.model, maker.model_name, maker.model_hash, maker.vocabulary)
            if type(maker.dim) is int and 0 < maker.dim <= _DIM_MAX and all(isinstance(each, str) for each in texts):
                return maker
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UsageError(f"What this shard says of itself cannot be read ({error}): {path}") from error
    if version > FORMAT:
        raise UsageError(
            f"This shard was written by a newer version (its format is {version}, this version reads up to {FORMAT}); "
            f"update atlas_rt: {path}"
        )
    raise UsageError(f"What this shard says of itself makes no sense: {path}")


def _check_columns(schema: Any, maker: Maker, path: Path) -> None:
    """Raise UsageError where a column is missing or not of its type, as in a file that another program rewrote."""
    for column in schema_of(maker):
        found = schema.field(column.name).type if schema.names.count(column.name) == 1 else None
        if found is None and column.name in _NEEDED:
            raise UsageError(f"This shard has no column {column.name}: {path}")
        if found is not None and found != column.type:
            raise UsageError(f"The column {column.name} of this shard is {found}, not {column.type}: {path}")


def is_shard(path: Path) -> bool:
    """Whether a file is a shard, and not another program's table. Raises UsageError for what is no whole Parquet
    file."""
    pa, pq = parquet()
    try:
        return KEY in (pq.read_schema(path).metadata or {})
    except (pa.ArrowInvalid, OSError) as error:
        raise UsageError(f"{why_unreadable(error)}: {path}") from error


def check_rows(rows: int, path: Path) -> None:
    """Raise UsageError where a file claims more rows than it has bytes: no picture or vector takes less, and rows that
    hold nothing would fill the memory."""
    if rows > (size := path.stat().st_size):
        raise UsageError(f"This Parquet file claims {rows:,} rows in {size:,} bytes: {path}")


def why_unreadable(error: Exception) -> str:
    """What is wrong with a file that pyarrow refuses, as the beginning of a sentence."""
    text = str(error)
    if isinstance(error, FileNotFoundError):
        return "There is no such file"
    if isinstance(error, PermissionError):
        return "This file cannot be read (no permission)"
    if "size is 0 bytes" in text:
        return "This file is empty and no Parquet file"
    if "magic bytes" in text or "too small" in text or "smaller than the minimum" in text:
        return "This is no whole Parquet file; its end is missing, or it is something else"
    return f"This Parquet file is damaged ({text.splitlines()[0][:120] if text else type(error).__name__})"


def position_of(given: Any) -> Position | None:
    """Three finite numbers, None for all else."""
    try:
        x, y, z = (float(value) for value in given)
    except (TypeError, ValueError):
        return None
    return (x, y, z) if np.isfinite([x, y, z]).all() else None


def _index_row(values: dict[str, Any]) -> IndexRow:
    return IndexRow(_item(values), values.get("content_hash") or b"", values.get("failure") is not None)


def _item(values: dict[str, Any]) -> Item:
    given = values.get("uri_bytes")
    uri = given.decode("utf-8", "surrogateescape") if given is not None else values["uri"] or ""
    return Item(uri, values.get("size") or 0, values.get("mtime_ns") or 0, values.get("etag") or "")


def _row(values: dict[str, Any], vector: np.ndarray[Any, np.dtype[np.float16]]) -> Row | None:
    if values["failure"] is not None:
        return FailureRow(
            _item(values), values["failure"], values.get("stage") or "decode", values["content_hash"] or b""
        )
    tiles = _tiles(values)
    content_hash = values["content_hash"] or b""
    size = (values["width"] or 0, values["height"] or 0)
    if (
        tiles is None
        or len(content_hash) != 16
        or not is_unit(vector)
        or not all(0 < side < _SIZE_MAX for side in size)
    ):
        return None
    try:
        metadata = metadata_of(values.get("metadata") or "{}")
    except (ValueError, TypeError, RecursionError):
        metadata = metadata_of("{}")
    labels = tuple((each["word"], each["confidence"]) for each in values.get("labels") or () if each is not None)
    usable = all(word and 0.0 <= (share or 0.0) <= 1.0 for word, share in labels)
    return ImageRow(
        _item(values),
        content_hash,
        *size,
        vector.copy(),
        tiles,
        FileMetadata(metadata),
        labels if usable else (),
        values.get("incomplete") or "",
    )


def _tiles(values: dict[str, Any]) -> TileSet | None:
    """The tiles if they are what tile files can hold."""
    small, medium = values["tile_small"] or b"", values["tile_medium"] or b""
    rgb: list[int | None] = values["mean_rgb"] or []
    aspect = values["aspect"] or 0.0
    if len(small) != SMALL_RECORD_BYTES or not 0 < len(medium) <= MEDIUM_RECORD_BYTES - 2 or len(rgb) != 3:
        return None
    red, green, blue = (each or 0 for each in rgb)
    if not 1 / CARD_ASPECT_MAX - 1e-6 <= aspect <= CARD_ASPECT_MAX + 1e-6:
        return None
    try:
        height, width, _, _ = simplejpeg.decode_jpeg_header(medium)
        simplejpeg.decode_jpeg(medium)
    except ValueError:
        return None
    if (height, width) != (MEDIUM_TILE_PX, MEDIUM_TILE_PX):
        return None
    pixels = np.frombuffer(small, np.uint8).reshape(SMALL_TILE_PX, SMALL_TILE_PX, 3)
    return TileSet(pixels, medium, (red, green, blue), aspect)
