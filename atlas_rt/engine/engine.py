"""The engine: brings one library up to date, then waits for more to do."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from multiprocessing.connection import Connection

from atlas_rt.encoders import registry
from atlas_rt.encoders.registry import Model
from atlas_rt.engine.announcements import Announcements
from atlas_rt.engine.crash_log import SLOTS
from atlas_rt.engine.fit_process import Cancelled
from atlas_rt.engine.messages import FromEngine, Job, Locked, Refit, Refused, Undo
from atlas_rt.engine.pending_requests import ModelChanged, PendingRequests, Stopped
from atlas_rt.engine.rounds import Rounds
from atlas_rt.errors import AtlasError, UsageError
from atlas_rt.excepthooks import debugging
from atlas_rt.library.cache_layout import Lock
from atlas_rt.library.cleaning import finish_cleaning
from atlas_rt.library.store_writer import StoreWriter
from atlas_rt.library.tables.remembered_shards import listed_model

IDLE_SECS = 0.1
READY_SECS = 1.0
"""With nothing to do for so long, what the first new image needs is made ready: sooner where something changes, which
has yet to come to rest."""
REST_SECS = 60.0
"""With nothing to do for so long, the engine lets go of what it holds only to be quick: the process that fits (370 MB)
and a copy of the vectors (150 MB at 100,000 images)."""


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
    """One library's engine: its lock, one round after another, and waiting in between."""

    def __init__(self, job: Job, pipe: Connection) -> None:
        self._job, self._pipe = job, pipe
        self._model = self._loaded(job.model)
        self._announcements = Announcements(pipe, model=self._model.name)
        self._threads = min(job.threads or os.cpu_count() or 1, SLOTS)

    def work(self) -> None:
        """Bring the library up to date; with `stay`, again whenever asked to."""
        with Lock(self._job.place) as lock:
            if not lock.acquire():
                self._announcements.tell(Locked(lock.holder()))
                return
            folder = self._job.place.folder
            with StoreWriter.open(folder) as store:
                cleaned = finish_cleaning(folder, store)
                requests = PendingRequests(self._pipe, store, self._announcements)
                while (asked := self._work(requests, self._rounds(store, requests, cleaned=cleaned))) is not None:
                    self._model, cleaned = self._loaded(asked), False
                    self._announcements.model = self._model.name

    def _loaded(self, name: str) -> Model:
        """The encoder to go on with. Raises UsageError for another than an imported library's, where "auto" means that
        one: images that shards list would all be without vectors, and without files perhaps."""
        listed = listed_model(self._job.place.folder)
        model = registry.load(listed if listed and name == registry.AUTO else name, self._job.cache)
        if listed and model.name != listed:
            raise UsageError(
                f"this library was imported with vectors of the model {listed}, and cannot go on with {model.name}; "
                f"leave out --model, or name --model {listed}"
            )
        return model

    def _rounds(self, store: StoreWriter, requests: PendingRequests, *, cleaned: bool) -> Rounds:
        return Rounds(
            self._job,
            self._model,
            store,
            threads=self._threads,
            cleaned=cleaned,
            requests=requests,
            announcements=self._announcements,
        )

    def _work(self, requests: PendingRequests, rounds: Rounds) -> str | None:
        """Round after round; the name of the model to go on with, None where there is nothing more to do."""
        try:
            self._run(requests, rounds)
        except ModelChanged as changed:
            return changed.name
        finally:
            rounds.close()
        return None

    def _run(self, requests: PendingRequests, rounds: Rounds) -> None:
        try:
            rounds.run()
            while self._job.stay:
                rounds.run(asked=_wait_for_news(requests, rounds))
        except Cancelled:  # a fit was given up, for one of these
            requests.obey_stop()
            raise


def _wait_for_news(requests: PendingRequests, rounds: Rounds) -> bool:
    """Until someone wishes something, or images come that another program sent (True), or something changed in the
    sources; a refit goes on meanwhile, and what files tell of their pictures is read."""
    begun_secs, ready, rested = time.monotonic(), False, False
    while not requests:
        if requests.wait(0.0 if rounds.behind else IDLE_SECS):
            continue
        if rounds.received.appeared() or rounds.shards.appeared():
            return True
        if rounds.watcher.due() or rounds.unsettled.due or rounds.buckets.due:
            return False
        if rounds.behind:
            rounds.fill()
            rounds.maps.attend_fit()
            begun_secs = time.monotonic()
            continue
        waited_secs = time.monotonic() - begun_secs
        idle = READY_SECS < waited_secs < REST_SECS and rounds.map_scheduler.quick_to_make_ready
        if not ready and (rounds.watcher.stirs or idle):
            ready = True
            rounds.map_scheduler.make_ready()
        elif not rested and rounds.map_scheduler.fitting is None and waited_secs > REST_SECS:
            ready, rested = False, True
            rounds.map_scheduler.rest()
        else:
            rounds.maps.attend_fit()
    request = requests.take()
    if isinstance(request, Refit | Undo):
        rounds.maps.request = request
    return True
