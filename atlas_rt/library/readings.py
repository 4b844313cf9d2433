"""The table `readings` of a library: the text that stands in pictures."""

from __future__ import annotations

from dataclasses import dataclass

from atlas_rt.library.database import Database, path_of

READER = 1
"""Version of all that reads. What another one read is read again."""
TRIES_MAX = 2
_CURRENT = f"readings.hash IS images.hash AND (readings.reader = {READER} OR readings.reader <= -{TRIES_MAX})"
"""Of a picture that is as it was when it was read. Negative: so often it was begun and never ended."""


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


def note_try(database: Database, each: Unread) -> None:
    """Note that a picture is about to be read."""
    sql = """INSERT INTO readings VALUES (?, -1, ?, '') ON CONFLICT (image_id) DO UPDATE SET text = '',
        reader = CASE WHEN reader < 0 AND hash IS excluded.hash THEN reader - 1 ELSE -1 END, hash = excluded.hash"""
    database.write(sql, [(each.id, each.hash)])


def put(database: Database, each: Unread, text: str) -> None:
    """Store what stands in a picture, nothing included; inside a transaction."""
    database.execute("INSERT OR REPLACE INTO readings VALUES (?, ?, ?, ?)", (each.id, READER, each.hash, text))


def text_in(database: Database, id_: int) -> str:
    """Empty where nothing was read."""
    sql = f"SELECT text FROM readings JOIN images ON id = image_id AND {_CURRENT} WHERE image_id = ?"
    rows = database.rows(sql, (id_,))
    return str(rows[0][0]) if rows else ""
