"""The table `metadata` of a library: a row for each image whose file was read, kept by the image's id."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from atlas_rt.core.metadata import Metadata
from atlas_rt.library.database import Database, path_of
from atlas_rt.library.metadata.file_metadata import READER, FileMetadata
from atlas_rt.library.metadata.sidecars import Sidecars

_COLUMNS = tuple(field.name for field in fields(Metadata))
_KEYWORDS = _COLUMNS.index("keywords")
_PUT = f"""INSERT OR REPLACE INTO metadata (image_id, reader, sidecars, {", ".join(_COLUMNS)})
    VALUES ({", ".join("?" * (3 + len(_COLUMNS)))})"""


@dataclass(frozen=True, slots=True)
class Unread:
    """An image of whose file nothing is known yet, or not what would be read today."""

    id: int
    path: str
    mtime_ns: int


def put(database: Database, read: Mapping[int, FileMetadata]) -> None:
    """Store what was read of these images; inside a transaction."""
    database.execute_each(_PUT, [(id_, READER, each.sidecars, *_values(each.metadata)) for id_, each in read.items()])


def stored(database: Database, ids: Iterable[int]) -> dict[int, Metadata]:
    """What is known of images, by id; of how many at once, the caller sees to."""
    wanted = list(ids)
    sql = f"SELECT image_id, {', '.join(_COLUMNS)} FROM metadata WHERE image_id IN ({', '.join('?' * len(wanted))})"
    return {id_: _metadata(values) for id_, *values in database.rows(sql, wanted)}


def unread(database: Database, sidecars: Sidecars) -> list[Unread]:
    """The images that are there and have no row, one of another reader, or other sidecars now, by id. 100,000: 40 ms,
    or 0.4 s where there are sidecars."""
    there = "FROM images LEFT JOIN metadata ON image_id = id WHERE state = 'ready' AND present = 1"
    rows = database.rows(f"SELECT id, path, mtime_ns {there} AND reader IS NOT ?", (READER,))
    found = {id_: Unread(id_, path_of(path), mtime_ns) for id_, path, mtime_ns in rows}
    if sidecars or database.rows("SELECT 1 FROM metadata WHERE sidecars != 0 LIMIT 1"):
        for id_, path, mtime_ns, stamp in database.each(f"SELECT id, path, mtime_ns, sidecars {there}"):
            if stamp != sidecars.stamp(name := path_of(path)):
                found[id_] = Unread(id_, name, mtime_ns)
    return [found[id_] for id_ in sorted(found)]


def _values(metadata: Metadata) -> list[object]:
    values = [getattr(metadata, name) for name in _COLUMNS]
    values[_KEYWORDS] = json.dumps(metadata.keywords, ensure_ascii=False)
    return values


def _metadata(values: list[Any]) -> Metadata:
    values[_KEYWORDS] = tuple(json.loads(values[_KEYWORDS]))
    return Metadata(*values)
