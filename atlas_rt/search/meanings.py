"""What images score for a query that can be meant in several ways: of each image the way counts that fits it better.

A cosine says little by itself, since some phrases come near every picture and some near none. So each way is judged by
itself, and what is compared is how alike an image is by its own measure (`match_strength`). What no way makes strong is
not strong in all of them together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from atlas_rt.core.arrays import Floats, Ints
from atlas_rt.search import scoring
from atlas_rt.search.match_strength import Judge, QueryVector
from atlas_rt.search.vector_index import VectorIndex

BANDS = ("none", "weak", "strong")


@dataclass(frozen=True, slots=True)
class Meant:
    """What the images score for one way, (n,) each: cosines, -inf of what was not looked at, and what
    `scoring.lights` and `Judge.levels` make of them."""

    query: QueryVector
    scores: Floats
    lights: Floats
    levels: Floats


@dataclass(frozen=True, slots=True)
class Found:
    """The better way for each image. rank: (n,), the higher the better the match."""

    judge: Judge
    ways: tuple[Meant, ...]
    rank: Floats
    scores: Floats
    lights: Floats
    levels: Floats

    def bands(self, rows: Sequence[int]) -> list[str]:
        """ "strong", "weak" or "none" for each."""
        of_each = [self.judge.bands(way.query, way.scores[rows]) for way in self.ways]
        return [max(bands, key=BANDS.index) for bands in zip(*of_each, strict=True)]


def found(index: VectorIndex, judge: Judge, queries: Sequence[QueryVector], needed: Ints) -> Found:
    """queries: the ways, at least one. needed: rows whose scores are wanted in any case."""
    ways = tuple(_meant(index, judge, query, needed) for query in queries)
    first, *others = ways
    if not others:
        return Found(judge, ways, first.scores, first.scores, first.lights, first.levels)
    levels = np.stack([way.levels for way in ways])  # (ways, n)
    better = levels.argmax(axis=0)[None]
    scores = np.take_along_axis(np.stack([way.scores for way in ways]), better, axis=0)[0]
    lights = np.max([way.lights for way in ways], axis=0)
    best = levels.max(axis=0)
    return Found(judge, ways, best, scores, lights, best.copy())


def _meant(index: VectorIndex, judge: Judge, query: QueryVector, needed: Ints) -> Meant:
    scored = index.score(query.vector)
    scores = scored.scores
    unseen = needed[np.isneginf(scores[needed])]
    scores[unseen] = index.score_of(unseen, query.vector)
    return Meant(query, scores, scoring.lights(scores, scored.usual), judge.levels(query, scores))
