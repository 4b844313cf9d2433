"""One connection to the database of a library (SQLite): opening, migrating, transactions, and a sentence for every
trouble.

One process writes (it holds `lock.Lock`), any number read meanwhile: write-ahead logging lets neither wait for the
other. A writing connection belongs to the thread that opened it.
"""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from atlas_rt.errors import MissingError
from atlas_rt.library import disk_errors
from atlas_rt.library.drives import is_remote
from atlas_rt.library.schema import STEPS

FILE_NAME = "library.db"
WRITER_PATIENCE_SECS = 10.0
READER_PATIENCE_SECS, REMOTE_READER_PATIENCE_SECS = 0.2, 5.0
"""A reader often works while a frame is drawn; with write-ahead logging it waits only while the log is being folded
back. On a network drive it waits while a batch is committed."""

Values = Sequence[object]
_ENCODING, _ERRORS = sys.getfilesystemencoding(), sys.getfilesystemencodeerrors()


def path_of(stored: bytes) -> str:
    """A path as it was stored: what `os.fsdecode` gives, in a fifth of the time."""
    return stored.decode(_ENCODING, _ERRORS)


class Database:
    """A connection. Make it with `reading` or `writing`; both raise MissingError: no library there, made by a newer
    version, damaged, or on a disk that is full."""

    def __init__(self, connection: sqlite3.Connection, folder: Path) -> None:
        self.connection = connection
        self._folder = folder

    @classmethod
    def reading(cls, folder: Path, *, older: bool = False) -> Self:
        """The database in a folder, which must be there and of this version, or may be of an `older` one. Several
        threads may use it in turns."""
        with _speaking(folder):
            return cls(_reader(folder, older=older), folder)

    @classmethod
    def writing(cls, folder: Path) -> Self:
        """The database in a folder, made where there is none, migrated where it is of an older version."""
        with _speaking(folder):
            return cls(_writer(folder), folder)

    @property
    def version(self) -> int:
        """Of its tables: how many steps of `schema.STEPS` it has gone through."""
        return _version(self.connection)

    def close(self) -> None:
        self.connection.close()

    def rows(self, sql: str, values: Values = ()) -> list[Any]:
        with _speaking(self._folder):
            return self.connection.execute(sql, values).fetchall()

    def each(self, sql: str, values: Values = ()) -> Iterator[Any]:
        """The rows one by one: of many, less memory than all at once."""
        with _speaking(self._folder):
            yield from self.connection.execute(sql, values)

    def number(self, sql: str, values: Values = ()) -> int:
        """The first column of the first row; 0 where there is none."""
        rows = self.rows(sql, values)
        return int(rows[0][0] or 0) if rows else 0

    def columns(self, sql: str, values: Values = (), *, names: Sequence[str]) -> list[NDArray[np.int64]]:
        """The columns of these names, each (n,), of rows in which they are whole numbers and never NULL. Three times as
        fast as one Python number after the other: 100,000 rows of two 18 ms."""
        joined = ", ".join(f"group_concat({name})" for name in names)
        (texts,) = self.rows(f"SELECT {joined} FROM ({sql})", values)
        return [np.fromstring(text, np.int64, sep=",") if text else np.zeros(0, np.int64) for text in texts]

    def execute(self, sql: str, values: Values = ()) -> None:
        """One statement, inside a transaction."""
        self.connection.execute(sql, values)

    def execute_each(self, sql: str, rows: Iterable[Values]) -> None:
        """One statement for each of these values, inside a transaction."""
        self.connection.executemany(sql, rows)

    def write(self, sql: str, rows: Sequence[Values]) -> None:
        """One statement for each of these values, in a transaction of its own."""
        with self.transaction():
            self.connection.executemany(sql, rows)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, also when the disk is full or the thread is interrupted."""
        with _speaking(self._folder), _transaction(self.connection):
            yield

    def shrink(self) -> None:
        """Give the disk back what deleted rows held, in the database and in its log."""
        with _speaking(self._folder):
            self.connection.execute("VACUUM")
            self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def is_outdated(folder: Path) -> bool:
    """Whether a library lies there whose database an older version of the program made."""
    file = folder / FILE_NAME
    if not file.is_file():
        return False
    with _speaking(folder), closing(_connected(file)) as connection:
        return _version(connection) < len(STEPS)


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
            for statement in _statements(step):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number}")


def _statements(step: str) -> Iterator[str]:
    """The statements of a step, one by one; a trigger has semicolons within."""
    statement = ""
    for part in step.split(";"):
        statement += f"{part};"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


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
    connection = _connected(file)
    try:
        version = _version(connection)
        if version != len(STEPS) and not (older and 0 < version < len(STEPS)):
            raise MissingError(f"This library is of another version; `atlas-rt index SOURCE` updates it: {folder}")
    except BaseException:
        connection.close()
        raise
    return connection


def _connected(file: Path) -> sqlite3.Connection:
    """For reading only."""
    remote = is_remote(str(file.parent))
    address = f"{file.absolute().as_uri()}?mode=ro"
    journals = [file.with_name(f"{FILE_NAME}-{kind}") for kind in (("wal", "journal") if remote else ("wal",))]
    if not os.access(file.parent, os.W_OK) and not any(journal.exists() for journal in journals):
        # SQLite would put its shared memory next to the database, where nothing may be written
        address += "&immutable=1"
    patience_secs = REMOTE_READER_PATIENCE_SECS if remote else READER_PATIENCE_SECS
    return sqlite3.connect(address, uri=True, timeout=patience_secs, isolation_level=None, check_same_thread=False)


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
        if "no such module" in str(error):
            raise MissingError(
                "This Python's SQLite lacks full-text search (FTS5), which names are searched with; use another build, "
                "such as that of python.org."
            ) from error
        if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_PERM):
            raise MissingError(f"The library cannot be opened or written ({error}): {folder}") from error
        raise
