"""Whether a source that has no library yet is one that was moved or renamed.

A library is a candidate when some of its sources are gone (nothing is there, or a folder without images) and as many
new ones are named. The files of the new ones are compared with the library's: those at the same relative path with the
same size, then those with a size that is known. A dozen of them are read; what their contents say holds for all.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from atlas_rt.core.records import LibraryPlace
from atlas_rt.errors import DecodeError, MissingError
from atlas_rt.library import shelf
from atlas_rt.library.sources import content_hash, is_passed_over, is_readable, read, scan
from atlas_rt.library.store import Content, Store

SURE = 0.7
"""So much of a library must be in the new place, by path or as most of what is there, to need no question."""
POSSIBLE = 0.2
"""So much is enough for a question."""
SAMPLE = 12
"""Files whose contents are read."""
DRIVES = ("/media/", "/mnt/", "/run/media/", "/Volumes/")
"""Where drives are mounted: a source that is gone from here may only be unplugged, and the new one a copy."""

Files = Mapping[str, int]
"""Path relative to its source -> size in bytes."""


@dataclass(frozen=True, slots=True)
class Resemblance:
    """A library whose sources are gone, beside new ones.

    moves: old source -> new. images: of the library. found: how many of them are in the new place, as far as names,
    sizes and a sample of the contents tell. sure: it needs no question.
    """

    place: LibraryPlace
    moves: Mapping[str, str]
    images: int
    found: int
    sure: bool

    @property
    def command(self) -> str:
        """What a person types to say that it is so."""
        return "\n".join(f"  atlas-rt library move {old} {new}" for old, new in self.moves.items())


def recognise(sources: Sequence[str], cache: Path, *, exclude: Sequence[str] = ()) -> Resemblance | None:
    """The library that these sources were the sources of before they were moved; None where there is none.

    sources: real paths. The contents of a few files are read. 100,000 files: 1 s, and nothing where no library of the
    cache has lost a source.
    """
    places = [each for each in shelf.known_places(cache) if _has_lost(each, sources)]
    files = {source: _files(source, exclude, cache) for source in sources} if places else {}
    found = [each for place in places if (each := compare(place, sources, files)) is not None]
    ranked = sorted(found, key=lambda each: (each.sure, each.found / each.images), reverse=True)
    if not ranked:
        return None
    best = ranked[0]
    alike = [each for each in ranked[1:] if each.found / each.images >= best.found / best.images]
    return replace(best, sure=False) if alike else best


def compare(place: LibraryPlace, sources: Sequence[str], files: Mapping[str, Files]) -> Resemblance | None:
    """How much of a library is in new sources; None for too little. files: of each new source."""
    try:
        with Store.open(place.folder, writable=False, older=True) as store:
            contents = store.contents()
    except MissingError:
        return None
    lost = [source for source in place.sources if source not in sources]
    new = [source for source in sources if source not in place.sources]
    known = {old: {_relative(each.path, old): each for each in contents if is_in(each.path, old)} for old in lost}
    moves = _paired(known, {source: files[source] for source in new})
    images = found = by_path = here = 0
    for old, source in moves.items():
        same, alike = _shared(known[old], files[source])
        right = _confirmed(known[old], source, same, alike)
        images += len(known[old])
        found += round(right * len(same | alike))
        by_path += round(right * len(same))
        here += len(files[source])
    if not images or found < POSSIBLE * images or not found:
        return None
    most = by_path >= SURE * images or found >= SURE * max(images, here)
    return Resemblance(place, moves, images, found, most and not any(map(_may_be_unplugged, moves, moves.values())))


def _has_lost(place: LibraryPlace, sources: Sequence[str]) -> bool:
    """Whether every source of a library that is not among these is gone, and there are as many new ones."""
    lost = set(place.sources) - set(sources)
    return len(place.sources) == len(sources) and bool(lost) and all(map(_is_gone, lost))


def _is_gone(source: str) -> bool:
    """Nothing is there, or only a folder without images. What cannot be looked at is not gone."""
    try:
        Path(source).stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return Path(source).is_dir() and not any(True for _ in _images(source))


def _images(folder: str) -> Iterator[str]:
    """Images in a folder, found one by one; a part that cannot be read counts as one, as nobody knows."""
    unreadable: list[OSError] = []
    for at, folders, files in os.walk(folder, onerror=unreadable.append):
        folders[:] = [name for name in folders if not is_passed_over(name)]
        yield from (str(error) for error in unreadable)
        yield from (str(Path(at, name)) for name in files if not is_passed_over(name) and is_readable(name))
    yield from (str(error) for error in unreadable)


def _may_be_unplugged(old: str, new: str) -> bool:
    return old.startswith(DRIVES) and not new.startswith(DRIVES)


def _files(source: str, exclude: Sequence[str], cache: Path) -> dict[str, int]:
    found = scan((source,), exclude=exclude, cache=cache).files
    return {_relative(each.path, source): each.size for each in found}


def is_in(path: str, source: str) -> bool:
    return path == source or path.startswith(source.rstrip(os.sep) + os.sep)


def _relative(path: str, source: str) -> str:
    """Of a path at or below a source; empty for the source itself."""
    return path[len(source.rstrip(os.sep)) + 1 :]


def _paired(known: Mapping[str, Mapping[str, Content]], files: Mapping[str, Files]) -> dict[str, str]:
    """Which old source is which new one: most common files first."""
    common = [(len(_shared(known[old], files[new])[0]), old, new) for old in known for new in files]
    moves: dict[str, str] = {}
    for _, old, new in sorted(common, reverse=True):
        if old not in moves and new not in moves.values():
            moves[old] = new
    return moves


def _shared(known: Mapping[str, Content], files: Files) -> tuple[set[str], set[str]]:
    """Relative paths in the new source: with the same size there, and else with a size that some other image has."""
    same = {path for path, size in files.items() if path in known and known[path].size == size}
    left = Counter(each.size for path, each in known.items() if path not in same)
    alike = set()
    for path in sorted(files.keys() - same):
        if left[files[path]] > 0:
            left[files[path]] -= 1
            alike.add(path)
    return same, alike


def _confirmed(known: Mapping[str, Content], source: str, same: set[str], alike: set[str]) -> float:
    """The share of a sample of files whose contents are in the library, at the same path where the path is the same."""
    hashes = {each.hash for each in known.values()}
    paths = [*sorted(same), *sorted(alike)]
    step = max(-(-len(paths) // SAMPLE), 1)
    sample = paths[::step]
    right = 0
    for path in sample:
        try:
            found = content_hash(read(str(Path(source, path))))
        except DecodeError:
            continue
        right += found == known[path].hash if path in same else found in hashes
    return right / len(sample) if sample else 0.0
