"""The library kept up to date while a server runs, by whoever may write it.

Where a window is open on the same library, its engine takes in what is sent to the server. Where there is none, or once
it has closed, the server's own engine does. A window that opens later takes the library over: a person is at it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from atlas_rt.engine.messages import Job, Refused, Said, SourceState
from atlas_rt.library.lock import Lock
from atlas_rt.library.source_note import read_note
from atlas_rt.window.writer import Writer
from atlas_rt.workers.lookout import LockLookout
from atlas_rt.workers.worker import Worker

POLL_SECS = 0.1
GIVE_WAY_SECS = 5.0
"""A window looks once a second whether nobody writes its library any more (`workers/lookout.py`)."""
NICENESS = 10
"""Of the server's engine: requests have the cores first."""
SERVER, OTHER, NOBODY = "this server", "another process", "nobody"


class Upkeep(Worker):
    """The thread that owns the server's engine."""

    part = "upkeep"
    lost = "New and changed images are not read"

    def __init__(self, job: Job, *, tell: Callable[[str], None], at_once: bool = True) -> None:
        """tell: called on this thread with sentences of the engine. at_once: without it `begin` starts the engine."""
        super().__init__(announce=lambda change: tell(change.trouble) if change.trouble else None)
        self._job, self._tell = job, tell
        self._begun = threading.Event()
        if at_once:
            self._begun.set()
        self.writer = NOBODY
        self.start()

    def begin(self) -> None:
        """Keep the library up to date from now on."""
        self._begun.set()

    def wake(self) -> None:
        self._begun.set()

    def work(self) -> None:
        self._begun.wait()
        while not self.closing:
            self._write_or_look_on()
            self._give_way()

    def _write_or_look_on(self) -> None:
        """Until the server is closed, or a window that was opened meanwhile should write the library."""
        opened_secs = self._opened_secs()
        lookout = LockLookout(self._job.place)
        writer = Writer(self._job, lookout, holder=Lock(self._job.place).holder())
        try:
            while not self.closing and not (writer.writes and self._opened_secs() != opened_secs):
                self._listen(writer)
                self.rest(POLL_SECS)
        finally:
            writer.close()
            lookout.close()
            self.writer = NOBODY

    def _give_way(self) -> None:
        """Wait until the window has noticed, but not for ever: it may have been closed again."""
        deadline = time.monotonic() + GIVE_WAY_SECS
        while not self.closing and time.monotonic() < deadline and not Lock(self._job.place).holder():
            self.rest(POLL_SECS)

    def _opened_secs(self) -> float:
        """When a window last opened the library, as its note says."""
        note = read_note(self._job.place.folder)
        return note.opened_secs if note else 0.0

    def _listen(self, writer: Writer) -> None:
        for message in writer.messages():
            match message:
                case Refused(text) | Said(text) | SourceState(text=text) if text:
                    self._tell(text)
                case _:
                    self.went_well()
        self.writer = SERVER if writer.writes else OTHER if writer.holder else NOBODY
