"""Where libraries lie in the cache folder, which there are, and who may write to one.

<cache>/libraries/<16 hex digits of the sources>/   sources.json lock library.db tiles-*.bin <model>/...
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from atlas_rt.core.records import LibraryPlace
from atlas_rt.errors import MissingError, UsageError
from atlas_rt.library import space
from atlas_rt.library.lock import Lock
from atlas_rt.library.store import Store

__all__ = ["Lock", "Shelved", "cache_folder", "forget", "last_opened", "place_of", "places", "remember_opened"]

_SOURCES = "sources.json"


@dataclass(frozen=True, slots=True)
class Shelved:
    """One library in the cache. opened_secs: time of its last opening (since 1970), 0 for never."""

    place: LibraryPlace
    images: int
    size_bytes: int
    opened_secs: float


def cache_folder(given: Path | None) -> Path:
    """The folder of all libraries, absolute: the one named, or the user's cache folder. Not made yet."""
    return (given or platformdirs.user_cache_path("atlas_rt", appauthor=False)).expanduser().absolute()


def place_of(sources: Sequence[str], cache: Path) -> LibraryPlace:
    """Where the library of these absolute paths lies, whatever their order; its folder is made.

    Raises UsageError where the cache would lie inside a source, MissingError where it cannot be written.
    """
    for source in sources:
        if _within(cache, Path(source)):
            raise UsageError(
                f"The cache folder lies inside the source {source}; choose another with --cache DIR: {cache}"
            )
    named = tuple(sorted(set(sources)))
    place = LibraryPlace(_folder(named, cache), named)
    with space.writing(cache):
        place.folder.mkdir(parents=True, exist_ok=True)
    if not (place.folder / _SOURCES).exists():
        _note(place, opened_secs=0.0)
    return place


def places(cache: Path) -> tuple[Shelved, ...]:
    """Every library in the cache, the one opened last first."""
    found = [_shelved(place, opened_secs) for opened_secs, place in _all_noted(cache)]
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
        raise UsageError(f"This is no library of the cache {cache}: {folder}")
    if not folder.exists():
        return
    lock = Lock(place)
    if not lock.acquire():
        raise UsageError(f"The library is open in {lock.holder()}; close it first: {folder}")
    try:
        with space.writing(folder):
            shutil.rmtree(folder)
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


def _shelved(place: LibraryPlace, opened_secs: float) -> Shelved:
    try:
        with Store.open(place.folder, writable=False) as store:
            images = store.images()
    except MissingError:
        images = 0
    size = sum(file.stat().st_size for file in place.folder.rglob("*") if file.is_file())
    return Shelved(place, images, size, opened_secs)


def _all_noted(cache: Path) -> Iterator[tuple[float, LibraryPlace]]:
    """(last opened, place) of each library; a folder that is none, or whose note is damaged, is passed over."""
    for file in sorted(_shelf(cache).glob(f"*/{_SOURCES}")):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            facts = json.loads(file.read_bytes())
            yield float(facts["opened"]), LibraryPlace(file.parent, tuple(map(str, facts["sources"])))


def _note(place: LibraryPlace, *, opened_secs: float) -> None:
    facts = {"sources": list(place.sources), "opened": opened_secs}
    beside = place.folder / f".{_SOURCES}-{os.getpid()}"
    with space.writing(place.folder):
        beside.write_text(json.dumps(facts, indent=1), encoding="utf-8")
        beside.replace(place.folder / _SOURCES)
