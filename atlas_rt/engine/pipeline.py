"""From files to stored vectors, in the order of their ids whatever the order in which they are decoded.

A thread takes as many files as the encoder wants in one run, decodes them one by one and encodes them together, so no
core waits for another's stage (Pillow and ONNX Runtime release the interpreter lock). The caller's thread stores.
Batches are committed one by one, each in one transaction, so a kill loses at most the batch in hand, and a resumed
run gives the same bits as one that was never interrupted.
"""

from __future__ import annotations

import itertools
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace

import numpy as np

from atlas_rt.core.arrays import Floats
from atlas_rt.core.images import Failure
from atlas_rt.core.s3_address import is_s3
from atlas_rt.core.s3_errors import S3ArchivedError, S3ChangedError, S3Error, S3GoneError
from atlas_rt.distributed.image_worker import NO_VECTOR, Description, ImageWorker, PreparedImage, is_vector
from atlas_rt.engine.crash_log import CrashLog
from atlas_rt.engine.labeller import Labeller
from atlas_rt.engine.object_reader import READERS, ObjectReader, ReadingStoppedError
from atlas_rt.errors import DecodeError
from atlas_rt.library.changes import FailedFile, Todo
from atlas_rt.library.metadata.file_metadata import FileMetadata
from atlas_rt.library.metadata.sidecars import Sidecars
from atlas_rt.library.other_libraries import OtherLibraries, Taken
from atlas_rt.library.store import Labels
from atlas_rt.library.store_writer import Ready, StoreWriter
from atlas_rt.library.tables.remembered_shards import RememberedShards
from atlas_rt.library.tables.rows import FailureRow, ImageRow, Row
from atlas_rt.library.tile_files import TileFiles, TileSet
from atlas_rt.library.vectors import VectorFile

BATCH = 16
"""Images committed together: a transaction and its flushes cost 3 ms."""
COMMIT_SECS = 1.0
"""A batch is committed after this long even when it is not full, so that slow files show up too."""
AHEAD = 3
"""Groups in work per thread beyond the batch: enough that no thread waits, little enough to stay small."""
WAIT_SECS = 0.2
"""How often it is heard whether somebody asks to stop while the next group is awaited."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A file of which all is known but, until it is encoded, its vector.

    metadata: what else the file tells. incomplete: what of the picture is missing, empty for nothing. to_encode: what
    its vector is made from, until it is made. vector: (dim,) where another library or a shard gave it. labels: where a
    shard gave some that this library's vocabulary would give.
    """

    todo: Todo
    hash: bytes
    width_px: int
    height_px: int
    metadata: FileMetadata
    tiles: TileSet
    incomplete: str = ""
    to_encode: PreparedImage | None = None
    vector: Floats | None = None
    labels: Labels = ()


@dataclass(frozen=True, slots=True)
class Seen:
    """A file whose content the library holds already: nothing of it is made again, but its time and its sidecars are
    its own."""

    todo: Todo
    hash: bytes
    metadata: FileMetadata


@dataclass(frozen=True, slots=True)
class Broken:
    """A file that is no image, and why."""

    todo: Todo
    reason: str
    stage: str


@dataclass(frozen=True, slots=True)
class Left:
    """An object that is left for a later round. why: "changed" or gone since it was listed, "archived", or "lost":
    nothing can be read of its bucket now."""

    todo: Todo
    why: str


Outcome = Prepared | Seen | Broken | Left


@dataclass(frozen=True, slots=True)
class Group:
    """What one thread made of some files. vectors: (k, dim) of its k prepared ones, in their order."""

    outcomes: tuple[Outcome, ...]
    vectors: Floats
    decode_secs: float
    encode_secs: float


@dataclass(slots=True)
class Tally:
    """What a run did so far. decode_secs and encode_secs are summed over the threads.

    moved: ids of images whose files had vanished, and were found under another path. left: how many objects were left
    for a later round, by the reason (`Left.why`).
    """

    done: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    failed: int = 0
    decode_secs: float = 0.0
    encode_secs: float = 0.0
    store_secs: float = 0.0
    moved: set[int] = field(default_factory=set)
    left: Counter[str] = field(default_factory=Counter)

    @property
    def images(self) -> int:
        """That were brought in."""
        return self.new + self.changed + self.unchanged


