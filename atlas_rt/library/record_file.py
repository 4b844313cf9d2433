"""A file of records of one size: appended to by one writer, memory-mapped by any number of readers.

The file itself does not say how many records count: the database does, by naming them. What lies behind the named ones
(left by a crash between the append and the transaction) is written over by the next writer. The file only ever grows,
because shortening a mapped file kills its readers with SIGBUS; `cleaning` replaces it by a smaller one.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.arrays import Ints
from atlas_rt.errors import MissingError
from atlas_rt.library import disk_errors

BLOCK = 4096
"""Records copied together."""


def copy_records(source: Path, target: Path, record_bytes: int, records: Ints) -> None:
    """Write these records of one file into a new one, in this order, and wait until the disk has them.

    Raises MissingError where the source is shorter; OSError where the disk refuses.
    """
    count = int(records.max()) + 1 if len(records) else 0
    old = RecordFile(source, record_bytes, writable=False, count=count)
    with target.open("wb") as file:
        for start in range(0, len(records), BLOCK):
            file.write(old.records()[records[start : start + BLOCK]].tobytes())
        file.flush()
        os.fsync(file.fileno())


def read_record(path: Path, number: int, record_bytes: int) -> bytes:
    """One record of a file that somebody else writes. Raises MissingError where it is not there."""
    try:
        with path.open("rb") as file:
            file.seek(number * record_bytes)
            record = file.read(record_bytes)
    except OSError as error:
        raise disk_errors.damaged(path.parent) from error
    if len(record) < record_bytes:
        raise disk_errors.damaged(path.parent)
    return record


class RecordFile:
    """One such file. count: records that are named (as a reader: that are wanted), all of `record_bytes`.

    One thread at a time. Opening makes nothing; the first append makes the file.
    """

    def __init__(self, path: Path, record_bytes: int, *, writable: bool, count: int) -> None:
        self.path = path
        self.count = count
        self._record_bytes = record_bytes
        self._writable = writable
        self._file: int | None = None
        self._map: NDArray[np.uint8] | None = None
        if self._on_disk() < count:
            raise disk_errors.damaged(path.parent)

    def append(self, records: bytes) -> int:
        """Write whole records behind the named ones and name them here; the first one's number.

        Raises MissingError where the disk refuses; the count is then what it was.
        """
        added, rest = divmod(len(records), self._record_bytes)
        if rest:
            raise ValueError(f"{len(records)} bytes are no whole number of records of {self._record_bytes}")
        first = self.count
        with disk_errors.writing(self.path.parent):
            self._write(memoryview(records), first * self._record_bytes)
        self.count = first + added
        return first

    def records(self) -> NDArray[np.uint8]:
        """(count, record_bytes), read-only, mapped; a longer file is mapped again when `count` has grown.

        Raises MissingError where the file is shorter than its count.
        """
        if self._map is None or len(self._map) < self.count:
            self._map = self._open_map()
        return self._map[: self.count]

    def flush(self) -> None:
        """Wait until the disk has what was appended: call it before the transaction that names it."""
        if self._file is not None:
            with disk_errors.writing(self.path.parent):
                os.fsync(self._file)

    def close(self) -> None:
        """Let go of the file; maps handed out stay valid."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
        self._map = None

    def _write(self, data: memoryview, offset: int) -> None:
        if not self._writable:
            raise PermissionError(f"opened for reading only: {self.path}")
        if self._file is None:
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644)
        os.lseek(self._file, offset, os.SEEK_SET)
        while data:
            data = data[os.write(self._file, data) :]

    def _open_map(self) -> NDArray[np.uint8]:
        if self.count == 0:
            return np.zeros((0, self._record_bytes), np.uint8)
        whole = self._on_disk()
        if whole < self.count:
            raise disk_errors.damaged(self.path.parent)
        return np.memmap(self.path, np.uint8, mode="r", shape=(whole, self._record_bytes))

    def _on_disk(self) -> int:
        """Whole records in the file, named or not."""
        try:
            return self.path.stat().st_size // self._record_bytes
        except FileNotFoundError:
            return 0
        except OSError as error:
            raise MissingError(f"The library cannot be read ({error.strerror}): {self.path}") from error
