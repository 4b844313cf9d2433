"""What the last comparison of a scan with the library settled, so that the next one looks up only the rest.

A file is settled when it is an image of the library with nothing to do. It stays so while the scan finds it unchanged
and nothing writes its row. Rows that this connection writes are noted by triggers, in a table that goes with the
connection; after any writing by another one all files are compared.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping, Sequence

from atlas_rt.core.images import Absence
from atlas_rt.library.database import Database, path_of
from atlas_rt.library.scanning import Scan
from atlas_rt.library.walking import FoundFile

SHARE_MAX = 0.1
"""Where a greater share of the files is in doubt, comparing all is faster than looking these up."""
_NOTES = (
    "CREATE TEMP TABLE IF NOT EXISTS touched (path BLOB PRIMARY KEY) WITHOUT ROWID",
    """CREATE TEMP TRIGGER IF NOT EXISTS image_came AFTER INSERT ON main.images
        BEGIN INSERT OR IGNORE INTO touched VALUES (new.path); END""",
    """CREATE TEMP TRIGGER IF NOT EXISTS image_changed
        AFTER UPDATE OF path, state, size, mtime_ns, etag, hash, present ON main.images
        BEGIN INSERT OR IGNORE INTO touched VALUES (old.path), (new.path); END""",
    """CREATE TEMP TRIGGER IF NOT EXISTS image_went AFTER DELETE ON main.images
        BEGIN INSERT OR IGNORE INTO touched VALUES (old.path); END""",
    """CREATE TEMP TRIGGER IF NOT EXISTS vector_went AFTER DELETE ON main.vectors
        BEGIN INSERT OR IGNORE INTO touched SELECT path FROM main.images WHERE id = old.image_id; END""",
    """CREATE TEMP TRIGGER IF NOT EXISTS vector_changed AFTER UPDATE OF model, image_id ON main.vectors
        BEGIN INSERT OR IGNORE INTO touched SELECT path FROM main.images WHERE id = old.image_id; END""",
)


class LastComparison:
    """Of one connection that writes."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._circumstances: tuple[object, ...] = ()
        self._files: tuple[FoundFile, ...] = ()
        self._open: frozenset[str] = frozenset()

    def in_doubt(
        self,
        scan: Scan,
        circumstances: tuple[object, ...],
        *,
        devices: Mapping[str, str],
        absences: Sequence[Absence],
    ) -> frozenset[str] | None:
        """The paths of which something may have changed since, None where that may be all of them; in a transaction.

        devices, absences: of the last scan. Where a folder is absent or a drive changed, all rows count.
        """
        if self._circumstances != circumstances or absences:
            return None
        if scan.unreadable or scan.dangling or scan.unlisted or scan.devices != devices:
            return None
        touched = {path_of(path) for (path,) in self._database.rows("SELECT path FROM touched")}
        doubts = touched | self._open | _different(self._files, scan.files)
        return frozenset(doubts) if len(doubts) <= SHARE_MAX * len(scan.files) else None

    def note_from_now(self) -> None:
        """A comparison has written what it means to write; in its transaction, which may yet be taken back."""
        for statement in _NOTES:
            self._database.execute(statement)
        self._database.execute("DELETE FROM touched")

    def keep(self, scan: Scan, circumstances: tuple[object, ...], unsettled: Iterable[str]) -> None:
        """The transaction of a comparison went well. circumstances: as they were in it. unsettled: the paths of the
        scan's files with which something must be done."""
        self._circumstances = circumstances
        self._files, self._open = scan.files, frozenset(unsettled)

    def circumstances(self, model: str, sources: Sequence[str]) -> tuple[object, ...]:
        """In which what was settled stays so; in a transaction."""
        others = self._database.number("PRAGMA data_version")  # another one after each writing by another connection
        return model, tuple(sources), others


def _different(before: Sequence[FoundFile], now: Sequence[FoundFile]) -> set[str]:
    """The paths of files that are not the same objects: a scan keeps those that it did not look at again."""
    first = _same_at_first(before, now)
    before, now = before[first:], now[first:]
    last = _same_at_first(before[::-1], now[::-1])
    before, now = before[: len(before) - last], now[: len(now) - last]
    had, has = set(map(id, before)), set(map(id, now))
    came = {file.path for file in now if id(file) not in had}
    return came | {file.path for file in before if id(file) not in has}


def _same_at_first(some: Sequence[FoundFile], others: Sequence[FoundFile]) -> int:
    """How many of the first files are the same objects."""
    same = [*map(operator.is_, some, others), False]
    return same.index(False)
