"""What is known of every image, in SQLite: the only SQL of the program.

One process writes (it holds `shelf.Lock`), any number read beside it: write-ahead logging lets neither wait for the
other. Vectors and tiles lie in flat files, and a record there counts only once a transaction here names it; so their
`flush` comes before the `commit`. A connection belongs to the thread that opened it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from atlas_rt.core.records import Catalogue, Failure, Ids, Image, Ints
from atlas_rt.errors import MissingError
from atlas_rt.library import disk_errors
from atlas_rt.library.changes import Changes, FailedFile, KnownFile, Todo, compare
from atlas_rt.library.drives import is_remote
from atlas_rt.library.scanning import FoundFile, Scan, content_hash
from atlas_rt.library.schema import STEPS

__all__ = ["Changes", "Committed", "Content", "FailedFile", "Known", "Ready", "Store", "Todo", "content_hash"]

FILE_NAME = "library.db"
WRITER_PATIENCE_SECS = 10.0
READER_PATIENCE_SECS, REMOTE_READER_PATIENCE_SECS = 0.2, 5.0
"""A reader is often beside a frame; with write-ahead logging it waits only while the log is being folded back. On a
network drive it waits while a batch is committed."""

TOGETHER = 500
"""Values in one question; SQLite takes a thousand everywhere."""
MOVED = "moved"
"""Setting: the token of the last move of the library's sources."""

Labels = Sequence[tuple[str, float]]
"""(word, confidence 0..1), best first."""


@dataclass(frozen=True, slots=True)
class Ready:
    """An image that was decoded and encoded, to be named. id: of its Todo.

    hash: of its content (`content_hash`). tile: record in the tile files. vector_row: row in the model's vector file.
    incomplete: what of the picture is missing; empty where it is whole.
    """

    id: int
    path: str
    size: int
    mtime_ns: int
    hash: bytes
    width_px: int
    height_px: int
    mean_rgb: tuple[int, int, int]
    aspect: float
    tile: int
    vector_row: int
    incomplete: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """What is stored of some content, for another file with the same bytes. vector_row: None without a vector."""

    id: int
    width_px: int
    height_px: int
    mean_rgb: tuple[int, int, int]
    aspect: float
    tile: int
    vector_row: int | None
    incomplete: str


@dataclass(frozen=True, slots=True)
class Committed:
    """What a batch turned out to be, in images. ids: id of the Todo -> id kept, for moved files, which keep theirs."""

    new: int
    changed: int
    unchanged: int
    moved: int
    ids: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Content:
    """A file as it was when it was last read well. hash: of its content (`content_hash`)."""

    path: str
    size: int
    hash: bytes


