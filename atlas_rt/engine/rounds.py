"""Rounds: from a scan to a report.

scan -> plan -> decode, encode, store (batch by batch, with sketches of the map in between)
-> fit or place -> publish -> label what lacks words -> read of files what is not known of them -> renew what is
searched as text.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace

from atlas_rt.core.images import Failure
from atlas_rt.core.reports import IndexReport, Progress
from atlas_rt.core.s3_address import is_s3
from atlas_rt.distributed.image_worker import ImageWorker, encoder_of
from atlas_rt.encoders.registry import Model
from atlas_rt.engine import suspects
from atlas_rt.engine.announcements import Announcements
from atlas_rt.engine.buckets import RETRY_SECS, WAIT_SECS, Buckets
from atlas_rt.engine.crash_log import CrashLog
from atlas_rt.engine.intake import Intake
from atlas_rt.engine.labeller import Labeller
from atlas_rt.engine.map_scheduler import LAST, MapScheduler
from atlas_rt.engine.map_updates import MapUpdates
from atlas_rt.engine.messages import Job, Provider, Said
from atlas_rt.engine.metadata_filler import MetadataFiller
from atlas_rt.engine.object_reader import ObjectReader
from atlas_rt.engine.pending_requests import PendingRequests
from atlas_rt.engine.pipeline import Pipeline, Tally
from atlas_rt.engine.place_finder import PlaceFinder
from atlas_rt.engine.received import ReceivedFolder
from atlas_rt.engine.stack_finder import StackFinder
from atlas_rt.engine.text_filler import TextFiller
from atlas_rt.engine.unsettled import Unsettled
from atlas_rt.library import disk_errors
from atlas_rt.library.cache_layout import known_places
from atlas_rt.library.changes import Changes, Todo
from atlas_rt.library.metadata.sidecars import Sidecars
from atlas_rt.library.object_listing import ListedObjects
from atlas_rt.library.other_libraries import OtherLibraries
from atlas_rt.library.scanning import Scan, Scanner
from atlas_rt.library.store_writer import StoreWriter
from atlas_rt.library.tables.remembered_shards import RememberedShards
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
        self.buckets = Buckets(job, waiting=self._listening)
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
        self.shards = RememberedShards(
            job.place.folder, model_id=model.id, dim=model.dim, vocabulary_key=self._labeller.key
        )
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
            positions=self.shards.positions,
        )
        self._metadata = MetadataFiller(
            store, threads=threads, originals=self.buckets.originals, told=announcements.progress
        )
        self._places = PlaceFinder(store, announcements=announcements)
        at_once = 1 if job.stay else threads
        self._texts = TextFiller(
            store, wanted=job.ocr, threads=at_once, originals=self.buckets.originals, announcements=announcements
        )
        suspects.note_suspects(store, self._crash_log)

    def close(self) -> None:
        """End what runs beside."""
        self.shards.close()
        self.watcher.close()
        self.buckets.close()
        self._labeller.close()
        self.map_scheduler.close()

    def run(self, *, asked: bool = True) -> None:
        """One round: from a scan to a report. asked: it is somebody's request, and not for a change that was seen."""
        begun = time.monotonic()
        self.map_scheduler.begin()
        generation = self.maps.generation
        self._announcements.progress(Progress("scan", 0, 0, 0.0, None), now=True)
        sources = self._sources()
        intake = self._take_in(sources, asked=asked)
        if intake.tally.moved:
            self._store.recount_absences(sources)
        state = self._announcements.source_state(self._store, sources, self._troubles(sources))
        self._renew_texts()
        if self._job.fit:
            self.maps.bring_up_to_date()
            self.maps.show_others(published=self.maps.generation != generation)
        self._label()
        indexed = self._index_for_search()
        settled = time.monotonic()
        self._metadata.begin(self._sidecars(intake.found))
        self._places.begin()
        self._texts.begin()
        while self.behind and not self._job.stay:
            self._fill_some()
            self._requests.obey_stop()
        self._renew_texts()
        cleaned, self._cleaned = self._cleaned, False
        if (intake.tally.moved or indexed or intake.marked or cleaned) and self.map_scheduler.map:
            # the same map, but who shows it has the old paths or index
            self._announcements.published(self.map_scheduler.map)
        now = time.monotonic()
        self.buckets.plan(changed=intake.changed)
        self._announcements.requests(self.buckets.requests, now=True)
        self._announcements.tell(self._report(intake, state, details_secs=now - settled, total_secs=now - begun))
        self._announcements.progress(Progress("idle", 0, 0, 0.0, None, len(intake.failures)), now=True)

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

    def _take_in(self, sources: Sequence[str], *, asked: bool) -> Intake:
        """Find what is to be done and do it: at once, or part by part while buckets are listed."""
        intake, first = Intake(), True
        broken = {failure.path for failure in self._store.failures()}
        self.buckets.begin(sources, afresh=asked or self.buckets.due, broken=broken)
        while True:
            begun = time.monotonic()
            listed = self.buckets.next_part()
            found, changes = self._scanned(sources, listed, everything=asked and first, unfinished=asked)
            intake.scan_secs += time.monotonic() - begun
            if todo := intake.part(found, changes):
                self._index(todo, intake)
            if intake.tally.left["changed"]:
                self.buckets.ask_soon()
            if not (found.unlisted or self._waits_for_s3(sources, intake)):
                return intake
            first = False

    def _waits_for_s3(self, sources: Sequence[str], intake: Intake) -> bool:
        """Without a window: whether listing or reading was interrupted by what passes by itself, and is tried again
        now. With one, the next round comes soon."""
        passes = any(error.passes for error in self.buckets.interruptions)
        if not passes or self._job.stay or not self.buckets.heard:
            return False
        if time.monotonic() - intake.headway_secs > self._job.patience_secs:
            return False
        troubles = self.buckets.troubles(sources)
        self._announcements.source_state(
            self._store, sources, {source: f"{troubles[source]} Waiting." for source in troubles}
        )
        until = time.monotonic() + min(RETRY_SECS, self._job.patience_secs / 4)
        while time.monotonic() < until:
            self._requests.obey_stop()
            time.sleep(WAIT_SECS)
        intake.try_again()
        self.buckets.begin(sources, afresh=True, broken={failure.path for failure in self._store.failures()})
        return True

    def _troubles(self, sources: Sequence[str]) -> dict[str, str]:
        """As of `Buckets`. A command on a library without images ends with the reason, so it is not told before."""
        ends = not (self._job.stay or self.buckets.lost or self._store.images())
        return {} if ends else self.buckets.troubles(sources)

    def _listening(self) -> None:
        """While a bucket is listed."""
        self._requests.obey_stop()
        self._announcements.requests(self.buckets.requests)

    def _sidecars(self, found: Scan) -> Sidecars:
        return Sidecars(found.sidecars, file_of=self.buckets.originals.fresh_file)

    def _scanned(
        self, sources: Sequence[str], listed: Mapping[str, ListedObjects], *, everything: bool, unfinished: bool
    ) -> tuple[Scan, Changes]:
        """What lies in the sources now, and what that means for the library.

        listed: what is known of those in S3. everything: look through all folders, not only where something changed.
        unfinished: with files that are still being written.
        """
        if self._job.stay:
            # before the scan: what comes while it runs is told of afterwards
            self.watcher.watch([source for source in sources if not is_s3(source)])
        changed = self.watcher.take_paths()
        if changed is not None:  # what was still being written is looked at again, told of or not
            changed |= self.unsettled.files
        broken = {failure.path for failure in self._store.failures()}
        scan = self._scanner.scan(sources, changed=None if everything else changed, broken=broken, listed=listed)
        found = self._with_listed(scan)
        before = {absence.path for absence in self._store.absences()}
        changes = self._store.reconcile(found, self._model.id, sources)
        self.watcher.doubt(before ^ {absence.path for absence in self._store.absences()})
        if self._job.stay:
            self.watcher.look_at(self._store.mounts(sources))
            self._announcements.watching(self.watcher.trouble)
        self.unsettled.begin()
        return found, changes if unfinished else self.unsettled.leave_out(changes, closed=self.watcher.closed)

    def _with_listed(self, found: Scan) -> Scan:
        """With the images that shards list, wherever their files are; a file that is there goes by what it is now."""
        self.shards.refresh()
        for remark in self.shards.remarks:
            self._announcements.tell(Said(remark))
        self.shards.remarks.clear()
        listed = self.shards.listed()
        if not listed:
            return found
        files = listed | {file.path: file for file in found.files}
        return replace(found, files=tuple(files[path] for path in sorted(files)))

    def _index(self, wanted: tuple[Todo, ...], intake: Intake) -> None:
        """Decode, encode and store what is to be done; suspects of an earlier crash first, each alone."""
        if self._job.fit:
            self.map_scheduler.expect_fit(len(wanted))
        todo, alone = self._without_condemned(wanted, intake)
        with self._other_libraries() as others, closing(ObjectReader(self.buckets.originals)) as reader:
            coming = _least_of_rest([*alone, *todo])
            self._run(self._pipeline(coming, others, reader, intake), todo, alone)

    def _without_condemned(self, todo: tuple[Todo, ...], intake: Intake) -> tuple[list[Todo], list[Todo]]:
        """What to index at full speed, and what to decode alone. A file that crashed too often counts as failed."""
        suspected = self._store.suspects()
        condemned = suspects.condemn(self._store, self._model.id, todo, suspected)
        failures = [Failure(each.path, suspects.REASON) for each in condemned]
        intake.fail(failures)
        for failure in failures:
            self._announcements.tell(failure)
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

    def _pipeline(self, coming: list[int], others: OtherLibraries, reader: ObjectReader, intake: Intake) -> Pipeline:
        """coming: after so many files of this part are done, the smallest id of those that follow."""
        begun, before, images = time.monotonic(), intake.tally.done, intake.tally.images

        def told(failure: Failure) -> None:
            intake.fail([failure])
            self._announcements.tell(failure)

        def between_batches(tally: Tally) -> None:
            nonlocal images
            done, elapsed = tally.done - before, max(time.monotonic() - begun, 1e-3)
            rate = done / elapsed
            left = (intake.total - tally.done) / rate if rate else None
            self._announcements.progress(Progress("index", tally.done, intake.total, rate, left, tally.failed))
            self._announcements.requests(self.buckets.requests)
            if tally.images > images:
                images, intake.headway_secs = tally.images, time.monotonic()
            if self._job.fit:
                self.map_scheduler.look_on(coming[done], shown=self._job.stay)
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
            shards=self.shards,
            sidecars=self._sidecars(intake.found),
            reader=reader,
            tally=intake.tally,
            told=told,
            waiting=self._requests.obey_stop,
            between_batches=between_batches,
        )

    def _opened_worker(self) -> ImageWorker:
        """Without a vocabulary of its own: no image waits for the words (`Labeller`)."""
        if self._worker is None:
            self._worker = ImageWorker(encoder_of(self._model, runtime=self._job.runtime))
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

    def _report(self, intake: Intake, state: str, *, details_secs: float, total_secs: float) -> IndexReport:
        tally, found = intake.tally, intake.found
        indexed = tally.new + tally.changed
        working = max(total_secs - intake.scan_secs - details_secs - self.map_scheduler.fit_secs, 1e-9)
        return IndexReport(
            images=self._store.images(),
            new=tally.new,
            unchanged=intake.unchanged,
            changed=tally.changed,
            away=self._store.away(),
            source_state=state,
            skipped=found.skipped,
            missing_formats=found.missing_formats,
            failed=intake.failures,
            incomplete=self._store.incomplete(),
            model=self._model.name,
            generation=self.maps.generation,
            seconds={
                "scan": round(intake.scan_secs, 4),
                "decode": round(tally.decode_secs, 4),
                "encode": round(tally.encode_secs, 4),
                "store": round(tally.store_secs, 4),
                "fit": round(self.map_scheduler.fit_secs, 4),
                "total": round(total_secs, 4),
            },
            images_per_second=round(indexed / working, 2) if indexed else 0.0,
            archived=intake.archived + tally.left["archived"],
            left=tally.left["changed"] + tally.left["lost"],
            requests=self.buckets.requests.as_dict() if any(map(is_s3, self._sources())) else {},
        )


def _least_of_rest(todo: Sequence[Todo]) -> list[int]:
    """For each number of files that are done, in their order, the smallest id of those that are not."""
    backwards = itertools.accumulate((each.id for each in reversed(todo)), min, initial=LAST)
    return list(backwards)[::-1]
