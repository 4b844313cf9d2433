"""The files that a person names to be imported, and what each of them is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from atlas_rt.errors import AtlasError, UsageError
from atlas_rt.library.formats import TABLE_SUFFIXES
from atlas_rt.library.sources import absolute
from atlas_rt.library.tables.rows import ImageRow
from atlas_rt.library.tables.shard import SUFFIX
from atlas_rt.library.tables.shard_file import ShardFile


@dataclass(frozen=True, slots=True)
class Refusal:
    """A file that cannot be taken in, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Contents:
    """What is in a shard. hashes: of its images. failures: rows of files that could not become images. unusable: rows
    that hold no proper vector, tile or content hash."""

    hashes: frozenset[bytes]
    failures: int
    unusable: int


def files_of(words: Sequence[str]) -> tuple[Path, ...]:
    """The tables that are named, or lie in the folders that are named, subfolders included, in the order of paths.

    Raises UsageError where there is none.
    """
    found: list[Path] = []
    for word in words:
        path = absolute(word)
        if path.is_dir():
            inside = shards_in(path)
            if not inside:
                raise UsageError(f"There is no shard (no file whose name ends in {SUFFIX}) in this folder: {path}")
            found += inside
        elif not path.exists():
            raise UsageError(f"There is no such file or folder: {path}")
        elif path.suffix.lower() not in TABLE_SUFFIXES:
            raise UsageError(f"This cannot be imported; name a file that ends in {' or '.join(TABLE_SUFFIXES)}: {path}")
        else:
            found.append(path)
    return tuple(dict.fromkeys(found))


def shards_in(folder: Path) -> list[Path]:
    """Parquet files in a folder and its subfolders, in the order of paths."""
    return sorted(file for file in folder.rglob(f"*{SUFFIX}") if not _hidden(file, folder))


def contents_of(path: Path) -> Contents:
    """Look at every row of a shard. 0.25 ms each. Raises UsageError where a part cannot be read."""
    hashes: set[bytes] = set()
    failures = unusable = 0
    with ShardFile(path) as shard:
        for group in range(shard.groups):
            for row in shard.group(group):
                if row is None:
                    unusable += 1
                elif isinstance(row, ImageRow):
                    hashes.add(row.content_hash)
                else:
                    failures += 1
    return Contents(frozenset(hashes), failures, unusable)


def refusal_of(path: Path, error: AtlasError) -> Refusal:
    """Why a file is refused, without its path."""
    return Refusal(str(path), str(error).removesuffix(f": {path}"))


def _hidden(file: Path, folder: Path) -> bool:
    """Files that other programs are still writing, or keep for themselves, begin with a dot or a line."""
    return any(part.startswith((".", "_")) for part in file.relative_to(folder).parts)
