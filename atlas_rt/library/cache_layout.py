"""Where libraries lie in the cache folder, which there are, and who may write to one.

<cache>/libraries/<16 hex digits of the sources>/   sources.json lock library.db tiles-*.bin <model>/...

A library is known by the sorted real paths of its sources, so a link to a folder names the same library. Version 0.1.0
knew it by the paths as they were typed: a library that is found by those is used as it is, until `move` renames it.

A move can be interrupted anywhere. The note says first where the library goes, then the folder is renamed (from here on
it is the moved library), then the paths in the database are rewritten, then the note says what the sources are now.
Whoever opens the library next does what is left (`place_of`).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from atlas_rt.core.images import LibraryPlace
from atlas_rt.core.s3_address import is_s3
from atlas_rt.errors import MissingError, UsageError
from atlas_rt.library import disk_errors
from atlas_rt.library.disk_errors import reason_of
from atlas_rt.library.hidden import is_passed_over
from atlas_rt.library.lock import Lock
from atlas_rt.library.source_note import FILE_NAME, Note, read_note, write_note
from atlas_rt.library.sources import absolute
from atlas_rt.library.store import StoreReader
from atlas_rt.library.store_writer import StoreWriter

__all__ = [
    "CachedLibrary",
    "Lock",
    "cache_folder",
    "forget",
    "is_empty",
    "known_places",
    "last_opened",
    "may_lie_in",
    "move",
    "place_of",
    "places",
    "real_path",
    "real_sources",
    "remember_opened",
    "source_around",
]


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
    cache = absolute(str(given)) if given else _users_cache()
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
    """Where the library of these sources lies, whatever their order and the links they are named by; its folder is
    made, unless told otherwise.

    Raises UsageError where the cache lies inside a source and neither did the person name it, nor is it hidden from
    scans there, or where it is the source; MissingError where the folder cannot be made.
    """
    _refuse_inside(cache, sources)
    real = real_sources(sources)
    place = LibraryPlace(_folder(real, cache), real)
    if not place.folder.is_dir():
        place = _named_by_links(real, cache) or place
    if make:
        _make(place, cache)
    return place


def real_sources(sources: Sequence[str]) -> tuple[str, ...]:
    """What a library is known by: the real paths of its sources, sorted, each once."""
    return tuple(sorted({real_path(source) for source in sources}))


def real_path(source: str) -> str:
    """A source without links in its path; an address in S3 as it is."""
    return source if is_s3(source) else os.path.realpath(source)


def source_around(folder: Path, sources: Sequence[str]) -> str | None:
    """The source in which a folder lies, or which it is, links followed; None for none."""
    real = Path(os.path.realpath(folder))  # unlike `Path.resolve` it takes a link that leads back to itself
    return next((each for each in sources if not is_s3(each) and real.is_relative_to(os.path.realpath(each))), None)


def may_lie_in(folder: Path, source: str, *, named: bool) -> bool:
    """Whether a folder of ours may lie inside a source: the person named it, or it is where no scan looks."""
    return named or _is_hidden(folder, source)


def places(cache: Path) -> tuple[CachedLibrary, ...]:
    """Every library in the cache, the one opened last first."""
    found = [_cached_library(place, opened_secs) for opened_secs, place in _all_noted(cache)]
    return tuple(sorted(found, key=lambda each: (-each.opened_secs, each.place.sources)))


def last_opened(cache: Path) -> LibraryPlace | None:
    """The library that was opened last; None the first time."""
    opened = [(opened_secs, place) for opened_secs, place in _all_noted(cache) if opened_secs]
    return max(opened, key=lambda each: each[0])[1] if opened else None


def known_places(cache: Path) -> tuple[LibraryPlace, ...]:
    """Where every library of the cache lies, the one opened last first; nothing but their notes is read."""
    return tuple(place for _, place in sorted(_all_noted(cache), key=lambda each: (-each[0], each[1].sources)))


def remember_opened(cache: Path, place: LibraryPlace) -> None:
    """Note that a library of this cache is opened now. Raises MissingError where the cache cannot be written."""
    write_note(_folder(place.sources, cache), Note(place.sources, opened_secs=time.time()))


def move(place: LibraryPlace, moves: Mapping[str, str], cache: Path) -> LibraryPlace:
    """Let a library go along with sources that were moved: its map, names and labels are those of the new ones.

    moves: old source -> new. What lies in the way, if it has no images, is replaced. Raises UsageError while a process
    writes to it, or where the new sources have a library of their own; MissingError where the cache cannot be written.
    """
    sources = tuple(sorted(moves.get(source, source) for source in place.sources))
    target = LibraryPlace(_folder(sources, cache), sources)
    opened_secs = next((secs for secs, each in _all_noted(cache) if each.folder == place.folder), 0.0)
    note = Note(place.sources, opened_secs, dict(moves), token=os.urandom(8).hex())
    lock = Lock(place)
    if not lock.acquire():
        raise UsageError(f"The library of {' '.join(place.sources)} is open in {lock.holder()}; close it first")
    try:
        if target.folder != place.folder:
            if not is_empty(target):
                raise UsageError(f"There is a library of {' '.join(sources)} already: {target.folder}")
            forget(target, cache)
            write_note(place.folder, note)
            if os.name == "nt":
                lock.release()  # Windows renames no folder in which a file is open
            with disk_errors.writing(cache):
                place.folder.rename(target.folder)
        _finish_move(target, note)
    finally:
        lock.release()
    return target


def is_empty(place: LibraryPlace) -> bool:
    """Whether nothing was ever read well for this library; one that cannot be read is not."""
    if not (place.folder / "library.db").exists():
        return True
    try:
        with StoreReader.open_older(place.folder) as store:
            return not store.contents()
    except MissingError:
        return False


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


def _refuse_inside(cache: Path, sources: Sequence[str]) -> None:
    around = source_around(cache, sources)
    if around is not None and os.path.realpath(cache) == os.path.realpath(around):
        raise UsageError(f"The cache folder is the source itself; choose another with --cache DIR: {cache}")
    if around is not None and not may_lie_in(cache, around, named=cache != _users_cache()):
        raise UsageError(f"The cache folder lies inside the source {around}; choose another with --cache DIR: {cache}")


def _users_cache() -> Path:
    return absolute(str(platformdirs.user_cache_path("atlas_rt", appauthor=False)))


def _is_hidden(inner: Path, outer: str) -> bool:
    """Whether a scan of the outer folder passes over the inner one on its way."""
    parts = Path(os.path.relpath(os.path.realpath(inner), os.path.realpath(outer))).parts
    parents = (Path(outer).name, *parts)
    return any(is_passed_over(name, parent, hidden=False) for name, parent in zip(parts, parents, strict=False))


def _named_by_links(real: tuple[str, ...], cache: Path) -> LibraryPlace | None:
    """The library of version 0.1.0 whose sources lead to these by links, the one opened last of several."""
    found = [(opened_secs, place) for opened_secs, place in _all_noted(cache) if real_sources(place.sources) == real]
    return max(found, key=lambda each: each[0])[1] if found else None


def _make(place: LibraryPlace, cache: Path) -> None:
    """A folder for a library, with its note; a move that was interrupted is finished."""
    try:
        with disk_errors.writing(cache):
            place.folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise MissingError(f"A file lies where the library's folder must go; delete it: {place.folder}") from error
    note = read_note(place.folder)
    if note is None or _place_noted(note, place.folder, cache) is None:
        write_note(place.folder, Note(place.sources))
    elif _folder(note.sources, cache) != place.folder:
        _finish_move(place, note)


def _cached_library(place: LibraryPlace, opened_secs: float) -> CachedLibrary:
    try:
        with StoreReader.open(place.folder) as store:
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
    for file in sorted(_shelf(cache).glob(f"*/{FILE_NAME}")):
        if noted := _noted(file.parent, cache):
            yield noted


def _noted(folder: Path, cache: Path) -> tuple[float, LibraryPlace] | None:
    """What a library's note says, None where it cannot be read or says something else than its folder's name."""
    note = read_note(folder)
    place = _place_noted(note, folder, cache) if note else None
    return (note.opened_secs, place) if note and place else None


def _place_noted(note: Note, folder: Path, cache: Path) -> LibraryPlace | None:
    """The library that a note tells of: under its sources, or those it is moving to if its folder is there already."""
    return next(
        (LibraryPlace(folder, each) for each in (note.sources, note.moved) if folder == _folder(each, cache)), None
    )


def _finish_move(place: LibraryPlace, note: Note) -> None:
    """What is left of a move once the folder has its new name."""
    if (place.folder / "library.db").exists():
        with StoreWriter.open(place.folder) as store:
            store.move_paths(note.moves, token=note.token)
    write_note(place.folder, Note(place.sources, note.opened_secs))
