"""Originals: the files of images, wherever they lie. Those of objects in a bucket are copied to this disk once.

    <cache>/originals/<2 hex digits>/<30 more>-<16 hex digits of the ETag><ending>

The first 32 digits are those of the address. A copy is written under another name and renamed when it is whole, so a
half-written one is never used; two processes that fetch the same object write the same bytes. Copies go when all of
them take more than the limit, those first that were not used for longest; what was used within `GRACE_SECS` stays.

Anything that opens an image by its path asks `local_file` for the file to open, or `read` for its bytes.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import threading
import time
from functools import partial
from pathlib import Path

from atlas_rt.core.objects import Fetch
from atlas_rt.core.s3_address import is_s3
from atlas_rt.core.s3_errors import S3Error
from atlas_rt.errors import DecodeError
from atlas_rt.library import disk_errors
from atlas_rt.library.file_content import NOT_HERE, read
from atlas_rt.library.formats import suffix_of

FOLDER = "originals"
GRACE_SECS = 120.0
"""What was fetched so recently may be in work."""
TRIM_SHARE = 0.05
"""The folder is looked through again when so much of the limit was written since."""
ABANDONED_SECS = 3600.0
"""A half-written copy this old belongs to nobody."""
ENDING_MAX = 8
"""Characters of a copy's ending."""

_PART = ".part"
_numbers = itertools.count()


class Originals:
    """The originals of one cache. May be used by several threads and processes at once."""

    def __init__(self, cache: Path, *, limit_bytes: int, fetch: Fetch | None = None) -> None:
        """cache: the program's cache folder. fetch: None where nothing may be fetched, as in the window's process."""
        self._folder, self._limit_bytes, self._fetch = cache / FOLDER, limit_bytes, fetch
        self._lock = threading.Lock()
        self._written = limit_bytes  # look through the folder at the first copy

    def local_file(self, path: str, etag: str = "", *, size: int = -1) -> Path:
        """The file to open for an image: its own, or the copy of an object, fetched where there is none.

        path: of the image, as the library has it. etag: of the object; empty for whichever is there. size: bytes,
        where it is known. Raises S3Error where an object cannot be fetched, DecodeError where that is not allowed here,
        MissingError where the disk refuses.
        """
        if not is_s3(path):
            return Path(path)
        kept = self.kept_file(path, etag, size=size)
        if kept is not None:
            return kept
        if self._fetch is None:
            raise DecodeError(NOT_HERE)
        return self._fetched(path, etag, size, self._fetch)

    def fresh_file(self, path: str) -> Path:
        """The same, but an object is fetched as it is now, whatever is there. Raises what `local_file` raises."""
        if is_s3(path) and self._fetch is not None:
            return self._fetched(path, "", -1, self._fetch)
        return self.local_file(path)

    def kept_file(self, path: str, etag: str = "", *, size: int = -1) -> Path | None:
        """The same where it is on this disk already. A copy counts as used."""
        if not is_s3(path):
            return Path(path)
        for copy in self._copies(path, etag):
            with contextlib.suppress(OSError):
                if copy.stat().st_size == size or (size < 0 and copy.stat().st_size):
                    os.utime(copy)
                    return copy
        return None

    def read(self, path: str, etag: str = "", *, size: int = -1) -> bytes:
        """The bytes of an image. Without an ETag the object as it is now: what was fetched for an earlier question may
        have changed since. Raises DecodeError with the reason it cannot be read."""
        try:
            return read(str(self.local_file(path, etag, size=size) if etag else self.fresh_file(path)))
        except S3Error as error:
            raise DecodeError(str(error)) from error

    def __reduce__(self) -> tuple[object, ...]:
        """It may be sent to another process."""
        return partial(Originals, limit_bytes=self._limit_bytes, fetch=self._fetch), (self._folder.parent,)

    def _copies(self, path: str, etag: str) -> list[Path]:
        """Where a copy may lie; without an ETag the newest first."""
        if etag:
            return [self._copy_of(path, etag)]
        folder, start = self._shelf_of(path)
        with contextlib.suppress(OSError):
            found = [file for file in folder.iterdir() if file.name.startswith(f"{start}-") and _PART not in file.name]
            return sorted(found, key=_used_secs, reverse=True)
        return []

    def _copy_of(self, path: str, etag: str) -> Path:
        folder, start = self._shelf_of(path)
        ending = suffix_of(path)[:ENDING_MAX]
        return folder / f"{start}-{_digits(etag, 8)}{ending if ending[1:].isalnum() else ''}"

    def _shelf_of(self, path: str) -> tuple[Path, str]:
        digits = _digits(path, 16)
        return self._folder / digits[:2], digits[2:]

    def _fetched(self, path: str, etag: str, size: int, fetch: Fetch) -> Path:
        folder, start = self._shelf_of(path)
        part = folder / f"{start}{_PART}-{os.getpid()}-{next(_numbers)}"
        with disk_errors.writing(self._folder.parent):
            try:
                folder.mkdir(parents=True, exist_ok=True)
                with part.open("wb") as file:
                    came = fetch(path, etag, size, file)
                copy, written = self._copy_of(path, etag or came), part.stat().st_size
                part.replace(copy)
            finally:
                part.unlink(missing_ok=True)
        self._make_room(written)
        return copy

    def _make_room(self, written: int) -> None:
        with self._lock:
            self._written += written
            if self._written < max(TRIM_SHARE * self._limit_bytes, 1):
                return
            self._written = 0
        self._trim()

    def _trim(self) -> None:
        """Delete the copies that were not used for longest, until the others take no more than the limit."""
        now, copies, total = time.time(), [], 0
        for folder in _entries(self._folder):
            for entry in _entries(folder.path):
                with contextlib.suppress(OSError):
                    status = entry.stat()
                    if _PART not in entry.name:
                        total += status.st_size
                        copies.append((status.st_mtime, status.st_size, entry.path))
                    elif now - status.st_mtime > ABANDONED_SECS:
                        Path(entry.path).unlink()
        for used_secs, size, path in sorted(copies):
            if total <= self._limit_bytes or now - used_secs < GRACE_SECS:
                return
            total -= size
            with contextlib.suppress(OSError):  # another process was faster, or somebody has it open (Windows)
                Path(path).unlink()


def _entries(folder: Path | str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []


def _used_secs(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0


def _digits(text: str, size: int) -> str:
    """Hexadecimal digits, two for each byte of a hash of a text."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=size).hexdigest()
