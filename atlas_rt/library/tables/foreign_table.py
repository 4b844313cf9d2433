"""Tables that other programs wrote: vectors, paths, positions or pictures in Parquet, NumPy and CSV files.

Columns are recognised by their names and types; what is not recognised is passed over. No pickle is read.

| file | holds |
| --- | --- |
| .parquet | a column of vectors; optional path, picture (bytes), x, y, z |
| .npy | (n, dim) vectors; the paths stand in a .txt file of the same name, one a line |
| .npz | as `atlas-rt export` writes it: paths, vectors, positions, meta |
| .csv | path; optional x, y, z and v0, v1, ... |
"""

from __future__ import annotations

import csv
import itertools
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.arrays import Floats
from atlas_rt.core.s3_address import is_s3
from atlas_rt.errors import UsageError
from atlas_rt.library.disk_errors import reason_of
from atlas_rt.library.tables.arrow import parquet
from atlas_rt.library.tables.shard_file import check_rows, why_unreadable

PATHS = ("uri", "path", "filepath", "file_path", "image_path", "file", "filename", "file_name", "url", "name")
VECTORS = ("embedding", "embeddings", "vector", "vectors", "emb", "image_embedding", "clip_embedding", "features")
PICTURES = ("image", "image_bytes", "bytes", "jpg", "png", "webp", "picture")
AXES = (("x", "y", "z"), ("umap_x", "umap_y", "umap_z"), ("projection_x", "projection_y", "projection_z"))
"""Names of columns, the likeliest first; z may be missing."""
DIM_MAX = 65_536


@dataclass(frozen=True, slots=True)
class ForeignTable:
    """What a table holds of n images. uris: absolute paths or addresses.

    vectors: (n, dim) float32 as they stand there, NaN where one is missing. positions: (n, 3) float32, NaN likewise.
    pictures: row -> the bytes of an image file. model: what the file says made the vectors, empty for nothing.
    """

    uris: tuple[str, ...]
    vectors: Floats | None = None
    positions: Floats | None = None
    pictures: Mapping[int, bytes] = field(default_factory=dict)
    model: str = ""

    @property
    def dim(self) -> int:
        return self.vectors.shape[1] if self.vectors is not None else 0


def read_table(path: Path) -> ForeignTable:
    """Raises UsageError with what is wrong with the file, MissingError for Parquet without pyarrow."""
    try:
        table = READERS[path.suffix.lower()](path)
    except OSError as error:
        raise UsageError(f"This file cannot be read ({reason_of(error)}): {path}") from error
    except (UnicodeDecodeError, MemoryError) as error:
        raise UsageError(f"This table is damaged, or too large for this machine ({error}): {path}") from error
    if not table.uris:
        raise UsageError(f"This table has no rows: {path}")
    if table.vectors is not None and len(table.vectors) != len(table.uris):
        raise UsageError(f"There are {len(table.uris):,} paths and {len(table.vectors):,} vectors: {path}")
    if table.vectors is not None and not 0 < table.dim <= DIM_MAX:
        raise UsageError(f"Vectors of {table.dim:,} dimensions cannot be used: {path}")
    if table.positions is not None and table.positions.shape != (len(table.uris), 3):
        raise UsageError(f"There is not one position x, y, z for each of {len(table.uris):,} paths: {path}")
    return table


# -- Parquet -----------------------------------------------------------------------------------------------------------


def _read_parquet(path: Path) -> ForeignTable:
    pa, pq = parquet()
    try:
        check_rows(pq.read_metadata(path).num_rows, path)
        table = pq.read_table(path, memory_map=False)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        raise UsageError(f"{why_unreadable(error)}: {path}") from error
    names = table.column_names
    vectors = _vector_column(pa, table)
    where = _named(PATHS, names, lambda name: _is_text(pa, table.schema.field(name).type))
    shown = _named(PICTURES, names, lambda name: _is_picture(pa, table.schema.field(name).type))
    axes = _axes([each.name for each in table.schema if _is_number(pa, each.type)])
    if not vectors and not axes:
        raise UsageError(f"Neither vectors nor x, y, z are in this table; its columns are {', '.join(names)}: {path}")
    rows = table.num_rows
    uris = table[where].to_pylist() if where else [f"{path.name}#{row}" for row in range(rows)]
    given = (table.schema.metadata or {}).get(b"model", b"").decode("utf-8", "replace")
    return ForeignTable(
        _absolute([uri or f"{path.name}#{row}" for row, uri in enumerate(uris)], path),
        _vectors_of(pa, table[vectors], path) if vectors else None,
        _positions([table[axis].to_pylist() for axis in axes]) if axes else None,
        _pictures(pa, table, shown),
        given,
    )


