"""The table `readings` of a library: the text that stands in pictures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from atlas_rt.library.database import Database, path_of

READER = 1
"""Version of all that reads. What another one read is read again."""
_CURRENT = f"readings.hash IS images.hash AND readings.reader = {READER}"


@dataclass(frozen=True, slots=True)
class Unread:
    """A picture that nobody has looked at for text, as its file was then."""

    id: int
    path: str
    hash: bytes | None


def unread(database: Database) -> list[Unread]:
    """The pictures that are there and were not read, or were other pictures then, by id."""
    sql = f"""SELECT id, path, images.hash FROM images LEFT JOIN readings ON image_id = id AND {_CURRENT}
        WHERE state = 'ready' AND present = 1 AND image_id IS NULL ORDER BY id"""
    return [Unread(id_, path_of(path), hash_) for id_, path, hash_ in database.rows(sql)]


def put(database: Database, read: Iterable[tuple[Unread, str]]) -> None:
    """Store what stands in pictures, nothing included; inside a transaction."""
    database.execute_each(
        "INSERT OR REPLACE INTO readings VALUES (?, ?, ?, ?)",
        [(each.id, READER, each.hash, text) for each, text in read],
    )


def text_in(database: Database, id_: int) -> str:
    """Empty where nothing was read."""
    sql = f"SELECT text FROM readings JOIN images ON id = image_id AND {_CURRENT} WHERE image_id = ?"
    rows = database.rows(sql, (id_,))
    return str(rows[0][0]) if rows else ""
