"""Scanning sources for their images: what the walks through them found, put together."""

from __future__ import annotations

import fnmatch
import os
import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from atlas_rt.core.images import Failure
from atlas_rt.core.s3_address import is_s3, parse_address
from atlas_rt.library.formats import is_picture
from atlas_rt.library.hidden import PassedOver
from atlas_rt.library.object_listing import ListedObjects
from atlas_rt.library.walking import FoundFile, Listing, ListingKey, Walk


@dataclass(frozen=True, slots=True)
class Scan:
    """What a walk through the sources found.

    files: sorted by path, each path once. skipped: files that are no images, of formats not installed, or excluded, and
    pictures that are hidden or lie in hidden folders, recycle bins and the like: at least so many (`PassedOver`).
    unreadable: folders and links that could not be followed; nothing is known of what lies beneath them.
    missing_formats: of the skipped ones, those an extra would read, e.g. {"HEIC": 3}. devices: what tells the device of
    each source that is a folder, and of each folder in it that lies on another device than the folder around it. empty:
    folders without a file, in which no folder has one. dangling: links that lead nowhere.
    sidecars: XMP files, path -> time of change in nanoseconds; they count as skipped.

    Of sources in S3: unlisted: those that are still being listed. archived: objects among `files` that must be restored
    before they can be read. states: source -> "missing", "unreadable" or "partly", where it could not be listed, or not
    to its end; the reason stands among `unreadable`.
    """

    files: tuple[FoundFile, ...]
    skipped: int
    unreadable: tuple[Failure, ...]
    missing_formats: dict[str, int] = field(default_factory=dict)
    devices: dict[str, str] = field(default_factory=dict)
    empty: frozenset[str] = frozenset()
    dangling: frozenset[str] = frozenset()
    sidecars: dict[str, int] = field(default_factory=dict)
    unlisted: frozenset[str] = frozenset()
    archived: frozenset[str] = frozenset()
    states: dict[str, str] = field(default_factory=dict)


def scan(
    sources: Sequence[str],
    *,
    exclude: Sequence[str] = (),
    hidden: bool = False,
    cache: Path | None = None,
    first_only: bool = False,
) -> Scan:
    """Every image in the sources, subfolders included.

    exclude: patterns (`*`, `?`, `[..]`) against a name or the path relative to its source. hidden: with hidden files
    and folders. cache: the program's own folder, which is passed over where it lies in a source. first_only: stop at
    the first image, to know whether there is one. 10,000 files in 100 folders: 0.09 s.
    """
    return Scanner(exclude, hidden=hidden, cache=cache).scan(sources, first_only=first_only)


NOTHING_LISTED: Mapping[str, ListedObjects] = {}


class Scanner:
    """Scans the same sources again and again, and remembers what each folder held. Owned by one thread."""

    def __init__(self, exclude: Sequence[str] = (), *, hidden: bool = False, cache: Path | None = None) -> None:
        self._excluded = matcher(exclude)
        self._hidden, self._cache = hidden, cache
        self._known: dict[ListingKey, Listing] = {}
        self._counts: dict[str, int] = {}

    def scan(
        self,
        sources: Sequence[str],
        *,
        changed: Collection[str] | None = None,
        broken: Collection[str] = (),
        first_only: bool = False,
        listed: Mapping[str, ListedObjects] = NOTHING_LISTED,
    ) -> Scan:
        """As `scan`. broken: files that could not become images, so that they stand for no RAW file. listed: what is
        known of the sources in S3, which is not asked for here.

        changed: folders to read again, besides those that something came into or left, as their own times tell, and
        single files to look at again: of the others in their folders the names alone are read. None for all. 100,000
        files in 200 folders: all 0.6 s, one 0.1 s; in one folder: all 0.9 s, one 0.25 s.

        What was not looked at again is the same object as before.
        """
        if changed is None:
            self._known, self._counts = {}, {}
        passed_over = PassedOver(self._counts, frozenset(sources), hidden=self._hidden)
        walk = Walk(
            self._excluded,
            passed_over,
            self._known,
            changed or (),
            broken=broken,
            cache=self._cache,
            first_only=first_only,
        )
        for source in sources:
            if not is_s3(source):
                walk.visit(source)
        self._known = walk.listings
        return _with_objects(_result(walk), listed) if listed else _result(walk)