def _vector_column(pa: Any, table: Any) -> str:
    """The column of vectors, empty for none: one with a likely name, else the only one of lists of numbers."""
    lists = [each.name for each in table.schema if _is_vector(pa, each.type)]
    return _named(VECTORS, lists, lambda _: True) or (lists[0] if len(lists) == 1 else "")


def _is_vector(pa: Any, type_: Any) -> bool:
    is_list = pa.types.is_list(type_) or pa.types.is_large_list(type_) or pa.types.is_fixed_size_list(type_)
    return bool(is_list and pa.types.is_floating(type_.value_type))


def _is_picture(pa: Any, type_: Any) -> bool:
    """Bytes, or a struct with bytes, as Hugging Face writes them."""
    if pa.types.is_struct(type_):
        return any(each.name == "bytes" and _is_picture(pa, each.type) for each in type_)
    return bool(pa.types.is_binary(type_) or pa.types.is_large_binary(type_) or pa.types.is_binary_view(type_))


def _is_text(pa: Any, type_: Any) -> bool:
    """Polars writes large strings, pandas dictionaries for what it calls categories."""
    if pa.types.is_dictionary(type_):
        return _is_text(pa, type_.value_type)
    return bool(pa.types.is_string(type_) or pa.types.is_large_string(type_) or pa.types.is_string_view(type_))


def _is_number(pa: Any, type_: Any) -> bool:
    return bool(pa.types.is_floating(type_) or pa.types.is_integer(type_) or pa.types.is_decimal(type_))


def _pictures(pa: Any, table: Any, name: str) -> dict[int, bytes]:
    if not name:
        return {}
    values = table[name].to_pylist()
    if pa.types.is_struct(table.schema.field(name).type):
        values = [value["bytes"] if value else None for value in values]
    return {row: value for row, value in enumerate(values) if value}


def _vectors_of(pa: Any, column: Any, path: Path) -> Floats:
    """(n, dim) of a column of lists; a row that is null or of another length is NaN. Numbers never become Python's,
    which would take thirty times the room."""
    lengths = _lengths(pa, column)
    dim = int(np.bincount(lengths[lengths > 0]).argmax()) if (lengths > 0).any() else 0
    if not 0 < dim <= DIM_MAX:
        raise UsageError(f"The vectors of this table have no length that can be used: {path}")
    vectors, first = np.full((len(lengths), dim), np.nan, np.float32), 0
    for chunk in column.chunks:
        usable = lengths[first : first + len(chunk)] == dim
        values = chunk.filter(pa.array(usable)).flatten().to_numpy(zero_copy_only=False)
        vectors[first : first + len(chunk)][usable] = _floats(values).reshape(-1, dim)
        first += len(chunk)
    return vectors


def _lengths(pa: Any, column: Any) -> NDArray[np.int64]:
    """(n,) how many numbers each row of a column of lists holds; 0 for null."""
    from pyarrow import compute

    if pa.types.is_fixed_size_list(column.type):
        lengths: NDArray[np.int64] = np.asarray(column.is_valid().to_numpy(), np.int64) * column.type.list_size
    else:
        lengths = np.asarray(compute.fill_null(compute.list_value_length(column), 0).to_numpy(), np.int64)
    return lengths


# -- NumPy and CSV -----------------------------------------------------------------------------------------------------


def _read_npy(path: Path) -> ForeignTable:
    beside = path.with_suffix(".txt")
    if not beside.exists():
        raise UsageError(f"The paths of these vectors must stand in a file next to it, one a line: {beside}")
    vectors = _loaded(path)
    if not isinstance(vectors, np.ndarray) or vectors.ndim != 2 or vectors.dtype.kind != "f" or not vectors.shape[1]:
        raise UsageError(f"This is no array (n, dim) of floating-point numbers: {path}")
    text = beside.read_bytes().decode("utf-8-sig", "surrogateescape")
    lines = [line.removesuffix("\r") for line in text.split("\n")]  # not `splitlines`: names may hold its other ends
    return ForeignTable(_absolute([line for line in lines if line], path), _floats(vectors))


