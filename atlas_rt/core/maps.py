"""Where images stand: a published map, its clusters, and the place of an image outside of it. Frozen.

Rows: every per-image array has the same order, ascending by id; `core.rows` finds a row. World units: 95 % of the
images lie within the unit sphere around the origin.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.arrays import Floats, Ids, Ints


@dataclass(frozen=True, slots=True)
class Cluster:
    """A group of images that stand together.

    named_by: "vocabulary", "claude", "user" or "exemplar". exemplars, borderline: image ids, best first.
    centre: (3,) mean position, world units. stored: name and reason as they are stored, where these are shown in
    another language (`core.spoken_scene`).
    """

    id: int
    name: str
    why: str
    named_by: str
    size: int
    exemplars: tuple[int, ...]
    borderline: tuple[int, ...]
    centre: tuple[float, float, float]
    stored: tuple[str, str] | None = None

    @property
    def english(self) -> tuple[str, str]:
        """Name and reason as they are stored: the vocabulary's are English."""
        return self.stored or (self.name, self.why)


@dataclass(frozen=True, slots=True)
class Subcluster:
    """Images of one cluster that stand closer to each other than to the rest of it.

    parent: the id of that cluster. named_by: "vocabulary" or "exemplar". words: those that tell it from the other
    subclusters of its cluster, best first. exemplars: image ids, the most typical first. stored: name and words as
    they are stored, where these are shown in another language.
    """

    id: int
    parent: int
    name: str
    named_by: str
    words: tuple[str, ...]
    size: int
    exemplars: tuple[int, ...]
    stored: tuple[str, tuple[str, ...]] | None = None

    @property
    def english(self) -> tuple[str, tuple[str, ...]]:
        """Name and words as they are stored."""
        return self.stored or (self.name, self.words)


def subclusters_of(cluster: int, records: Iterable[Subcluster]) -> tuple[Subcluster, ...]:
    """What a cluster divides into, the largest first. A single image that is left of a subcluster is none, and one
    subcluster alone divides nothing."""
    parts = sorted((each for each in records if each.parent == cluster and each.size > 1), key=lambda each: -each.size)
    return tuple(parts) if len(parts) > 1 else ()


@dataclass(frozen=True, slots=True)
class Map:
    """Where every image stands. A new map is a new object, and a published one is never written to again.

    ids: (n,) int64 ascending. rows: (n,) int32, where each image's vector lies: a changed image is told by another row.
    positions: (n, 3) float32, world units. edges: (m, 2) int32 rows, each pair once.
    weights: (m,) float32 cosine similarity of each edge. clusters: (n,) int32, -1 for none.
    kind: how the positions were made: "principal axes" (provisional), "umap so far" (of the library's first images,
    while it is first indexed) or "umap". fitted: (n,) bool, whether an image counts as old: it took part in the fit, or
    was there when one went back to this fit. (The others were placed by the projector.)
    fit: which of the library's fits it comes from, 0 for none. scale: UMAP's units in a world unit, 0 where unknown.
    drift: by how much that fit moved the images known before, in the median, as a share of the radius.
    network: the parametric UMAP, an ONNX graph from `vector` (n, dim) to `position` (n, 3); empty where there is none.
    granularity: "few", "some" or "many" clusters were asked for.
    clusters_given: the first id never given to a cluster (removed clusters and undone maps count too); 0 in maps older
    than this field.
    stacks: (n,) int64, for each image the id of the one it stacks under, its own where it is alone; (0,) where nobody
    looked for near-duplicates.
    subclusters: (n,) int32, the subcluster of each image, -1 for none; (0,) in maps older than this field.
    wall: (n, 2) int32, the cell of each image on the flat wall, column and row from the lower left; (0, 2) in maps
    older than this field and in sketches on the way.
    """

    ids: Ids
    rows: Ints
    positions: Floats
    edges: Ints
    weights: Floats
    clusters: Ints
    fitted: NDArray[np.bool_]
    cluster_records: tuple[Cluster, ...]
    generation: int
    kind: str
    model: str
    seed: int
    fit: int = 0
    scale: float = 0.0
    drift: float = 0.0
    network: bytes = b""
    granularity: str = "some"
    clusters_given: int = 0
    stacks: Ids = field(default_factory=lambda: np.zeros(0, np.int64))
    subclusters: Ints = field(default_factory=lambda: np.zeros(0, np.int32))
    subcluster_records: tuple[Subcluster, ...] = ()
    wall: Ints = field(default_factory=lambda: np.zeros((0, 2), np.int32))


@dataclass(frozen=True, slots=True)
class Placement:
    """Where an image outside the map would stand.

    position: (3,) float32; uncertainty: 0 (certain) to 1; neighbours: (k,) rows of the map, nearest first, with their
    cosine similarities in `similarities`.
    """

    position: Floats
    uncertainty: float
    neighbours: Ints
    similarities: Floats
