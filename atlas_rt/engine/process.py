"""Starting, hearing and stopping the engine's process.

The engine is a spawned process, never a fork (OpenGL, OpenMP), because Python that holds the interpreter lock makes
frames late and a decoder that crashes must not take the window with it. While a window is open it runs at nice 19:
measured on two cores, 54 % of software-drawn frames were late beside decoding at equal priority, none at 19.

A process that dies without a word is started again: the library on disk holds everything that was committed, and
the file it died on is on the list of suspects.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
from collections.abc import Iterator
from dataclasses import dataclass, replace
from multiprocessing import resource_tracker
from pathlib import Path

from atlas_rt.core.records import ANYWHERE, Failure, IndexReport, LibraryPlace, Progress, Runtime
from atlas_rt.engine.entry import serve
from atlas_rt.engine.messages import FromEngine, Locked, Published, Refit, Refused, Said, Stop, ToEngine, Undo

SPAWN = multiprocessing.get_context("spawn")
DEATHS_MAX = 5
"""Deaths in a row, without headway in between, after which the engine is not started again. A file that crashes the
decoder costs three (`suspects.CRASHES_MAX`) before it is told of as failed."""


@dataclass(frozen=True, slots=True)
class Job:
    """What one engine works on. stay: wait for requests when everything is done, instead of ending.

    niceness: how far to step back from other processes, 0 to 19. own_labels: file of the person's own words. request:
    what to do with the map in the first round. granularity: of its clusters, empty for what they are.
    """

    place: LibraryPlace
    cache: Path
    model: str
    seed: int
    threads: int
    exclude: tuple[str, ...] = ()
    niceness: int = 0
    stay: bool = False
    fit: bool = True
    runtime: Runtime = ANYWHERE
    own_labels: Path | None = None
    request: Refit | Undo | None = None
    granularity: str = ""


class EngineProcess:
    """One engine and the pipe to it. Owned by the thread that made it."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._deaths = 0
        self._ended = False
        self._start()

    @property
    def pid(self) -> int:
        return self._process.pid or 0

    @property
    def ended(self) -> bool:
        """The engine has said its last word and will not be started again."""
        return self._ended

    def tell(self, request: ToEngine) -> None:
        """Send a request; one sent to an engine that has just died is lost, as is its whole conversation."""
        with contextlib.suppress(BrokenPipeError, OSError):
            self._pipe.send(request)

    def messages(self) -> Iterator[FromEngine]:
        """What the engine has told since the last call; never waits. Starts a dead engine again."""
        try:
            while self._pipe.poll():
                message: FromEngine = self._pipe.recv()
                self._deaths = 0 if _is_headway(message) else self._deaths
                self._ended = self._ended or isinstance(message, Locked | Refused)
                self._ended = self._ended or (isinstance(message, IndexReport) and not self._job.stay)
                yield message
        except (EOFError, OSError):
            yield from self._mourn()

    def stop(self, *, limit_secs: float = 5.0) -> None:
        """Ask the engine to commit and end; after the limit it is killed. Nothing committed is lost either way."""
        self._ended = True
        self.tell(Stop())
        self._process.join(limit_secs)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._pipe.close()

    def _start(self) -> None:
        self._pipe, theirs = SPAWN.Pipe()
        self._process = SPAWN.Process(target=serve, args=(theirs, self._job.niceness), name="atlas-engine")
        with _interrupts_held():
            self._process.start()
        theirs.close()
        with contextlib.suppress(OSError):  # it has died already, which `messages` finds
            self._pipe.send(self._job)

    def _mourn(self) -> Iterator[FromEngine]:
        if self._ended:
            return
        self._process.join()
        self._deaths += 1
        if self._deaths >= DEATHS_MAX:
            self._ended = True
            yield Refused(f"the engine ended {self._deaths} times in a row; what was indexed so far is kept", 1)
            return
        self._pipe.close()
        self._job = replace(self._job, request=None)  # it may have been heeded before the end, and is for once
        self._start()
        yield Said("the engine stopped unexpectedly and was started again")


def _is_headway(message: FromEngine) -> bool:
    """Whether something lasting was done: an engine that dies, say, whenever it begins to fit, tells of its scan each
    time, and would be started again for ever."""
    stored = isinstance(message, Progress) and message.stage == "index"
    return stored or isinstance(message, Failure | Published | IndexReport)


@contextlib.contextmanager
def _interrupts_held() -> Iterator[None]:
    """Start a process deaf to Ctrl-C, which reaches the whole group: one that came while it still imports would end it
    with a traceback. What comes meanwhile waits for us."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # it opens the mask again when it is first started
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
