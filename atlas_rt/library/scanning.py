"""Walking sources to their images, and reading and recognising a file's content."""

from __future__ import annotations

import contextlib
import errno
import fnmatch
import hashlib
import itertools
import os
import re
import stat
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from atlas_rt.core.images import Failure
from atlas_rt.errors import DecodeError
from atlas_rt.library.formats import FILE_BYTES_MAX, format_to_install, is_picture, readable_suffixes, suffix_of
from atlas_rt.library.hidden import is_passed_over

PASSED_OVER_FOLDERS_MAX, PASSED_OVER_ENTRIES_MAX = 5_000, 200_000
"""Of what is passed over, so much is looked at in one scan to count its pictures; beyond that they are not counted. A
hidden cache may hold more files than the source, and a storage server keeps a folder of thumbnails for each picture.
200,000 entries cost 0.2 s, a second scan nothing."""


@dataclass(frozen=True, slots=True)
class FoundFile:
    """An image file as the file system tells it, before it is read. size: bytes."""

    path: str
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Scan:
    """What a walk through the sources found.

    files: sorted by path, each path once. skipped: files that are no images, of formats not installed, or excluded, and
    pictures that are hidden or lie in hidden folders, recycle bins and the like: at least so many (`_PassedOver`).
    unreadable: folders and links that could not be followed; nothing is known of what lies beneath them.
    missing_formats: of the skipped ones, those an extra would read, e.g. {"HEIC": 3}. devices: what tells the device of
    each source that is a folder, and of each folder in it that lies on another device than the folder around it. empty:
    folders without a file, in which no folder has one. dangling: links that lead nowhere.
    """

    files: tuple[FoundFile, ...]
    skipped: int
    unreadable: tuple[Failure, ...]
    missing_formats: dict[str, int] = field(default_factory=dict)
    devices: dict[str, str] = field(default_factory=dict)
    empty: frozenset[str] = frozenset()
    dangling: frozenset[str] = frozenset()


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


class Scanner:
    """Scans the same sources again and again, and remembers what each folder held. Owned by one thread."""

    def __init__(self, exclude: Sequence[str] = (), *, hidden: bool = False, cache: Path | None = None) -> None:
        self._excluded = matcher(exclude)
        self._hidden, self._cache = hidden, cache
        self._known: dict[ListingKey, Listing] = {}
        self._counts: dict[str, int] = {}

    def scan(self, sources: Sequence[str], *, changed: Collection[str] | None = None, first_only: bool = False) -> Scan:
        """As `scan`. changed: folders to read again, besides those that something came into or left, as their own times
        tell; None for all. 100,000 files in 200 folders: all 0.6 s, one 0.1 s.
        """
        if changed is None:
            self._known, self._counts = {}, {}
        passed_over = _PassedOver(self._counts, frozenset(sources), hidden=self._hidden)
        walk = _Walk(self._excluded, passed_over, self._known, changed or (), cache=self._cache, first_only=first_only)
        for source in sources:
            walk.visit(source)
        self._known = walk.listings
        return walk.result()


def read(path: str) -> bytes:
    """A whole file, read once. Raises DecodeError with the reason it cannot be read."""
    try:
        with Path(path).open("rb") as file:
            if os.fstat(file.fileno()).st_size > FILE_BYTES_MAX:
                raise DecodeError("the file is larger than 1 GB")
            return file.read()
    except OSError as error:
        raise DecodeError(reason_of(error)) from error


def content_hash(data: bytes) -> bytes:
    """What files are recognised by: 16 bytes of BLAKE2b over their content. 1 GB a second."""
    return hashlib.blake2b(data, digest_size=16).digest()


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


def matcher(patterns: Sequence[str]) -> Callable[[str, str], bool]:
    """A test of (name, path relative to its source, with `/`) against the patterns to leave out."""
    if not patterns:
        return lambda _name, _relative: False
    joined = re.compile("|".join(fnmatch.translate(pattern.rstrip("/")) for pattern in patterns))
    return lambda name, relative: bool(joined.match(name) or joined.match(relative))


ListingKey = tuple[str, str]
"""A folder, and the source it was reached by."""


