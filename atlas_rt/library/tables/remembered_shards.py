"""The shards that a library remembers: content that it need neither read nor decode nor encode.

    <library>/shards/<time>-<hash>.parquet    known: a row serves once an image of its content or address is listed
    <library>/listed/<time>-<hash>.parquet    its rows are images of the library, wherever their files are

`atlas-rt import` puts shards here and whoever writes the library takes from them, so an import that was interrupted
goes on, nothing is taken twice (a shard is named by its content), and a shard whose images are listed later still
serves; it goes once the library holds all that it knows. Of two rows with the same address the last one counts: of the
shard that came last, and in it the last.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from atlas_rt.errors import AtlasError, MissingError
from atlas_rt.library import disk_errors
from atlas_rt.library.changes import Todo
from atlas_rt.library.tables.rows import ImageRow, Item, Row
from atlas_rt.library.tables.shard import SUFFIX, Maker, Position
from atlas_rt.library.tables.shard_file import ShardFile
from atlas_rt.library.walking import FoundFile

KNOWN, LISTED = "shards", "listed"
"""Folders of a library."""
MODEL_NOTE = "model.txt"
"""Next to the shards that list images: the model's name."""
DIGITS = 16
"""Of the hash in a shard's name."""
GROUPS_KEPT = 16
"""Groups of rows that stay in memory, 1 MB each: threads ask in the order of paths, as shards mostly are."""

Keys = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class _Indexed:
    """A shard and what its rows are found by: 64 bits of the address and of the content, (rows,) each.

    It is opened for each group of rows that is read: of ten thousand shards no file stays open. starts: the first row
    of each group, and the number of rows. same_words: its labels are of this library's vocabulary.
    """

    path: Path
    listed: bool
    starts: NDArray[np.int64]
    same_words: bool
    items: Keys
    contents: Keys
    files: tuple[FoundFile, ...]


class _Table:
    """Key -> (shard, row), the last of several first."""

    def __init__(self, parts: Sequence[Keys]) -> None:
        keys = np.concatenate(parts) if parts else np.zeros(0, np.uint64)
        self._order = np.argsort(keys, kind="stable")
        self._keys = keys[self._order]
        self._starts = np.cumsum([0, *map(len, parts)])

    def find(self, key: np.uint64) -> list[tuple[int, int]]:
        first, end = np.searchsorted(self._keys, key, "left"), np.searchsorted(self._keys, key, "right")
        at = self._order[first:end][::-1]
        shards = np.searchsorted(self._starts, at, side="right") - 1
        return list(zip(shards.tolist(), (at - self._starts[shards]).tolist(), strict=True))


