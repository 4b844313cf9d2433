"""Search on a thread: the newest query is answered, one that waits is replaced."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from atlas_rt.core.answers import SearchAnswer
from atlas_rt.core.channels import Latest
from atlas_rt.core.images import LibraryPlace
from atlas_rt.core.runtime import ANYWHERE, Runtime
from atlas_rt.core.troubles import reason_of
from atlas_rt.encoders.encoder import TextEncoder
from atlas_rt.encoders.registry import Model
from atlas_rt.errors import AtlasError
from atlas_rt.workers.completions import Completer
from atlas_rt.workers.searcher import Query, Searcher
from atlas_rt.workers.text_search import TextSearch
from atlas_rt.workers.worker import Announce, State, Worker, unheard


class SearchWorker(Worker):
    """The search thread: owns the text session, which it opens at once so that the first phrase need not wait."""

    part = "search"
    lost = "Search does not work"

    def __init__(
        self, model: Model, place: LibraryPlace, *, runtime: Runtime = ANYWHERE, announce: Announce = unheard
    ) -> None:
        super().__init__(announce=announce)
        self._model = model
        self._place = place
        self._runtime = runtime
        self._queries: Latest[Query] = Latest()
        self._answers: Latest[SearchAnswer] = Latest()
        self._waiting: Query | None = None
        self.provider = ""
        self.start()

    def ask(self, query: Query) -> None:
        """Answer this one next; one that waits is replaced."""
        self._queries.put(query)
        if self.state is State.FAILED and self.error is not None:
            self._answers.put(_without_answer(query, reason_of(self.error)))

    def take(self) -> SearchAnswer | None:
        """The newest answer, or None; never waits."""
        return self._answers.take()

    def wake(self) -> None:
        self._queries.close()

    def work(self) -> None:
        texts = TextSearch(self._place, self._model.id)
        try:
            encoder = TextEncoder(self._model, runtime=self._runtime)
            self.provider = encoder.provider
            self._completer = Completer(texts, self._place.sources)
            searcher = Searcher(self._model, encoder, texts, cache=self._runtime.cache)
            if self._waiting is not None:
                self._queries.put_if_empty(self._waiting)
            while True:
                query, self._waiting = self._queries.wait(), None
                self._answers.put(self._answered(searcher, query))
                self.went_well()
        finally:
            texts.close()

    def failed(self, error: BaseException) -> None:
        """A query that waits for the session is told the reason now, and answered once there is one."""
        if (query := self._queries.take() or self._waiting) is not None:
            self._waiting = query
            self._answers.put(_without_answer(query, reason_of(error)))

    def _answered(self, searcher: Searcher, query: Query) -> SearchAnswer:
        try:
            answer = searcher.answer(query)
            if query.scene is None:
                return answer
            return replace(answer, completions=self._completer.completions(query.text, query.scene))
        except AtlasError as problem:  # of this one query
            return _without_answer(query, str(problem))
        except BaseException as problem:
            self._answers.put(_without_answer(query, reason_of(problem)))
            raise


def _without_answer(query: Query, error: str) -> SearchAnswer:
    lights = np.zeros(len(query.ids), np.float32)
    return SearchAnswer(query.text, query.ids, lights, (), 0.0, 0.0, error, picture=query.picture)
