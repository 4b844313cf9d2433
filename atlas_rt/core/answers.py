"""What the threads of a window answer: the result of a search, the place of the camera's picture. Frozen."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from atlas_rt.core.arrays import Bytes, Floats, Ids
from atlas_rt.core.query_picture import QueryPicture


@dataclass(frozen=True, slots=True)
class Match:
    """One result of a search. band: "exact" for what was found as text or by fields alone, else "strong", "weak" or
    "none". why: by what it was found, such as "name", "keyword", "meaning". level: how alike, as `SearchAnswer.levels`
    counts."""

    id: int
    score: float
    band: str
    why: tuple[str, ...] = ()
    level: float = math.inf


@dataclass(frozen=True, slots=True)
class Offer:
    """A filter in place of a word that most of a library shares. says: the beginning of a sentence on that. query: the
    whole query with the filter. images: how many it lets through."""

    filter: str
    says: str
    query: str
    images: int


@dataclass(frozen=True, slots=True)
class Completion:
    """How what is typed may go on. shown: the field as it would stand. query: the whole query with it."""

    shown: str
    query: str


@dataclass(frozen=True, slots=True)
class QueryReading:
    """What was typed, as a dictionary reads it in English; searched for beside what was typed.

    language: its code. english: the whole text in English, signs and weights as they were. words: (what was typed, its
    English). unread: words that neither the dictionary nor English knows. undone: the person wants what they typed
    alone, so it was not searched for.
    """

    language: str
    english: str
    words: tuple[tuple[str, str], ...]
    unread: tuple[str, ...] = ()
    undone: bool = False


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """Every image's score for one query.

    picture: what was searched by besides the words. ids: the very array of the scene it was asked for, whose rows it
    speaks of. lights: (n,) float32, deviations above the library's median; what was found as text shines fully. best:
    the ranked list's head, exact before meaning. notices: sentences on what was not read as it was meant. offers:
    filters that would help. completions: how the end of the query may go on. levels: (n,) float32, how alike each image
    is: 0 where a weak match begins, 1 where a strong one does, whatever the model; inf for what was found as text, -inf
    for what cannot match; (0,) where all that is listed is exact. matching: how many images match closely enough, -1
    where nobody counted. error: why the query could not be answered, empty when it was. language: in which
    the words were read. reading: what that gave, None where it changes nothing. as_typed: the person wanted no reading.
    not_understood: the words, where the search knows none of them and found nothing sure; the notices say so.
    """

    query: str
    ids: Ids
    lights: Floats
    best: tuple[Match, ...]
    encode_ms: float
    search_ms: float
    error: str = ""
    notices: tuple[str, ...] = ()
    offers: tuple[Offer, ...] = ()
    completions: tuple[Completion, ...] = ()
    picture: QueryPicture | None = None
    levels: Floats = field(default_factory=lambda: np.zeros(0, np.float32))
    matching: int = -1
    language: str = ""
    reading: QueryReading | None = None
    as_typed: bool = False
    not_understood: tuple[str, ...] = ()

    @property
    def asked(self) -> str:
        """What was asked for, as part of a sentence."""
        words = f"“{self.query}”" if self.query.strip() else ""
        return " and ".join(part for part in (self.picture.name if self.picture else "", words) if part)


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
