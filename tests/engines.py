"""An engine on a thread of the test's own process: what it tells, and what it can be told."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

from atlas_rt.core.reports import IndexReport
from atlas_rt.engine.engine import Engine
from atlas_rt.engine.messages import FromEngine, Job, Rescan, Stop, ToEngine
from atlas_rt.engine.pending_requests import Stopped
from atlas_rt.errors import AtlasError

PATIENCE_SECS = 60.0

T = TypeVar("T")


class EngineThread:
    """Starts in a fraction of a second, where an engine's own process takes two."""

    def __init__(self, job: Job) -> None:
        self._pipe, theirs = multiprocessing.Pipe()
        self.told: list[FromEngine] = []
        self.error: BaseException | None = None
        self._at = 0
        self._thread = threading.Thread(target=self._run, args=(job, theirs), daemon=True)
        self._thread.start()

    def say(self, request: ToEngine) -> None:
        self._pipe.send(request)

    def hear(self, kind: type[T], when: Callable[[T], bool] = lambda _: True) -> T:
        """The next message of a kind that fulfils a condition. Fails where none comes."""
        deadline = time.monotonic() + PATIENCE_SECS
        while time.monotonic() < deadline:
            self._listen()
            while self._at < len(self.told):
                message = self.told[self._at]
                self._at += 1
                if isinstance(message, kind) and when(message):
                    return message
            if not self._thread.is_alive() and not self._pipe.poll():
                break
            time.sleep(0.01)
        raise AssertionError(f"no such {kind.__name__}: {self.error!r}, {self.told[-5:]}")

    def hear_first(self, kind: type[T]) -> T:
        """The first message of a kind, heard already or not."""
        return next(iter(self.of(kind)), None) or self.hear(kind)

    def report(self) -> IndexReport:
        return self.hear(IndexReport)

    def again(self) -> IndexReport:
        """What a round comes to that is asked for."""
        self.say(Rescan())
        return self.report()

    def of(self, kind: type[T]) -> list[T]:
        """Every message of a kind so far."""
        self._listen()
        return [message for message in self.told if isinstance(message, kind)]

    def stop(self) -> None:
        with suppress(OSError):
            self._pipe.send(Stop())
        self._thread.join(PATIENCE_SECS)
        assert not self._thread.is_alive()

    def _listen(self) -> None:
        with suppress(EOFError, OSError):
            while self._pipe.poll():
                self.told.append(self._pipe.recv())

    def _run(self, job: Job, pipe: multiprocessing.connection.Connection) -> None:
        try:
            Engine(job, pipe).work()
        except (Stopped, AtlasError) as error:
            self.error = error
        finally:
            pipe.close()


@contextmanager
def engine_at(job: Job) -> Iterator[EngineThread]:
    engine = EngineThread(job)
    try:
        yield engine
    finally:
        engine.stop()


def report_of(job: Job) -> IndexReport:
    """What an engine reports of one round."""
    with engine_at(job) as engine:
        return engine.report()
