"""What a person made, such as names: small files in a folder of their own, which no cache and no map takes along.

<data>/cluster_names.json                       the newest
<data>/copies/cluster_names-2026-11-28.json     as it was last written on that day; the last ten days with a change

Each file is written next to its place, brought to the disk and renamed into place, under a lock: what two processes do
at once is done one after the other, each to what the other left. A file that is damaged or gone is read from its newest
whole copy; the damaged one is kept next to it when the next change is written.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Generic, TypeVar

import platformdirs

from atlas_rt.core.images import LibraryPlace
from atlas_rt.errors import MissingError, UsageError
from atlas_rt.library import disk_errors
from atlas_rt.library.cache_layout import may_lie_in, source_around
from atlas_rt.library.disk_errors import reason_of
from atlas_rt.library.lock import Lock
from atlas_rt.library.sources import absolute

KIND = "data"
COPIES_KEPT = 10
PATIENCE_SECS = 10.0
"""How long one waits for another process to write its change, which takes milliseconds."""
FORMAT = 1

T = TypeVar("T")


def data_folder(given: Path | None) -> Path:
    """The folder of what a person made, absolute: the one named, or the user's data folder. Not made yet.

    Raises UsageError where something else stands in its place.
    """
    folder = absolute(str(given or platformdirs.user_data_path("atlas_rt", appauthor=False)))
    standing = next(path for path in (folder, *folder.parents) if os.path.lexists(path))
    if not standing.is_dir():
        raise UsageError(f"The data folder must be a folder; choose another with --data DIR: {standing}")
    return folder


def refuse_inside(folder: Path, sources: Sequence[str], *, named: bool) -> None:
    """Raise UsageError where the data folder lies inside a source, unless the person named it or no scan sees it."""
    around = source_around(folder, sources)
    if around is not None and not may_lie_in(folder, around, named=named):
        raise UsageError(f"The data folder lies inside the source {around}; choose another with --data DIR: {folder}")


@dataclass(frozen=True, slots=True)
class Kept(Generic[T]):
    """What a file holds. remark: a sentence where it comes from a copy or cannot be read at all; empty else."""

    entries: tuple[T, ...]
    remark: str = ""


class PersonalFile(Generic[T]):
    """A file of entries of one kind. Any number of processes may hold one."""

    def __init__(
        self, folder: Path, name: str, *, read: Callable[[object], T], write: Callable[[T], dict[str, object]]
    ) -> None:
        """folder: of all that a person made. name: of the file, without its ending.

        read: an entry from what JSON holds of it; raises ValueError, KeyError or TypeError where it is none. write: the
        other way.
        """
        self.path = folder / f"{name}.json"
        self._copies = folder / "copies"
        self._read_entry, self._write_entry = read, write

    def read(self) -> Kept[T]:
        """What the file holds; nothing where there is none. Raises MissingError where it may not be read, or a newer
        version wrote it."""
        copies = self._dated()
        if not self.path.exists() and not copies:
            return Kept(())
        for file in (self.path, *copies):
            if (entries := self._entries(file)) is not None:
                return Kept(entries, "" if file == self.path else self._said(file))
        return Kept((), f"this file is damaged, and there is no copy of it; nothing in it is used: {self.path}")

    def change(self, changed: Callable[[tuple[T, ...]], tuple[T, ...]]) -> tuple[T, ...]:
        """Write what `changed` makes of the entries as they are now; the entries then.

        Raises MissingError where the disk refuses, or another process does not let go.
        """
        with self._locked():
            entries = changed(self.read().entries)
            facts = {"format": FORMAT, "entries": [self._write_entry(each) for each in entries]}
            text = json.dumps(facts, indent=1).encode()
            with disk_errors.writing(self.path.parent, kind=KIND):
                self._keep_damaged()
                self._copies.mkdir(exist_ok=True)
                _write_whole(self._copies / f"{self.path.stem}-{date.today().isoformat()}.json", text)
                _write_whole(self.path, text)
                for old in self._dated()[COPIES_KEPT:]:
                    old.unlink(missing_ok=True)
        return entries

    def _dated(self) -> list[Path]:
        """The copies, the newest first."""
        return sorted(self._copies.glob(f"{self.path.stem}-????-??-??.json"), reverse=True)

    def _entries(self, file: Path) -> tuple[T, ...] | None:
        """None where it is not there or damaged."""
        try:
            facts = json.loads(file.read_bytes())
            if facts["format"] > FORMAT:
                raise MissingError(f"This file was written by a newer version of atlas_rt; update the program: {file}")
            return tuple(self._read_entry(each) for each in facts["entries"])
        except FileNotFoundError:
            return None
        except OSError as error:
            raise MissingError(f"What you named cannot be read ({reason_of(error)}): {file}") from error
        except (ValueError, KeyError, TypeError, AttributeError):
            return None

    def _said(self, copy: Path) -> str:
        what = "is damaged" if self.path.exists() else "is not there"
        return f"{self.path} {what}; its copy of {copy.stem[-10:]} is used"

    def _keep_damaged(self) -> None:
        if self.path.exists() and self._entries(self.path) is None:
            self.path.replace(self.path.with_suffix(".damaged"))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        folder = self.path.parent
        try:
            with disk_errors.writing(folder, kind=KIND):
                folder.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            raise MissingError(f"A file stands where the data folder must be: {folder}") from error
        deadline = time.monotonic() + PATIENCE_SECS
        with Lock(LibraryPlace(folder, ()), kind=KIND) as lock:
            while not lock.acquire():
                if time.monotonic() > deadline:
                    raise MissingError(f"The data folder is in use ({lock.holder()}); try again in a moment: {folder}")
            yield


def _write_whole(path: Path, content: bytes) -> None:
    """All of it on the disk under this name, or what was there before."""
    beside = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    disk_errors.sync_folder(path.parent)
