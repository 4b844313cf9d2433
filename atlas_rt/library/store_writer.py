"""Writing what is known of every image: what a scan means for the library, and batches of images.

One process writes (it holds `lock.Lock`). Vectors and tiles lie in flat files, and a record there counts only once a
transaction here names it; so their `flush` comes before the `commit`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self, TypeVar

from atlas_rt.core.images import Absence, LibraryPlace
from atlas_rt.core.paths import relative_to, start_of
from atlas_rt.errors import UsageError
from atlas_rt.library import places, readings
from atlas_rt.library.absence import find_absences, hidden_while_vanishing, remembered_devices
from atlas_rt.library.changes import Changes, Comparison, FailedFile, KnownFile, Todo, below, compare
from atlas_rt.library.database import Database, is_outdated, path_of
from atlas_rt.library.last_comparison import LastComparison
from atlas_rt.library.lock import Lock
from atlas_rt.library.metadata import table
from atlas_rt.library.metadata.file_metadata import FileMetadata
from atlas_rt.library.metadata.sidecars import Sidecars
from atlas_rt.library.metadata.table import Unread
from atlas_rt.library.places import ImagePlace, NamedPlace, Unplaced
from atlas_rt.library.scanning import Scan
from atlas_rt.library.store import DIM, TOGETHER, Labels, StoreReader
from atlas_rt.library.text_index import TextWriter
from atlas_rt.library.walking import FoundFile

MOVED = "moved"
"""Setting: the token of the last move of the library's sources."""


@dataclass(frozen=True, slots=True)
class Ready:
    """An image that was decoded and encoded, to be named. id: of its Todo.

    hash: of its content (`content_hash`). tile: record in the tile files. vector_row: row in the model's vector file.
    incomplete: which part of the picture is missing; empty if none is. metadata: what its file tells of it, None where
    nobody looked. etag: of an object in a bucket (`FoundFile`).
    """

    id: int
    path: str
    size: int
    mtime_ns: int
    hash: bytes
    width_px: int
    height_px: int
    mean_rgb: tuple[int, int, int]
    aspect: float
    tile: int
    vector_row: int
    incomplete: str = ""
    metadata: FileMetadata | None = None
    etag: str = ""


@dataclass(frozen=True, slots=True)
class Committed:
    """What a batch turned out to be, in images. ids: id of the Todo -> id kept, for moved files, which keep theirs."""

    new: int
    changed: int
    unchanged: int
    moved: int
    ids: Mapping[int, int]


