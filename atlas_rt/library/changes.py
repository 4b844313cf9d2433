"""What a scan means for a library: a pure comparison of the files found with the files known.

A file is known and unchanged when its size and time of change are, an object in a bucket when its size and ETag are:
its time may be another one, as after it was copied onto itself. Nothing is read here: a file that looks new may turn
out, once its content is hashed, to be one that was moved (`StoreWriter.commit` then gives it its old id).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from atlas_rt.core.images import Failure
from atlas_rt.core.paths import start_of
from atlas_rt.library.walking import FoundFile

State = Literal["found", "ready", "failed", "away"]
Kind = Literal["new", "changed", "encode"]


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A row of the library. hashed: it was read well once. encoded: it has a vector of the model in question.

    present: the last scan found its file. away_secs: when it was missed, since 1970; 0 where that is not known.
    """

    id: int
    path: str
    state: State
    size: int
    mtime_ns: int
    hashed: bool
    encoded: bool
    present: bool = True
    away_secs: float = 0.0
    etag: str = ""


@dataclass(frozen=True, slots=True)
class FailedFile:
    """A file that could not become an image, as it was when it failed. stage: "read", "decode", "encode" or "crash"."""

    path: str
    size: int
    mtime_ns: int
    reason: str
    stage: str = "decode"
    etag: str = ""


@dataclass(frozen=True, slots=True)
class Todo:
    """A file to read. kind: "new"; "changed" since it was read; "encode": unchanged, but without a vector. etag: as in
    FoundFile."""

    id: int
    path: str
    size: int
    mtime_ns: int
    kind: Kind
    etag: str = ""


@dataclass(frozen=True, slots=True)
class Changes:
    """What must be done for one scan.

    todo: ascending by id; new ids were given in the order of paths. unchanged: images with nothing to do, those that
    returned included. hidden: ids of images that are no longer shown, since their files vanished. returned: ids of
    images that are shown again. marked: as many shown images were found again, or not found while their folder is
    absent. failed: files that failed before and have not changed since.
    """

    todo: tuple[Todo, ...]
    unchanged: int
    hidden: tuple[int, ...]
    returned: tuple[int, ...]
    marked: int
    failed: tuple[Failure, ...]


@dataclass(slots=True)
class Comparison:
    """The parts of a plan before new files have ids.

    vanished: every row without a file, ready or not. missed: shown images without a file, which stay shown since their
    folder is absent. met: shown images that were missed before and are there again.
    """

    new: list[FoundFile] = field(default_factory=list)
    todo: list[Todo] = field(default_factory=list)
    unchanged: int = 0
    returned: list[int] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)
    vanished: list[KnownFile] = field(default_factory=list)
    missed: list[KnownFile] = field(default_factory=list)
    met: list[int] = field(default_factory=list)

    @property
    def unsettled(self) -> list[str]:
        """The paths of the files with which something must be done, or could not be done."""
        pending = [file.path for file in self.new] + [each.path for each in self.todo]
        return pending + [failure.path for failure in self.failed]


def compare(
    files: Iterable[FoundFile],
    known: Iterable[KnownFile],
    failures: Mapping[str, FailedFile],
    unseen: Sequence[str],
    unlisted: Sequence[str] = (),
) -> Comparison:
    """Sort out what each file is. Rows at or below an unseen path have not vanished: nobody could look.

    unlisted: sources that are still being listed. Nothing is said of rows at or below them that were not found yet.
    """
    rows: dict[str, KnownFile] = {}
    away: dict[tuple[str, int, int | str], KnownFile] = {}
    for row in known:
        if row.state == "away":
            away[row.path, row.size, row.etag or row.mtime_ns] = row
        else:
            rows[row.path] = row
    result = Comparison()
    for file in files:
        back = away.get((file.path, file.size, file.etag or file.mtime_ns))
        if file.path in rows:
            _sort_known(file, rows.pop(file.path), failures.get(file.path), result)
        elif back:
            result.returned.append(back.id)
            _sort_settled(file, back, result)
        else:
            result.new.append(file)
    is_unseen, is_unlisted = below(unseen), below(unlisted)
    for path, row in rows.items():
        if is_unlisted(path):
            continue
        if not is_unseen(path):
            result.vanished.append(row)
        elif row.state == "ready":
            result.missed.append(row)
    return result


def below(folders: Iterable[str]) -> Callable[[str], bool]:
    """A test whether a path is one of these or lies in it."""
    starts = tuple(map(start_of, folders))
    return lambda path: (path + os.sep).startswith(starts)


def _sort_known(file: FoundFile, row: KnownFile, failure: FailedFile | None, result: Comparison) -> None:
    if row.state == "ready" and not row.present:
        result.met.append(row.id)
    if row.state == "ready" and _same(file, row):
        _sort_settled(file, row, result)
    elif row.state == "failed" and failure and failure.stage != "read" and _same(file, failure):
        result.failed.append(Failure(file.path, failure.reason))
    else:
        result.todo.append(_todo(file, row, "changed" if row.hashed else "new"))


def _sort_settled(file: FoundFile, row: KnownFile, result: Comparison) -> None:
    """An unchanged image may still lack a vector of this model."""
    if row.encoded:
        result.unchanged += 1
    else:
        result.todo.append(_todo(file, row, "encode"))


def _same(file: FoundFile, other: KnownFile | FailedFile) -> bool:
    return file.size == other.size and (file.etag == other.etag if file.etag else file.mtime_ns == other.mtime_ns)


def _todo(file: FoundFile, row: KnownFile, kind: Kind) -> Todo:
    return Todo(row.id, file.path, file.size, file.mtime_ns, kind, file.etag)
