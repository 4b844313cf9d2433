"""What the engine tells through the pipe: progress, not too often, and states, when they change."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection

from atlas_rt.core.images import Absence
from atlas_rt.core.maps import Map
from atlas_rt.core.objects import Requests
from atlas_rt.core.reports import Progress
from atlas_rt.core.troubles import MAP, WATCHING, Trouble
from atlas_rt.engine.messages import FromEngine, Published, Said, SourceState
from atlas_rt.errors import FitError
from atlas_rt.library.absence import sentence, source_state
from atlas_rt.library.maps import FIT
from atlas_rt.library.store import StoreReader

PROGRESS_EVERY_SECS = 0.2
REQUESTS_EVERY_SECS = 1.0


class Announcements:
    """The engine's end of the pipe, for telling. model: that of the engine, by the name a person knows it by."""

    def __init__(self, pipe: Connection, *, model: str) -> None:
        self._pipe, self.model = pipe, model
        self._told_secs = 0.0
        self._told_stage = ""
        self._fit_failed = False
        self._source_state = SourceState("present", "")
        self._watching = ""
        self._requests, self._requests_secs = Requests(), 0.0

    def tell(self, message: FromEngine) -> None:
        self._pipe.send(message)

    def progress(self, progress: Progress, *, now: bool = False) -> None:
        """Often enough to look alive, and no more: each message wakes the window. A new stage is told at once."""
        new = progress.stage != self._told_stage
        if now or new or time.monotonic() - self._told_secs >= PROGRESS_EVERY_SECS:
            self._told_secs, self._told_stage = time.monotonic(), progress.stage
            self.tell(progress)

    def published(self, map_: Map) -> None:
        self.tell(Published(self.model, map_.generation, len(map_.ids)))

    def fit(self, error: FitError | None) -> None:
        """Tell that no fit can be made, and why; or that one was made again. A window goes on with the map it has."""
        if error is not None:
            self.tell(Trouble(MAP, f"New images stand at provisional places: {error}"))
        elif self._fit_failed:
            self.tell(Trouble(MAP, ""))
        self._fit_failed = error is not None

    def drift(self, before: Map | None, after: Map | None) -> None:
        """Where a refit has come since: by how much it moved the images."""
        if before and after and before.kind == after.kind == FIT and after.fit > before.fit:
            self.tell(Said(f"a new map was fitted; the old images moved by {after.drift:.1%} of its radius"))

    def source_state(
        self, store: StoreReader, sources: Sequence[str], troubles: Mapping[str, str] | None = None
    ) -> str:
        """Where it is another than was told last; at first nobody has reason to think that a source is absent. Returns
        it (`IndexReport.source_state`).

        troubles: source in S3 -> why nothing more of it can be listed or read, as a sentence.
        """
        absences, troubles = store.absences(), troubles or {}
        known = {absence.path for absence in absences if absence.images}  # of the others nothing would be said
        lost = [Absence(source, "unreadable", 0) for source in troubles if source not in known]
        told = sentence(absences, troubles) or " ".join(_lost(source, each) for source, each in troubles.items())
        state = SourceState(source_state([*absences, *lost], sources), told)
        if state != self._source_state:
            self._source_state = state
            self.tell(state)
        return state.state

    def requests(self, requests: Requests, *, now: bool = False) -> None:
        """What was asked of S3 so far: at most every second, or `now` where it is another than was told last."""
        secs = time.monotonic()
        if requests != self._requests and (now or secs - self._requests_secs >= REQUESTS_EVERY_SECS):
            self._requests, self._requests_secs = requests, secs
            self.tell(requests)

    def watching(self, trouble: str) -> None:
        """Why changes are found late, empty where they are not; told where it is another than was told last."""
        if trouble != self._watching:
            self._watching = trouble
            self.tell(Trouble(WATCHING, trouble, retry=False))


def _lost(source: str, reason: str) -> str:
    """A sentence about a source of which nothing more can be read, and nothing that is shown is missing."""
    return f"{source} cannot be read: {reason}{'' if reason.endswith('.') else '.'} What was found is kept."