@dataclass(slots=True)
class Listing:
    """What lies in one folder itself. identity: device, inode and time of change before it was read."""

    identity: tuple[int, int, int]
    files: list[FoundFile] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    linked: list[str] = field(default_factory=list)
    unreadable: list[Failure] = field(default_factory=list)
    dangling: list[str] = field(default_factory=list)
    skipped: int = 0
    excluded_folders: int = 0
    missing: Counter[str] = field(default_factory=Counter)

    @property
    def holds_something(self) -> bool:
        """Something else than folders that are looked into."""
        return bool(self.files or self.unreadable or self.skipped or self.excluded_folders)


class _PassedOver:
    """What is left out without having been named, and how many pictures that is: told by their endings, nothing of them
    is read or looked up. Links are not followed.

    counts: of folders that were counted before, to which new ones are added: what changes deep in a hidden folder is
    found at the next scan of everything. sources: folders that a person named, which are no such part of others.
    """

    def __init__(self, counts: dict[str, int], sources: frozenset[str], *, hidden: bool) -> None:
        self._counts, self._sources, self._hidden = counts, sources, hidden
        self._folders_left, self._entries_left = PASSED_OVER_FOLDERS_MAX, PASSED_OVER_ENTRIES_MAX

    def holds(self, name: str, parent: str) -> bool:
        """Whether what has this name in a folder of that name is left out."""
        return is_passed_over(name, parent, hidden=self._hidden)

    def pictures(self, entry: os.DirEntry[str]) -> int:
        """How many pictures are left out with an entry."""
        if not _is_folder(entry):
            return int(is_picture(entry.name))
        if entry.path not in self._counts:
            self._counts[entry.path] = 0 if entry.path in self._sources else self._counted(entry.path)
        return self._counts[entry.path]

    def _counted(self, folder: str) -> int:
        count, waiting = 0, [folder]
        while waiting and self._folders_left > 0 and self._entries_left > 0:
            self._folders_left -= 1
            with contextlib.suppress(OSError), os.scandir(waiting.pop()) as entries:
                for entry in itertools.islice(entries, self._entries_left):
                    self._entries_left -= 1
                    if is_picture(entry.name):
                        count += 1
                    elif _is_folder(entry):
                        waiting.append(entry.path)
        return count


