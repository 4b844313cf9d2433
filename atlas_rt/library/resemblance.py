"""Whether a source that has no library yet is one that was moved or renamed.

A library is a candidate when some of its sources are gone (nothing is there, or a folder without images) and as many
new ones are named. The files of the new ones are compared with the library's: those at the same relative path with the
same size, then those with a size that is known. A dozen of them are read; what their contents say holds for all.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from shlex import quote

from atlas_rt.core.images import LibraryPlace
from atlas_rt.core.paths import is_in, relative_to
from atlas_rt.core.s3_address import is_s3
from atlas_rt.errors import DecodeError, MissingError
from atlas_rt.library import cache_layout
from atlas_rt.library.file_content import content_hash, read
from atlas_rt.library.formats import is_readable
from atlas_rt.library.hidden import is_passed_over
from atlas_rt.library.scanning import scan
from atlas_rt.library.store import Content, StoreReader

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
    """A library whose sources are gone, compared with new ones.

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
        return "\n".join(f"  atlas-rt library move {quote(old)} {quote(new)}" for old, new in self.moves.items())


def recognise(sources: Sequence[str], cache: Path, *, exclude: Sequence[str] = ()) -> Resemblance | None:
    """The library that these sources were the sources of before they were moved; None where there is none.

    sources: real paths. The contents of a few files are read. 100,000 files: 1 s, and nothing where no library of the
    cache has lost a source.
    """
    places = [each for each in cache_layout.known_places(cache) if _has_lost(each, sources)]
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
        with StoreReader.open_older(place.folder) as store:
            contents = store.contents()
    except MissingError:
        return None
    lost = [source for source in place.sources if source not in sources]
    new = [source for source in sources if source not in place.sources]
    known = {old: {relative_to(each.path, old): each for each in contents if is_in(each.path, old)} for old in lost}
    pairs = _paired([_shared(known[old], old, files[source], source) for old in lost for source in new])
    moves = {each.old: each.new for each in pairs}
    images, here = sum(map(len, known.values())), sum(len(files[source]) for source in new)
    found, by_path = sum(each.found for each in pairs), sum(each.by_path for each in pairs)
    if found < max(POSSIBLE * images, 1):
        return None
    most = by_path >= SURE * images or found >= SURE * max(images, here)
    return Resemblance(place, moves, images, found, most and not any(map(_may_be_unplugged, moves, moves.values())))


def _has_lost(place: LibraryPlace, sources: Sequence[str]) -> bool:
    """Whether every source of a library that is not among these is gone, and there are as many new ones. Of buckets
    nobody knows without asking, so their libraries move only when a person says so."""
    lost = set(place.sources) - set(sources)
    if any(map(is_s3, (*place.sources, *sources))):
        return False
    return len(place.sources) == len(sources) and bool(lost) and all(_is_gone(source, sources) for source in lost)


def _is_gone(source: str, sources: Sequence[str]) -> bool:
    """Nothing is there, or a folder with no image outside the new sources. What cannot be looked at is not gone."""
    try:
        Path(source).stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return Path(source).is_dir() and not any(True for _ in _images(source, sources))


def _images(folder: str, left_out: Collection[str]) -> Iterator[str]:
    """Images in a folder, found one by one; a part that cannot be read counts as one, as nobody knows."""
    unreadable: list[OSError] = []
    for at, folders, files in os.walk(folder, onerror=unreadable.append):
        parent = Path(at).name
        inside = [name for name in folders if not is_passed_over(name, parent, hidden=False)]
        folders[:] = [name for name in inside if str(Path(at, name)) not in left_out]
        yield from (str(error) for error in unreadable)
        shown = (name for name in files if not is_passed_over(name, parent, hidden=False) and is_readable(name))
        yield from (str(Path(at, name)) for name in shown)
    yield from (str(error) for error in unreadable)


def _may_be_unplugged(old: str, new: str) -> bool:
    return old.startswith(DRIVES) and not new.startswith(DRIVES)


def _files(source: str, exclude: Sequence[str], cache: Path) -> dict[str, int]:
    found = scan((source,), exclude=exclude, cache=cache).files
    return {relative_to(each.path, source): each.size for each in found}


@dataclass(frozen=True, slots=True)
class _Shared:
    """How many images of an old source are in a new one; by_path: those at the same relative path."""

    old: str
    new: str
    found: int
    by_path: int


def _paired(shared: Sequence[_Shared]) -> list[_Shared]:
    """Each old source with the new one that has most of it."""
    pairs: list[_Shared] = []
    for each in sorted(shared, key=lambda each: (-each.found, -each.by_path, each.old, each.new)):
        if all(each.old != pair.old and each.new != pair.new for pair in pairs):
            pairs.append(each)
    return pairs


def _shared(known: Mapping[str, Content], old: str, files: Files, new: str) -> _Shared:
    """What two sources have in common: paths with the same size, else sizes, as far as the contents bear them out."""
    same = {path for path, size in files.items() if path in known and known[path].size == size}
    left = Counter(each.size for path, each in known.items() if path not in same)
    alike = []
    for path in sorted(files.keys() - same):
        if left[files[path]] > 0:
            left[files[path]] -= 1
            alike.append(path)
    right = _confirmed(known, new, sorted(same), alike)
    return _Shared(old, new, round(right * (len(same) + len(alike))), round(right * len(same)))


def _confirmed(known: Mapping[str, Content], source: str, same: Sequence[str], alike: Sequence[str]) -> float:
    """The share of a sample of files whose contents are in the library, at the same path where the path is the same."""
    hashes = {each.hash for each in known.values()}
    paths = [*same, *alike]
    sample = range(0, len(paths), max(-(-len(paths) // SAMPLE), 1))
    right = 0
    for number in sample:
        try:
            found = content_hash(read(str(Path(source, paths[number]))))
        except DecodeError:
            continue
        right += found == known[paths[number]].hash if number < len(same) else found in hashes
    return right / len(sample) if sample else 0.0
