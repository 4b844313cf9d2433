"""Which files a source holds: the person's words made paths, and paths walked to images."""

from __future__ import annotations

import difflib
import errno
import fnmatch
import hashlib
import os
import re
import stat
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from atlas_rt.core.records import Failure
from atlas_rt.errors import DecodeError, MissingError, UsageError

IMAGE_SUFFIXES = frozenset(
    [".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif"]
)
"""Formats that are always read."""
HEIC_SUFFIXES = frozenset([".heic", ".heif"])
"""Read when pillow_heif is installed."""
RAW_SUFFIXES = frozenset([".arw", ".cr2", ".cr3", ".dng", ".nef", ".orf", ".pef", ".raf", ".rw2", ".srw"])
"""Camera files, read by their embedded preview when rawpy is installed."""
FORMAT_HINTS = {"HEIC": "pillow_heif", "RAW": "rawpy"}
"""Format -> the module that reads it, both from `pip install atlas_rt[formats]`."""
FILE_BYTES_MAX = 2**30
"""A larger file is no picture a person looks at, and reading it would exhaust the memory."""

_PASSED_OVER = frozenset(["@eaDir", ".thumbnails"])
"""Folders in which other programs keep thumbnails of their own."""


@dataclass(frozen=True, slots=True)
class FoundFile:
    """An image file as the file system tells it, before it is read. size: bytes."""

    path: str
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Scan:
    """What a walk through the sources found.

    files: sorted by path, each path once. skipped: files that are no images, of formats not installed, or excluded.
    unreadable: folders and links that could not be followed; nothing is known of what lies beneath them.
    missing_formats: of the skipped ones, those an extra would read, e.g. {"HEIC": 3}.
    """

    files: tuple[FoundFile, ...]
    skipped: int
    unreadable: tuple[Failure, ...]
    missing_formats: dict[str, int] = field(default_factory=dict)


def resolve(words: Sequence[str]) -> tuple[str, ...]:
    """The person's words as absolute paths, sorted, each once; links stay as they were named.

    Raises UsageError for what does not exist, cannot be read or is no image, MissingError for a format not installed.
    """
    return tuple(sorted({_resolve_one(word) for word in words}))


def absolute(word: str) -> Path:
    """A person's word as an absolute path: `~` and `..` resolved, links kept as they were named. Raises UsageError."""
    if not word.strip():
        raise UsageError("An empty word is no path; name a folder or a file")
    return Path(os.path.abspath(os.path.expanduser(word)))  # noqa: PTH100, PTH111  pathlib follows links, fails on ~x


def scan(sources: Sequence[str], *, exclude: Sequence[str] = ()) -> Scan:
    """Every image in the sources, subfolders included; hidden files and folders are passed over.

    exclude: patterns (`*`, `?`, `[..]`) against a name or the path relative to its source. 10,000 files in 100
    folders: 0.09 s.
    """
    return Scanner(exclude).scan(sources)


class Scanner:
    """Scans the same sources again and again, and remembers what each folder held. Owned by one thread."""

    def __init__(self, exclude: Sequence[str] = ()) -> None:
        self._excluded = matcher(exclude)
        self._known: dict[ListingKey, Listing] = {}

    def scan(self, sources: Sequence[str], *, changed: Collection[str] | None = None) -> Scan:
        """As `scan`. changed: folders to read again, besides those that something came into or left, as their own times
        tell; None for all. 100,000 files in 200 folders: all 0.6 s, one 0.1 s.
        """
        walk = _Walk(self._excluded, {} if changed is None else self._known, changed or ())
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


def suffix_of(path: str) -> str:
    """The ending of a name or path with its dot, in small letters; empty for none. Path.suffix is ten times slower."""
    name = path[path.rfind(os.sep) + 1 :]
    dot = name.rfind(".")
    return name[dot:].lower() if dot > 0 else ""


def is_passed_over(name: str) -> bool:
    """Whether a file or folder of this name is hidden, or holds what another program made."""
    return name.startswith(".") or name in _PASSED_OVER


def is_readable(path: str) -> bool:
    """Whether its ending is that of an image that can be read here."""
    return suffix_of(path) in _readable_suffixes()


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


def _readable_suffixes() -> frozenset[str]:
    suffixes = IMAGE_SUFFIXES
    if find_spec(FORMAT_HINTS["HEIC"]):
        suffixes |= HEIC_SUFFIXES
    if find_spec(FORMAT_HINTS["RAW"]):
        suffixes |= RAW_SUFFIXES
    return suffixes