class RememberedShards:
    """The shards of one library that hold vectors of one model. Any number of threads may ask.

    remarks: sentences on shards that cannot be used.
    """

    def __init__(self, folder: Path, *, model_id: str, dim: int, vocabulary_key: str = "") -> None:
        """folder: of the library. dim: of the model's vectors. vocabulary_key: labels of others are left out."""
        self._folder, self._model_id, self._dim, self._vocabulary_key = folder, model_id, dim, vocabulary_key
        self._lock = threading.Lock()
        self._seen: dict[Path, _Indexed | None] = {}
        self._stamps: tuple[int, ...] = ()
        self._shards: list[_Indexed] = []
        self._groups: OrderedDict[tuple[int, int], list[Row | None]] = OrderedDict()
        self._items = self._contents = _Table([])
        self.remarks: list[str] = []

    def appeared(self) -> bool:
        """Whether shards have come or gone since the last `refresh`. Two calls of the file system."""
        return self._folder_times() != self._stamps

    def refresh(self) -> None:
        """Look for shards that have come. 100,000 rows: 0.8 s, once for each shard."""
        with self._lock:
            self._stamps = self._folder_times()
            paths = [(path, name == LISTED) for name in (KNOWN, LISTED) for path in remembered(self._folder, name)]
            for path, listed in paths:
                if path not in self._seen:
                    self._seen[path] = self._indexed(path, listed)
            shards = [each for path, _ in paths if (each := self._seen[path]) is not None]
            if shards != self._shards:
                self._shards = shards
                self._groups.clear()
                self._items = _Table([each.items for each in shards])
                self._contents = _Table([each.contents for each in shards])

    def listed(self) -> dict[str, FoundFile]:
        """The images that are in the library because a shard lists them, by address."""
        with self._lock:
            return {file.path: file for each in self._shards if each.listed for file in each.files}

    def find_item(self, todo: Todo) -> Row | None:
        """What a shard knows of a file or object as it is now, by its address, size, and ETag or time.

        A failure counts for an object that has not changed, as it would fail again, and where the shard lists it.
        """
        item = Item(todo.path, todo.size, todo.mtime_ns, todo.etag)
        for shard, number in self._items.find(_item_key(item)):
            row = self._row(shard, number)
            if row is None or not _is_same(row.item, item):
                continue
            if isinstance(row, ImageRow) or self._shards[shard].listed or (item.etag and row.stage != "read"):
                return row
        return None

    def find_content(self, content_hash: bytes) -> ImageRow | None:
        """An image of this content."""
        for shard, number in self._contents.find(_content_key(content_hash)):
            row = self._row(shard, number)
            if isinstance(row, ImageRow) and row.content_hash == content_hash:
                return row
        return None

    def positions(self) -> dict[str, Position]:
        """Address -> where the shards that list images say that each stands on a map."""
        found: dict[str, Position] = {}
        with self._lock:
            for each in self._shards:
                if each.listed:
                    with ShardFile(each.path) as shard:
                        places = zip(each.files, shard.positions(), strict=True)
                        found |= {file.path: place for file, place in places if place is not None}
        return found

    def close(self) -> None:
        with self._lock:
            self._seen, self._shards, self._stamps = {}, [], ()
            self._items = self._contents = _Table([])

    def __enter__(self) -> RememberedShards:
        self.refresh()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _row(self, shard: int, number: int) -> Row | None:
        with self._lock:
            each = self._shards[shard]
            group = int(np.searchsorted(each.starts, number, side="right")) - 1
            rows = self._groups.get((shard, group))
            if rows is None:
                rows = self._groups[shard, group] = self._read(each, group)
                if len(self._groups) > GROUPS_KEPT:
                    self._groups.popitem(last=False)
            self._groups.move_to_end((shard, group))
            row = rows[number - int(each.starts[group])]
            return row if each.same_words or not isinstance(row, ImageRow) else replace(row, labels=())

    def _read(self, each: _Indexed, group: int) -> list[Row | None]:
        try:
            with ShardFile(each.path) as shard:
                return shard.group(group)
        except AtlasError as error:  # it was whole when it came
            self.remarks.append(str(error))
            return [None] * int(each.starts[group + 1] - each.starts[group])

    def _indexed(self, path: Path, listed: bool) -> _Indexed | None:
        """None for one of another model, and, with a remark, for one that cannot be read."""
        try:
            with ShardFile(path) as shard:
                if other_model(shard.maker, model_id=self._model_id, dim=self._dim):
                    return None
                index, starts = shard.index(), shard.starts
                same_words = shard.maker.vocabulary == self._vocabulary_key
        except AtlasError as error:
            self.remarks.append(str(error))
            return None
        items = np.array([_item_key(row.item) for row in index], np.uint64)
        contents = np.array([_content_key(row.content_hash) for row in index], np.uint64)
        files = tuple(FoundFile(row.item.uri, row.item.size, row.item.mtime_ns, row.item.etag) for row in index)
        return _Indexed(path, listed, starts, same_words, items, contents, files if listed else ())

    def _folder_times(self) -> tuple[int, ...]:
        times = []
        for name in (KNOWN, LISTED):
            with suppress(OSError):
                times.append((self._folder / name).stat().st_mtime_ns)
        return tuple(times)


