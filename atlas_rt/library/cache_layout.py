"""Where libraries lie in the cache folder, which there are, and who may write to one.

<cache>/libraries/<16 hex digits of the sources>/   sources.json lock library.db tiles-*.bin <model>/...
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from atlas_rt.core.records import LibraryPlace
from atlas_rt.errors import MissingError, UsageError
from atlas_rt.library import disk_errors
from atlas_rt.library.lock import Lock
from atlas_rt.library.scanning import reason_of
from atlas_rt.library.sources import absolute
from atlas_rt.library.store import Store

__all__ = ["CachedLibrary", "Lock", "cache_folder", "forget", "last_opened", "place_of", "places", "remember_opened"]

_SOURCES = "sources.json"
_DOOMSDAY_SECS = 2.0**36
"""A time of opening beyond this (the year 4147) is no time: the note is damaged."""


@dataclass(frozen=True, slots=True)
class CachedLibrary:
    """One library in the cache. opened_secs: time of its last opening (since 1970), 0 for never."""

    place: LibraryPlace
    images: int
    size_bytes: int
    opened_secs: float


def cache_folder(given: Path | None) -> Path:
    """The folder of all libraries, absolute: the one named, or the user's cache folder. Not made yet.

    Raises UsageError where something else stands in its place, MissingError where it cannot be read.
    """
    cache = absolute(str(given or platformdirs.user_cache_path("atlas_rt", appauthor=False)))
    standing = next(path for path in (cache, *cache.parents) if os.path.lexists(path))
    if not standing.is_dir():
        raise UsageError(
            f"The cache must be a folder, and this is not one; choose another with --cache DIR: {standing}"
        )
    try:
        os.scandir(cache).close()
    except FileNotFoundError:
        pass  # it is made when something is put there
    except OSError as error:
        reason = reason_of(error)
        raise MissingError(
            f"The cache folder cannot be used ({reason}); choose another with --cache DIR: {cache}"
        ) from error
    return cache


def place_of(sources: Sequence[str], cache: Path, *, make: bool = True) -> LibraryPlace:
    """Where the library of these absolute paths lies, whatever their order; its folder is made, unless told otherwise.

    Raises UsageError where the cache would lie inside a source, MissingError where the folder cannot be made.
    """
    for source in sources:
        if _within(cache, Path(source)):
            raise UsageError(
                f"The cache folder lies inside the source {source}; choose another with --cache DIR: {cache}"
            )
    named = tuple(sorted(set(sources)))
    place = LibraryPlace(_folder(named, cache), named)
    if make:
        try:
            with disk_errors.writing(cache):
                place.folder.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            raise MissingError(f"A file lies where the library's folder must go; delete it: {place.folder}") from error
        if _noted(place.folder / _SOURCES, cache) is None:
            _note(place, opened_secs=0.0)
    return place


def places(cache: Path) -> tuple[CachedLibrary, ...]:
    """Every library in the cache, the one opened last first."""
    found = [_cached_library(place, opened_secs) for opened_secs, place in _all_noted(cache)]
    return tuple(sorted(found, key=lambda each: (-each.opened_secs, each.place.sources)))


def last_opened(cache: Path) -> LibraryPlace | None:
    """The library that was opened last; None the first time."""
    opened = [(opened_secs, place) for opened_secs, place in _all_noted(cache) if opened_secs]
    return max(opened, key=lambda each: each[0])[1] if opened else None


def remember_opened(cache: Path, place: LibraryPlace) -> None:
    """Note that a library of this cache is opened now. Raises MissingError where the cache cannot be written."""
    _note(LibraryPlace(_folder(place.sources, cache), place.sources), opened_secs=time.time())


def forget(place: LibraryPlace, cache: Path) -> None:
    """Delete a library, never an image: only a folder that this module named is touched, and links are not followed.

    Raises UsageError while a process writes to it or where it is no library, MissingError where it cannot be deleted.
    """
    folder = place.folder
    if folder != _folder(place.sources, cache) or folder.is_symlink():
        raise UsageError(f"This is not a library of the cache {cache}: {folder}")
    if not folder.exists():
        return
    lock = Lock(place)
    if not lock.acquire():
        raise UsageError(f"The library is open in {lock.holder()}; close it first: {folder}")
    try:
        with disk_errors.writing(folder):
            lock.delete_folder()
    finally:
        lock.release()


def _shelf(cache: Path) -> Path:
    return cache / "libraries"


def _folder(sources: Sequence[str], cache: Path) -> Path:
    name = hashlib.sha256(b"\0".join(os.fsencode(source) for source in sources)).hexdigest()[:16]
    return _shelf(cache) / name


def _within(inner: Path, outer: Path) -> bool:
    """Whether a path is another or lies in it, links followed."""
    return inner.resolve().is_relative_to(outer.resolve())


def _cached_library(place: LibraryPlace, opened_secs: float) -> CachedLibrary:
    try:
        with Store.open(place.folder, writable=False) as store:
            images = store.images()
    except MissingError:
        images = 0
    return CachedLibrary(place, images, sum(map(_size, place.folder.rglob("*"))), opened_secs)


def _size(path: Path) -> int:
    """Bytes of a file; none for what is no file, or no longer there."""
    with contextlib.suppress(OSError):
        status = path.lstat()
        return status.st_size if stat.S_ISREG(status.st_mode) else 0
    return 0


def _all_noted(cache: Path) -> Iterator[tuple[float, LibraryPlace]]:
    """(last opened, place) of each library; a folder that is none, or whose note is damaged, is passed over."""
    for file in sorted(_shelf(cache).glob(f"*/{_SOURCES}")):
        if noted := _noted(file, cache):
            yield noted


def _noted(file: Path, cache: Path) -> tuple[float, LibraryPlace] | None:
    """What a library's note says, None where it cannot be read or says something else than its folder's name."""
    try:
        facts = json.loads(file.read_bytes())
        sources, opened_secs = tuple(map(str, facts["sources"])), float(facts["opened"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if file.parent != _folder(sources, cache) or not 0.0 <= opened_secs < _DOOMSDAY_SECS:
        return None
    return opened_secs, LibraryPlace(file.parent, sources)


def _note(place: LibraryPlace, *, opened_secs: float) -> None:
    facts = {"sources": list(place.sources), "opened": opened_secs}
    beside = place.folder / f".{_SOURCES}-{os.getpid()}"
    with disk_errors.writing(place.folder):
        try:
            beside.write_text(json.dumps(facts, indent=1), encoding="utf-8")
            beside.replace(place.folder / _SOURCES)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