class Pipeline:
    """Decodes, encodes and stores. Owned by the engine's main thread; its threads run `_work` alone.

    told is called with each failure, waiting now and then while nothing comes, between_batches after each commit; the
    last two may raise to stop the run.
    """

    def __init__(
        self,
        *,
        store: StoreWriter,
        tiles: TileFiles,
        vectors: VectorFile,
        worker: ImageWorker,
        labeller: Labeller,
        threads: int,
        crash_log: CrashLog,
        others: OtherLibraries,
        shards: RememberedShards,
        sidecars: Sidecars,
        reader: ObjectReader,
        tally: Tally,
        told: Callable[[Failure], None],
        waiting: Callable[[], None],
        between_batches: Callable[[Tally], None],
    ) -> None:
        """tally: of the round, to which this run's is added."""
        self._store, self._tiles, self._vectors = store, tiles, vectors
        self._worker, self._labeller = worker, labeller
        self._threads = threads
        self._crash_log, self._others, self._shards, self._sidecars = crash_log, others, shards, sidecars
        self._told, self._waiting, self._between_batches = told, waiting, between_batches
        self._model_id = worker.model.id
        self._known = set(store.hashes(self._model_id))
        self._overtaken: list[Todo] = []
        self._reader, self.tally = reader, tally

    def run(self, todo: Sequence[Todo], *, alone: bool = False, spared: int = 0) -> None:
        """Bring every file of `todo` (ascending by id) into the library.

        alone: one file at a time. spared: so many threads are left idle, for another process's sake.
        """
        threads = 1 if alone else max(1, self._threads - spared)
        size = 1 if alone else self._worker.model.image.batch
        groups = [todo[start : start + size] for start in range(0, len(todo), size)]
        batch: list[Group] = []
        begun = time.monotonic()
        with ThreadPoolExecutor(threads, thread_name_prefix="decode") as pool:
            ahead = 1 if alone else -(-BATCH // size) + AHEAD * threads
            try:
                for group in self._in_order(pool, groups, ahead=max(ahead, _read_ahead(todo, size))):
                    batch.append(group)
                    if len(batch) * size >= BATCH or time.monotonic() - begun > COMMIT_SECS:
                        self._commit(batch)
                        batch, begun = [], time.monotonic()
                self._commit(batch)
            except BaseException:
                self._reader.stop()  # or the threads would wait for what is still to come
                raise
        if overtaken := self._overtaken:
            self._overtaken = []
            self.run(overtaken, alone=alone, spared=spared)

    def _in_order(self, pool: ThreadPoolExecutor, groups: Sequence[Sequence[Todo]], *, ahead: int) -> Iterator[Group]:
        """Groups in their order, with a bounded number in work."""
        waiting: deque[Future[Group]] = deque()
        try:
            for group in groups:
                self._reader.begin(each for each in group if is_s3(each.path) and self._shards.find_item(each) is None)
                waiting.append(pool.submit(self._work, group))
                if len(waiting) >= ahead:
                    yield self._awaited(waiting.popleft())
            while waiting:
                yield self._awaited(waiting.popleft())
        finally:
            for future in waiting:
                future.cancel()

    def _awaited(self, future: Future[Group]) -> Group:
        """A group when it is done; meanwhile it is heard whether somebody asks to stop, as the network may be slow."""
        while not wait([future], timeout=WAIT_SECS).done:
            self._waiting()
        return future.result()

    # -- on the threads ----------------------------------------------------------------------------------------------

    def _work(self, todo: Sequence[Todo]) -> Group:
        begun = time.perf_counter()
        outcomes = [self._prepare(each) for each in todo]
        prepared = [outcome for outcome in outcomes if isinstance(outcome, Prepared)]
        decoded = time.perf_counter()
        vectors = self._vectors_of(prepared)
        encoded = time.perf_counter() if any(each.to_encode is not None for each in prepared) else decoded
        # the pixels have served: a group that waits for its turn is small
        slim = tuple(replace(each, to_encode=None) if isinstance(each, Prepared) else each for each in outcomes)
        return Group(slim, vectors, decoded - begun, encoded - decoded)

    def _vectors_of(self, prepared: Sequence[Prepared]) -> Floats:
        """(k, dim): those that were given, and the others encoded together."""
        vectors = np.zeros((len(prepared), self._worker.model.dim), np.float32)
        for row, each in enumerate(prepared):
            if each.vector is not None:
                vectors[row] = each.vector
        rows = [row for row, each in enumerate(prepared) if each.to_encode is not None]
        if rows:
            vectors[rows] = self._worker.encode([each.to_encode for each in prepared if each.to_encode is not None])
        return vectors

    def _prepare(self, todo: Todo) -> Outcome:
        """One file, read once and decoded once; neither where a shard knows it as it is."""
        if (row := self._shards.find_item(todo)) is not None:
            return self._from_shard(todo, row)
        try:
            data = self._reader.read(todo)
        except DecodeError as error:
            return Broken(todo, str(error), "read")
        except S3ArchivedError:
            return Left(todo, "archived")
        except (S3ChangedError, S3GoneError):
            return Left(todo, "changed")
        except S3Error as error:
            return Left(todo, "lost") if error.ends_all else Broken(todo, str(error), "read")
        except ReadingStoppedError:
            return Left(todo, "lost")
        return self._looked_at(todo, data)

    def _looked_at(self, todo: Todo, data: bytes) -> Outcome:
        """One file's bytes: known, decoded or broken."""
        with self._crash_log.of(todo.id):
            try:
                described = self._worker.describe(data, todo.path, mtime_ns=todo.mtime_ns, sidecars=self._sidecars)
                if described.content_hash in self._known:
                    return Seen(todo, described.content_hash, described.metadata)
                if row := self._shards.find_content(described.content_hash):
                    return _of_row(todo, row, described.metadata)
                if taken := self._others.find(described.content_hash):
                    return _given(todo, described, taken)
                return _decoded(todo, self._worker.decode(data, todo.path, described))
            except DecodeError as error:
                return Broken(todo, str(error), "decode")

    def _from_shard(self, todo: Todo, row: Row) -> Outcome:
        if isinstance(row, FailureRow):
            return Broken(todo, row.reason, row.stage)
        if row.content_hash in self._known:
            return Seen(todo, row.content_hash, row.metadata)
        return _of_row(todo, row, row.metadata)

    # -- on the caller's thread --------------------------------------------------------------------------------------

    def _commit(self, batch: Sequence[Group]) -> None:
        """StoreWriter one batch."""
        if not batch:
            return
        begun = time.perf_counter()
        outcomes = [outcome for group in batch for outcome in group.outcomes]
        prepared = [outcome for outcome in outcomes if isinstance(outcome, Prepared)]
        vectors = np.concatenate([group.vectors for group in batch])
        whole = is_vector(vectors)
        broken = [outcome for outcome in outcomes if isinstance(outcome, Broken)]
        broken += [
            Broken(each.todo, NO_VECTOR, "encode") for each, usable in zip(prepared, whole, strict=True) if not usable
        ]
        kept = [each for each, usable in zip(prepared, whole, strict=True) if usable]
        seen = [outcome for outcome in outcomes if isinstance(outcome, Seen)]
        self._store_batch(kept, vectors[whole], seen, broken)
        self._count(batch, outcomes, broken, store_secs=time.perf_counter() - begun)
        for each in broken:
            self._told(Failure(each.todo.path, each.reason))
        self._between_batches(self.tally)

    def _count(
        self, batch: Sequence[Group], outcomes: Sequence[Outcome], broken: Sequence[Broken], *, store_secs: float
    ) -> None:
        self.tally.decode_secs += sum(group.decode_secs for group in batch)
        self.tally.encode_secs += sum(group.encode_secs for group in batch)
        self.tally.store_secs += store_secs
        self.tally.done += len(outcomes) - sum(outcome.todo in self._overtaken for outcome in outcomes)
        self.tally.failed += len(broken)
        self.tally.left.update(outcome.why for outcome in outcomes if isinstance(outcome, Left))

    def _store_batch(
        self, kept: Sequence[Prepared], vectors: Floats, seen: Sequence[Seen], broken: Sequence[Broken]
    ) -> None:
        labels: dict[int, Labels] = {}
        ready = [row for each in seen if (row := self._again(each, labels))]
        if kept:
            records = self._records_of(kept)
            first = self._vectors.append(vectors)
            self._tiles.flush()
            self._vectors.flush()
            ready += [_ready(each, records[i], first + i) for i, each in enumerate(kept)]
            words = self._labeller.label(vectors)
            labels |= zip((each.todo.id for each in kept), words, strict=True) if words else ()
            labels |= {each.todo.id: each.labels for each in kept if each.labels}
        failed = [
            FailedFile(each.todo.path, each.todo.size, each.todo.mtime_ns, each.reason, each.stage, each.todo.etag)
            for each in broken
        ]
        ready.sort(key=lambda image: image.id)
        committed = self._store.commit(self._model_id, ready, failed=failed, labels=labels)
        self.tally.new += committed.new
        self.tally.changed += committed.changed
        self.tally.unchanged += committed.unchanged + committed.moved
        self.tally.moved |= set(committed.ids.values())

    def _records_of(self, kept: Sequence[Prepared]) -> list[int]:
        """Where the tiles of each lie. What is only encoded by another model keeps those it has: the map that is shown
        meanwhile goes on with them, and nothing lies on the disk twice."""
        stored = [self._stored_record(each) for each in kept]
        new = [each.tiles for each, record in zip(kept, stored, strict=True) if record is None]
        appended = itertools.count(self._tiles.append(new))
        return [next(appended) if record is None else record for record in stored]

    def _stored_record(self, each: Prepared) -> int | None:
        known = self._store.known(each.hash, self._model_id) if each.todo.kind == "encode" else None
        return known.tile if known is not None else None

    def _again(self, seen: Seen, labels: dict[int, Labels]) -> Ready | None:
        """A file with content that is stored: it shares the tile, the vector and the labels. None where the content is
        not stored any more."""
        known = self._store.known(seen.hash, self._model_id)
        if known is None or known.vector_row is None:
            # An earlier batch gave the file that had this content another one, as where many files are renumbered. It
            # is read once more, as if it were new.
            self._known.discard(seen.hash)
            self._overtaken.append(seen.todo)
            return None
        todo = seen.todo
        labels[todo.id] = self._store.labels(known.id, self._model_id)
        return Ready(
            todo.id,
            todo.path,
            todo.size,
            todo.mtime_ns,
            seen.hash,
            known.width_px,
            known.height_px,
            known.mean_rgb,
            known.aspect,
            known.tile,
            known.vector_row,
            known.incomplete,
            seen.metadata,
            todo.etag,
        )


def _given(todo: Todo, described: Description, taken: Taken) -> Prepared:
    return Prepared(
        todo,
        described.content_hash,
        taken.width_px,
        taken.height_px,
        described.metadata,
        taken.tiles,
        taken.incomplete,
        vector=taken.vector,
    )


def _of_row(todo: Todo, row: ImageRow, metadata: FileMetadata) -> Prepared:
    return Prepared(
        todo,
        row.content_hash,
        row.width_px,
        row.height_px,
        metadata,
        row.tiles,
        row.incomplete,
        vector=row.vector.astype(np.float32),
        labels=row.labels,
    )


def _decoded(todo: Todo, image: PreparedImage) -> Prepared:
    return Prepared(
        todo,
        image.content_hash,
        image.width_px,
        image.height_px,
        image.metadata,
        image.tiles,
        image.incomplete,
        to_encode=image,
    )


def _ready(each: Prepared, tile: int, row: int) -> Ready:
    todo = each.todo
    return Ready(
        todo.id,
        todo.path,
        todo.size,
        todo.mtime_ns,
        each.hash,
        each.width_px,
        each.height_px,
        each.tiles.mean_rgb,
        each.tiles.aspect,
        tile,
        row,
        each.incomplete,
        each.metadata,
        todo.etag,
    )


def _read_ahead(todo: Sequence[Todo], size: int) -> int:
    """Groups to have in work where objects are among the files, so that all who fetch have something to do."""
    return -(-2 * READERS // size) if any(each.etag for each in todo) else 0