class ShardShelf:
    """Puts shards into a library's folder. No lock is needed: whoever writes the library looks again."""

    def __init__(self, folder: Path, *, listed: bool) -> None:
        """folder: of the library. listed: the rows are to be images of the library by themselves."""
        self._library, self._folder = folder, folder / (LISTED if listed else KNOWN)
        self._there = {path.stem.rpartition("-")[2] for path in remembered(folder, self._folder.name)}

    def put(self, shard: Path) -> bool:
        """Copy a shard here, whole or not at all; whether it is new. Raises MissingError where the disk refuses, or
        the file cannot be read."""
        digest = hash_of(shard)
        return digest not in self._there and self._write(digest, lambda copy: _copy(shard, copy))

    def put_bytes(self, shard: bytes) -> bool:
        """The same of a shard in memory."""
        digest = hashlib.sha256(shard).hexdigest()[:DIGITS]
        return digest not in self._there and self._write(digest, lambda copy: copy.write(shard))

    def _write(self, digest: str, fill: Callable[[BinaryIO], object]) -> bool:
        # in the order in which they came, as the last row of an address counts
        with disk_errors.writing(self._library):
            self._folder.mkdir(parents=True, exist_ok=True)
            _write_whole(self._folder / f"{time.time_ns():019}-{digest}{SUFFIX}", fill)
        self._there.add(digest)
        return True


def drop_served(folder: Path, contents: Collection[bytes], *, model_id: str) -> int:
    """Delete the known shards of which the library holds every image by now, as it has no more use for them; how many.

    contents: those of which the library has a vector of this model. The shards that list images stay. Nobody may be
    taking from them.
    """
    dropped = 0
    for path in remembered(folder, KNOWN):
        try:
            with ShardFile(path) as shard:
                ours = shard.maker.model == model_id
                served = ours and all(row.failed or row.content_hash in contents for row in shard.index())
        except AtlasError:
            continue
        if served:
            with suppress(OSError):
                path.unlink()
                dropped += 1
    return dropped


def keep_shard(folder: Path, shard: bytes) -> Path:
    """Write a shard into any folder, named by its content. Raises MissingError where the disk refuses."""
    path = folder / f"{hashlib.sha256(shard).hexdigest()[:DIGITS]}{SUFFIX}"
    with disk_errors.writing(folder):
        _write_whole(path, lambda file: file.write(shard))
    return path


def _write_whole(path: Path, fill: Callable[[BinaryIO], object]) -> None:
    beside = path.with_name(f".{os.getpid()}-{path.stem}.tmp")
    try:
        with beside.open("wb") as file:
            fill(file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
    disk_errors.sync_folder(path.parent)


def _copy(source: Path, copy: BinaryIO) -> None:
    with source.open("rb") as file:
        shutil.copyfileobj(file, copy, 1 << 20)


def listed_model(folder: Path) -> str:
    """The model that a library's listed shards were imported with; empty where it lists none."""
    try:
        return (folder / LISTED / MODEL_NOTE).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def note_listed_model(folder: Path, name: str) -> None:
    """Let a library go on with this model, whichever "auto" will mean. Raises MissingError where the disk refuses."""
    with disk_errors.writing(folder):
        (folder / LISTED).mkdir(parents=True, exist_ok=True)
        _write_whole(folder / LISTED / MODEL_NOTE, lambda file: file.write(name.encode()))


def remembered(folder: Path, name: str) -> list[Path]:
    """The shards in one of the two folders, the one that came first at the beginning."""
    return sorted(path for path in (folder / name).glob(f"*{SUFFIX}") if path.stem.partition("-")[0].isdecimal())


def hash_of(path: Path) -> str:
    """16 hex digits of a file's content. Raises MissingError where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:DIGITS]
    except OSError as error:
        raise MissingError(f"This file cannot be read ({disk_errors.reason_of(error)}): {path}") from error


def other_model(maker: Maker, *, model_id: str, dim: int) -> str:
    """Why a shard's vectors cannot join those of a model; empty where they can."""
    if maker.model != model_id:
        return f"this shard holds vectors of the model {maker.model}, and the library is of {model_id}"
    if maker.dim != dim:
        return f"the vectors in this shard have {maker.dim:,} dimensions, those of {model_id} have {dim:,}"
    return ""


def _is_same(one: Item, other: Item) -> bool:
    if (one.uri, one.size, one.etag) != (other.uri, other.size, other.etag):
        return False
    return bool(one.etag) or one.mtime_ns == other.mtime_ns


def _item_key(item: Item) -> np.uint64:
    """An object is known by its ETag whatever its date, which not every event tells; a file by its time."""
    text = f"{item.uri}\0{item.size}\0{item.etag or item.mtime_ns}"
    return _content_key(hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=8).digest())


def _content_key(content_hash: bytes) -> np.uint64:
    return np.uint64(int.from_bytes(content_hash[:8], "little"))
