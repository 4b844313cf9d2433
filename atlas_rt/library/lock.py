"""One writer per library: a lock that the system lets go of when its process ends, however that comes."""

from __future__ import annotations

import os
import socket
import sys
import time

from atlas_rt.core.records import LibraryPlace
from atlas_rt.library import disk_errors

_LOCKED_BYTE = 2**20
"""Windows forbids reading locked bytes: the lock lies far behind the text that says who holds it."""


class Lock:
    """The right to write to one library. Held by an object of one process until released or closed with it."""

    def __init__(self, place: LibraryPlace) -> None:
        self._folder = place.folder
        self._path = place.folder / "lock"
        self._file: int | None = None

    def acquire(self) -> bool:
        """Take it; False while another holds it, for longer than one takes to ask who does.

        Raises MissingError on a read-only or full disk.
        """
        if self._file is not None:
            return True
        with disk_errors.writing(self._folder):
            file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        if not _lock_soon(file):
            os.close(file)
            return False
        self._file = file
        with disk_errors.writing(self._folder):
            os.ftruncate(file, 0)
            os.write(file, f"process {os.getpid()} on {socket.gethostname()}".encode())
        return True

    def release(self) -> None:
        """Let it go; harmless when it is not held."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def holder(self) -> str:
        """Who writes the library now, e.g. "process 4711 on laptop"; empty when nobody does. Makes nothing."""
        try:
            file = os.open(self._path, os.O_RDWR)
        except OSError:
            return ""
        try:
            if self._file is None and _try_lock(file):
                return ""
            return os.read(file, 200).decode(errors="replace") or "another process"
        finally:
            os.close(file)

    def __enter__(self) -> Lock:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def _lock_soon(file: int) -> bool:
    """Three tries 20 ms apart: `holder` takes the lock for some microseconds to see whether it is free."""
    for wait_secs in (0.02, 0.02, 0.0):
        if _try_lock(file):
            return True
        time.sleep(wait_secs)
    return False


if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: int) -> bool:
        os.lseek(file, _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            os.lseek(file, 0, os.SEEK_SET)
        return True
else:
    import fcntl

    def _try_lock(file: int) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
