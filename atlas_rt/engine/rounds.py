"""Rounds: from a scan to a report.

scan -> plan -> decode, encode, store (batch by batch, with sketches of the map in between)
-> fit or place -> publish -> label what lacks words -> read of files what is not known of them -> renew what is
searched as text.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence

from atlas_rt.core.images import Failure
from atlas_rt.core.reports import IndexReport, Progress
from atlas_rt.distributed.image_worker import ImageWorker
from atlas_rt.encoders.encoder import ImageEncoder
from atlas_rt.encoders.registry import Model
from atlas_rt.engine import suspects
from atlas_rt.engine.announcements import Announcements
from atlas_rt.engine.crash_log import CrashLog
from atlas_rt.engine.labeller import Labeller
from atlas_rt.engine.map_scheduler import LAST, MapScheduler
from atlas_rt.engine.map_updates import MapUpdates
from atlas_rt.engine.messages import Job, Provider, Said
from atlas_rt.engine.metadata_filler import MetadataFiller
from atlas_rt.engine.pending_requests import PendingRequests
from atlas_rt.engine.pipeline import Pipeline, Tally
from atlas_rt.engine.place_finder import PlaceFinder
from atlas_rt.engine.received import ReceivedFolder
from atlas_rt.engine.stack_finder import StackFinder
from atlas_rt.engine.text_filler import TextFiller
from atlas_rt.engine.unsettled import Unsettled
from atlas_rt.library import disk_errors
from atlas_rt.library.absence import source_state
from atlas_rt.library.cache_layout import known_places
from atlas_rt.library.changes import Changes, Todo
from atlas_rt.library.metadata.sidecars import Sidecars
from atlas_rt.library.other_libraries import OtherLibraries
from atlas_rt.library.scanning import Scan, Scanner
from atlas_rt.library.store_writer import StoreWriter
from atlas_rt.library.tile_files import TileFiles
from atlas_rt.library.vectors import FILE_NAME as VECTORS
from atlas_rt.library.vectors import VectorFile
from atlas_rt.library.watching import Watcher
from atlas_rt.search import vector_index

SPARING = 32
"""Files read at a time, with one core spared, while someone looks on and the process that fits warms up or makes the
first fit: the first time on a machine it compiles for eleven seconds, and for over thirty beside decoding on every core
and a window."""


class Rounds:
    """All that the rounds of one open library share. Owned by the engine's main thread, but for the decoding inside
    the pipeline."""

    def __init__(
        self,
        job: Job,
        model: Model,
        store: StoreWriter,
        *,
        threads: int,
        cleaned: bool,
        requests: PendingRequests,
        announcements: Announcements,
    ) -> None:
        """cleaned: what was away has just been forgotten, which who shows the map does not know yet."""
        self._job, self._model, self._store, self._threads = job, model, store, threads
        self._cleaned, self._requests, self._announcements = cleaned, requests, announcements
        self._worker: ImageWorker | None = None
        self.watcher = Watcher(job.exclude, hidden=job.hidden, cache=job.cache)
        self._scanner = Scanner(job.exclude, hidden=job.hidden, cache=job.cache)
        self.unsettled = Unsettled()
        self.received = ReceivedFolder(job.received, store)
        self.received.appeared()
        folder = job.place.folder / model.id
        folder.mkdir(exist_ok=True)
        store.note_dim(model.id, model.dim)
        self._crash_log = CrashLog(job.place.folder)
        self._tiles = TileFiles(job.place.folder, writable=True, count=store.named_tiles())
        self._vectors = VectorFile(folder / VECTORS, model.dim, writable=True, rows=store.named_vectors(model.id))
        fresh = not self._vectors.rows
        self._labeller = Labeller(model, job.cache, job.own_labels, runtime=job.runtime, fresh=fresh)
        if self._labeller.remark:
            announcements.tell(Said(self._labeller.remark))
        self.map_scheduler = MapScheduler(
            folder,
            store=store,
            vectors=self._vectors,
            vocabulary=lambda: self._labeller.vocabulary(self._await_words),
            stack_finder=StackFinder(store, self._tiles, model),
            model_id=model.id,
            seed=job.seed,
            published=announcements.published,
            words_ready=lambda: self._labeller.ready,
            granularity=job.granularity,
            threads=1 if job.stay else threads,  # a window has the cores first
        )
        self.maps = MapUpdates(
            self.map_scheduler,
            store=store,
            requests=requests,
            announcements=announcements,
            model_id=model.id,
            stays=job.stay,
            request=job.request,
        )
        self._metadata = MetadataFiller(store, threads=threads, told=announcements.progress)
        self._places = PlaceFinder(store, announcements=announcements)
        at_once = 1 if job.stay else threads
        self._texts = TextFiller(store, wanted=job.ocr, threads=at_once, announcements=announcements)
        suspects.note_suspects(store, self._crash_log)

    def close(self) -> None:
        """End what runs beside."""
        self.watcher.close()
        self._labeller.close()
        self.map_scheduler.close()

    def run(self, *, asked: bool = True) -> None:
        """One round: from a scan to a report. asked: it is somebody's request, and not for a change that was seen."""
        begun = time.monotonic()
        self.map_scheduler.begin()
        generation = self.maps.generation
        self._announcements.progress(Progress("scan", 0, 0, 0.0, None), now=True)
        sources = self._sources()
        found, changes = self._scanned(sources, asked=asked)
        scanned = time.monotonic()
        failures = list(changes.failed) + list(found.unreadable)
        sidecars = Sidecars(found.sidecars)
        tally = self._index(changes, failures, sidecars) if changes.todo else Tally()
        if tally.moved:
            self._store.recount_absences(sources)
        self._announcements.source_state(self._store, sources)
        self._renew_texts()
        if self._job.fit:
            self.maps.bring_up_to_date()
            self.maps.show_others(published=self.maps.generation != generation)
        self._label()
        indexed = self._index_for_search()
        settled = time.monotonic()
        self._metadata.begin(sidecars)
        self._places.begin()
        self._texts.begin()
        while self.behind and not self._job.stay:
            self._fill_some()
            self._requests.obey_stop()
        self._renew_texts()
        cleaned, self._cleaned = self._cleaned, False
        if (tally.moved or indexed or changes.marked or cleaned) and self.map_scheduler.map:
            # the same map, but who shows it has the old paths or index
            self._announcements.published(self.map_scheduler.map)
        now = time.monotonic()
        secs = scanned - begun, now - settled, now - begun
        self._announcements.tell(self._report(found, changes, tally, failures, *secs))
        self._announcements.progress(Progress("idle", 0, 0, 0.0, None, len(failures)), now=True)

    @property
    def behind(self) -> bool:
        """Something is left to be read or looked up of images that are shown already."""
        return bool(self._metadata.left or self._places.left or self._texts.left)

    def fill(self) -> None:
        """Between rounds: some more of that, and tell who shows the map when all is done."""
        self._fill_some()
        if not self.behind:
            if self.map_scheduler.map:
                self._announcements.published(self.map_scheduler.map)
            self._announcements.progress(Progress("idle", 0, 0, 0.0, None), now=True)

    def _fill_some(self) -> None:
        """The next part of what is left: what files tell comes first, as places are looked up by it."""
        if self._metadata.left:
            self._metadata.fill_some()
            if not self._metadata.left:
                self._places.begin()
        elif self._places.left:
            self._places.fill_some()
        elif self._texts.left:
            self._texts.fill_some()

    def _sources(self) -> tuple[str, ...]:
        return (*self._job.place.sources, *self._store.extras())

    def _scanned(self, sources: Sequence[str], *, asked: bool) -> tuple[Scan, Changes]:
        """What lies in the sources now, and what that means for the library."""
        if self._job.stay:
            self.watcher.watch(sources)  # before the scan: what comes while it runs is told of afterwards
        changed = self.watcher.take_paths()
        if changed is not None:  # what was still being written is looked at again, told of or not
            changed |= self.unsettled.files
        broken = {failure.path for failure in self._store.failures()}
        found = self._scanner.scan(sources, changed=None if asked else changed, broken=broken)
        before = {absence.path for absence in self._store.absences()}
        changes = self._store.reconcile(found, self._model.id, sources)
        self.watcher.doubt(before ^ {absence.path for absence in self._store.absences()})
        if self._job.stay:
            self.watcher.look_at(self._store.mounts(sources))
            self._announcements.watching(self.watcher.trouble)
        self.unsettled.begin()
        return found, changes if asked else self.unsettled.leave_out(changes, closed=self.watcher.closed)

    def _index(self, changes: Changes, failures: list[Failure], sidecars: Sidecars) -> Tally:
        """Decode, encode and store what is to be done; suspects of an earlier crash first, each alone."""
        if self._job.fit:
            self.map_scheduler.expect_fit(len(changes.todo))
        todo, alone = self._without_condemned(changes.todo, failures)
        with self._other_libraries() as others:
            coming = _least_of_rest([*alone, *todo])
            pipeline = self._pipeline(len(changes.todo), failures, coming, others, sidecars)
            self._run(pipeline, todo, alone)
        return pipeline.tally

    def _without_condemned(self, todo: tuple[Todo, ...], failures: list[Failure]) -> tuple[list[Todo], list[Todo]]:
        """What to index at full speed, and what to decode alone. A file that crashed too often counts as failed."""
        suspected = self._store.suspects()
        condemned = suspects.condemn(self._store, self._model.id, todo, suspected)
        for each in condemned:
            failures.append(Failure(each.path, suspects.REASON))
            self._announcements.tell(failures[-1])
        ids = {each.id for each in condemned}
        alone = [each for each in todo if each.path in suspected and each.id not in ids]
        ids |= {each.id for each in alone}
        return [each for each in todo if each.id not in ids], alone

    def _other_libraries(self) -> OtherLibraries:
        """Where content that is new here may be known already."""
        places = [each for each in known_places(self._job.cache) if each.folder != self._job.place.folder]
        return OtherLibraries(places, model_id=self._model.id, dim=self._model.dim)

    def _run(self, pipeline: Pipeline, todo: list[Todo], alone: list[Todo]) -> None:
        """alone: files to decode one at a time, before the others."""
        if alone:
            pipeline.run(alone, alone=True)
            self._store.clear_suspects([each.path for each in alone])
        batch = self._model.image.batch
        part = -(-SPARING // batch) * batch  # whole batches: vectors' last bits know them
        while todo and self._job.stay and self.map_scheduler.in_need:
            pipeline.run(todo[:part], spared=1)
            todo = todo[part:]
        pipeline.run(todo)

    def _pipeline(
        self, total: int, failures: list[Failure], coming: list[int], others: OtherLibraries, sidecars: Sidecars
    ) -> Pipeline:
        """coming: after so many files are done, the smallest id of those that follow."""
        begun = time.monotonic()

        def told(failure: Failure) -> None:
            failures.append(failure)
            self._announcements.tell(failure)

        def between_batches(tally: Tally) -> None:
            elapsed = max(time.monotonic() - begun, 1e-3)
            rate = tally.done / elapsed
            left = (total - tally.done) / rate if rate else None
            self._announcements.progress(Progress("index", tally.done, total, rate, left, tally.failed))
            if self._job.fit:
                self.map_scheduler.look_on(coming[tally.done], shown=self._job.stay)
            self._requests.obey_stop()

        return Pipeline(
            store=self._store,
            tiles=self._tiles,
            vectors=self._vectors,
            worker=self._opened_worker(),
            labeller=self._labeller,
            threads=self._threads,
            crash_log=self._crash_log,
            others=others,
            sidecars=sidecars,
            told=told,
            between_batches=between_batches,
        )

    def _opened_worker(self) -> ImageWorker:
        """Without a vocabulary of its own: no image waits for the words (`Labeller`)."""
        if self._worker is None:
            self._worker = ImageWorker(ImageEncoder(self._model, threads=1, runtime=self._job.runtime))
            self._announcements.tell(Provider(self._model.name, self._worker.encoder.provider))
        return self._worker

    def _label(self) -> None:
        """Words for images that have none, or none of this vocabulary."""

        def told(done: int, total: int) -> None:
            self._announcements.progress(Progress("label", done, total, 0.0, None))
            self._requests.obey_stop()

        self._labeller.catch_up(self._store, self._vectors, waiting=self._await_words, told=told)

    def _await_words(self) -> None:
        self._announcements.progress(Progress("label", 0, 0, 0.0, None))
        self._requests.obey_stop()

    def _renew_texts(self) -> None:
        """Words of files that moved, and of all in a library that an older version made. Those of a batch come with
        it."""
        while self._store.renew_texts():
            self._requests.obey_stop()

    def _index_for_search(self) -> bool:
        """What searches of very many images look into; whether it was made anew."""

        def going_on(share: float) -> None:
            self._announcements.progress(Progress("search", int(share * 100), 100, 0.0, None))
            self._requests.obey_stop()

        folder = self._job.place.folder / self._model.id
        with disk_errors.writing(folder):
            return vector_index.keep_index(self._vectors.array(), folder, going_on=going_on)

    def _report(
        self,
        found: Scan,
        changes: Changes,
        tally: Tally,
        failures: list[Failure],
        scan_secs: float,
        details_secs: float,
        total_secs: float,
    ) -> IndexReport:
        indexed = tally.new + tally.changed
        working = max(total_secs - scan_secs - details_secs - self.map_scheduler.fit_secs, 1e-9)
        return IndexReport(
            images=self._store.images(),
            new=tally.new,
            unchanged=changes.unchanged + tally.unchanged,
            changed=tally.changed,
            away=self._store.away(),
            source_state=source_state(self._store.absences(), self._sources()),
            skipped=found.skipped,
            missing_formats=found.missing_formats,
            failed=tuple(sorted(failures, key=lambda failure: failure.path)),
            incomplete=self._store.incomplete(),
            model=self._model.name,
            generation=self.maps.generation,
            seconds={
                "scan": round(scan_secs, 4),
                "decode": round(tally.decode_secs, 4),
                "encode": round(tally.encode_secs, 4),
                "store": round(tally.store_secs, 4),
                "fit": round(self.map_scheduler.fit_secs, 4),
                "total": round(total_secs, 4),
            },
            images_per_second=round(indexed / working, 2) if indexed else 0.0,
        )


def _least_of_rest(todo: Sequence[Todo]) -> list[int]:
    """For each number of files that are done, in their order, the smallest id of those that are not."""
    backwards = itertools.accumulate((each.id for each in reversed(todo)), min, initial=LAST)
    return list(backwards)[::-1]
