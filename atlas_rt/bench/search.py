"""From a typed phrase to every image's light and the ranked list, through the same `Searcher` as the window's.

Tokenizing and encoding are the model's own. Where its vectors have fewer dimensions than the images made for the
measurement, a phrase's vector is filled up with zeros: what is scored then is noise, and takes as long.

First meaning alone, then the whole box: the same phrases, and queries by names, keywords, cameras and fields, read as
text too in a library of as many images.
"""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from atlas_rt.bench.made_library import make_library
from atlas_rt.bench.report import Bar, BenchReport, quantiles
from atlas_rt.bench.scene import made_vectors
from atlas_rt.core.arrays import Floats, Ids
from atlas_rt.core.images import LibraryPlace
from atlas_rt.core.runtime import Runtime
from atlas_rt.encoders.encoder import TextEncoder
from atlas_rt.encoders.registry import Model
from atlas_rt.search.vector_index import VectorIndex
from atlas_rt.workers.searcher import Query, Searcher
from atlas_rt.workers.text_search import TextSearch

IMAGES, DIM = 100_000, 512
WHOLE_MS, SCORING_MS = 50.0, 10.0
WORDS = (
    *(
        "apple",
        "bridge",
        "castle",
        "dog",
        "eagle",
        "forest",
        "guitar",
        "harbour",
        "island",
        "jacket",
        "kitchen",
        "lamp",
    ),
    *("mountain", "night sky", "orange car", "piano", "queue of people", "rose", "sailing boat", "train", "umbrella"),
    *("violin", "window", "yellow flower", "zebra"),
)
PHRASES = (*WORDS, *(f"a photograph of a {word} in the rain, seen from above" for word in WORDS))
"""Fifty, half of them short and half of them long."""


TEXTS = (
    *("IMG_00042", "0042", "holiday", "lisbon/IMG_0", "grandma", "garden party", "contax", "canon", "iphone 12"),
    *("2014 beach", "june dog", "zebra grandma", "wedd", "zxqv", "img", "camera:nikon dog", "folder:alps -label:dog"),
    *("date:2010..2012 rating:<3", "type:jpg size:>11mp", "label:guitar folder:2003", "a dog -grandma"),
)
"""Queries that are answered by text, or by fields, alone or with meaning; some have no answer, some nearly all."""


@dataclass(frozen=True, slots=True)
class Searched:
    """A real library that is searched. ids: of the images whose vectors the index holds, in its rows."""

    vector_index: VectorIndex
    ids: Ids
    place: LibraryPlace


def measure(
    model: Model, *, runtime: Runtime, library: Searched | None = None, images: int = IMAGES, dim: int = DIM
) -> BenchReport:
    """library: a real one; so many clustered vectors of our own otherwise, of `dim` dimensions or the model's where it
    has more, and words that are made. Widened phrases are encoded again each time, in some seconds before the
    measurement.
    """
    vector_index = library.vector_index if library else VectorIndex(made_vectors(images, max(dim, model.dim)))
    ids = library.ids if library else np.arange(1, len(vector_index) + 1, dtype=np.int64)
    encoder = WidenedEncoder(model, dim=vector_index.dim, runtime=runtime)
    kept = runtime.cache if vector_index.dim == model.dim else None  # widened vectors are nobody else's
    searcher = Searcher(model, encoder, cache=kept)
    # what everyday words score is found once per library
    first_ms = _answered(searcher, "picture", ids, vector_index)[0]
    times = np.array([_answered(searcher, phrase, ids, vector_index) for phrase in PHRASES])
    whole, encode, scoring = times.T
    box = _whole_box(searcher, vector_index, ids, library.place if library else None)
    slowest = sorted(box, key=lambda text: -box[text])[:5]
    raw = {
        "images": len(vector_index),
        "dimensions": vector_index.dim,
        "model": f"{model.name}, {model.dim} dimensions, on {encoder.provider}",
        "phrases": len(PHRASES),
        "whole_ms": quantiles(whole.tolist()),
        "tokenize_and_encode_ms": quantiles(encode.tolist()),
        "score_and_rank_ms": quantiles(scoring.tolist()),
        "first_ms": round(first_ms, 3),
        "queries_of_the_whole_box": len(box),
        "whole_box_ms": quantiles(list(box.values())),
        "whole_box_of_texts_ms": quantiles([box[text] for text in TEXTS]),
        "slowest": {text: round(box[text], 3) for text in slowest},
    }
    bars = (
        Bar("search", float(np.median(whole)), "ms from a phrase to the ranked list", "at most", WHOLE_MS),
        Bar("search, scoring", float(np.median(scoring)), "ms to score and rank", "at most", SCORING_MS),
        Bar(
            "search, whole box",
            float(np.median(list(box.values()))),
            "ms from a query to the list, read as text and as meaning",
            "at most",
            WHOLE_MS,
        ),
    )
    return BenchReport(bars, raw)


def _whole_box(searcher: Searcher, vector_index: VectorIndex, ids: Ids, place: LibraryPlace | None) -> dict[str, float]:
    """Query -> milliseconds, read as text too. place: of a real library, None for a made one."""
    model = searcher.model
    with tempfile.TemporaryDirectory() as folder:
        place = place or make_library(Path(folder), len(ids), words=WORDS, model=model.id)
        with contextlib.closing(TextSearch(place, model.id)) as texts:
            searcher.texts = texts
            _answered(searcher, "picture", ids, vector_index)
            return {text: _answered(searcher, text, ids, vector_index)[0] for text in (*PHRASES, *TEXTS)}


def _answered(searcher: Searcher, text: str, ids: Ids, vector_index: VectorIndex) -> tuple[float, float, float]:
    """Milliseconds of one search: all of it, encoding, scoring."""
    begun = time.perf_counter()
    answer = searcher.answer(Query(text, ids, vector_index))
    return (time.perf_counter() - begun) * 1000.0, answer.encode_ms, answer.search_ms


class WidenedEncoder(TextEncoder):
    """A model's text tower whose vectors are filled up with zeros to `dim`."""

    def __init__(self, model: Model, *, dim: int, runtime: Runtime) -> None:
        super().__init__(model, runtime=runtime)
        self._dim = dim

    def encode_all(self, phrases: Sequence[str]) -> Floats:
        vectors = super().encode_all(phrases)
        return np.pad(vectors, ((0, 0), (0, self._dim - vectors.shape[1])))
