"""A query, read as text and as meaning -> every image's light and the best of them.

What is found as text comes before what is found by meaning. Fields alone list what fulfils them, the newest first.

A model that reads English only, or best, is asked twice where a dictionary reads the words: by what was typed, and by
its English. Each of the two is judged by itself, and of each image the better one counts.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from atlas_rt.core.answers import Match, Offer, QueryReading, SearchAnswer
from atlas_rt.core.arrays import Floats, Ids, Ints
from atlas_rt.core.query_picture import QueryPicture
from atlas_rt.core.rows import Mask, row_of
from atlas_rt.core.scene import Scene
from atlas_rt.core.visibility import LIGHT_TO
from atlas_rt.encoders.encoder import TextEncoder
from atlas_rt.encoders.registry import Model
from atlas_rt.errors import MissingError
from atlas_rt.search import meanings
from atlas_rt.search.dictionary import ENGLISH
from atlas_rt.search.english_words import is_english
from atlas_rt.search.fields import Reading, read
from atlas_rt.search.languages import gains_by_english, not_understood_words, reads_english_only, unread, words_of
from atlas_rt.search.match_strength import Background, Judge, QueryVector, load_background, pieces_of
from atlas_rt.search.query import Term, mixed, parse, sought, vector_of, vector_with, written
from atlas_rt.search.readings import Translated, dictionary_for, translated
from atlas_rt.search.vector_index import VectorIndex
from atlas_rt.workers.text_search import TextHits, TextSearch

RESULTS = 60
"""Results kept for the strip and for stepping through."""
TEXT_LIGHT = LIGHT_TO + 1.0
"""What was found as text shines with at least, in deviations above the median: fully."""


@dataclass(frozen=True, slots=True)
class Query:
    """A text as `search.fields` and `search.query` read it, over a scene's images. ids: the scene's own array, by which
    the answer is known to speak of it; vector_index: the vectors in its rows. scene: for its clusters; None where
    there is none. picture: that is searched by too, or alone where there is no text; it has been read. language: a code
    of `dictionary.languages`, in which words are read. as_typed: as they stand alone."""

    text: str
    ids: Ids
    vector_index: VectorIndex
    scene: Scene | None = None
    picture: QueryPicture | None = None
    within: Mask | None = None
    language: str = ENGLISH
    as_typed: bool = False


@dataclass(frozen=True, slots=True)
class _Asked:
    """A query that was read. passes: (n,) which images its fields let through, None for all."""

    query: Query
    reading: Reading
    passes: Mask | None
    notices: tuple[str, ...]
    top: int
    translated: Translated | None

    @property
    def told(self) -> QueryReading | None:
        """What a person is told of how their words were read."""
        reading = self.translated.reading if self.translated else None
        return replace(reading, undone=True) if reading and self.query.as_typed else reading

    @property
    def english(self) -> tuple[Term, ...]:
        """The terms in English, none where nothing was read as another word."""
        told = self.told
        return self.translated.terms if self.translated and told and not told.undone else ()

    @property
    def reasons(self) -> tuple[str, ...]:
        """By which fields every result was found."""
        fields = (condition.field for condition in self.reading.conditions if condition.wanted)
        return tuple(dict.fromkeys("camera" if name == "lens" else name for name in fields))

    @property
    def left_out(self) -> int:
        """The row of the image whose likes are looked for, -1 for none."""
        picture = self.query.picture
        row = None if picture is None or picture.listed else row_of(self.query.ids, picture.id)
        return -1 if row is None else row

    @property
    def among(self) -> Mask | None:
        """(n,) which images the results may be, None for all."""
        if self.passes is None or self.query.within is None:
            return self.query.within if self.passes is None else self.passes
        return self.passes & self.query.within

    def tiers(self, hits: TextHits | None, among: Mask | None) -> tuple[Ints, ...]:
        """The rows among (n,) some, None for all, by what comes first: those that have all words whole, those that have
        words which begin so, all others."""
        count = len(self.query.ids)
        passes = np.ones(count, np.bool_) if among is None else among
        no = np.zeros(count, np.bool_)
        whole, begun = (hits.whole & passes, hits.begun & passes) if hits else (no, no)
        return tuple(np.flatnonzero(tier).astype(np.int32) for tier in (whole, begun, passes & ~whole & ~begun))


class Searcher:
    """Answers queries. One thread at a time; what everyday words score among the images is found once per scene.

    texts: where words and fields are looked up; without it all is meaning. cache: the program's cache folder, where
    encoded words are kept; without it they are encoded again, in seconds.
    """

    def __init__(
        self, model: Model, encoder: TextEncoder, texts: TextSearch | None = None, *, cache: Path | None = None
    ) -> None:
        self.model = model
        self.texts = texts
        self._encoder = encoder
        self._cache = cache
        self._judge: tuple[VectorIndex, Judge] | None = None

    def answer(self, query: Query, *, top: int = RESULTS) -> SearchAnswer:
        """Every image's light, and the best `top` with their bands."""
        begun = time.perf_counter()
        asked = self._read(query, top)
        picture = query.picture.vector if query.picture else None
        if asked.reading.empty and picture is None:
            return self._listed(asked, begun)
        encoding = time.perf_counter()
        wanted = tuple(self._wanted(asked, picture))
        encode_ms = (time.perf_counter() - encoding) * 1000.0
        answer = self._ranked(asked, wanted)
        search_ms = (time.perf_counter() - begun) * 1000.0 - encode_ms
        return replace(answer, encode_ms=encode_ms, search_ms=search_ms, picture=query.picture, reading=asked.told)

    def _wanted(self, asked: _Asked, picture: Floats | None) -> Iterator[QueryVector]:
        """What is looked for, as typed and in English where that is something else."""
        if asked.reading.empty:
            assert picture is not None
            yield QueryVector(picture, None)
            return
        text = asked.reading.text
        encode = functools.cache(self._encoder.encode)  # the ways have terms in common
        for terms in self._ways(asked):
            whole = written(terms) if terms is asked.english else text
            words = mixed(terms, whole, encode, self.model.text.templates)
            if picture is not None:
                yield QueryVector(vector_with(picture, words), None)
            else:  # of words what is wanted is judged, signs and weights left out
                wanted = " ".join(term.phrase for term in terms if term.weight > 0.0)
                yield QueryVector(words, pieces_of(wanted, self._encoder))

    def _ways(self, asked: _Asked) -> Iterator[tuple[Term, ...]]:
        """As typed, unless no word of it is one that the model knows: what it makes of those is noise, in which the
        English went down from 55 to 52 % recall of names in 19 languages. And in English."""
        terms = tuple(self._with_unwanted_in_english(asked))
        words = [word for term in terms for word in words_of(term.phrase)]
        if not asked.english or any(map(self._is_english, words)):
            yield terms
        if asked.english and asked.english != terms:
            yield asked.english

    def _with_unwanted_in_english(self, asked: _Asked) -> Iterator[Term]:
        """The terms as typed, what is not wanted in English, too: of each image the better way counts, so what one way
        lets through would be found. What is no English at all is noise, and left out."""
        terms = parse(asked.reading.text)
        for term, english in zip(terms, asked.english or terms, strict=True):
            read = term.weight < 0.0 and term != english
            if not read or any(map(self._is_english, words_of(term.phrase))):
                yield term
            if read:
                yield english

    def readings_of(self, text: str, language: str = ENGLISH) -> tuple[QueryVector, ...]:
        """What is looked for where a person types a text: as it stands, and last, where that is something else, in
        English. language: as of `Query`."""
        nothing = VectorIndex(np.zeros((0, self.model.dim), np.float32))
        query = Query(text, np.zeros(0, np.int64), nothing, language=language)
        return tuple(self._wanted(self._read(query, 0), None))

    def vector_of(self, text: str) -> Floats:
        """The unit vector of what a person typed, its signs and weights heeded, its fields left out."""
        return self._vector_of(read(text).text)

    def _vector_of(self, text: str) -> Floats:
        return vector_of(text, self._encoder.encode, templates=self.model.text.templates)

    @functools.cached_property
    def _background(self) -> Background:
        """Not before a phrase comes: at a first start the engine is just encoding the same everyday words."""
        return load_background(self.model, self._encoder, self._cache)

    def _read(self, query: Query, top: int) -> _Asked:
        reading = read(query.text)
        translated, notices = self._translated(reading.text, query.language)
        notices = (*reading.notices, *notices)
        if self.texts is None or not reading.conditions:
            return _Asked(query, reading, None, notices, top, translated)
        passes, sentences = self.texts.passing(reading.conditions, query.ids, query.scene)
        return _Asked(query, reading, passes, (*notices, *sentences), top, translated)

    def _translated(self, text: str, language: str) -> tuple[Translated | None, tuple[str, ...]]:
        """A text as the dictionary reads it, and what there is to say of that; a search goes on without."""
        if not (text.strip() and gains_by_english(self.model.name)):
            return None, ()
        try:
            dictionary = dictionary_for(text, language)
            return None if dictionary is None else translated(text, dictionary, is_english=self._is_english), ()
        except MissingError as error:
            return None, (str(error),)

    def _is_english(self, word: str) -> bool:
        """Whether the search knows a word: the model has it as one piece, or it is in the lists of English ones. A
        model of English alone has other letters without their meaning."""
        if (word.isascii() or not reads_english_only(self.model.name)) and self._encoder.has_word(word):
            return True
        try:
            return is_english(word)
        except MissingError:  # one claims nothing of what cannot be looked up
            return True

    def _listed(self, asked: _Asked, begun: float) -> SearchAnswer:
        """The images that fields alone let through, the newest first; none where there are no fields either."""
        query, notices = asked.query, asked.notices
        lights = np.zeros(len(query.ids), np.float32)
        ids = query.ids[:0]
        if asked.passes is not None and self.texts is not None:
            lights[asked.passes] = TEXT_LIGHT
            ids = self.texts.newest(query.ids[asked.among])[: asked.top]
        elif query.text.strip():
            notices = (*notices, "There is nothing to look for: type a word, or a field such as camera:contax.")
        best = tuple(Match(id_, 1.0, "exact", asked.reasons) for id_ in ids.tolist())
        notices = (*notices, *self._remarks(asked, best, (), ()))
        search_ms = (time.perf_counter() - begun) * 1000.0
        answer = SearchAnswer(query.text, query.ids, lights, best, 0.0, search_ms, notices=self._with_trouble(notices))
        return replace(answer, language=query.language, as_typed=query.as_typed)

    def _ranked(self, asked: _Asked, wanted: Sequence[QueryVector]) -> SearchAnswer:
        """What was found as text, then by meaning."""
        query, hits = asked.query, self._hits(asked)
        tiers = asked.tiers(hits, asked.among)
        exact = np.concatenate(tiers[:2])
        needed = exact if asked.among is None else np.concatenate(tiers)
        found = meanings.found(query.vector_index, self._judge_of(query.vector_index), wanted, needed)
        best = [row for tier in tiers for row in tier[best_rows(found.rank[tier], asked.top + 1)].tolist()]
        best = [row for row in best if row != asked.left_out][: asked.top]
        lights, levels = found.lights, found.levels
        if asked.passes is not None:
            lights = np.where(asked.passes, lights, np.float32(0.0))
        lights[np.concatenate(asked.tiers(hits, asked.passes)[:2])] = max(TEXT_LIGHT, float(lights.max(initial=0.0)))
        bands = found.bands(best)
        levels[exact] = np.inf
        if asked.among is not None:
            levels[~asked.among] = -np.inf
        as_text = np.isin(best, exact).tolist()
        bands = ["exact" if is_exact else band for is_exact, band in zip(as_text, bands, strict=True)]
        offers = hits.offers if hits else ()
        matches = self._matches(asked, hits, found.scores[best], best, bands)
        matches = tuple(
            replace(match, level=level) for match, level in zip(matches, levels[best].tolist(), strict=True)
        )
        unknown = self._not_understood(asked, matches)
        remarks = self._remarks(asked, matches, offers, unknown)
        notices = self._with_trouble((*asked.notices, *remarks))
        answer = SearchAnswer(query.text, query.ids, lights, matches, 0.0, 0.0, notices=notices, offers=offers)
        return replace(answer, levels=levels, language=query.language, as_typed=query.as_typed, not_understood=unknown)

    def _hits(self, asked: _Asked) -> TextHits | None:
        if self.texts is None or asked.reading.empty or asked.query.picture:
            return None  # beside a picture words lead it elsewhere; what only has them in its name is not alike
        return self.texts.hits(asked.query.text, *sought(asked.reading.text), asked.query.ids)

    def _matches(
        self, asked: _Asked, hits: TextHits | None, scores: Floats, rows: list[int], bands: list[str]
    ) -> tuple[Match, ...]:
        """The results with why each was found. scores, bands: in the order of the rows."""
        ids = asked.query.ids[rows].tolist()
        found = self.texts.reasons(ids, hits) if self.texts and hits else {}
        matches = []
        for id_, score, band in zip(ids, scores.tolist(), bands, strict=True):
            words = found.get(id_, ())
            if band != "exact":
                words = (*words, "meaning")
            matches.append(Match(id_, score, band, tuple(dict.fromkeys((*words, *asked.reasons)))))
        return tuple(matches)

    def _not_understood(self, asked: _Asked, matches: Sequence[Match]) -> tuple[str, ...]:
        """The words, where neither the dictionary nor English knows any of them, and nothing sure was found."""
        if asked.reading.empty or _sure(matches) or not gains_by_english(self.model.name):
            return ()
        if asked.translated and asked.translated.knows and not asked.query.as_typed:
            return ()
        phrase = " ".join(term.phrase for term in parse(asked.reading.text) if term.weight > 0.0)
        words = words_of(phrase)
        return () if any(map(self._is_english, words)) else words

    def _remarks(
        self, asked: _Asked, matches: Sequence[Match], offers: Sequence[Offer], not_understood: Sequence[str]
    ) -> Iterator[str]:
        """What a person should know of the answer."""
        for offer in offers:
            yield f"{offer.says} {offer.images:,} of {len(asked.query.ids):,} images; as a filter: {offer.filter}"
        if not matches and asked.query.within is not None:
            yield "Nothing matches among what the filters let through."
        text = asked.reading.text
        if asked.reading.empty:
            return
        phrase = " ".join(term.phrase for term in parse(text))
        knows = asked.translated is not None and asked.translated.knows
        said = "" if knows else unread(phrase, self.model.name, sure=_sure(matches), language=asked.query.language)
        if not_understood:
            helped = bool(said) or asked.told is not None  # to take the reading back was the person's own wish
            yield not_understood_words(not_understood, "" if helped else self.model.name)
        if said:
            yield said
        if not self._encoder.reads_whole(phrase):
            tokens = self.model.text.context_length
            yield f"The model {self.model.name} reads {tokens} pieces of words; the end of the text was not read."

    def _with_trouble(self, notices: tuple[str, ...]) -> tuple[str, ...]:
        if self.texts is None:
            return notices
        if self.texts.trouble:
            return (*notices, self.texts.trouble)
        if pending := self.texts.pending:
            return (
                *notices,
                f"The names and words of {pending:,} images are not in the index yet; the engine adds them.",
            )
        return notices

    def _judge_of(self, vector_index: VectorIndex) -> Judge:
        if self._judge is None or self._judge[0] is not vector_index:
            before = self._judge[1] if self._judge else None
            self._judge = vector_index, Judge(vector_index, self._background, self.model.calibration, before=before)
        return self._judge[1]


def _sure(matches: Sequence[Match]) -> bool:
    return any(match.band in ("exact", "strong") for match in matches)


def best_rows(scores: Floats, top: int) -> list[int]:
    """Rows of the best scores, best first, the earlier row first where they are equal; none of -inf."""
    seen = np.flatnonzero(np.isfinite(scores))  # among very many of -inf, to part them would take 0.1 s
    top = min(top, len(seen))
    if top <= 0:
        return []
    scores = scores[seen]
    candidates = np.flatnonzero(scores >= np.partition(scores, -top)[-top])
    order = np.lexsort((candidates, -scores[candidates]))
    return [int(row) for row in seen[candidates[order][:top]]]
