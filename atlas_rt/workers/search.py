"""Search by meaning on a thread: the newest phrase -> every image's light and the best of them."""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from atlas_rt.core.answers import Match, SearchAnswer
from atlas_rt.core.arrays import Floats, Ids
from atlas_rt.core.channels import Latest
from atlas_rt.core.images import LibraryPlace
from atlas_rt.core.runtime import ANYWHERE, Runtime
from atlas_rt.core.troubles import reason_of
from atlas_rt.encoders.encoder import TextEncoder
from atlas_rt.encoders.registry import Model
from atlas_rt.errors import AtlasError
from atlas_rt.search import scoring
from atlas_rt.search.match_strength import Background, Judge, QueryVector, load_background, pieces_of
from atlas_rt.search.query import parse, split, vector_of
from atlas_rt.search.vector_index import VectorIndex
from atlas_rt.workers.labelled import LabelIndex
from atlas_rt.workers.worker import Announce, State, Worker, unheard

RESULTS = 60
"""Results kept for the strip and for stepping through."""


@dataclass(frozen=True, slots=True)
class Query:
    """A text as `search.query` reads it, over a scene's images. ids: the scene's own array, by which the answer is
    known to speak of it; vector_index: the vectors in its rows."""

    text: str
    ids: Ids
    vector_index: VectorIndex


class Searcher:
    """Answers phrases. One thread at a time; what everyday words score among the images is found once per scene.

    labels: where `label:` terms are looked up; without it they are no terms. cache: the program's cache folder, where
    encoded words are kept; without it they are encoded again, in seconds.
    """

    def __init__(
        self, model: Model, encoder: TextEncoder, labels: LabelIndex | None = None, *, cache: Path | None = None
    ) -> None:
        self._model = model
        self._labels = labels
        self._encoder = encoder
        self._cache = cache
        self._judge: tuple[VectorIndex, Judge] | None = None

    def answer(self, query: Query, *, top: int = RESULTS) -> SearchAnswer:
        """Every image's light, and the best `top` with their bands."""
        begun = time.perf_counter()
        vector = self.vector_of(query.text)
        encode_ms = (time.perf_counter() - begun) * 1000.0
        return self.answer_vector(query, vector, said=query.text, top=top, encode_ms=encode_ms)

    @functools.cached_property
    def _background(self) -> Background:
        """Not before a phrase comes: at a first start the engine is just encoding the same everyday words."""
        return load_background(self._model, self._encoder, self._cache)

    def vector_of(self, text: str) -> Floats:
        """The unit vector of what a person typed, its signs and weights heeded."""
        return vector_of(text, self._encoder.encode, templates=self._model.text.templates)

    def answer_vector(
        self, query: Query, vector: Floats, *, said: str | None, top: int, encode_ms: float
    ) -> SearchAnswer:
        """The same for a vector that is there already. said: the text it was made of, None where an image is in it."""
        begun = time.perf_counter()
        scored = query.vector_index.score(vector)
        scores, judge = scored.scores, self._judge_of(query.vector_index)
        lights, rows = scoring.lights(scores, scored.usual), np.arange(len(scores), dtype=np.int32)
        sentence, least = "", "none"
        phrase, wanted = split(query.text)
        if wanted and self._labels:
            passes, sentence = self._labels.among(wanted, query.ids)
            rows = np.flatnonzero(passes).astype(np.int32)
            unseen = rows[np.isneginf(scores[rows])]
            scores[unseen] = query.vector_index.score_of(unseen, vector)
            lights = np.where(passes, scoring.lights(scores, scored.usual), np.float32(0.0))
            least = "weak" if phrase == " ".join(wanted.having) else "none"  # to have the label is all that is asked
        best = rows[_best_rows(scores[rows], top)].tolist()
        bands = judge.bands(QueryVector(vector, None if said is None else self._pieces(said)), scores[best])
        matches = tuple(
            Match(int(query.ids[row]), float(scores[row]), least if band == "none" else band)
            for row, band in zip(best, bands, strict=True)
        )
        return SearchAnswer(
            query=query.text,
            ids=query.ids,
            lights=lights,
            best=matches,
            encode_ms=encode_ms,
            search_ms=(time.perf_counter() - begun) * 1000.0,
            error=sentence,
        )

    def _judge_of(self, vector_index: VectorIndex) -> Judge:
        if self._judge is None or self._judge[0] is not vector_index:
            before = self._judge[1] if self._judge else None
            self._judge = vector_index, Judge(vector_index, self._background, self._model.calibration, before=before)
        return self._judge[1]

    def _pieces(self, text: str) -> float:
        """Of what is wanted; signs, weights and labels left out."""
        text, _ = split(text.encode("utf-8", "replace").decode())
        return pieces_of(" ".join(term.phrase for term in parse(text) if term.weight > 0.0), self._encoder)


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
        labels = LabelIndex(self._place, self._model.id)
        try:
            encoder = TextEncoder(self._model, runtime=self._runtime)
            self.provider = encoder.provider
            searcher = Searcher(self._model, encoder, labels, cache=self._runtime.cache)
            if self._waiting is not None:
                self._queries.put_if_empty(self._waiting)
            while True:
                query, self._waiting = self._queries.wait(), None
                self._answers.put(self._answered(searcher, query))
                self.went_well()
        finally:
            labels.close()

    def failed(self, error: BaseException) -> None:
        """A query that waits for the session is told the reason now, and answered once there is one."""
        if (query := self._queries.take() or self._waiting) is not None:
            self._waiting = query
            self._answers.put(_without_answer(query, reason_of(error)))

    def _answered(self, searcher: Searcher, query: Query) -> SearchAnswer:
        try:
            return searcher.answer(query)
        except AtlasError as problem:  # of this one query
            return _without_answer(query, str(problem))
        except BaseException as problem:
            self._answers.put(_without_answer(query, reason_of(problem)))
            raise


def _best_rows(scores: Floats, top: int) -> list[int]:
    """Rows of the best scores, best first, the earlier row first where they are equal; none of -inf."""
    seen = np.flatnonzero(np.isfinite(scores))  # among very many of -inf, to part them would take 0.1 s
    top = min(top, len(seen))
    if top <= 0:
        return []
    scores = scores[seen]
    candidates = np.flatnonzero(scores >= np.partition(scores, -top)[-top])
    order = np.lexsort((candidates, -scores[candidates]))
    return [int(row) for row in seen[candidates[order][:top]]]


def _without_answer(query: Query, error: str) -> SearchAnswer:
    return SearchAnswer(query.text, query.ids, np.zeros(len(query.ids), np.float32), (), 0.0, 0.0, error)
