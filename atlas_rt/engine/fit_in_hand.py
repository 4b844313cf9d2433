"""The fit in hand, if there is one: begun with all that it needs, and taken from the process that makes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from atlas_rt.core.arrays import Floats, Ids, Ints
from atlas_rt.core.maps import Map
from atlas_rt.engine.fit_process import FitProcess, Waiting, sweep
from atlas_rt.engine.fitting import FitJob, Fitted
from atlas_rt.errors import FitError
from atlas_rt.library.store import StoreReader
from atlas_rt.search.labels import Vocabulary, wordless


@dataclass(frozen=True, slots=True)
class Begun:
    """What a fit was begun with: its images (ids, rows of their vectors), the map it goes on from, whether it is a
    refit, and whether it has words for clusters."""

    ids: Ids
    rows: Ints
    old: Map | None
    anchored: bool
    worded: bool


class FitInHand:
    """One fit at a time, of one library and one model. Owned by the engine's main thread."""

    def __init__(
        self,
        folder: Path,
        *,
        store: StoreReader,
        vectors_at: Callable[[Ints], Floats],
        vocabulary: Callable[[], Vocabulary],
        words_ready: Callable[[], bool],
        seed: int,
        threads: int,
    ) -> None:
        """The words as for `MapScheduler`."""
        sweep(folder)
        self._folder, self._store, self._vectors_at = folder, store, vectors_at
        self._vocabulary, self._words_ready = vocabulary, words_ready
        self._seed, self._threads = seed, threads
        self._process: FitProcess | None = None
        self.begun: Begun | None = None
        """None while no fit is made."""

    @property
    def started(self) -> bool:
        """Whether there is a process, warm or not."""
        return self._process is not None

    @property
    def warm(self) -> bool:
        """Whether a fit would begin at once, or never will; asked while none is made."""
        return self._process is not None and self._process.warm

    @property
    def share(self) -> float | None:
        """The share that is done, None while no fit is made."""
        return self._process.share if self._process is not None and self.begun is not None else None

    def start(self) -> FitProcess:
        """The process, started where it does not run yet."""
        if self._process is None:
            self._process = FitProcess(self._folder)
        return self._process

    def begin(
        self,
        ids: Ids,
        rows: Ints,
        *,
        old: Map | None,
        granularity: str,
        last: bool = True,
        anchored: bool = False,
        only_clusters: bool = False,
    ) -> None:
        """Begin a fit, where none is made. last: no other follows, so that it waits for the words."""
        process, vectors = self.start(), self._vectors_at(rows)
        job = FitJob(
            ids=ids,
            paths=self._store.paths_of(ids),
            vocabulary=self._vocabulary() if last or self._words_ready() else wordless(vectors.shape[1]),
            seed=self._seed,
            old=old,
            anchored=anchored,
            granularity=granularity,
            only_clusters=only_clusters,
            threads=self._threads,
        )
        process.begin(vectors, job)
        self.begun = Begun(ids, rows, old, anchored, worded=bool(job.vocabulary.words))

    def poll(self) -> tuple[Begun, Fitted] | None:
        """What the fit came to, None while it runs or where none is made. Raises FitError where it failed."""
        if self.begun is None or self._process is None:
            return None
        try:
            fitted = self._process.poll()
        except FitError:
            self.close()
            raise
        return self._done(fitted) if fitted is not None else None

    def wait(self, waiting: Waiting) -> tuple[Begun, Fitted]:
        """What the fit comes to, as `FitProcess.wait`."""
        try:
            fitted = self.start().wait(waiting)
        except FitError:
            self.begun = None
            raise
        return self._done(fitted)

    def _done(self, fitted: Fitted) -> tuple[Begun, Fitted]:
        assert self.begun is not None
        begun, self.begun = self.begun, None
        return begun, fitted

    def close(self) -> None:
        """End the process, whatever it does."""
        if self._process is not None:
            self._process.close()
            self._process = self.begun = None
