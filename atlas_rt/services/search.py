"""Search by meaning on a thread: the newest phrase -> every image's light and the best of them."""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import dataclass

import numpy as np

from atlas_rt.core.channels import Closed, Latest
from atlas_rt.core.records import Floats, Ids, Match, SearchAnswer
from atlas_rt.errors import AtlasError
from atlas_rt.ml import scoring
from atlas_rt.ml.encoder import TextEncoder
from atlas_rt.ml.query import vector_of
from atlas_rt.ml.registry import Model

RESULTS = 60
"""Results kept for the strip and for stepping through."""


@dataclass(frozen=True, slots=True)
class Query:
    """A text as `ml.query` reads it, over a scene's images. vectors: (n, dim) float32 in the rows of `ids`."""

    text: str
    ids: Ids
    vectors: Floats
    generation: int


class Searcher:
    """Answers phrases. One thread at a time; what neutral phrases score among the images is found once per scene."""

    def __init__(self, model: Model, encoder: TextEncoder) -> None:
        self._model = model
        self._encoder = encoder
        self._neutral = np.stack([encoder.encode(phrase) for phrase in scoring.NEUTRAL_PHRASES])
        self._judge: tuple[Floats, scoring.Judge] | None = None

    def answer(self, query: Query, *, top: int = RESULTS) -> SearchAnswer:
        """Every image's light, and the best `top` with their bands."""
        begun = time.perf_counter()
        vector = self.vector_of(query.text)
        return self.answer_vector(query, vector, top=top, encode_ms=(time.perf_counter() - begun) * 1000.0)

    def vector_of(self, text: str) -> Floats:
        """The unit vector of what a person typed, its signs and weights heeded."""
        return vector_of(text, self._encoder.encode)

    def answer_vector(self, query: Query, vector: Floats, *, top: int, encode_ms: float) -> SearchAnswer:
        """The same for a vector that is there already: an image's, or a mixture."""
        begun = time.perf_counter()
        scores = scoring.score(query.vectors, vector)
        judge = self._judge_of(query.vectors)
        best = _best_rows(scores, top)
        matches = tuple(Match(int(query.ids[row]), float(scores[row]), judge.band(float(scores[row]))) for row in best)
        return SearchAnswer(
            query=query.text,
            generation=query.generation,
            lights=scoring.lights(scores),
            best=matches,
            encode_ms=encode_ms,
            search_ms=(time.perf_counter() - begun) * 1000.0,
        )

    def _judge_of(self, vectors: Floats) -> scoring.Judge:
        if self._judge is None or self._judge[0] is not vectors:
            self._judge = vectors, scoring.Judge(vectors, self._neutral, self._model.calibration)
        return self._judge[1]


class SearchService:
    """The search thread: owns the text session, which it opens at once so that the first phrase need not wait."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._queries: Latest[Query] = Latest()
        self._answers: Latest[SearchAnswer] = Latest()
        self.provider = ""
        self._thread = threading.Thread(target=self._run, name="search", daemon=True)
        self._thread.start()

    def ask(self, query: Query) -> None:
        """Answer this one next; one that waits is replaced."""
        self._queries.put(query)

    def take(self) -> SearchAnswer | None:
        """The newest answer, or None; never waits."""
        return self._answers.take()

    def close(self) -> None:
        self._queries.close()
        self._thread.join(timeout=3.0)

    def _run(self) -> None:
        error, searcher = "", None
        try:
            encoder = TextEncoder(self._model)
            self.provider = encoder.provider
            searcher = Searcher(self._model, encoder)
        except AtlasError as problem:
            error = str(problem)
        with contextlib.suppress(Closed):
            while True:
                query = self._queries.wait()
                self._answers.put(searcher.answer(query) if searcher else _without_answer(query, error))


def _best_rows(scores: Floats, top: int) -> list[int]:
    """Rows of the best scores, best first, the earlier row first where they are equal."""
    top = min(top, len(scores))
    if top <= 0:
        return []
    candidates = np.flatnonzero(scores >= np.partition(scores, -top)[-top])
    order = np.lexsort((candidates, -scores[candidates]))
    return [int(row) for row in candidates[order][:top]]


def _without_answer(query: Query, error: str) -> SearchAnswer:
    return SearchAnswer(query.text, query.generation, np.zeros(len(query.ids), np.float32), (), 0.0, 0.0, error)