def _format_to_install(suffix: str) -> str:
    """Which optional format a suffix belongs to, empty for none."""
    if suffix in HEIC_SUFFIXES:
        return "HEIC"
    return "RAW" if suffix in RAW_SUFFIXES else ""


def _resolve_one(word: str) -> str:
    if word.startswith("s3://"):
        raise UsageError(f"S3 is not built yet in this version; copy the images to a folder and name that: {word}")
    path = absolute(word)
    try:
        if path.is_dir():
            os.scandir(path).close()
        else:
            _check_single_file(path)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UsageError(f"There is no such file or folder{_suggestion(path)}: {path}") from error
    except OSError as error:
        raise UsageError(f"It cannot be opened ({reason_of(error)}): {path}") from error
    return str(path)


def _check_single_file(path: Path) -> None:
    """Raises unless a file named as a source can be an image. A pipe is never opened: that would wait for ever."""
    regular = stat.S_ISREG(path.stat().st_mode)
    suffix = suffix_of(path.name)
    missing = _format_to_install(suffix)
    if missing and suffix not in _readable_suffixes():
        raise MissingError(f"{missing} files need one more package, `pip install atlas_rt[formats]`: {path}")
    if not regular or suffix not in _readable_suffixes():
        known = " ".join(sorted(suffix[1:] for suffix in IMAGE_SUFFIXES))
        raise UsageError(f"This is no image (known are {known}); name a folder or an image: {path}")
    path.open("rb").close()


def _suggestion(path: Path) -> str:
    """The nearest existing name beside a missing one, as part of a sentence."""
    while not path.parent.is_dir():
        path = path.parent
    try:
        beside = {other.name.lower(): other for other in path.parent.iterdir()}
    except OSError:
        return ""
    near = difflib.get_close_matches(path.name.lower(), beside, n=1)
    return f" (did you mean {beside[near[0]]}?)" if near else ""


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
    skipped: int = 0
    missing: Counter[str] = field(default_factory=Counter)


class _Walk:
    """One walk through several sources.

    Each real folder is read once, by its device and inode, so links cannot lead in circles and nested sources do not
    double their images. Linked folders wait until the real ones are done: an image that has a path without a link
    goes by that one, whatever the folders are called.
    """

    def __init__(
        self, excluded: Callable[[str, str], bool], known: Mapping[ListingKey, Listing], changed: Collection[str]
    ) -> None:
        """known: listings that are still true, but of `changed` folders."""
        self._excluded = excluded
        self._known, self._changed = known, changed
        self._readable = _readable_suffixes()
        self._seen: set[tuple[int, int]] = set()
        self._singles = Listing((0, 0, 0))  # sources that are files, or could not be reached
        self.listings: dict[ListingKey, Listing] = {}

    def visit(self, source: str) -> None:
        """Add what lies in a folder, or a single file."""
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
        )

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
        return listing

    def _entries(self, folder: str, source: str, listing: Listing) -> Iterator[os.DirEntry[str]]:
        """What is not hidden and not excluded, in the order of names."""
        start = len(source.rstrip(os.sep)) + 1
        with os.scandir(folder) as entries:
            shown = [entry for entry in entries if not is_passed_over(entry.name)]
        for entry in sorted(shown, key=lambda entry: entry.name):
            if not self._excluded(entry.name, entry.path[start:].replace(os.sep, "/")):
                yield entry
            elif not entry.is_dir(follow_symlinks=False):
                listing.skipped += 1

    def _visit_file(self, entry: os.DirEntry[str], listing: Listing) -> None:
        if suffix_of(entry.name) in self._readable:
            self._take(entry.path, entry.name, entry.stat(), listing)
        else:
            _skip(entry.name, listing)

    def _take(self, path: str, name: str, status: os.stat_result, listing: Listing) -> None:
        if stat.S_ISREG(status.st_mode) and suffix_of(name) in self._readable:
            listing.files.append(FoundFile(path, status.st_size, status.st_mtime_ns))
        else:
            _skip(name, listing)


def _skip(name: str, listing: Listing) -> None:
    listing.skipped += 1
    if missing := _format_to_install(suffix_of(name)):
        listing.missing[missing] += 1
