"""Fitting in a process of its own: umap-learn's kernels hold the interpreter lock for whole epochs, and ending a
process is the one sure way to cancel them.

The process warms up (two seconds; the first time on a machine it compiles for ten) while the first images are decoded,
then serves one fit after another, beside the engine's own work. Vectors travel as a file in the library's folder, the
rest by the pipe.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from atlas_rt.core.arrays import Floats
from atlas_rt.core.retries import Retries
from atlas_rt.engine import child
from atlas_rt.engine.child import Child
from atlas_rt.engine.fitting import FitJob, Fitted, fitted
from atlas_rt.errors import FitError
from atlas_rt.library import disk_errors

READY = "ready"
"""What the child says first, once it has warmed up."""
FOLDER = ".fit-"
"""How the folder of a fit's vectors is called, with something behind it."""
NICENESS = 5
"""How far the child steps back at least, so that decoding comes first."""
ENDING_SECS = 0.5
"""A child that has closed its pipe is given so long to end before it is killed."""
Waiting = Callable[[float, float], bool]
"""(share done, seconds so far) -> go on; called while a fit runs."""


class Cancelled(Exception):  # noqa: N818 - no error: someone asked for it
    """The fit was given up because the engine is asked to stop."""


class FitProcess:
    """The child that fits. Owned by the engine's main thread; closing it cancels what it does.

    One that dies is started again after a pause, with the fit it was at, three times in all.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._retries = Retries()
        self._job: FitJob | None = None
        self._file: Path | None = None
        self._begun = 0.0
        self._failure = ""
        self._start()

    @property
    def busy(self) -> bool:
        return self._file is not None

    @property
    def seconds(self) -> float:
        """Since the fit in hand began."""
        return time.monotonic() - self._begun

    @property
    def warm(self) -> bool:
        """Whether it would begin a fit at once, or never will; asked while none is in hand."""
        if not self._ready and not self.busy:
            with contextlib.suppress(FitError):  # the next fit tells
                self._heard(0.0)
        return self._ready or bool(self._failure)

    def begin(self, vectors: Floats, job: FitJob) -> None:
        """Start a fit, where none is in hand. Raises MissingError on a full disk."""
        self._file, self._job = _written(vectors, self._folder), job
        self._begun = time.monotonic()

    def poll(self, wait_secs: float = 0.0) -> Fitted | None:
        """What the fit in hand came to, None while it runs. Raises FitError with the child's reason if it failed."""
        try:
            answer = self._heard(wait_secs)
        except FitError:
            self._put_away()
            raise
        if answer is None:
            return None
        self._put_away()
        if isinstance(answer, str):
            raise FitError(f"the map could not be fitted: {answer}")
        self._retries.went_well()
        return answer

    def wait(self, waiting: Waiting) -> Fitted:
        """What the fit in hand comes to. `waiting` is called ten times a second; False from it raises Cancelled."""
        while (fitted := self.poll(0.1)) is None:
            if not waiting(self.share, self.seconds):
                raise Cancelled
        return fitted

    def close(self) -> None:
        self._child.end()
        self._put_away()

    def _start(self) -> None:
        self._ready = self._sent = False
        self.share = 0.0
        self._start_secs: float | None = None
        self._child = Child(_serve, self._folder, name="atlas-fit")

    def _heard(self, wait_secs: float) -> Fitted | str | None:
        """What came of the fit in hand. Raises FitError once the child has died too often."""
        if self._start_secs is not None and not self._is_due(wait_secs):
            return None
        try:
            return self._received(wait_secs)
        except (EOFError, OSError):
            self._mourn()
            return None

    def _received(self, wait_secs: float) -> Fitted | str | None:
        """A job is sent once the child has warmed up: it is more than a pipe holds, and sending it would block."""
        while self._child.pipe.poll(wait_secs):
            answer: Fitted | str | float = self._child.pipe.recv()
            if isinstance(answer, float):
                self.share = answer
            elif answer == READY:
                self._ready = True
            else:
                return answer
            wait_secs = 0.0
        if self._ready and self._job is not None and not self._sent:
            self._child.pipe.send((str(self._file), self._job))
            self._sent = True
        return None

    def _is_due(self, wait_secs: float) -> bool:
        """Whether a child that died runs again; it is started when its pause is over."""
        if self._failure:
            raise FitError(self._failure)
        left_secs = (self._start_secs or 0.0) - time.monotonic()
        if left_secs > 0.0:
            time.sleep(min(left_secs, wait_secs))
            return False
        self._start()
        return True

    def _mourn(self) -> None:
        reason, pause_secs = self._child.end(limit_secs=ENDING_SECS), self._retries.failed()
        self._ready = False
        self._start_secs = time.monotonic() + (pause_secs or 0.0)
        if pause_secs is None:
            times = self._retries.failures
            self._failure = f"the map cannot be fitted: the process for it ended {times} times in a row ({reason})"
            raise FitError(self._failure)

    def _put_away(self) -> None:
        if self._file is not None:
            shutil.rmtree(self._file.parent, ignore_errors=True)
        self._file = self._job = None
        self._sent = False


def sweep(folder: Path) -> None:
    """Remove what a killed fit left behind: a library has one writer, so none of it is in use."""
    for left in folder.glob(f"{FOLDER}*"):
        shutil.rmtree(left, ignore_errors=True)


def _written(vectors: Floats, folder: Path) -> Path:
    """A file of vectors in a folder of its own. Raises MissingError on a full disk."""
    with disk_errors.writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        own = Path(tempfile.mkdtemp(prefix=FOLDER, dir=folder))
        try:
            file = own / "vectors.f32"
            # np.save does not tell that a disk is full
            file.write_bytes(np.ascontiguousarray(vectors, np.float32).data)
        except BaseException:
            shutil.rmtree(own, ignore_errors=True)
            raise
    return file


def _serve(pipe: Connection, folder: Path) -> None:
    child.begin(NICENESS)
    from atlas_rt.mapping import wall
    from atlas_rt.mapping.fit import warm_up

    warm_up(folder)
    wall.warm_up()
    with contextlib.suppress(EOFError, OSError):
        pipe.send(READY)
        while True:
            file, job = pipe.recv()
            try:
                vectors = np.fromfile(file, np.float32).reshape(len(job.ids), -1)
                pipe.send(fitted(vectors, job, progress=pipe.send))
            except Exception as error:  # noqa: BLE001 - whatever umap-learn raises becomes a sentence for the engine
                pipe.send(f"{type(error).__name__}: {error}")
