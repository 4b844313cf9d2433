"""Opening the library of some sources: one that moved comes along, one of an older version is brought up to date."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from atlas_rt.core.images import LibraryPlace
from atlas_rt.core.paths import is_in
from atlas_rt.errors import MissingError, UsageError
from atlas_rt.library import cache_layout
from atlas_rt.library.cache_layout import real_path
from atlas_rt.library.resemblance import POSSIBLE, Resemblance, recognise
from atlas_rt.library.store import StoreReader
from atlas_rt.library.store_writer import upgrade


def settled_place(
    sources: Sequence[str],
    cache: Path,
    *,
    exclude: Sequence[str] = (),
    ask: Callable[[Resemblance], bool] = lambda _: False,
    tell: Callable[[str], None] = lambda _: None,
    make: bool = True,
) -> LibraryPlace:
    """The library of these sources, ready to be opened: one that moved has come along, an old one is of this version.

    ask: whether a library moved here, where that is not sure. tell: hears a sentence about what was done, or what to
    type. Raises what `cache_layout.place_of` and `cache_layout.move` raise.
    """
    place = cache_layout.place_of(sources, cache, make=False)
    real = cache_layout.real_sources(sources)
    if place.sources != real:
        _follow_links(place, cache)
    elif cache_layout.is_empty(place) and (found := recognise(real, cache, exclude=exclude)) is not None:
        named = " ".join(found.place.sources)
        if found.sure or ask(found):
            cache_layout.move(found.place, found.moves, cache)
            tell(f"the library of {named} has moved along: {found.found:,} of its {found.images:,} images are here")
        else:
            tell(
                f"{found.found:,} of the {found.images:,} images of {named}, which is gone, seem to be here. "
                f"If it was moved here, type:\n{found.command}"
            )
    place = cache_layout.place_of(sources, cache, make=make)
    with suppress(MissingError):  # one that nobody may write to is told of by who reads it
        upgrade(place)
    return place


def moved_places(old: str, new: str, cache: Path) -> list[tuple[LibraryPlace, dict[str, str]]]:
    """The libraries that have a source at or below a path, and where each such source goes.

    Raises UsageError where there is none.
    """
    found = []
    for place in cache_layout.known_places(cache):
        moves = {
            source: new + source[len(name) :]
            for source in place.sources
            for name in {old, real_path(old)}
            if is_in(source, name)
        }
        if moves:
            found.append((place, moves))
    if not found:
        known = "\n".join(f"  {' '.join(place.sources)}" for place in cache_layout.known_places(cache))
        raise UsageError(f"no library of {old}; " + (f"there are:\n{known}" if known else f"there are none in {cache}"))
    return found


def make_way(place: LibraryPlace, target: LibraryPlace, cache: Path) -> bool:
    """Delete the library that stands where another one moves to, if it may be a part of it; whether there was one.
    Raises UsageError where they share too little: then somebody mistyped a path."""
    if target.folder == place.folder or cache_layout.is_empty(target):
        return False
    theirs, ours = _hashes(target), _hashes(place)
    if len(theirs & ours) < POSSIBLE * min(len(theirs), len(ours)):
        named = " ".join(target.sources)
        raise UsageError(
            f"{named} has a library of its own, and its images are others; delete that one first:\n"
            f"  atlas-rt library forget {named}"
        )
    cache_layout.forget(target, cache)
    return True


def _hashes(place: LibraryPlace) -> frozenset[bytes]:
    with StoreReader.open_older(place.folder) as store:
        return frozenset(each.hash for each in store.contents())


def _follow_links(place: LibraryPlace, cache: Path) -> None:
    """A library of version 0.1.0, known by paths with links in them, is known by the real ones from now on; one that
    is open elsewhere is used as it is until it is closed."""
    moves = {source: real_path(source) for source in place.sources}
    if not cache_layout.Lock(place).holder():
        cache_layout.move(place, moves, cache)
