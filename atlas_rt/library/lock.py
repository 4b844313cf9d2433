"""One writer per library: a lock that the system lets go of when its process ends, however that comes."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import socket
import sys
import time
from pathlib import Path

from atlas_rt.core.images import LibraryPlace
from atlas_rt.errors import MissingError, UsageError
from atlas_rt.library import disk_errors

_LOCKED_BYTE = 2**20
"""Windows forbids reading locked bytes: the lock lies far behind the text that says who holds it."""
_HELD = {errno.EAGAIN, errno.EACCES, errno.EDEADLK}
"""What the system answers where another holds the lock; anything else says that there are no locks."""
DELETES_OPEN_FILES = sys.platform != "win32"


class Lock:
    """The right to write to one library. Held by an object of one process until released or closed with it."""

    def __init__(self, place: LibraryPlace, *, kind: str = "cache") -> None:
        """kind: which folder of ours it lies in (`disk_errors.writing`)."""
        self._folder, self._kind = place.folder, kind
        self._path = place.folder / "lock"
        self._file: int | None = None

    def acquire(self) -> bool:
        """Take it; False while another holds it, for longer than one takes to ask who does.

        Raises MissingError on a read-only or full disk, and where the file system has no locks.
        """
        if self._file is not None:
            return True
        with disk_errors.writing(self._folder, kind=self._kind):
            file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        if not self._lock_soon(file):
            os.close(file)
            return False
        if not _is_file_of(file, self._path):  # its holder has just deleted it, and the library with it
            os.close(file)
            return self.acquire()
        self._file = file
        with disk_errors.writing(self._folder, kind=self._kind):
            os.ftruncate(file, 0)
            os.write(file, f"process {os.getpid()} on {socket.gethostname()}".encode())
        return True

    def release(self) -> None:
        """Let it go; harmless when it is not held."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def delete_folder(self) -> None:
        """Delete the library's folder with all that is in it; links are not followed. To be called by the holder, who
        holds it no longer then.

        The lock goes last. Windows deletes no open file, so there it is let go of before; whoever takes it in between
        keeps it. Raises OSError, and UsageError where Windows finds another file open.
        """
        with os.scandir(self._folder) as entries:
            for entry in entries:
                if entry.name != self._path.name:
                    _delete(entry)
        if not DELETES_OPEN_FILES:
            self.release()
        with contextlib.suppress(FileNotFoundError, *(() if DELETES_OPEN_FILES else (PermissionError,))):
            self._path.unlink()
        self.release()
        try:
            self._folder.rmdir()
        except OSError as error:
            if error.errno not in {errno.ENOTEMPTY, errno.EEXIST}:  # another process has made the library again
                raise

    def holder(self) -> str:
        """Who writes the library now, e.g. "process 4711 on laptop"; empty when nobody does, or nobody can for want of
        locks. Makes nothing."""
        try:
            file = os.open(self._path, os.O_RDWR)
        except OSError:
            return ""
        try:
            if self._file is None and _try_lock(file):
                return ""
            return os.read(file, 200).decode(errors="replace") or "another process"
        except OSError:
            return ""
        finally:
            os.close(file)

    def _lock_soon(self, file: int) -> bool:
        """Three tries 20 ms apart: `holder` takes the lock for some microseconds to see whether it is free."""
        for wait_secs in (0.02, 0.02, 0.0):
            try:
                if _try_lock(file):
                    return True
            except OSError as error:
                os.close(file)
                raise MissingError(
                    f"The file system of this folder has no locks ({error.strerror}), and without them two programs "
                    "could write one library at once. Choose a folder on a disk of this computer with --cache DIR: "
                    f"{self._folder}"
                ) from error
            time.sleep(wait_secs)
        return False

    def __enter__(self) -> Lock:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def _is_file_of(file: int, path: Path) -> bool:
    """Whether an open file is still the one at this path."""
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False


def _delete(entry: os.DirEntry[str]) -> None:
    try:
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        else:
            Path(entry.path).unlink(missing_ok=True)
    except PermissionError as error:
        if DELETES_OPEN_FILES:
            raise
        raise UsageError(f"The library is open in another program; close it first: {entry.path}") from error


if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: int) -> bool:
        """Whether the lock was free. Raises OSError where there are no locks."""
        os.lseek(file, _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            if error.errno not in _HELD:
                raise
            return False
        finally:
            os.lseek(file, 0, os.SEEK_SET)
        return True
else:
    import fcntl

    def _try_lock(file: int) -> bool:
        """Whether the lock was free. Raises OSError where there are no locks."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in _HELD:
                raise
            return False
        return True
