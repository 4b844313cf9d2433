"""Another model's map of the open library on its way, next to the one that is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from atlas_rt.core.images import LibraryPlace
from atlas_rt.encoders.registry import Model
from atlas_rt.workers.model_readiness import ReadinessLookout
from atlas_rt.workers.scenes import Arrival, SceneWorker
from atlas_rt.workers.search import SearchWorker
from atlas_rt.workers.worker import Announce, Worker

Readers = tuple[SceneWorker, SearchWorker]


class Succession:
    """What reads the library as the coming model sees it: nothing until its map is whole, then a thread that reads it
    and one that opens the search. Owned by the main thread; nothing in it waits."""

    def __init__(
        self, place: LibraryPlace, model: Model, *, readers: Callable[[Model], Readers], announce: Announce
    ) -> None:
        """readers: starts those of a model."""
        self.model = model
        self._make = readers
        self._lookout = ReadinessLookout(place, model.id, announce=announce)
        self._readers: Readers | None = None

    def arrival(self) -> Arrival | None:
        """The first scene of the coming model, once."""
        if self._readers is None and self._lookout.take():
            self._readers = self._make(self.model)
            self._readers[0].poke()
        return self._readers[0].take() if self._readers else None

    def speak(self, code: str) -> None:
        """In which language its scene comes."""
        if self._readers is not None:
            self._readers[0].speak(code)

    def take_over(self) -> Readers:
        """Its scene is shown now: who reads and searches from here on."""
        assert self._readers is not None
        readers, self._readers = self._readers, None
        self.close()
        return readers

    def workers(self) -> Iterator[Worker]:
        yield self._lookout
        yield from self._readers or ()

    def close(self, *, limit_secs: float = 0.0) -> None:
        """limit_secs: to wait for each thread; one that is busy ends when it is done."""
        for worker in self.workers():
            worker.close(limit_secs=limit_secs)
