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
    """The better way for each image. rank: (n,), the higher the better the match. scores: (n,) cosines of the way that
    finds the best image of all; where another way is better, what would be as much alike for that one."""

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
    best = levels.max(axis=0)
    main = ways[int(levels.max(axis=1, initial=-np.inf).argmax())]
    scores = np.where(main.levels == best, main.scores, _scores_at(judge, main.query, best))
    return Found(judge, ways, best, scores, np.max([way.lights for way in ways], axis=0), best.copy())


def _scores_at(judge: Judge, query: QueryVector, levels: Floats) -> Floats:
    """What an image would have to score for a query to be so much alike: scores that can be compared."""
    low, high = judge.levels(query, np.array([0.0, 1.0], np.float32)).tolist()
    scores: Floats = (levels - np.float32(low)) / np.float32(high - low)
    return scores


def _meant(index: VectorIndex, judge: Judge, query: QueryVector, needed: Ints) -> Meant:
    scored = index.score(query.vector)
    scores = scored.scores
    unseen = needed[np.isneginf(scores[needed])]
    scores[unseen] = index.score_of(unseen, query.vector)
    return Meant(query, scores, scoring.lights(scores, scored.usual), judge.levels(query, scores))
