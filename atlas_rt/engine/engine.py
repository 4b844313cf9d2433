"""The engine: brings one library up to date, then waits for more to do.

scan -> plan -> decode, encode, store (batch by batch, with sketches of the map in between)
-> fit or place -> publish -> label what lacks words.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import math
import os
import signal
import time
from collections import deque
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from atlas_rt.core.images import Failure
from atlas_rt.core.maps import Map
from atlas_rt.core.reports import IndexReport, Progress
from atlas_rt.core.troubles import MAP, WATCHING, Trouble
from atlas_rt.encoders import registry
from atlas_rt.encoders.encoder import ImageEncoder
from atlas_rt.engine.crash_log import CRASHES_MAX, SLOTS, InFlight
from atlas_rt.engine.fit_process import Cancelled
from atlas_rt.engine.labeller import Labeller
from atlas_rt.engine.map_scheduler import FIT, MapScheduler
from atlas_rt.engine.messages import (
    Add,
    Added,
    FromEngine,
    Job,
    Locked,
    Provider,
    Published,
    Refit,
    Refused,
    Remove,
    Said,
    SourceState,
    Stop,
    ToEngine,
    Undo,
)
from atlas_rt.engine.pipeline import Pipeline, Tally
from atlas_rt.engine.stack_finder import StackFinder
from atlas_rt.errors import AtlasError, FitError, UsageError
from atlas_rt.excepthooks import debugging
from atlas_rt.library import disk_errors
from atlas_rt.library.absence import sentence, source_state
from atlas_rt.library.cache_layout import Lock, known_places
from atlas_rt.library.changes import Changes, FailedFile, Todo
from atlas_rt.library.cleaning import finish_cleaning
from atlas_rt.library.otherlibraries import OtherLibraries
from atlas_rt.library.scanning import Scan, Scanner, content_hash
from atlas_rt.library.store import StoreReader
from atlas_rt.library.storewriter import StoreWriter
from atlas_rt.library.tile_files import TileFiles
from atlas_rt.library.vectors import FILE_NAME as VECTORS
from atlas_rt.library.vectors import VectorFile
from atlas_rt.library.watching import Watcher
from atlas_rt.mapping.fit import SMALLEST_FIT
from atlas_rt.search import vector_index

PROGRESS_EVERY_SECS = 0.2


IDLE_SECS = 0.1
REST_SECS = 60.0
"""With nothing to do for so long, the engine lets go of what it holds only to be quick: the process that fits (370 MB)
and a copy of the vectors (150 MB at 100,000 images)."""
SPARING = 32
"""Files read at a time, with one core spared, while someone looks on and the process that fits warms up or makes the
first fit: the first time on a machine it compiles for eleven seconds, and for over thirty beside decoding on every core
and a window."""
SETTLE_SECS = 0.5
"""A file that was written to so recently may not be whole."""
LAST = np.iinfo(np.int64).max
"""No image has a greater id."""


class Stopped(BaseException):
    """Someone asked the engine to stop; everything committed is kept."""


def run(job: Job, pipe: Connection) -> None:
    """Work until there is nothing left to do, or someone asks to stop; every ending is told through the pipe."""
    signal.signal(signal.SIGTERM, _unwind)
    try:
        Engine(job, pipe).work()
    except (Stopped, Cancelled, EOFError, BrokenPipeError):
        pass  # asked to stop, or nobody listens any more
    except AtlasError as error:
        _tell_last(pipe, Refused(str(error), error.exit_code))
    except Exception as error:
        if debugging():
            raise
        _tell_last(pipe, Refused(f"a defect of the engine: {type(error).__name__}: {error}", AtlasError.exit_code))


def _unwind(*_: object) -> None:
    raise Stopped


def _tell_last(pipe: Connection, message: FromEngine) -> None:
    with contextlib.suppress(OSError):  # nobody listens any more
        pipe.send(message)


class Engine:
    """One library's engine. Everything it owns belongs to its main thread, but the decoding inside the pipeline."""

    def __init__(self, job: Job, pipe: Connection) -> None:
        self._job = job
        self._pipe = pipe
        self._requests: deque[ToEngine] = deque()
        self._told_secs = 0.0
        self._told_stage = ""
        self._model = registry.load(job.model, job.cache)
        self._threads = min(job.threads or os.cpu_count() or 1, SLOTS)
        self._encoder: ImageEncoder | None = None
        self._watcher = Watcher(job.exclude, hidden=job.hidden, cache=job.cache)
        self._scanner = Scanner(job.exclude, hidden=job.hidden, cache=job.cache)
        self._fit_failed = False
        self._settled_secs = 0.0
        self._unsettled: frozenset[str] = frozenset()
        self._map_request: Refit | Undo | None = job.request
        self._source_state = SourceState("present", "")
        self._watch_trouble = ""
        self._cleaned = False

    def work(self) -> None:
        """Bring the library up to date; with `stay`, again whenever asked to."""
        with Lock(self._job.place) as lock:
            if not lock.acquire():
                self._tell(Locked(lock.holder()))
                return
            folder = self._job.place.folder
            with StoreWriter.open(folder) as store:
                self._cleaned = finish_cleaning(folder, store)
                self._open(store)
                try:
                    self._update(store)
                    while self._job.stay:
                        asked = self._wait_for_news(store)
                        self._update(store, asked=asked)
                finally:
                    self._watcher.close()
                    self._labeller.close()
                    self._map_scheduler.close()

    def _open(self, store: StoreWriter) -> None:
        folder, model = self._job.place.folder, self._model
        model_folder = folder / model.id
        model_folder.mkdir(exist_ok=True)
        store.note_dim(model.id, model.dim)
        self._in_flight = InFlight(folder)
        self._tiles = TileFiles(folder, writable=True, count=store.named_tiles())
        self._vectors = VectorFile(model_folder / VECTORS, model.dim, writable=True, rows=store.named_vectors(model.id))
        fresh = not self._vectors.rows
        self._labeller = Labeller(model, self._job.cache, self._job.own_labels, runtime=self._job.runtime, fresh=fresh)
        if self._labeller.remark:
            self._tell(Said(self._labeller.remark))
        self._map_scheduler = MapScheduler(
            model_folder,
            store=store,
            vectors=self._vectors,
            vocabulary=lambda: self._labeller.vocabulary(lambda: self._await_words(store)),
            stack_finder=StackFinder(store, self._tiles, model),
            model_id=model.id,
            seed=self._job.seed,
            published=self._tell_published,
            words_ready=lambda: self._labeller.ready,
            granularity=self._job.granularity,
            threads=1 if self._job.stay else self._threads,  # a window has the cores first
        )
        self._note_suspects(store)

    # -- one round ---------------------------------------------------------------------------------------------------

    def _update(self, store: StoreWriter, *, asked: bool = True) -> None:
        """One round: from a scan to a report. asked: it is somebody's request, and not for a change that was seen."""
        begun = time.monotonic()
        self._map_scheduler.begin()
        generation = self._generation
        self._tell_progress(Progress("scan", 0, 0, 0.0, None), now=True)
        sources = (*self._job.place.sources, *store.extras())
        if self._job.stay:
            self._watcher.watch(sources)  # before the scan: what comes while it runs is told of afterwards
        changed = self._watcher.take_folders()
        if changed is not None:  # what was still being written is looked at again, told of or not
            changed |= self._unsettled
        found = self._scanner.scan(sources, changed=None if asked else changed)
        changes = store.reconcile(found, self._model.id, sources)
        if self._job.stay:
            self._watcher.look_at(store.mounts(sources))
            self._tell_watching()
        self._settled_secs = 0.0
        if not asked:
            changes = self._settled(changes)
        scanned = time.monotonic()
        failures = list(changes.failed) + list(found.unreadable)
        tally = self._index(store, changes, failures) if changes.todo else Tally()
        if tally.moved:
            store.recount_absences(sources)
        self._tell_source_state(store, sources)
        if self._job.fit:
            self._draw_map(store)
            self._show_others(store, published=self._generation != generation)
        self._label(store)
        indexed = self._index_for_search(store)
        cleaned, self._cleaned = self._cleaned, False
        if (tally.moved or indexed or changes.marked or cleaned) and self._map_scheduler.map:
            self._tell_published(self._map_scheduler.map)  # the same map, but who shows it has the old paths or index
        self._tell(self._report(store, found, changes, tally, failures, scanned - begun, time.monotonic() - begun))
        self._tell_progress(Progress("idle", 0, 0, 0.0, None, len(failures)), now=True)

    @property
    def _generation(self) -> int:
        """Of the map that is published, 0 where there is none."""
        return self._map_scheduler.map.generation if self._map_scheduler.map else 0

    def _index(self, store: StoreWriter, changes: Changes, failures: list[Failure]) -> Tally:
        """Decode, encode and store what is to be done; suspects of an earlier crash first, each alone."""
        if self._job.fit:
            self._map_scheduler.expect_fit(len(changes.todo))
        suspects = store.suspects()
        todo, alone = self._without_condemned(store, changes.todo, suspects, failures)
        with self._other_libraries() as others:
            pipeline = self._pipeline(store, len(changes.todo), failures, _least_of_rest([*alone, *todo]), others)
            self._run(pipeline, store, todo, alone)
        return pipeline.tally

    def _other_libraries(self) -> OtherLibraries:
        """Where content that is new here may be known already."""
        places = [each for each in known_places(self._job.cache) if each.folder != self._job.place.folder]
        return OtherLibraries(places, model_id=self._model.id, dim=self._model.dim)

    def _run(self, pipeline: Pipeline, store: StoreWriter, todo: list[Todo], alone: list[Todo]) -> None:
        """alone: files to decode one at a time, before the others."""
        if alone:
            pipeline.run(alone, alone=True)
            store.clear_suspects([each.path for each in alone])
        part = (
            -(-SPARING // self._model.image.batch) * self._model.image.batch
        )  # whole: vectors' last bits know batches
        while todo and self._job.stay and self._map_scheduler.in_need:
            pipeline.run(todo[:part], spared=1)
            todo = todo[part:]
        pipeline.run(todo)

    def _pipeline(
        self, store: StoreWriter, total: int, failures: list[Failure], coming: list[int], others: OtherLibraries
    ) -> Pipeline:
        """coming: after so many files are done, the smallest id of those that follow."""
        begun = time.monotonic()

        def told(failure: Failure) -> None:
            failures.append(failure)
            self._tell(failure)

        def between_batches(tally: Tally) -> None:
            elapsed = max(time.monotonic() - begun, 1e-3)
            rate = tally.done / elapsed
            left = (total - tally.done) / rate if rate else None
            self._tell_progress(Progress("index", tally.done, total, rate, left, tally.failed))
            if self._job.fit:
                self._map_scheduler.look_on(coming[tally.done], shown=self._job.stay)
            self._obey_stop(store)

        return Pipeline(
            store=store,
            tiles=self._tiles,
            vectors=self._vectors,
            encoder=self._opened_encoder(),
            labeller=self._labeller,
            threads=self._threads,
            in_flight=self._in_flight,
            others=others,
            told=told,
            between_batches=between_batches,
        )

    def _opened_encoder(self) -> ImageEncoder:
        if self._encoder is None:
            self._encoder = ImageEncoder(self._model, threads=1, runtime=self._job.runtime)
            self._tell(Provider(self._model.name, self._encoder.provider))
        return self._encoder

    def _draw_map(self, store: StoreWriter) -> None:
        def waiting(share: float, elapsed_secs: float) -> bool:
            left = elapsed_secs * (1.0 - share) / share if share > 0.05 else None
            self._tell_progress(Progress("fit", int(share * 100), 100, 0.0, left))
            self._hear(store)
            return not any(isinstance(request, Stop) for request in self._requests)

        before, stays = self._map_scheduler.map, self._job.stay
        request, self._map_request = self._map_request, None
        fitted = before is not None and before.kind == FIT
        try:
            # what one goes back from is not to be fitted anew first
            self._map_scheduler.finish(
                fit=not (fitted and isinstance(request, Undo)), waiting=waiting, refits_beside=stays
            )
        except FitError as error:
            if not stays:
                raise
            self._map_scheduler.go_without_fit()
            self._tell_fit(error)
            return
        self._tell_fit(None)
        if isinstance(request, Undo):
            self._answer("back to the map before", self._map_scheduler.undo(), "there is no map to go back to")
        elif isinstance(request, Refit) and not self._map_scheduler.fit_secs:
            could = self._map_scheduler.refit(None if stays else waiting)
            self._answer("", could, f"a map is fitted to {SMALLEST_FIT} images or more")
        self._tell_drift(before)

    def _show_others(self, store: StoreWriter, *, published: bool) -> None:
        """Publish the map again where none of it moved, but other images of it are shown than before."""
        setting = f"shown of {self._model.id}"
        shown = content_hash(store.shown(self._model.id).tobytes()).hex()
        if store.setting(setting) != shown:
            if not published:
                self._map_scheduler.publish_again()
            store.set_setting(setting, shown)

    def _tell_fit(self, error: FitError | None) -> None:
        """Tell that no fit can be made, and why; or that one was made again. A window goes on with the map it has."""
        if error is not None:
            self._tell(Trouble(MAP, f"New images stand at provisional places: {error}"))
        elif self._fit_failed:
            self._tell(Trouble(MAP, ""))
        self._fit_failed = error is not None

    def _tell_drift(self, before: Map | None) -> None:
        """Where a refit has come since: by how much it moved the images."""
        after = self._map_scheduler.map
        if before and after and before.kind == after.kind == FIT and after.fit > before.fit:
            self._tell(Said(f"a new map was fitted; the old images moved by {after.drift:.1%} of its radius"))

    def _answer(self, done: str, could: bool, why_not: str) -> None:
        """Report the result of a request; a one-shot command gets a failure as its error."""
        if not could and not self._job.stay:
            raise UsageError(why_not)
        if text := done if could else why_not:
            self._tell(Said(text))

    def _label(self, store: StoreWriter) -> None:
        """Words for images that have none, or none of this vocabulary."""

        def told(done: int, total: int) -> None:
            self._tell_progress(Progress("label", done, total, 0.0, None))
            self._obey_stop(store)

        self._labeller.catch_up(store, self._vectors, waiting=lambda: self._await_words(store), told=told)

    def _index_for_search(self, store: StoreWriter) -> bool:
        """What searches of very many images look into; whether it was made anew."""

        def going_on(share: float) -> None:
            self._tell_progress(Progress("search", int(share * 100), 100, 0.0, None))
            self._obey_stop(store)

        folder = self._job.place.folder / self._model.id
        with disk_errors.writing(folder):
            return vector_index.keep_index(self._vectors.array(), folder, going_on=going_on)

    def _await_words(self, store: StoreWriter) -> None:
        self._tell_progress(Progress("label", 0, 0, 0.0, None))
        self._obey_stop(store)

    def _report(
        self,
        store: StoreWriter,
        found: Scan,
        changes: Changes,
        tally: Tally,
        failures: list[Failure],
        scan_secs: float,
        total_secs: float,
    ) -> IndexReport:
        sources = (*self._job.place.sources, *store.extras())
        indexed = tally.new + tally.changed
        working = max(total_secs - scan_secs - self._map_scheduler.fit_secs, 1e-9)
        return IndexReport(
            images=store.images(),
            new=tally.new,
            unchanged=changes.unchanged + tally.unchanged,
            changed=tally.changed,
            away=store.away(),
            source_state=source_state(store.absences(), sources),
            skipped=found.skipped,
            failed=tuple(sorted(failures, key=lambda failure: failure.path)),
            incomplete=store.incomplete(),
            model=self._model.name,
            generation=self._generation,
            seconds={
                "scan": round(scan_secs, 4),
                "decode": round(tally.decode_secs, 4),
                "encode": round(tally.encode_secs, 4),
                "store": round(tally.store_secs, 4),
                "fit": round(self._map_scheduler.fit_secs, 4),
                "total": round(total_secs, 4),
            },
            images_per_second=round(indexed / working, 2) if indexed else 0.0,
        )

    # -- suspects ----------------------------------------------------------------------------------------------------

    def _note_suspects(self, store: StoreWriter) -> None:
        """Whatever was being decoded when the engine last died is a suspect."""
        paths = [image for id_ in self._in_flight.left_behind() if (image := store.path_of(id_))]
        if paths:
            store.add_suspects(paths)

    def _without_condemned(
        self, store: StoreWriter, todo: tuple[Todo, ...], suspects: dict[str, int], failures: list[Failure]
    ) -> tuple[list[Todo], list[Todo]]:
        """What to index at full speed, and what to decode alone. A file that crashed too often counts as failed."""
        reason = "the decoder crashed on it"
        condemned = [each for each in todo if suspects.get(each.path, 0) >= CRASHES_MAX]
        failed = [FailedFile(each.path, each.size, each.mtime_ns, reason, "crash") for each in condemned]
        if failed:
            store.commit(self._model.id, (), failed=failed)
            store.clear_suspects([each.path for each in failed])
            for each in failed:
                failures.append(Failure(each.path, reason))
                self._tell(failures[-1])
        ids = {each.id for each in condemned}
        alone = [each for each in todo if each.path in suspects and each.id not in ids]
        ids |= {each.id for each in alone}
        return [each for each in todo if each.id not in ids], alone

    # -- talking -----------------------------------------------------------------------------------------------------

    def _wait_for_news(self, store: StoreWriter) -> bool:
        """Until someone wishes something (True) or something changed in the sources; a refit goes on meanwhile."""
        rest_secs, ready = time.monotonic() + REST_SECS, False
        while not self._requests:
            if self._pipe.poll(IDLE_SECS):
                self._take(self._pipe.recv(), store)
            elif self._watcher.due() or 0.0 < self._settled_secs < time.monotonic():
                return False
            elif self._watcher.stirs and not ready:
                ready = True  # while what changes comes to rest
                self._map_scheduler.make_ready()
            elif self._map_scheduler.fitting is None and time.monotonic() > rest_secs:
                rest_secs = math.inf
                self._map_scheduler.rest()
            else:
                self._attend_fit()
        request = self._requests.popleft()
        if isinstance(request, Stop):
            raise Stopped
        if isinstance(request, Refit | Undo):
            self._map_request = request
        return True

    def _attend_fit(self) -> None:
        share, before = self._map_scheduler.fitting, self._map_scheduler.map
        if share is None:
            return
        try:
            if self._map_scheduler.take():
                self._tell_fit(None)
                self._tell_drift(before)
        except FitError as error:
            self._tell_fit(error)
        if self._map_scheduler.fitting is None:
            self._tell_progress(Progress("idle", 0, 0, 0.0, None), now=True)
        else:
            self._tell_progress(Progress("fit", int(share * 100), 100, 0.0, None))

    def _settled(self, changes: Changes) -> Changes:
        """The plan without files that are still being written, for which there will be another round."""
        now_ns = time.time_ns()
        fresh = {each.id for each in changes.todo if 0 <= now_ns - each.mtime_ns < SETTLE_SECS * 1e9}
        self._unsettled = frozenset(str(Path(each.path).parent) for each in changes.todo if each.id in fresh)
        if fresh:
            self._settled_secs = time.monotonic() + SETTLE_SECS
        return dataclasses.replace(changes, todo=tuple(each for each in changes.todo if each.id not in fresh))

    def _hear(self, store: StoreWriter) -> None:
        while self._pipe.poll():
            self._take(self._pipe.recv(), store)

    def _take(self, request: ToEngine, store: StoreWriter) -> None:
        """Keep a request until its turn. What should be added or removed is stored at once: a Stop may come first."""
        if isinstance(request, Add):
            before = frozenset(store.extras())
            store.add_extras(request.paths)
            self._tell(Added(request.paths, tuple(path for path in request.paths if path not in before)))
        elif isinstance(request, Remove):
            store.remove_extras(request.paths)
        self._requests.append(request)

    def _obey_stop(self, store: StoreWriter) -> None:
        self._hear(store)
        if any(isinstance(request, Stop) for request in self._requests):
            raise Stopped

    def _tell(self, message: FromEngine) -> None:
        self._pipe.send(message)

    def _tell_progress(self, progress: Progress, *, now: bool = False) -> None:
        """Often enough to look alive, and no more: each message wakes the window. A new stage is told at once."""
        new = progress.stage != self._told_stage
        if now or new or time.monotonic() - self._told_secs >= PROGRESS_EVERY_SECS:
            self._told_secs, self._told_stage = time.monotonic(), progress.stage
            self._tell(progress)

    def _tell_source_state(self, store: StoreReader, sources: Sequence[str]) -> None:
        """Where it is another than was told last; at first nobody has reason to think that a source is absent."""
        absences = store.absences()
        state = SourceState(source_state(absences, sources), sentence(absences))
        if state != self._source_state:
            self._source_state = state
            self._tell(state)

    def _tell_watching(self) -> None:
        """Where it changed: why changes are found late."""
        if self._watcher.trouble != self._watch_trouble:
            self._watch_trouble = self._watcher.trouble
            self._tell(Trouble(WATCHING, self._watch_trouble, retry=False))

    def _tell_published(self, map_: Map) -> None:
        self._tell(Published(self._model.name, map_.generation, len(map_.ids)))


def _least_of_rest(todo: Sequence[Todo]) -> list[int]:
    """For each number of files that are done, in their order, the smallest id of those that are not."""
    backwards = itertools.accumulate((each.id for each in reversed(todo)), min, initial=LAST)
    return list(backwards)[::-1]