class _Walk:
    """One walk through several sources.

    Each real folder is read once, by its device and inode, so links cannot lead in circles and nested sources do not
    double their images. Linked folders wait until the real ones are done: an image that has a path without a link
    goes by that one, whatever the folders are called.
    """

    def __init__(
        self,
        excluded: Callable[[str, str], bool],
        passed_over: _PassedOver,
        known: Mapping[ListingKey, Listing],
        changed: Collection[str],
        *,
        cache: Path | None,
        first_only: bool,
    ) -> None:
        """known: listings that are still true, but of `changed` folders. cache: a folder to pass over."""
        self._first_only = first_only
        self._excluded, self._passed_over = excluded, passed_over
        self._known, self._changed = known, changed
        self._readable = readable_suffixes()
        self._seen: set[tuple[int, int]] = set()
        if cache is not None and cache.is_dir():
            self._seen.add((cache.stat().st_dev, cache.stat().st_ino))  # as if it had been read already
        self._singles = Listing((0, 0, 0))  # sources that are files, or could not be reached
        self.listings: dict[ListingKey, Listing] = {}

    def visit(self, source: str) -> None:
        """Add what lies in a folder, or a single file."""
        if self._ends(self._singles) or any(map(self._ends, self.listings.values())):
            return
        try:
            status = Path(source).stat()
        except OSError as error:
            self._missing_source(source, error)
            return
        if stat.S_ISDIR(status.st_mode):
            self._visit_folders(source)
        elif stat.S_ISREG(status.st_mode):
            self._take(source, Path(source).name, status, self._singles)

    def result(self) -> Scan:
        listings = [*self.listings.values(), self._singles]
        found = {file.path: file for listing in listings for file in listing.files}
        unreadable = [failure for listing in listings for failure in listing.unreadable]
        missing: Counter[str] = sum((listing.missing for listing in listings if listing.missing), Counter())
        return Scan(
            files=tuple(found[path] for path in sorted(found)),
            skipped=sum(listing.skipped for listing in listings),
            unreadable=tuple(sorted(unreadable, key=lambda failure: failure.path)),
            missing_formats=dict(sorted(missing.items())),
            devices=self._devices(),
            empty=self._empty(),
            dangling=frozenset(link for listing in listings for link in listing.dangling),
        )

    def _devices(self) -> dict[str, str]:
        numbers = {place: listing.identity[0] for place, listing in self.listings.items()}
        around = {(folder, source): numbers.get((os.path.split(folder)[0], source)) for folder, source in numbers}
        return {
            folder: f"{number}-{_file_system_of(folder)}"
            for (folder, source), number in numbers.items()
            if folder == source or number != around[folder, source]
        }

    def _empty(self) -> frozenset[str]:
        filled: set[ListingKey] = set()
        for (holder, source), listing in self.listings.items():
            elsewhere = any((inner, source) not in self.listings for inner in listing.folders + listing.linked)
            folder = holder if listing.holds_something or elsewhere else ""
            while folder and (folder, source) not in filled:
                filled.add((folder, source))
                folder = os.path.split(folder)[0] if folder != source else ""
        return frozenset(folder for folder, _ in self.listings.keys() - filled)

    def _missing_source(self, source: str, error: OSError) -> None:
        """A single image that was deleted is gone; a folder that vanished may be a disk that was unplugged."""
        deleted = isinstance(error, FileNotFoundError) and Path(source).parent.is_dir()
        if not (deleted and suffix_of(source) in self._readable):
            self._singles.unreadable.append(Failure(source, reason_of(error)))

    def _visit_folders(self, source: str) -> None:
        folders, linked = [source], list[str]()
        while folders or linked:
            folder = folders.pop() if folders else linked.pop()
            try:
                status = Path(folder).stat()
                if (status.st_dev, status.st_ino) in self._seen:
                    continue
                self._seen.add((status.st_dev, status.st_ino))
                listing = self._listing(folder, source, (status.st_dev, status.st_ino, status.st_mtime_ns))
            except OSError as error:
                self._singles.unreadable.append(Failure(folder, reason_of(error)))
                continue
            self.listings[folder, source] = listing
            if self._ends(listing):
                return
            folders += listing.folders
            linked += listing.linked

    def _listing(self, folder: str, source: str, identity: tuple[int, int, int]) -> Listing:
        known = self._known.get((folder, source))
        same = known is not None and known.identity == identity and not known.unreadable
        if known is not None and same and str(Path(folder)) not in self._changed:
            return known
        listing = Listing(identity)
        for entry in self._entries(folder, source, listing):
            try:
                if entry.is_dir():
                    (listing.linked if entry.is_symlink() else listing.folders).append(entry.path)
                else:
                    self._visit_file(entry, listing)
            except OSError as error:
                listing.unreadable.append(Failure(entry.path, reason_of(error)))
            if self._ends(listing):
                break
        return listing

    def _ends(self, listing: Listing) -> bool:
        """Whether one image was enough, and is found."""
        return self._first_only and bool(listing.files)

    def _entries(self, folder: str, source: str, listing: Listing) -> Iterator[os.DirEntry[str]]:
        """What is not hidden and not excluded, in the order of names."""
        start, parent = len(source.rstrip(os.sep)) + 1, Path(folder).name
        shown = []
        with os.scandir(folder) as entries:
            for entry in entries:
                if self._passed_over.holds(entry.name, parent):
                    listing.skipped += self._passed_over.pictures(entry)
                else:
                    shown.append(entry)
        for entry in sorted(shown, key=lambda entry: entry.name):
            if not self._excluded(entry.name, entry.path[start:].replace(os.sep, "/")):
                yield entry
            elif not entry.is_dir(follow_symlinks=False):
                listing.skipped += 1
            else:
                listing.excluded_folders += 1

    def _visit_file(self, entry: os.DirEntry[str], listing: Listing) -> None:
        if suffix_of(entry.name) in self._readable:
            self._take(entry.path, entry.name, entry.stat(), listing)
        else:
            _skip(entry.name, listing)
            if entry.is_symlink() and not Path(entry.path).exists():
                listing.dangling.append(entry.path)

    def _take(self, path: str, name: str, status: os.stat_result, listing: Listing) -> None:
        if stat.S_ISREG(status.st_mode) and suffix_of(name) in self._readable:
            listing.files.append(FoundFile(path, status.st_size, status.st_mtime_ns))
        else:
            _skip(name, listing)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether it is a real folder, as the listing of its parent tells."""
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _file_system_of(folder: str) -> int:
    """What tells a file system from others that get the same device number, 0 where nothing does."""
    try:
        return os.statvfs(folder).f_fsid if hasattr(os, "statvfs") else 0
    except OSError:
        return 0


def _skip(name: str, listing: Listing) -> None:
    listing.skipped += 1
    if missing := format_to_install(suffix_of(name)):
        listing.missing[missing] += 1
