"""Whether this window writes its library, and what it does about it when it does not.

A library has one writer: the engine that holds its lock. A window that finds another one there only looks, says so as
long as it lasts, and starts an engine of its own when the other has gone; of several such windows one gets the lock,
and the others look on. An engine that cannot go on (a full disk, a crash at each start) leaves the window looking too,
until the person asks for another try.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from atlas_rt.core.reports import Progress
from atlas_rt.core.troubles import MAP, Trouble
from atlas_rt.engine.messages import Add, FromEngine, Job, Locked, Refused, Remove, Rescan, Said, UseModel
from atlas_rt.engine.process import EngineProcess
from atlas_rt.workers.lookout import LockLookout

ENGINE, READ_ONLY = "engine", "read only"
"""Parts that can have a trouble."""


class Writer:
    """This window's engine, or the reason why it has none. Main thread; nothing in it waits."""

    def __init__(self, job: Job, lookout: LockLookout, *, holder: str) -> None:
        """holder: who writes the library now, empty where nobody does."""
        self._job = job
        self._lookout = lookout
        self._troubles: dict[str, Trouble] = {}
        self.engine: EngineProcess | None = None
        self.holder = ""
        if holder:
            self._look_on(holder)
        else:
            self.engine = EngineProcess(job)

    @property
    def writes(self) -> bool:
        """This window's engine has the library, as far as is known."""
        return self.engine is not None and not self.holder

    @property
    def troubles(self) -> tuple[Trouble, ...]:
        return tuple(self._troubles.values())

    @property
    def why_not(self) -> str:
        """Why nothing can be added now, empty where it can."""
        if self.writes:
            return ""
        return next((trouble.text for trouble in self.troubles if trouble.part in (READ_ONLY, ENGINE)), "")

    def add(self, paths: tuple[str, ...]) -> bool:
        """Take files and folders into the library; False where nothing can be added. Where it comes to nothing later,
        `messages` says so."""
        if not self.writes or self.engine is None:
            return False
        self.engine.tell(Add(paths))
        return True

    def remove(self, paths: tuple[str, ...]) -> bool:
        """Take what was added out of the library again; False where nothing can be changed."""
        if not self.writes or self.engine is None:
            return False
        self.engine.tell(Remove(paths))
        return True

    def use_model(self, name: str) -> None:
        """Go on with another encoder: now, or when this window comes to write the library."""
        self._job = replace(self._job, model=name)
        if self.engine is not None:
            self.engine.tell(UseModel(name))
        elif ENGINE in self._troubles:  # perhaps for the model
            self.retry(ENGINE)

    def messages(self) -> Iterator[FromEngine]:
        """What the engine told since the last call, and what changed about who writes."""
        if self.engine is None and (holder := self._lookout.take()) is not None and self.holder:
            self._look_again(holder)
        for message in list(self.engine.messages()) if self.engine else ():
            if self.holder and isinstance(message, Progress):  # it scans, so it has the lock
                yield self._taken_over()
            yield message
            match message:
                case Locked(holder):
                    yield from self._give_up()
                    self._look_on(holder)
                case Refused(text):
                    yield from self._give_up()
                    self._note(Trouble(ENGINE, f"New and changed images are not read: {text}"))
                case Trouble():
                    self._note(message)

    def retry(self, part: str) -> None:
        """What the person asked for: try again what has this trouble."""
        if part == MAP and self.engine is not None:
            self.engine.tell(Rescan())
        if part == ENGINE and self.engine is None:
            self.engine = EngineProcess(self._job)
        if part in (MAP, ENGINE):
            self._note(Trouble(part, ""))

    def close(self) -> None:
        """Let the engine commit and end."""
        if self.engine is not None:
            self.engine.stop()

    def _look_again(self, holder: str) -> None:
        """Somebody still writes the library, or nobody does: then it is tried whether this window may."""
        if holder:
            self._say_read_only(holder)
        else:
            self.engine = EngineProcess(self._job)

    def _look_on(self, holder: str) -> None:
        self._troubles.clear()
        self._say_read_only(holder)
        self._lookout.begin()

    def _say_read_only(self, holder: str) -> None:
        self.holder = holder or "another process"  # it may have gone since
        text = f"Read-only: another window ({self.holder}) is updating this library"
        self._note(Trouble(READ_ONLY, text, retry=False))

    def _taken_over(self) -> Said:
        self.holder = ""
        self._note(Trouble(READ_ONLY, ""))
        return Said("The other window has stopped updating this library: now this one does")

    def _give_up(self) -> Iterator[Said]:
        """Let go of an engine that has ended, telling of what it should have added and has not."""
        assert self.engine is not None
        engine, self.engine, self.holder = self.engine, None, ""
        self._job = replace(self._job, request=None)
        self._troubles.clear()
        engine.stop(limit_secs=0.0)  # it has said its last word
        for request in engine.unheeded:
            what = "Not added" if isinstance(request, Add) else "Not taken off the map"
            yield Said(f"{what}: {', '.join(Path(path).name for path in request.paths)}")

    def _note(self, trouble: Trouble) -> None:
        self._troubles.pop(trouble.part, None)
        if trouble.text:
            self._troubles[trouble.part] = trouble