def _read_npz(path: Path) -> ForeignTable:
    paths, vectors, positions, meta = _loaded(path, "paths", "vectors", "positions", "meta")
    try:
        model = str(json.loads(str(meta))["model"])
    except (ValueError, KeyError, TypeError, RecursionError):
        model = None
    if (
        model is None
        or paths.ndim != 1
        or any(each.ndim != 2 or each.dtype.kind != "f" for each in (vectors, positions))
    ):
        raise UsageError(f"This .npz file is not one that `atlas-rt export` wrote: {path}")
    return ForeignTable(_absolute(paths.tolist(), path), _floats(vectors), _floats(positions), {}, model)


def _loaded(path: Path, *names: str) -> Any:
    """Arrays of numbers and texts, of an archive those that are named; what would have to be unpickled is refused."""
    try:
        with path.open("rb") as file:
            loaded = np.load(file, allow_pickle=False)
            return [loaded[name] for name in names] if names else loaded
    except OSError:
        raise
    except (KeyError, IndexError) as error:
        raise UsageError(f"This .npz file is not one that `atlas-rt export` wrote: {path}") from error
    except Exception as error:  # what is damaged makes NumPy and zipfile raise anything, as MemoryError and TokenError
        raise UsageError(f"This NumPy file is damaged, or holds more than numbers: {path}") from error


def _read_csv(path: Path) -> ForeignTable:
    with path.open(newline="", encoding="utf-8-sig", errors="surrogateescape") as file:
        try:
            rows = list(csv.DictReader(file, restkey=""))
        except csv.Error as error:
            raise UsageError(f"This CSV file cannot be read ({error}): {path}") from error
    names = [name for name in (rows[0] if rows else {}) if name]
    where, axes = _named(PATHS, names, lambda _: True), _axes(names)
    components = list(itertools.takewhile(set(names).__contains__, (f"v{number}" for number in range(DIM_MAX))))
    if rows and (not where or not (axes or components)):
        raise UsageError(f"A table needs a path and x, y, z or v0, v1, ...; its columns are {', '.join(names)}: {path}")
    rows = [row for row in rows if row[where]]
    vectors = _floats([[_number(row[name]) for name in components] for row in rows])
    return ForeignTable(
        _absolute([row[where] for row in rows], path),
        vectors if components else None,
        _positions([[_number(row[axis]) for row in rows] for axis in axes]) if axes else None,
    )


READERS: dict[str, Callable[[Path], ForeignTable]] = {
    ".parquet": _read_parquet,
    ".npy": _read_npy,
    ".npz": _read_npz,
    ".csv": _read_csv,
}
"""Ending of a file -> what reads it."""


# -- what they share ---------------------------------------------------------------------------------------------------


def _named(wanted: Sequence[str], names: Sequence[str], fits: Callable[[str], bool]) -> str:
    """The first wanted name that a column has, in whatever case; empty for none."""
    there = {name.lower(): name for name in reversed(names)}
    return next((there[each] for each in wanted if each in there and fits(there[each])), "")


def _axes(names: Sequence[str]) -> tuple[str, ...]:
    """The columns of x, y and, where there is one, z."""
    there = {name.lower(): name for name in reversed(names)}
    for axes in AXES:
        if axes[0] in there and axes[1] in there:
            return tuple(there[axis] for axis in axes if axis in there)
    return ()


def _positions(columns: Sequence[Sequence[Any]]) -> Floats:
    """(n, 3) of two or three columns; without z all lie in a plane."""
    values = [[np.nan if value is None else value for value in column] for column in columns]
    flat = [*values, *[[0.0] * len(values[0])] * (3 - len(values))]
    positions: Floats = _floats(flat).T
    return positions


def _floats(values: Any) -> Floats:
    """As float32; what is too large for that is infinite, and no vector or position."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(values).astype(np.float32, copy=False)


def _absolute(uris: Sequence[str], table: Path) -> tuple[str, ...]:
    """Paths as seen from the table's folder; addresses as they are."""
    return tuple(
        uri if is_s3(uri) or "://" in uri else os.path.normpath(os.path.join(table.parent, uri))  # noqa: PTH118
        for uri in map(str, uris)
    )


def _number(text: Any) -> float:
    try:
        return float(text)
    except (TypeError, ValueError):
        return float("nan")