def matcher(patterns: Sequence[str]) -> Callable[[str, str], bool]:
    """A test of (name, path relative to its source, with `/`) against the patterns to leave out."""
    if not patterns:
        return lambda _name, _relative: False
    joined = re.compile("|".join(fnmatch.translate(pattern.rstrip("/")) for pattern in patterns))
    return lambda name, relative: bool(joined.match(name) or joined.match(relative))


def _result(walk: Walk) -> Scan:
    listings = [*walk.listings.values(), walk.singles]
    filled = [listing.files for listing in listings if listing.files]
    found = {file.path: file for files in filled for file in files} if len(filled) > 1 else {}
    unreadable = [failure for listing in listings for failure in listing.unreadable]
    missing: Counter[str] = sum((listing.missing for listing in listings if listing.missing), Counter())
    return Scan(
        files=tuple(found[path] for path in sorted(found)) if found else tuple(*filled),
        skipped=sum(listing.skipped for listing in listings),
        unreadable=tuple(sorted(unreadable, key=lambda failure: failure.path)),
        missing_formats=dict(sorted(missing.items())),
        devices=_devices(walk.listings),
        empty=_empty(walk.listings),
        dangling=frozenset(link for listing in listings for link in listing.dangling),
        sidecars={path: time for listing in listings for path, time in listing.sidecars.items()},
    )


def _with_objects(scan: Scan, listed: Mapping[str, ListedObjects]) -> Scan:
    """A scan of files together with what lies in S3."""
    every = list(listed.values())
    found = {file.path: file for files in (scan.files, *(each.files for each in every)) for file in files}
    broken = {source: each for source, each in listed.items() if each.state}
    empty = {source for source, each in listed.items() if each.whole and not each.holds_something}
    gone = {
        source for source in empty if is_picture(parse_address(source).key)
    }  # a single object, which cannot be empty
    missing = Counter(scan.missing_formats)
    for each in every:
        missing.update(each.missing_formats)
    return replace(
        scan,
        files=tuple(found[path] for path in sorted(found)),
        skipped=scan.skipped + sum(each.skipped for each in every),
        unreadable=(*scan.unreadable, *(Failure(source, each.reason) for source, each in broken.items())),
        missing_formats=dict(sorted(missing.items())),
        devices=scan.devices | {source: each.device for source, each in listed.items() if each.whole},
        empty=scan.empty | (empty - gone),
        sidecars={
            path: time
            for sidecars in (scan.sidecars, *(each.sidecars for each in every))
            for path, time in sidecars.items()
        },
        unlisted=frozenset(source for source, each in listed.items() if not each.whole and not each.state),
        archived=frozenset().union(*(each.archived for each in every)),
        states=dict.fromkeys(gone, "missing") | {source: each.state for source, each in broken.items()},
    )


def _devices(listings: Mapping[ListingKey, Listing]) -> dict[str, str]:
    numbers = {place: listing.identity[0] for place, listing in listings.items()}
    around = {(folder, source): numbers.get((os.path.split(folder)[0], source)) for folder, source in numbers}
    return {
        folder: f"{number}-{_file_system_of(folder)}"
        for (folder, source), number in numbers.items()
        if folder == source or number != around[folder, source]
    }


def _empty(listings: Mapping[ListingKey, Listing]) -> frozenset[str]:
    filled: set[ListingKey] = set()
    for (holder, source), listing in listings.items():
        elsewhere = any((inner, source) not in listings for inner in listing.folders + listing.linked)
        folder = holder if listing.holds_something or elsewhere else ""
        while folder and (folder, source) not in filled:
            filled.add((folder, source))
            folder = os.path.split(folder)[0] if folder != source else ""
    return frozenset(folder for folder, _ in listings.keys() - filled)


def _file_system_of(folder: str) -> int:
    """What tells a file system from others that get the same device number, 0 where nothing does."""
    try:
        return os.statvfs(folder).f_fsid if hasattr(os, "statvfs") else 0
    except OSError:
        return 0