class StoreWriter(StoreReader):
    """The one connection that writes to a library. Open it with `StoreWriter.open`."""

    @classmethod
    def open(cls, folder: Path) -> Self:
        """The library in a folder, made where there is none, migrated where an older version made it.

        Raises MissingError: made by a newer version, damaged, or on a disk that is full.
        """
        return cls(Database.writing(folder))

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._last = LastComparison(database)
        self._texts = TextWriter(database)

    def reconcile(self, scan: Scan, model: str, sources: Sequence[str] = ()) -> Changes:
        """Compare a scan of these sources with what is known: new files get ids in the order of paths, images whose
        files vanished are hidden.

        Nothing is hidden at or below a path that the scan could not read, nor in a folder that is absent (`absence`).
        Rows of hidden images stay, so that the same file, or the same content elsewhere, gets its id back. 100,000
        files: 0.6 s, or 0.1 s where the scan found few others than the last one.
        """
        with self.database.transaction():
            is_inside, before = below(sources), self.absences()
            devices = {place: device for place, device in self._devices().items() if is_inside(place)}
            circumstances = self._last.circumstances(model, sources)
            doubts = self._last.in_doubt(scan, circumstances, devices=devices, absences=before)
            known, part = self._known_files(model, doubts), _part(scan, doubts)
            absences = find_absences(part, sources, known, devices=devices, before=before)
            if absences and doubts is not None:  # what is settled counts, too
                known, part = self._known_files(model), scan
                absences = find_absences(part, sources, known, devices=devices, before=before)
            unseen = [each.path for each in absences] + [each.path for each in scan.unreadable]
            failures = {row.path: row for row in self.failed_files()}
            found = compare(part.files, known, failures, unseen, sorted(scan.unlisted))
            again = hidden_while_vanishing(absences, known, now_secs=time.time())
            todo = [*found.todo, *self._name(found.new)]
            self._mark(found, again)
            self._forget_failures(row.path for row in found.vanished)
            self._put_absences(_with_shown_again(absences, again))
            self._put_devices(remembered_devices(scan, sources, absences, devices))
            if sources:
                self._texts.settle_roots(sources)
            self._last.note_from_now()
        self._last.keep(scan, circumstances, found.unsettled)
        return Changes(
            todo=tuple(sorted(todo, key=lambda each: each.id)),
            unchanged=found.unchanged + len(scan.files) - len(part.files),
            hidden=tuple(row.id for row in found.vanished if row.state == "ready"),
            returned=(*found.returned, *(row.id for row in again)),
            marked=len(found.met) + sum(row.present for row in found.missed),
            failed=tuple(found.failed),
        )

    def recount_absences(self, sources: Sequence[str]) -> None:
        """What was missed below an absent folder may have been found elsewhere since: then it was only emptied."""
        sql = "SELECT path FROM images WHERE present = 0 AND state = 'ready'"
        missed = [os.fsdecode(path) for (path,) in self.database.rows(sql)]
        counted = [replace(each, images=sum(map(below([each.path]), missed))) for each in self.absences()]
        with self.database.transaction():
            self._put_absences(each for each in counted if each.images or each.path in sources)

    def commit(
        self,
        model: str,
        ready: Sequence[Ready],
        *,
        failed: Sequence[FailedFile] = (),
        labels: Mapping[int, Labels] | None = None,
    ) -> Committed:
        """Name one batch in one transaction. labels: by id of the Todo.

        Batches in the order of ids make moved files independent of timing. Raises MissingError on a full disk; then
        nothing of the batch is stored.
        """
        counts = dict.fromkeys(("new", "changed", "unchanged", "moved"), 0)
        ids = {}
        with self.database.transaction():
            for image in ready:
                kind, id_ = self._place(image)
                counts[kind] += 1
                if id_ != image.id:
                    ids[image.id] = id_
                self._put_image(id_, model, image)
            self._forget_failures(image.path for image in ready)
            self._put_failures(failed)
            self._put_labels(model, {ids.get(id_, id_): words for id_, words in (labels or {}).items()})
            table.put(self.database, {ids.get(each.id, each.id): each.metadata for each in ready if each.metadata})
            self._texts.renew(ids.get(image.id, image.id) for image in ready)
        return Committed(**counts, ids=ids)

    def label(self, model: str, labels: Mapping[int, Labels]) -> None:
        """Store the labels of images, by id, in place of those they had from this model."""
        with self.database.transaction():
            self._put_labels(model, labels)

    def renew_texts(self) -> int:
        """Bring the words of some more images up to date; how many. 0: all are."""
        with self.database.transaction():
            return self._texts.renew()

    def without_metadata(self, sidecars: Sidecars) -> list[Unread]:
        """The images whose files must be read for what they tell, by id. sidecars: those of the last scan."""
        return table.unread(self.database, sidecars)

    def put_metadata(self, read: Mapping[int, FileMetadata]) -> None:
        """Store what the files of images tell of them, by id."""
        with self.database.transaction():
            table.put(self.database, read)
            self._texts.renew(read)

    def unplaced(self) -> list[Unplaced]:
        """The images with GPS whose place is to be looked up, by id."""
        return places.unplaced(self.database)

    def put_places(self, images: Sequence[ImagePlace], around: Iterable[NamedPlace]) -> None:
        """Store where images were taken, and what is around."""
        with self.database.transaction():
            places.put(self.database, images, around)
            self._texts.renew(image.id for image in images)

    def unread_pictures(self) -> list[readings.Unread]:
        """The pictures whose text nobody has read, by id."""
        return readings.unread(self.database)

    def note_reading(self, each: readings.Unread) -> None:
        """A picture's text is about to be read."""
        readings.note_try(self.database, each)

    def put_reading(self, each: readings.Unread, text: str) -> None:
        """Store the text in a picture."""
        with self.database.transaction():
            readings.put(self.database, each, text)
            self._texts.renew([each.id])

    def note_dim(self, model: str, dim: int) -> None:
        """Note how long the vectors of a model are: the files do not say it."""
        if self.dim_of(model) != dim:
            self.set_setting(DIM.format(model=model), str(dim))

    def set_setting(self, key: str, value: str) -> None:
        """Remember a value for this library."""
        self.database.write("INSERT OR REPLACE INTO settings VALUES (?, ?)", [(key, value)])

    def add_extras(self, paths: Iterable[str]) -> None:
        """Take files and folders outside the source into the library."""
        self.database.write("INSERT OR IGNORE INTO extras VALUES (?)", [(os.fsencode(path),) for path in paths])

    def remove_extras(self, paths: Iterable[str]) -> None:
        """They belong to the library no more; the next scan hides their images."""
        self.database.write("DELETE FROM extras WHERE path = ?", [(os.fsencode(path),) for path in paths])

    def add_suspects(self, paths: Iterable[str]) -> None:
        """Count one more crash against each of these files."""
        sql = "INSERT INTO suspects VALUES (?, 1) ON CONFLICT (path) DO UPDATE SET crashes = crashes + 1"
        self.database.write(sql, [(os.fsencode(path),) for path in paths])

    def clear_suspects(self, paths: Iterable[str]) -> None:
        """These files did no harm."""
        self.database.write("DELETE FROM suspects WHERE path = ?", [(os.fsencode(path),) for path in paths])

    def move_paths(self, moves: Mapping[str, str], *, token: str) -> None:
        """Rewrite every path at or below a moved source. moves: old source -> new source. 100,000 images: 0.5 s.

        token: names this move; a move that is done is not done again.
        """
        moved = _mover(moves)
        with self.database.transaction():
            if self.setting(MOVED) == token:
                return
            self.database.connection.create_function("moved", 1, moved, deterministic=True)
            for table in ("images", "failures", "suspects", "extras", "absences", "devices"):
                self._move_table(table)
            self.database.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (MOVED, token))

    # -- steps of reconcile and commit, inside their transaction -------------------------------------------------------

    def _known_files(self, model: str, paths: Collection[str] | None = None) -> list[KnownFile]:
        """All rows, or those of these paths, by id."""
        if paths is None:
            return list(self._known_where("TRUE", model))
        rows = [row for row in self._known_where("state = 'away'", model) if row.path in paths]
        stored = [os.fsencode(path) for path in paths]
        for start in range(0, len(stored), TOGETHER):
            some = stored[start : start + TOGETHER]
            rows += self._known_where(f"path IN ({', '.join('?' * len(some))}) AND state != 'away'", model, *some)
        return sorted(rows, key=lambda row: row.id)

    def _known_where(self, condition: str, model: str, *values: bytes) -> Iterator[KnownFile]:
        sql = f"""SELECT id, path, state, size, mtime_ns, hash IS NOT NULL, row IS NOT NULL, present, away_secs,
            etag FROM images LEFT JOIN vectors ON image_id = id AND model = ? WHERE {condition} ORDER BY id"""
        rows = self.database.each(sql, (model, *values))
        for id_, path, state, size, mtime_ns, hashed, encoded, present, away_secs, etag in rows:
            facts = (bool(hashed), bool(encoded), bool(present), away_secs, etag)
            yield KnownFile(id_, path_of(path), state, size, mtime_ns, *facts)

    def _name(self, files: Sequence[FoundFile]) -> list[Todo]:
        """Give new files ids that no file ever had."""
        first = self.database.number("SELECT seq FROM sqlite_sequence WHERE name = 'images'") + 1
        todo = [Todo(first + i, file.path, file.size, file.mtime_ns, "new", file.etag) for i, file in enumerate(files)]
        self.database.execute_each(
            "INSERT INTO images (id, path, state, size, mtime_ns) VALUES (?, ?, 'found', ?, ?)",
            [(each.id, os.fsencode(each.path), each.size, each.mtime_ns) for each in todo],
        )
        return todo

    def _mark(self, found: Comparison, again: Sequence[KnownFile]) -> None:
        """Note which images are there, which are hidden and which are shown although they are not there."""
        each, now_secs = self.database.execute_each, time.time()
        there = "UPDATE images SET state = 'ready', present = 1, away_secs = 0 WHERE id = ?"
        each(there, [(id_,) for id_ in (*found.returned, *found.met)])
        missed = "UPDATE images SET state = 'ready', present = 0 WHERE id = ?"  # what is shown again keeps its time
        each(missed, [(row.id,) for row in (*again, *(row for row in found.missed if row.present))])
        vanished = "UPDATE images SET state = 'away', present = 0, away_secs = ? WHERE id = ?"
        each(vanished, [(now_secs, row.id) for row in found.vanished])
        self.database.execute("DELETE FROM images WHERE state = 'away' AND hash IS NULL")

    def _put_absences(self, absences: Iterable[Absence]) -> None:
        self.database.execute("DELETE FROM absences")
        rows = [(os.fsencode(each.path), each.state, each.images) for each in absences]
        self.database.execute_each("INSERT INTO absences VALUES (?, ?, ?)", rows)

    def mounts(self, sources: Sequence[str]) -> tuple[str, ...]:
        """The folders within these sources that were on devices of their own when they were last seen."""
        return tuple(path for path in self._devices() if path not in sources)

    def _devices(self) -> dict[str, str]:
        return {os.fsdecode(path): device for path, device in self.database.rows("SELECT * FROM devices")}

    def _put_devices(self, devices: Mapping[str, str]) -> None:
        self.database.execute("DELETE FROM devices")
        rows = [(os.fsencode(path), device) for path, device in devices.items()]
        self.database.execute_each("INSERT INTO devices VALUES (?, ?)", rows)

    def _place(self, image: Ready) -> tuple[str, int]:
        """What a file turned out to be, and the id it keeps: one with the content of an image that is away, hidden or
        not, is that image."""
        rows = self.database.rows("SELECT hash FROM images WHERE id = ? AND state != 'away'", (image.id,))
        if not rows:
            raise ValueError(f"image {image.id} was never planned: {image.path}")
        before = rows[0][0]
        if before is not None:
            return ("unchanged" if before == image.hash else "changed"), image.id
        if away := self._away_with(image):
            self.database.execute("DELETE FROM images WHERE id = ?", (image.id,))
            return "moved", away
        return "new", image.id

    def _away_with(self, image: Ready) -> int | None:
        """The image that is away and had this content: best one of this path, then of this name, then the oldest."""
        sql = "SELECT id, path FROM images WHERE hash = ? AND present = 0 AND state IN ('away', 'ready') ORDER BY id"
        rows = self.database.rows(sql, (image.hash,))
        path, name = os.fsencode(image.path), os.fsencode(os.path.split(image.path)[1])
        ranked = sorted(rows, key=lambda row: (row[1] != path, not row[1].endswith(os.fsencode(os.sep) + name)))
        return int(ranked[0][0]) if ranked else None

    def _move_table(self, table: str) -> None:
        """In two steps, since a path may move to where another one has not left yet: each row is marked first by a NUL,
        which no path can hold."""
        execute = self.database.execute
        execute(f"UPDATE {table} SET path = moved(path) WHERE moved(path) IS NOT NULL")
        marked = "WHERE substr(path, 1, 1) = x'00'"
        kind = "IGNORE" if table == "images" else "REPLACE"
        execute(f"UPDATE OR {kind} {table} SET path = substr(path, 2) {marked}")
        if table == "images":  # another row is known by this path already: the moved one is away
            execute(f"UPDATE images SET state = 'away', present = 0, path = substr(path, 2) {marked}")

    def _put_image(self, id_: int, model: str, image: Ready) -> None:
        execute = self.database.execute
        if self.database.rows("SELECT 1 FROM images WHERE id = ? AND hash != ?", (id_, image.hash)):
            execute("DELETE FROM vectors WHERE image_id = ?", (id_,))
            execute("DELETE FROM labels WHERE image_id = ?", (id_,))
        red, green, blue = image.mean_rgb
        facts = (image.hash, image.width_px, image.height_px, red << 16 | green << 8 | blue, image.aspect, image.tile)
        execute(
            """UPDATE images SET state = 'ready', present = 1, away_secs = 0, path = ?, size = ?, mtime_ns = ?,
            hash = ?, width = ?, height = ?, rgb = ?, aspect = ?, tile = ?, incomplete = ?, etag = ? WHERE id = ?""",
            (os.fsencode(image.path), image.size, image.mtime_ns, *facts, image.incomplete or None, image.etag, id_),
        )
        execute("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", (model, id_, image.vector_row))

    def _put_failures(self, failed: Sequence[FailedFile]) -> None:
        self.database.execute_each(
            "INSERT OR REPLACE INTO failures (path, size, mtime_ns, reason, stage, etag) VALUES (?, ?, ?, ?, ?, ?)",
            [(os.fsencode(each.path), each.size, each.mtime_ns, each.reason, each.stage, each.etag) for each in failed],
        )
        self.database.execute_each(
            "UPDATE images SET state = 'failed' WHERE path = ? AND state != 'away'",
            [(os.fsencode(each.path),) for each in failed],
        )

    def _forget_failures(self, paths: Iterable[str]) -> None:
        self.database.execute_each("DELETE FROM failures WHERE path = ?", [(os.fsencode(path),) for path in paths])

    def _put_labels(self, model: str, labels: Mapping[int, Labels]) -> None:
        self.database.execute_each(
            "DELETE FROM labels WHERE image_id = ? AND model = ?", [(id_, model) for id_ in labels]
        )
        self.database.execute_each(
            "INSERT OR REPLACE INTO labels (model, image_id, word, confidence) VALUES (?, ?, ?, ?)",
            [(model, id_, word, confidence) for id_, words in labels.items() for word, confidence in words],
        )


