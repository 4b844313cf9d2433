"""A group of images to be named and explained, and what the program itself knows of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import PurePath

import numpy as np

from atlas_rt.core.arrays import Floats, Ids, Rows
from atlas_rt.core.maps import Cluster
from atlas_rt.core.scene import Scene
from atlas_rt.library.store import StoreReader
from atlas_rt.search.labels import SURE
from atlas_rt.search.vector_index import VectorIndex

PICTURES = 16
"""Images on a contact sheet."""
TYPICAL_SHARE = 0.75
"""A sheet shows images from the middle of its group to this share of it: what is typical, not only what is central."""
NEIGHBOURS = 3
LABELS = 8


@dataclass(frozen=True, slots=True)
class Picture:
    """An image on a contact sheet. record, aspect: of its tile. labels: words for it, the best first."""

    id: int
    path: str
    record: int
    aspect: float
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A group that lies near. vectors: (k, dim) of the images that its own sheet would show. private: whether its name
    came from a person or a file, and is not sent."""

    name: str
    vectors: Floats
    private: bool = False


@dataclass(frozen=True, slots=True)
class Subject:
    """What is to be named. cluster: its id on the map. name: what it is called now. why: the vocabulary's reason, empty
    where it is called otherwise. pictures: those of the sheet, numbered from 1 in this order. vectors: (k, dim) of
    them. neighbours: the nearest groups, nearest first. ids: (size,) of all its images."""

    cluster: int
    name: str
    why: str
    pictures: tuple[Picture, ...]
    vectors: Floats
    neighbours: tuple[Neighbour, ...]
    ids: Ids

    @property
    def size(self) -> int:
        return len(self.ids)

    @property
    def file_names(self) -> tuple[str, ...]:
        """The names of the files on the sheet, without their folders."""
        return tuple(PurePath(picture.path).name for picture in self.pictures)

    def labels(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """(word, numbers of the pictures it is a label of), those of most pictures first."""
        counts = Counter(word for picture in self.pictures for word in picture.labels)
        best = sorted(counts, key=lambda word: (-counts[word], word))[:LABELS]
        return tuple(
            (word, tuple(at for at, picture in enumerate(self.pictures, 1) if word in picture.labels)) for word in best
        )


def subjects_of(
    clusters: Collection[Cluster], scene: Scene, vector_index: VectorIndex, store: StoreReader
) -> tuple[Subject, ...]:
    """Clusters of a scene as subjects, in the scene's order. vector_index: in the scene's rows."""
    members = {record.id: np.flatnonzero(scene.clusters == record.id) for record in scene.cluster_records}
    members = {cluster: rows for cluster, rows in members.items() if len(rows)}
    if not members:
        return ()
    means = {cluster: vector_index.at(rows.astype(np.int32)).mean(axis=0) for cluster, rows in members.items()}
    sheets = {cluster: _typical(rows, vector_index, means[cluster]) for cluster, rows in members.items()}
    vectors = {cluster: vector_index.at(rows.astype(np.int32)) for cluster, rows in sheets.items()}
    records = {record.id: record for record in scene.cluster_records}
    wanted = {record.id for record in clusters}
    return tuple(
        Subject(
            cluster=record.id,
            name=record.name,
            why=record.why if record.named_by == "vocabulary" else "",
            pictures=_pictures(sheets[record.id], scene, store),
            vectors=vectors[record.id],
            neighbours=tuple(_neighbour(records[other], vectors[other]) for other in _nearest(record.id, means)),
            ids=scene.ids[members[record.id]],
        )
        for record in scene.cluster_records
        if record.id in wanted and record.id in members
    )


def _typical(rows: Rows, vector_index: VectorIndex, mean: Floats) -> Rows:
    """Of a group at most so many that a sheet holds: evenly from the most central on."""
    order = np.argsort(-(vector_index.at(rows.astype(np.int32)) @ mean), kind="stable")
    if len(rows) <= PICTURES:
        return rows[order]
    last = max(PICTURES, round(TYPICAL_SHARE * len(rows))) - 1
    return rows[order[np.linspace(0, last, PICTURES).round().astype(np.intp)]]


def _nearest(cluster: int, means: dict[int, Floats]) -> Sequence[int]:
    def near(other: int) -> float:
        lengths = float(np.linalg.norm(means[other]) * np.linalg.norm(means[cluster]))
        return float(means[other] @ means[cluster]) / max(lengths, 1e-9)

    return sorted(means.keys() - {cluster}, key=lambda other: (-near(other), other))[:NEIGHBOURS]


def _neighbour(record: Cluster, vectors: Floats) -> Neighbour:
    return Neighbour(record.name, vectors, private=record.named_by in {"user", "exemplar"})


def _pictures(rows: Rows, scene: Scene, store: StoreReader) -> tuple[Picture, ...]:
    return tuple(
        Picture(
            id=int(scene.ids[row]),
            path=scene.paths[row],
            record=int(scene.tiles[row]),
            aspect=float(scene.aspects[row]),
            labels=tuple(word for word, sure in store.labels(int(scene.ids[row]), scene.model) if sure >= SURE),
        )
        for row in rows.tolist()
    )
