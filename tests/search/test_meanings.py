"""A query that can be meant in several ways: of each image the way that fits it better."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from atlas_rt.core.arrays import Floats
from atlas_rt.encoders.encoder import TextEncoder
from atlas_rt.encoders.registry import Model
from atlas_rt.search.match_strength import Judge, QueryVector, load_background, pieces_of
from atlas_rt.search.meanings import found
from atlas_rt.search.scoring import lights, score
from atlas_rt.search.vector_index import Scored, VectorIndex

NONE = np.zeros(0, np.int32)


class HalfLooked(VectorIndex):
    """Of which a search looks at the first half, as one with an index does."""

    def score(self, vector: Floats) -> Scored:
        scored = super().score(vector)
        scored.scores[len(self) // 2 :] = -np.inf
        return scored


@pytest.fixture(scope="module")
def judge(model: Model, text: TextEncoder, vectors: Floats, encoded_words: Path) -> Judge:
    return Judge(VectorIndex(vectors), load_background(model, text, encoded_words.parent), model.calibration)


def queries(text: TextEncoder, *phrases: str) -> list[QueryVector]:
    return [QueryVector(text.encode(phrase), pieces_of(phrase, text)) for phrase in phrases]


def test_one_meaning_is_what_it_was_alone(judge: Judge, vectors: Floats, text: TextEncoder) -> None:
    (query,) = queries(text, "guitar")
    alone = found(VectorIndex(vectors), judge, [query], NONE)
    scores = score(vectors, query.vector)
    assert np.array_equal(alone.scores, scores)
    assert np.array_equal(alone.rank, scores)
    assert np.array_equal(alone.lights, lights(scores))
    assert alone.bands(range(len(scores))) == judge.bands(query, scores)


def test_of_each_image_the_better_meaning_counts(judge: Judge, vectors: Floats, text: TextEncoder) -> None:
    asked, index = queries(text, "guitar", "a tiger"), VectorIndex(vectors)
    both, each = found(index, judge, asked, NONE), [found(index, judge, [query], NONE) for query in asked]
    assert np.array_equal(both.levels, np.maximum(each[0].levels, each[1].levels))
    assert np.array_equal(both.lights, np.maximum(each[0].lights, each[1].lights))
    order = np.argsort(-both.rank, kind="stable")
    assert (np.diff(both.scores[order]) <= 1e-6).all()  # one scale for both
    main = each[int(each[1].levels.max() > each[0].levels.max())]
    own = both.levels == main.levels
    assert 0 < np.count_nonzero(own) < len(own)
    assert np.array_equal(both.scores[own], main.scores[own])
    rows = range(len(vectors))
    better = [
        max(bands, key=["none", "weak", "strong"].index) for bands in zip(*(e.bands(rows) for e in each), strict=True)
    ]
    assert both.bands(rows) == better


def test_what_no_meaning_makes_strong_is_not_strong_in_both(judge: Judge, vectors: Floats, text: TextEncoder) -> None:
    bands = found(VectorIndex(vectors), judge, queries(text, "zorfle quimble", "blavex"), NONE).bands(
        range(len(vectors))
    )
    assert "strong" not in bands


def test_what_was_not_looked_at_is_last_unless_it_is_needed(judge: Judge, vectors: Floats, text: TextEncoder) -> None:
    asked, half = queries(text, "guitar", "a tiger"), len(vectors) // 2
    needed = np.array([len(vectors) - 1], np.int32)
    some = found(HalfLooked(vectors), judge, asked, needed)
    assert np.isneginf(some.scores[half:-1]).all()
    whole = found(VectorIndex(vectors), judge, asked, NONE)
    assert np.isclose(some.levels[-1], whole.levels[-1], atol=1e-5)
