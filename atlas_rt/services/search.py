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
from atlas_rt.ml.registry import Model

RESULTS = 60
"""Results kept for the strip and for stepping through."""


@dataclass(frozen=True, slots=True)
class Query:
    """A phrase over a scene's images. vectors: (n, dim) float32 in the rows of `ids`."""

    text: str
    ids: Ids
    vectors: Floats
    generation: int


class Searcher:
    """Answers phrases. One thread at a time."""

    def __init__(self, model: Model, encoder: TextEncoder) -> None:
        self._encoder = encoder
        self._judge = scoring.Judge(model, encoder)

    def answer(self, query: Query, *, top: int = RESULTS) -> SearchAnswer:
        """Every image's light, and the best `top` with their bands."""
        begun = time.perf_counter()
        vector = self._encoder.encode(query.text)
        encoded = time.perf_counter()
        return self.answer_vector(query, vector, top=top, begun=begun, encoded=encoded)
