"""What other programs are told: the records that REST and MCP write as JSON. Frozen.

Images are named by their ids. `path` is None unless the person allowed paths to be shown, and is then left out.
Without slots, in which the MCP SDK takes the members themselves for default values.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LibraryFacts:
    """A library as a whole. name: of its sources. kind: how the map was made. label_language: of labels and names in
    answers, as a code. notice: what a person should know, such as a drive that is not plugged in; empty for nothing."""

    name: str
    images: int
    clusters: int
    edges: int
    model: str
    dim: int
    generation: int
    kind: str
    label_language: str = "en"
    notice: str = ""


@dataclass(frozen=True)
class Found:
    """One result of a search. score: cosine similarity, 1 where fields alone were asked for. match: exact, strong, weak
    or none. why: by what it was found: name, folder, keyword, camera, date, text, label, meaning, or a field."""

    id: int
    score: float
    match: str
    why: list[str]
    path: str | None = None


@dataclass(frozen=True)
class TextReading:
    """A text as a dictionary reads it, which was searched for beside the text itself. language: its code. english: the
    whole text in English. words: pairs of what was sent and its English. unread: words that nobody knows."""

    language: str
    english: str
    words: list[list[str]]
    unread: list[str]


@dataclass(frozen=True)
class SearchResults:
    """The best images: those found as text, then by meaning. notices: sentences on what was not read as it was meant,
    or could not be answered. ms: milliseconds. reading: how the text was read in another language than English."""

    query: str
    model: str
    results: list[Found]
    notices: list[str]
    ms: dict[str, float]
    reading: TextReading | None = None


@dataclass(frozen=True)
class Near:
    """A neighbour. score: cosine similarity."""

    id: int
    score: float
    path: str | None = None


@dataclass(frozen=True)
class Neighbours:
    """The images nearest to one, nearest first, itself left out."""

    image: int
    results: list[Near]


@dataclass(frozen=True)
class ClusterFacts:
    """A group of images that stand together. name, why: in the person's language, and both in English. exemplars,
    borderline: ids. centre: world units."""

    id: int
    name: str
    why: str
    named_by: str
    size: int
    exemplars: list[int]
    borderline: list[int]
    centre: list[float]
    name_english: str
    why_english: str


@dataclass(frozen=True)
class SubclusterFacts:
    """Images of a cluster that stand closer to each other than to the rest of it. exemplars: ids."""

    id: int
    name: str
    size: int
    exemplars: list[int]
    name_english: str


@dataclass(frozen=True)
class ClusterMembers:
    """A cluster, the ids of all its images, ascending, and what it divides into, the largest first."""

    cluster: ClusterFacts
    images: list[int]
    subclusters: list[SubclusterFacts]


@dataclass(frozen=True)
class Word:
    """A word and how sure it is, or how much of a group it fits, 0 to 1. english: the
    same in English."""

    word: str
    share: float
    english: str


@dataclass(frozen=True)
class Explanation:
    """Why images stand together. explained_by: vocabulary or claude. evidence: ids of images that show it."""

    cluster: int
    name: str
    text: str
    words: list[Word]
    evidence: list[int]
    explained_by: str
    model: str = ""
    cost_usd: float = 0.0


@dataclass(frozen=True)
class ImageDetails:
    """One image. cluster: its id, -1 for none. position: world units. labels: everyday words with their confidence."""

    id: int
    width_px: int
    height_px: int
    cluster: int
    position: list[float]
    labels: list[Word]
    path: str | None = None


@dataclass(frozen=True)
class Embedding:
    """(dim,) unit length, in the space of the library's vectors."""

    model: str
    dim: int
    vector: list[float]


@dataclass(frozen=True)
class MapEdge:
    """Two neighbours and their cosine similarity."""

    source: int
    target: int
    weight: float


@dataclass(frozen=True)
class MapPlaces:
    """Where every image stands. ids, positions and clusters are in one order; positions in world units."""

    generation: int
    ids: list[int]
    positions: list[list[float]]
    clusters: list[int]
    edges: list[MapEdge]


@dataclass(frozen=True)
class Received:
    """An image that was sent. status: new or known. name: of its file. id: once it is in the library, null before."""

    status: str
    name: str
    id: int | None


@dataclass(frozen=True)
class Health:
    """status: ok. writer: this server, another process, or nobody: who adds new images now."""

    status: str
    images: int
    generation: int
    writer: str


@dataclass(frozen=True)
class Problem:
    """Why a request was not answered, in a sentence."""

    detail: str