def _mover(moves: Mapping[str, str]) -> Callable[[bytes], bytes | None]:
    """A path at or below a moved source -> NUL and its new path; None for any other. Of nested sources the inner one
    counts."""
    ranked = sorted(moves.items(), key=lambda each: -len(each[0]))

    def moved(path: bytes) -> bytes | None:
        known = os.fsdecode(path)
        for old, new in ranked:
            if known == old:
                return b"\0" + os.fsencode(new)
            if known.startswith(start_of(old)):
                return b"\0" + os.fsencode(start_of(new) + relative_to(known, old))
        return None

    return moved


def _part(scan: Scan, paths: Collection[str] | None) -> Scan:
    """A scan with these files alone, all where there are none named."""
    return scan if paths is None else replace(scan, files=tuple(file for file in scan.files if file.path in paths))


def _with_shown_again(absences: Iterable[Absence], again: Sequence[KnownFile]) -> list[Absence]:
    """The same, with the images that were hidden while they were vanishing."""
    paths = [row.path for row in again]
    return [replace(each, images=each.images + sum(map(below([each.path]), paths))) for each in absences]


Writer = TypeVar("Writer", bound=StoreWriter)


@contextmanager
def writing(place: LibraryPlace, kind: type[Writer]) -> Iterator[Writer]:
    """The library, locked and open for a moment's writing. kind: the class that writes.

    Raises UsageError while another process writes it, MissingError where it cannot be written.
    """
    lock = Lock(place)
    if not lock.acquire():
        raise UsageError(f"The library is open in {lock.holder()}; close it first: {place.folder}")
    try:
        with kind.open(place.folder) as store:
            yield store
    finally:
        lock.release()


def upgrade(place: LibraryPlace) -> None:
    """Bring a library that an older version of the program made to this one, unless another process writes it.

    Raises MissingError where it cannot be written.
    """
    if is_outdated(place.folder):
        with suppress(UsageError), writing(place, StoreWriter):
            pass  # opening it is enough
