"""Starting, hearing and stopping the engine's process.

The engine is a process of its own because Python that holds the interpreter lock makes frames late and a decoder that
crashes must not take the window with it. While a window is open it runs at nice 19: measured on two cores, 54 % of
software-drawn frames were late beside decoding at equal priority, none at 19.

A process that dies without a word is started again: the library on disk holds everything that was committed. There are
two rules for how often.

* It died while files were being decoded: those are suspects. It is started again after a short pause, as often as it
  takes: a file that was in work at `crash_log.CRASHES_MAX` crashes is recorded as failed and left out.
* It died otherwise: three tries with growing pauses (`core.retries`), then it is given up with the reason. What came
  before no longer counts once something lasting was done, or an engine has lived for a while.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import replace

from atlas_rt.core import retries
from atlas_rt.core.images import Failure
from atlas_rt.core.reports import IndexReport, Progress
from atlas_rt.core.retries import Retries
from atlas_rt.engine import crash_log
from atlas_rt.engine.child import Child
from atlas_rt.engine.entry import serve
from atlas_rt.engine.messages import (
    Add,
    Added,
    FromEngine,
    Job,
    Locked,
    Published,
    Refused,
    Remove,
    Removed,
    Said,
    SourceState,
    Stop,
    ToEngine,
    UseModel,
)
from atlas_rt.errors import AtlasError
from atlas_rt.library.store_writer import StoreWriter, writing

ENDING_SECS = 5.0
"""A process that has closed its pipe is given so long to end before it is killed."""
HEALTHY_SECS = 60.0
"""An engine that has lived so long is none that dies at its start."""


class EngineProcess:
    """One engine and the pipe to it. Owned by the thread that made it."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._retries = Retries()
        self._ended = False
        self._unheeded: tuple[Add | Remove, ...] = ()
        self._start()

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def ended(self) -> bool:
        """The engine has said its last word and will not be started again."""
        return self._ended

    @property
    def unheeded(self) -> tuple[Add | Remove, ...]:
        """What was to be added or removed and is not stored yet, as far as is known, in order."""
        return self._unheeded

    def tell(self, request: ToEngine) -> None:
        """Send a request. An Add or a Remove is kept for the next engine if this one dies before it has stored it, and
        so is the model to use; another request sent to an engine that has just died is lost."""
        if isinstance(request, Add | Remove):
            self._unheeded = (*self._unheeded, request)
        if isinstance(request, UseModel):
            self._job = replace(self._job, model=request.name)
        if self._start_secs is None:
            self._send(request)

    def messages(self) -> Iterator[FromEngine]:
        """What the engine has told since the last call; never waits. Starts a dead engine again when it is time."""
        if self._start_secs is not None:
            if time.monotonic() >= self._start_secs and not self._ended:
                self._start()
            return
        try:
            while self._child.pipe.poll():
                message: FromEngine = self._child.pipe.recv()
                self._take(message)
                yield message
        except (EOFError, OSError):
            yield from self._mourn()

    def stop(self, *, limit_secs: float = 5.0) -> None:
        """Ask the engine to commit and end; after the limit it is killed. Nothing committed is lost either way."""
        self._ended = True
        if self._start_secs is None:
            self._send(Stop())
            self._child.end(limit_secs=limit_secs)
        elif self._unheeded:  # no other engine will be started to store it
            with contextlib.suppress(AtlasError), writing(self._job.place, StoreWriter) as store:
                for request in self._unheeded:
                    store_it = store.add_extras if isinstance(request, Add) else store.remove_extras
                    store_it(request.paths)

    def _start(self) -> None:
        self._start_secs: float | None = None
        self._scanned, self._silent_secs, self._begun_secs = False, 0.0, time.monotonic()
        self._source_told = ""
        self._child = Child(serve, self._job.niceness, name="atlas-engine")
        self._send(self._job)
        for request in self._unheeded:
            self._send(request)

    def _send(self, word: Job | ToEngine) -> None:
        with contextlib.suppress(OSError):  # it has died already, which `messages` finds
            self._child.pipe.send(word)

    def _take(self, message: FromEngine) -> None:
        self._scanned = self._scanned or isinstance(message, Progress)
        if _is_headway(message):
            self._retries.went_well()
        if isinstance(message, SourceState):
            self._source_told = message.text
        if isinstance(message, Added | Removed):
            self._note_stored(Add(message.paths) if isinstance(message, Added) else Remove(message.paths))
        if isinstance(message, Progress) and message.stage == "idle":
            self._child.forget_errors()
        self._ended = self._ended or isinstance(message, Locked | Refused)
        self._ended = self._ended or (isinstance(message, IndexReport) and not self._job.stay)

    def _note_stored(self, request: Add | Remove) -> None:
        """Only the first of its kind: what was added may be removed and added again."""
        if request in self._unheeded:
            at = self._unheeded.index(request)
            self._unheeded = self._unheeded[:at] + self._unheeded[at + 1 :]

    def _mourn(self) -> Iterator[FromEngine]:
        """Tell of an engine that has died, and of what comes of it."""
        if self._ended or self._is_ending():
            return
        reason = self._child.end()
        if time.monotonic() - self._begun_secs > HEALTHY_SECS:
            self._retries.went_well()
        # whose suspects are counted by the time it scans
        at_a_file = self._scanned and crash_log.anything_in_work(self._job.place.folder)
        pause_secs = retries.PAUSES_SECS[0] if at_a_file else self._retries.failed()
        if pause_secs is None:
            self._ended = True
            times = self._retries.failures
            yield Refused(f"the engine ended {times} times in a row ({reason}); what was indexed so far is kept", 1)
            return
        if self._source_told:
            yield SourceState("present", "")  # what it told holds no longer; the next engine looks for itself
        self._job = replace(self._job, request=None)  # it may have been heeded before the end, and is for once
        self._start_secs = time.monotonic() + pause_secs
        yield Said(f"the engine stopped unexpectedly ({reason}) and is started again")

    def _is_ending(self) -> bool:
        """Whether a process whose pipe is closed still runs; it is killed when that takes too long."""
        self._silent_secs = self._silent_secs or time.monotonic()
        return self._child.alive and time.monotonic() - self._silent_secs < ENDING_SECS


def _is_headway(message: FromEngine) -> bool:
    """Whether something lasting was done: an engine that dies, say, whenever it has nothing to do tells of its scan and
    reports each time, and would be started again for ever."""
    stored = isinstance(message, Progress) and message.stage == "index"
    return stored or isinstance(message, Failure | Published)