class Store:
    """One connection to one library. Open it with `Store.open`."""

    def __init__(self, connection: sqlite3.Connection, folder: Path) -> None:
        self._connection = connection
        self._folder = folder

    @classmethod
    def open(cls, folder: Path, *, writable: bool, older: bool = False) -> Self:
        """The library in a folder. A writer makes or migrates it, a reader never makes anything.

        older: a reader that asks only for what every version has (`known`, `contents`) may read an older library too.
        Raises MissingError: no library there, made by a newer version, damaged, or on a disk that is full.
        """
        with _speaking(folder):
            return cls(_writer(folder) if writable else _reader(folder, older=older), folder)

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Writing

    def reconcile(self, scan: Scan, model: str) -> Changes:
        """Compare a scan with what is known: new files get ids in the order of paths, vanished ones go.

        Nothing is removed at or below a path that the scan could not read. Rows of vanished images stay, so that the
        same file, or the same content elsewhere, gets its id back.
        """
        with self._transaction():
            failures = {row.path: row for row in self._failed_files()}
            found = compare(scan.files, self._known_files(model), failures, [each.path for each in scan.unreadable])
            todo = [*found.todo, *self._name(found.new)]
            self._update_states("ready", found.returned)
            self._update_states("gone", [row.id for row in found.vanished])
            self._forget_failures(row.path for row in found.vanished)
            self._connection.execute("DELETE FROM images WHERE state = 'gone' AND hash IS NULL")
        return Changes(
            todo=tuple(sorted(todo, key=lambda each: each.id)),
            unchanged=found.unchanged,
            removed=tuple(row.id for row in found.vanished if row.state == "ready"),
            returned=tuple(found.returned),
            failed=tuple(found.failed),
        )

    def commit(
        self,
        model: str,
        ready: Sequence[Ready],
        *,
        failed: Sequence[FailedFile] = (),
        labels: Mapping[int, Labels] | None = None,
    ) -> Committed:
        """Name one batch in one transaction. labels: by id of the Todo.

        Batches in the order of ids make moved files independent of timing. Raises MissingError on a full disk; then
        nothing of the batch is stored.
        """
        counts = dict.fromkeys(("new", "changed", "unchanged", "moved"), 0)
        ids = {}
        with self._transaction():
            for image in ready:
                kind, id_ = self._place(image)
                counts[kind] += 1
                if id_ != image.id:
                    ids[image.id] = id_
                self._put_image(id_, model, image)
            self._forget_failures(image.path for image in ready)
            self._put_failures(failed)
            self._put_labels(model, {ids.get(id_, id_): words for id_, words in (labels or {}).items()})
        return Committed(**counts, ids=ids)

    def label(self, model: str, labels: Mapping[int, Labels]) -> None:
        """Store the labels of images, by id, in place of those they had from this model."""
        with self._transaction():
            self._put_labels(model, labels)

    def set_setting(self, key: str, value: str) -> None:
        """Remember a value for this library."""
        self._write("INSERT OR REPLACE INTO settings VALUES (?, ?)", [(key, value)])

    def add_extras(self, paths: Iterable[str]) -> None:
        """Take files and folders outside the source into the library for good."""
        self._write("INSERT OR IGNORE INTO extras VALUES (?)", [(os.fsencode(path),) for path in paths])

    def add_suspects(self, paths: Iterable[str]) -> None:
        """Count one more crash against each of these files."""
        sql = "INSERT INTO suspects VALUES (?, 1) ON CONFLICT (path) DO UPDATE SET crashes = crashes + 1"
        self._write(sql, [(os.fsencode(path),) for path in paths])

    def clear_suspects(self, paths: Iterable[str]) -> None:
        """These files did no harm."""
        self._write("DELETE FROM suspects WHERE path = ?", [(os.fsencode(path),) for path in paths])

    def move_paths(self, moves: Mapping[str, str], *, token: str) -> None:
        """Rewrite every path at or below a moved source. moves: old source -> new source. 100,000 images: 0.5 s.

        token: names this move; a move that is done is not done again.
        """
        moved = _mover({os.fsencode(old): os.fsencode(new) for old, new in moves.items()})
        with self._transaction():
            if self.setting(MOVED) == token:
                return
            self._connection.create_function("moved", 1, moved, deterministic=True)
            for table in ("images", "failures", "suspects", "extras"):
                self._move_table(table)
            self._connection.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (MOVED, token))

    # Reading

    def catalogue(self, model: str | None = None) -> Catalogue:
        """All images, or those with a vector of the model. 100,000: 0.3 s, most of it fetching rows."""
        columns = "SELECT id, path, aspect, rgb, tile, width, height"
        if model:
            # Led by the vectors, whose key is already in the order wanted: a third less than a test for each image.
            sql = f"""{columns} FROM vectors CROSS JOIN images ON id = image_id
                WHERE model = ? AND state = 'ready' ORDER BY image_id"""
            rows = self._rows(sql, (model,))
        else:
            rows = self._rows(f"{columns} FROM images WHERE state = 'ready' ORDER BY id")
        ids, paths, aspects, colours, tiles, widths, heights = zip(*rows, strict=True) if rows else [()] * 7
        rgb = np.array(colours, np.int32)
        return Catalogue(
            ids=np.array(ids, np.int64),
            paths=tuple(map(os.fsdecode, paths)),
            aspects=np.array(aspects, np.float32),
            mean_rgb=np.stack([rgb >> 16, rgb >> 8 & 255, rgb & 255], axis=-1).astype(np.uint8),
            tiles=np.array(tiles, np.int32),
            sizes_px=np.stack([np.array(widths, np.int32), np.array(heights, np.int32)], axis=-1),
        )

    def vector_rows(self, model: str, ids: Ids) -> Ints:
        """(n,) int32 rows in the model's vector file for (n,) image ids; -1 for an image without one."""
        sql = "SELECT image_id, row FROM vectors WHERE model = ? ORDER BY image_id"
        stored = np.array(self._rows(sql, (model,)), np.int64).reshape(-1, 2)
        result = np.full(len(ids), -1, np.int32)
        if len(stored):
            places = np.minimum(np.searchsorted(stored[:, 0], ids), len(stored) - 1)
            found = stored[places, 0] == ids
            result[found] = stored[places[found], 1]
        return result

    def tile_records(self, ids: Ids) -> Ints:
        """(n,) int32 records of the tiles of (n,) images, also of those whose files have just vanished."""
        span = (int(ids.min()), int(ids.max())) if len(ids) else (0, -1)
        sql = "SELECT id, tile FROM images WHERE id BETWEEN ? AND ? AND tile IS NOT NULL ORDER BY id"
        stored = np.array(self._rows(sql, span), np.int64).reshape(-1, 2)
        records: Ints = stored[np.searchsorted(stored[:, 0], ids), 1].astype(np.int32)
        return records

    def encoded(self, model: str) -> tuple[Ids, Ints]:
        """Images with a vector of the model: (n,) ids ascending, (n,) int32 rows in its vector file."""
        sql = """SELECT image_id, row FROM vectors JOIN images ON id = image_id
            WHERE model = ? AND state = 'ready' ORDER BY image_id"""
        stored = np.array(self._rows(sql, (model,)), np.int64).reshape(-1, 2)
        return np.ascontiguousarray(stored[:, 0]), stored[:, 1].astype(np.int32)

    def hashes(self, model: str) -> frozenset[bytes]:
        """The contents that have a vector of the model."""
        sql = "SELECT DISTINCT hash FROM images JOIN vectors ON image_id = id AND model = ? WHERE hash IS NOT NULL"
        return frozenset(hash_ for (hash_,) in self._rows(sql, (model,)))

    def path_of(self, id_: int) -> str | None:
        """The path of any file that has an id, an image or not yet."""
        rows = self._rows("SELECT path FROM images WHERE id = ?", (id_,))
        return os.fsdecode(rows[0][0]) if rows else None

    def named_tiles(self) -> int:
        """Records of the tile files that count."""
        return self._count("SELECT max(tile) + 1 FROM images")

    def named_vectors(self, model: str) -> int:
        """Rows of the model's vector file that count."""
        return self._count("SELECT max(row) + 1 FROM vectors WHERE model = ?", (model,))

    def images(self) -> int:
        """How many images are in the library."""
        return self._count("SELECT count(*) FROM images WHERE state = 'ready'")

    def image(self, id_: int) -> Image | None:
        """One image of the catalogue."""
        sql = "SELECT path, width, height, rgb, tile FROM images WHERE id = ? AND state = 'ready'"
        for path, width, height, rgb, tile in self._rows(sql, (id_,)):
            return Image(id_, os.fsdecode(path), width, height, _unpacked(rgb), tile)
        return None

    def id_of(self, path: str) -> int | None:
        """The image at an absolute path."""
        rows = self._rows("SELECT id FROM images WHERE path = ? AND state = 'ready'", (os.fsencode(path),))
        return int(rows[0][0]) if rows else None

    def known(self, hash_: bytes, model: str) -> Known | None:
        """What is stored of this content, whatever file it was in; one with a vector of the model comes first."""
        incomplete = "incomplete" if _version(self._connection) > 1 else "NULL"  # version 0.1.0 had no such column
        sql = f"""SELECT id, width, height, rgb, aspect, tile, row, {incomplete}
            FROM images LEFT JOIN vectors ON image_id = id AND model = ?
            WHERE hash = ? ORDER BY row IS NULL, id LIMIT 1"""
        for id_, width, height, rgb, aspect, tile, row, missing in self._rows(sql, (model, hash_)):
            return Known(id_, width, height, _unpacked(rgb), aspect, tile, row, missing or "")
        return None

    def labels(self, id_: int, model: str | None = None) -> tuple[tuple[str, float], ...]:
        """(word, confidence) of an image, best first; of every model where none is named."""
        where, values = ("AND model = ?", (id_, model)) if model else ("", (id_,))
        rows = self._rows(
            f"SELECT word, confidence FROM labels WHERE image_id = ? {where} ORDER BY confidence DESC, word", values
        )
        return tuple((word, confidence) for word, confidence in rows)

    def unlabelled(self, model: str) -> Ids:
        """Ids of images that have a vector of the model but no label from it."""
        sql = """SELECT id FROM images JOIN vectors ON image_id = id AND vectors.model = ? WHERE state = 'ready'
            AND NOT EXISTS (SELECT 1 FROM labels WHERE labels.image_id = id AND labels.model = vectors.model)
            ORDER BY id"""
        return np.array([id_ for (id_,) in self._rows(sql, (model,))], np.int64)

    def labelled(self, word: str, model: str, *, least: float = 0.0) -> Ids:
        """Ids of images that the model labelled with a word, in any case, with at least this confidence, ascending."""
        sql = """SELECT image_id FROM labels JOIN images ON id = image_id
            WHERE word = ? AND confidence >= ? AND model = ? AND state = 'ready' ORDER BY image_id"""
        return np.array([id_ for (id_,) in self._rows(sql, (word, least, model))], np.int64)

    def label_words(self, model: str, *, least: float = 0.0) -> tuple[str, ...]:
        """The words that the model labelled images with, in the order of the alphabet."""
        sql = "SELECT DISTINCT word FROM labels WHERE model = ? AND confidence >= ? ORDER BY word"
        return tuple(word for (word,) in self._rows(sql, (model, least)))

    def failures(self) -> tuple[Failure, ...]:
        """Every file that could not become an image, by path."""
        return tuple(Failure(row.path, row.reason) for row in self._failed_files())

    def incomplete(self) -> tuple[Failure, ...]:
        """The images of which something is missing, by path, and what."""
        sql = "SELECT path, incomplete FROM images WHERE incomplete IS NOT NULL AND state = 'ready' ORDER BY path"
        return tuple(Failure(os.fsdecode(path), reason) for path, reason in self._rows(sql))

    def setting(self, key: str) -> str | None:
        """A remembered value."""
        rows = self._rows("SELECT value FROM settings WHERE key = ?", (key,))
        return str(rows[0][0]) if rows else None

    def extras(self) -> tuple[str, ...]:
        """Files and folders outside the source that belong to the library, by path."""
        return tuple(os.fsdecode(path) for (path,) in self._rows("SELECT path FROM extras ORDER BY path"))

    def suspects(self) -> dict[str, int]:
        """Path -> crashes of files the engine died on."""
        return {os.fsdecode(path): crashes for path, crashes in self._rows("SELECT path, crashes FROM suspects")}

    def contents(self) -> list[Content]:
        """Every file that was read well: those in the library, or all that ever were where it has none now."""
        sql = "SELECT path, size, hash FROM images WHERE hash IS NOT NULL"
        rows = self._rows(f"{sql} AND state = 'ready'") or self._rows(sql)
        return [Content(os.fsdecode(path), size, hash_) for path, size, hash_ in rows]

    def content_hashes(self, ids: Iterable[int]) -> frozenset[bytes]:
        """What these images hold."""
        sql = "SELECT hash FROM images WHERE id = ? AND hash IS NOT NULL"
        return frozenset(hash_ for id_ in ids for (hash_,) in self._rows(sql, (id_,)))

    def ids_with(self, hashes: Sequence[bytes]) -> dict[bytes, int]:
        """Content -> an image of the library that holds it, the oldest; what no image holds is left out."""
        found: dict[bytes, int] = {}
        for start in range(0, len(hashes), TOGETHER):
            part = hashes[start : start + TOGETHER]
            wanted = ", ".join("?" * len(part))
            sql = f"SELECT hash, min(id) FROM images WHERE hash IN ({wanted}) AND state = 'ready' GROUP BY hash"
            found |= self._rows(sql, part)
        return found

    # Steps of reconcile and commit, inside their transaction

    def _known_files(self, model: str) -> Iterator[KnownFile]:
        sql = """SELECT id, path, state, size, mtime_ns, hash IS NOT NULL, row IS NOT NULL
            FROM images LEFT JOIN vectors ON image_id = id AND model = ? ORDER BY id"""
        for id_, path, state, size, mtime_ns, hashed, encoded in self._connection.execute(sql, (model,)):
            yield KnownFile(id_, os.fsdecode(path), state, size, mtime_ns, bool(hashed), bool(encoded))

    def _failed_files(self) -> list[FailedFile]:
        rows = self._rows("SELECT path, size, mtime_ns, reason, stage FROM failures ORDER BY path")
        return [FailedFile(os.fsdecode(path), *rest) for path, *rest in rows]

    def _name(self, files: Sequence[FoundFile]) -> list[Todo]:
        """Give new files ids that no file ever had."""
        first = self._count("SELECT seq FROM sqlite_sequence WHERE name = 'images'") + 1
        todo = [Todo(first + i, file.path, file.size, file.mtime_ns, "new") for i, file in enumerate(files)]
        self._connection.executemany(
            "INSERT INTO images (id, path, state, size, mtime_ns) VALUES (?, ?, 'found', ?, ?)",
            [(each.id, os.fsencode(each.path), each.size, each.mtime_ns) for each in todo],
        )
        return todo

    def _update_states(self, state: str, ids: Iterable[int]) -> None:
        self._connection.executemany("UPDATE images SET state = ? WHERE id = ?", [(state, id_) for id_ in ids])

    def _place(self, image: Ready) -> tuple[str, int]:
        """What a file turned out to be, and the id it keeps: one with the content of a vanished image is that image."""
        rows = self._rows("SELECT hash FROM images WHERE id = ? AND state != 'gone'", (image.id,))
        if not rows:
            raise ValueError(f"image {image.id} was never planned: {image.path}")
        before = rows[0][0]
        if before is not None:
            return ("unchanged" if before == image.hash else "changed"), image.id
        if vanished := self._vanished_with(image):
            self._connection.execute("DELETE FROM images WHERE id = ?", (image.id,))
            return "moved", vanished
        return "new", image.id

    def _vanished_with(self, image: Ready) -> int | None:
        """The vanished image that had this content: best one with this path, then with this name, then the oldest."""
        rows = self._rows("SELECT id, path FROM images WHERE hash = ? AND state = 'gone' ORDER BY id", (image.hash,))
        path, name = os.fsencode(image.path), os.fsencode(Path(image.path).name)
        ranked = sorted(rows, key=lambda row: (row[1] != path, not row[1].endswith(os.fsencode(os.sep) + name)))
        return int(ranked[0][0]) if ranked else None

    def _move_table(self, table: str) -> None:
        """In two steps, since a path may move to where another one has not left yet: each row is marked first by a NUL,
        which no path can hold."""
        execute = self._connection.execute
        execute(f"UPDATE {table} SET path = moved(path) WHERE moved(path) IS NOT NULL")
        marked = "WHERE substr(path, 1, 1) = x'00'"
        kind = "IGNORE" if table == "images" else "REPLACE"
        execute(f"UPDATE OR {kind} {table} SET path = substr(path, 2) {marked}")
        if table == "images":  # another row is known by this path already: the moved one waits for its content
            execute(f"UPDATE images SET state = 'gone', path = substr(path, 2) {marked}")

    def _put_image(self, id_: int, model: str, image: Ready) -> None:
        execute = self._connection.execute
        if execute("SELECT 1 FROM images WHERE id = ? AND hash != ?", (id_, image.hash)).fetchone():
            execute("DELETE FROM vectors WHERE image_id = ?", (id_,))
            execute("DELETE FROM labels WHERE image_id = ?", (id_,))
        red, green, blue = image.mean_rgb
        facts = (image.hash, image.width_px, image.height_px, red << 16 | green << 8 | blue, image.aspect, image.tile)
        execute(
            """UPDATE images SET state = 'ready', path = ?, size = ?, mtime_ns = ?, hash = ?, width = ?, height = ?,
            rgb = ?, aspect = ?, tile = ?, incomplete = ? WHERE id = ?""",
            (os.fsencode(image.path), image.size, image.mtime_ns, *facts, image.incomplete or None, id_),
        )
        execute("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", (model, id_, image.vector_row))

    def _put_failures(self, failed: Sequence[FailedFile]) -> None:
        self._connection.executemany(
            "INSERT OR REPLACE INTO failures (path, size, mtime_ns, reason, stage) VALUES (?, ?, ?, ?, ?)",
            [(os.fsencode(each.path), each.size, each.mtime_ns, each.reason, each.stage) for each in failed],
        )
        self._connection.executemany(
            "UPDATE images SET state = 'failed' WHERE path = ? AND state != 'gone'",
            [(os.fsencode(each.path),) for each in failed],
        )

    def _forget_failures(self, paths: Iterable[str]) -> None:
        self._connection.executemany("DELETE FROM failures WHERE path = ?", [(os.fsencode(path),) for path in paths])

    def _put_labels(self, model: str, labels: Mapping[int, Labels]) -> None:
        self._connection.executemany(
            "DELETE FROM labels WHERE image_id = ? AND model = ?", [(id_, model) for id_ in labels]
        )
        self._connection.executemany(
            "INSERT OR REPLACE INTO labels (model, image_id, word, confidence) VALUES (?, ?, ?, ?)",
            [(model, id_, word, confidence) for id_, words in labels.items() for word, confidence in words],
        )

    # The connection

    def _rows(self, sql: str, values: Sequence[object] = ()) -> list[Any]:
        with _speaking(self._folder):
            return self._connection.execute(sql, values).fetchall()

    def _count(self, sql: str, values: Sequence[object] = ()) -> int:
        rows = self._rows(sql, values)
        return int(rows[0][0] or 0) if rows else 0

    def _write(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        with self._transaction():
            self._connection.executemany(sql, rows)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All or nothing, also when the disk is full or the thread is interrupted."""
        with _speaking(self._folder), _transaction(self._connection):
            yield


def migrate(connection: sqlite3.Connection, steps: Sequence[str] = STEPS) -> None:
    """Bring a database to the version of these steps, each step whole or not at all.

    Raises MissingError for one that a newer program made.
    """
    version = _version(connection)
    if version > len(steps):
        raise MissingError(
            "This library was made by a newer version of atlas_rt: update the program, or use another with --cache DIR."
        )
    for number, step in enumerate(steps[version:], start=version + 1):
        with _transaction(connection):
            for statement in step.split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number}")


def _writer(folder: Path) -> sqlite3.Connection:
    with disk_errors.writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(folder / FILE_NAME, timeout=WRITER_PATIENCE_SECS, isolation_level=None)
    try:
        _choose_journal(connection, remote=is_remote(str(folder)))
        connection.execute("PRAGMA foreign_keys = ON")
        migrate(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _choose_journal(connection: sqlite3.Connection, *, remote: bool) -> None:
    """Write-ahead logging, in which readers and the writer never wait for each other; not on a network drive: its index
    of the log is memory that all processes map, which computers do not share.

    A library that others have open meanwhile keeps the journal that it has.
    """
    connection.execute(f"PRAGMA busy_timeout = {int(1000 * READER_PATIENCE_SECS)}")
    try:
        connection.execute(f"PRAGMA journal_mode = {'TRUNCATE' if remote else 'WAL'}")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise
    connection.execute(f"PRAGMA busy_timeout = {int(1000 * WRITER_PATIENCE_SECS)}")
    connection.execute(f"PRAGMA synchronous = {'FULL' if remote else 'NORMAL'}")


def _reader(folder: Path, *, older: bool) -> sqlite3.Connection:
    file = folder / FILE_NAME
    if not file.is_file():
        raise MissingError(f"There is no library yet; `atlas-rt index SOURCE` makes one: {folder}")
    remote = is_remote(str(folder))
    address = f"{file.absolute().as_uri()}?mode=ro"
    journals = [file.with_name(f"{FILE_NAME}-{kind}") for kind in (("wal", "journal") if remote else ("wal",))]
    if not os.access(folder, os.W_OK) and not any(journal.exists() for journal in journals):
        address += (
            "&immutable=1"  # SQLite would put its shared memory beside the database, where nothing may be written
        )
    patience_secs = REMOTE_READER_PATIENCE_SECS if remote else READER_PATIENCE_SECS
    # a reader may serve several threads that take turns
    connection = sqlite3.connect(
        address, uri=True, timeout=patience_secs, isolation_level=None, check_same_thread=False
    )
    try:
        version = _version(connection)
        if version != len(STEPS) and not (older and 0 < version < len(STEPS)):
            raise MissingError(f"This library is of another version; `atlas-rt index SOURCE` updates it: {folder}")
    except BaseException:
        connection.close()
        raise
    return connection


def _version(connection: sqlite3.Connection) -> int:
    with closing(connection.execute("PRAGMA user_version")) as cursor:
        return int(cursor.fetchone()[0])


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def _speaking(folder: Path) -> Iterator[None]:
    """Turn SQLite's refusals into sentences; a mistake in our SQL passes through as it is."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        # where its shared memory cannot grow, SQLite calls it an I/O error
        if code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and disk_errors.is_full(folder)):
            raise disk_errors.full(folder) from error
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise disk_errors.damaged(folder) from error
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise MissingError(f"Another process is writing this library; try again in a moment: {folder}") from error
        if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_PERM):
            raise MissingError(f"The library cannot be opened or written ({error}): {folder}") from error
        raise


def _mover(moves: Mapping[bytes, bytes]) -> Callable[[bytes], bytes | None]:
    """A path at or below a moved source -> NUL and its new path; None for any other. Of nested sources the inner one
    counts."""
    separator = os.fsencode(os.sep)
    ranked = sorted(
        ((old.rstrip(separator), new.rstrip(separator)) for old, new in moves.items()), key=lambda each: -len(each[0])
    )

    def moved(path: bytes) -> bytes | None:
        for old, new in ranked:
            if path == old or path.startswith(old + separator):
                return b"\0" + new + path[len(old) :]
        return None

    return moved


def _unpacked(rgb: int) -> tuple[int, int, int]:
    return (rgb >> 16, rgb >> 8 & 255, rgb & 255)
