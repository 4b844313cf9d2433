"""Search by meaning on a thread: the newest phrase -> every image's light and the best of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from atlas_rt.core.records import Floats, Ids

RESULTS = 60
"""Results kept for the strip and for stepping through."""

TextEncode = Callable[[str], Floats]
Judged = Callable[[Floats, Floats], tuple[Floats, tuple[str, ...]]]


@dataclass(frozen=True, slots=True)
class Query:
    """A phrase over a scene's images. vectors: (n, dim) float32 in the rows of `ids`."""

    text: str
    ids: Ids
    vectors: Floats
    generation: int
