"""What the threads of a window answer: the result of a search, the place of the camera's picture. Frozen."""

from __future__ import annotations

from dataclasses import dataclass

from atlas_rt.core.arrays import Bytes, Floats, Ids


@dataclass(frozen=True, slots=True)
class Match:
    """One result of a search. band: "strong", "weak" or "none"."""

    id: int
    score: float
    band: str


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """Every image's score for one query.

    ids: the very array of the scene it was asked for, whose rows it speaks of. lights: (n,) float32, deviations above
    the library's median. best: the ranked list's head. error: why the query could not be answered, empty when it was.
    """

    query: str
    ids: Ids
    lights: Floats
    best: tuple[Match, ...]
    encode_ms: float
    search_ms: float
    error: str = ""


@dataclass(frozen=True, slots=True)
class LiveFix:
    """Where the camera's newest picture belongs.

    neighbours: image ids, nearest first. picture: (h, w, 3) uint8 RGB preview. fps: fixes a second. error: why there
    is none (position and neighbours are then empty).
    """

    position: Floats
    uncertainty: float
    neighbours: tuple[int, ...]
    similarities: Floats
    picture: Bytes
    fps: float
    error: str = ""
