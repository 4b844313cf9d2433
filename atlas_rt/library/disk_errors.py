"""What to say when the disk refuses to read or to write."""

from __future__ import annotations

import errno
import math
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from atlas_rt.errors import MissingError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
NEXT_TO_NOTHING = 2**16
"""Bytes with which nothing can be done: SQLite's index of its log alone takes half of them."""
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}


@contextmanager
def writing(folder: Path, *, kind: str = "cache") -> Iterator[None]:
    """Turn the refusal of a full or read-only disk into a sentence; other errors pass through.

    kind: which folder of ours it lies in, and the option that names another. Raises MissingError.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise full(folder, kind=kind) from error
        if error.errno in _FORBIDDEN:
            raise MissingError(
                f"The {kind} folder cannot be written to. Allow it, or choose another with --{kind} DIR: {folder}"
            ) from error
        raise


def sync_folder(folder: Path) -> None:
    """Make a rename outlast a power cut; Windows has no such call and needs none."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def is_full(folder: Path) -> bool:
    """Whether next to no room is left where a folder lies, or a file in it is as long as this process may make one."""
    return shutil.disk_usage(folder).free < NEXT_TO_NOTHING or _longest(folder) > _length_limit() - NEXT_TO_NOTHING


def _longest(folder: Path) -> int:
    return max((file.stat().st_size for file in folder.glob("*") if file.is_file()), default=0)


def _length_limit() -> float:
    """Of files that this process writes, in bytes."""
    try:
        import resource
    except ImportError:  # Windows, which knows no such limit
        return math.inf
    limit, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    return math.inf if limit == resource.RLIM_INFINITY else limit


def full(folder: Path, *, kind: str = "cache") -> MissingError:
    """The error for a disk with no room left; what was stored before stays valid."""
    return MissingError(
        "The disk is full; everything found so far is kept. Free some space, or choose another place with "
        f"--{kind} DIR: {folder}"
    )


def damaged(folder: Path) -> MissingError:
    """The error for a library whose files do not fit together; nothing of the person's is lost with it."""
    return MissingError(
        "The stored library is damaged (your images are not touched by this). Delete it with "
        f"`atlas-rt library forget SOURCE` and it will be made again: {folder}"
    )


def reason_of(error: OSError) -> str:
    """Why the file system refused, in a few plain words without the path."""
    reasons = {
        errno.EACCES: "no permission to read it",
        errno.EPERM: "no permission to read it",
        errno.ENOENT: "it is no longer there",
        errno.ELOOP: "the link leads back to itself",
        errno.EIO: "the disk could not read it",
        errno.ENAMETOOLONG: "its path is too long",
    }
    return reasons.get(error.errno or 0, (error.strerror or "it could not be read").lower())
