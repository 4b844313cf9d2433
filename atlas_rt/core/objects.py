"""Objects in a bucket as a listing tells of them, and what asking for them has cost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

ARCHIVES = frozenset(["GLACIER", "DEEP_ARCHIVE"])
"""Storage classes whose objects must be restored before they can be read. (GLACIER_IR is read at once.)"""


@dataclass(frozen=True, slots=True)
class ListedObject:
    """One object of a listing. key: exactly as it is. size: bytes. etag: without quotes. changed_ns: when it was
    written, in nanoseconds since 1970. archived: it must be restored before it can be read."""

    key: str
    size: int
    etag: str
    changed_ns: int
    archived: bool = False


@dataclass(frozen=True, slots=True)
class Requests:
    """What was asked of S3 so far. lists, gets, others: requests, repetitions included. bytes_read: of objects."""

    lists: int = 0
    gets: int = 0
    others: int = 0
    bytes_read: int = 0

    def __add__(self, other: Requests) -> Requests:
        """What two have asked together."""
        return Requests(
            self.lists + other.lists,
            self.gets + other.gets,
            self.others + other.others,
            self.bytes_read + other.bytes_read,
        )

    def as_dict(self) -> dict[str, int]:
        """As `index --json` prints it."""
        return {"list": self.lists, "get": self.gets, "other": self.others, "bytes": self.bytes_read}


@dataclass(frozen=True, slots=True)
class Coming:
    """An object that is being fetched. path: its address. done, total: bytes; -1 where it is not known how many."""

    path: str
    done: int
    total: int = -1


Fetch = Callable[[str, str, int, BinaryIO], str]
"""(address, ETag or "" for any, size in bytes or -1 where it is not known, file to write to) -> the ETag of what was
written. May be called by several threads at once. Raises S3Error (`core/s3_errors.py`)."""
