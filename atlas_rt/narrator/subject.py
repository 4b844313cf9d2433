"""What is to be explained: images of a library, and what the program itself knows of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePath

import numpy as np

from atlas_rt.core.arrays import Floats, Ids, Rows
from atlas_rt.core.explanations import Kind
from atlas_rt.core.maps import Cluster
from atlas_rt.core.rows import rows_of
from atlas_rt.core.scene import Scene
from atlas_rt.core.word_names import IN_ENGLISH, Words
from atlas_rt.errors import MissingError
from atlas_rt.library.store import StoreReader
from atlas_rt.narrator.cluster_parts import ClusterPart, is_private, parts_of
from atlas_rt.narrator.label_counts import LabelCounts
from atlas_rt.narrator.sheet_choice import spread, typical
from atlas_rt.narrator.word_fits import WordFits
from atlas_rt.search.labels import SURE, Vocabulary
from atlas_rt.search.vector_index import VectorIndex

PICTURES = 16
"""Images on a contact sheet."""
CALLED_MAX = 27
"""Characters of a name in a title of two, which has 60 at most."""
NEIGHBOURS = 3
LABELS = 8
LOOKED_AT = 4096
"""Images of each group, and of the rest of the library, from which their words and typical images are found, evenly
over all: a selection of all of a large library would not fit in memory."""

ImageIds = Sequence[int] | Ids


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
class Group:
    """Images with a contact sheet of their own. name: empty for none; private: whether it is not sent, stored: what is
    sent of it, in English where the program named it. size: images.
    shown: how many of them are on the sheet. labels: of all of them."""

    name: str
    size: int
    shown: int
    labels: LabelCounts
    private: bool = True
    stored: str = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is to be named and explained.

    cluster: its id on the map, -1 for what is no cluster. name: what it is called now. why: the vocabulary's reason,
    empty where it is called otherwise. pictures: those of the sheets, numbered from 1 in this order. vectors: (k, dim)
    of them. neighbours: the nearest groups, nearest first; only of a cluster. ids: (size,) of all its images.

    Of what is no cluster also: groups: itself, or the two that are compared, whose pictures follow each other. rest:
    labels of what a selection is compared with. parts: how a selection or a view divides into clusters, largest first.
    shared: images of both groups, which tell no difference and are in neither here. words: the language in which the
    vocabulary tells of it; name and why are as they are stored, since they are what Claude is told.
    """

    cluster: int
    name: str
    why: str
    pictures: tuple[Picture, ...]
    vectors: Floats
    neighbours: tuple[Neighbour, ...]
    ids: Ids
    kind: Kind = "cluster"
    groups: tuple[Group, ...] = ()
    rest: LabelCounts = field(default_factory=LabelCounts)
    parts: tuple[ClusterPart, ...] = ()
    shared: int = 0
    words: Words = IN_ENGLISH

    @property
    def size(self) -> int:
        return len(self.ids)

    @property
    def sheets(self) -> tuple[tuple[Picture, ...], ...]:
        """The pictures of each contact sheet. Numbers run on from one to the next."""
        if self.kind != "difference":
            return (self.pictures,)
        first = self.groups[0].shown
        return self.pictures[:first], self.pictures[first:]

    @property
    def file_names(self) -> tuple[str, ...]:
        """The names of the files on the sheets, without their folders."""
        return tuple(PurePath(picture.path).name for picture in self.pictures)

    def labels(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """(word, numbers of the pictures it is a label of), those of most pictures first."""
        counts = Counter(word for picture in self.pictures for word in picture.labels)
        best = sorted(counts, key=lambda word: (-counts[word], word))[:LABELS]
        return tuple((word, self.labelled(word)) for word in best)

    def labelled(self, word: str) -> tuple[int, ...]:
        """The numbers of the pictures that a word is a label of."""
        return tuple(at for at, picture in enumerate(self.pictures, 1) if word in picture.labels)


def subjects_of(
    clusters: Collection[Cluster], scene: Scene, vector_index: VectorIndex, store: StoreReader
) -> tuple[Subject, ...]:
    """Clusters of a scene as subjects, in the scene's order. vector_index: in the scene's rows."""
    members = {record.id: np.flatnonzero(scene.clusters == record.id) for record in scene.cluster_records}
    members = {cluster: rows for cluster, rows in members.items() if len(rows)}
    if not members:
        return ()
    means = {cluster: vector_index.at(rows.astype(np.int32)).mean(axis=0) for cluster, rows in members.items()}
    sheets = {cluster: typical(rows, vector_index, means[cluster], PICTURES) for cluster, rows in members.items()}
    vectors = {cluster: vector_index.at(rows.astype(np.int32)) for cluster, rows in sheets.items()}
    records = {record.id: record for record in scene.cluster_records}
    wanted = {record.id for record in clusters}
    return tuple(
        Subject(
            cluster=record.id,
            name=record.english[0],
            why=record.english[1] if record.named_by == "vocabulary" else "",
            pictures=_pictures(sheets[record.id], scene, store),
            vectors=vectors[record.id],
            neighbours=tuple(_neighbour(records[other], vectors[other]) for other in _nearest(record.id, means)),
            ids=scene.ids[members[record.id]],
            words=scene.words,
        )
        for record in scene.cluster_records
        if record.id in wanted and record.id in members
    )


def selection_subject(
    ids: ImageIds,
    scene: Scene,
    vector_index: VectorIndex,
    store: StoreReader,
    *,
    vocabulary: Vocabulary | None = None,
) -> Subject:
    """Images that a person selected, in any order. vector_index: in the scene's rows. vocabulary: finds more words than
    the labels; without it, only these are known.

    Raises MissingError where fewer than two of them are in the scene: then nothing is together.
    """
    rows = np.sort(_rows(ids, scene))
    if len(rows) < 2:
        raise MissingError("Fewer than two of the selected images are on the map; select two or more.")
    source = _Source(scene, vector_index, store, vocabulary)
    return source.subject("selection", f"{len(rows):,} selected images", (rows,), ("",))


def view_subject(
    ids: ImageIds,
    scene: Scene,
    vector_index: VectorIndex,
    store: StoreReader,
    *,
    vocabulary: Vocabulary | None = None,
) -> Subject:
    """The images in sight, those that matter most first: these are shown. The rest as for a selection.

    Raises MissingError where none of them is in the scene.
    """
    rows = _rows(ids, scene)
    if not len(rows):
        raise MissingError("No image is in sight; fly to where some are.")
    source = _Source(scene, vector_index, store, vocabulary)
    return source.subject("view", "what is in sight", (rows,), ("",))


def difference_subject(
    first_ids: ImageIds,
    second_ids: ImageIds,
    names: tuple[str, str],
    scene: Scene,
    vector_index: VectorIndex,
    store: StoreReader,
    *,
    vocabulary: Vocabulary | None = None,
) -> Subject:
    """Two groups that are compared. names: what they are called, empty for none; only those that the program or Claude
    gave to clusters are sent. The rest as for a selection.

    Images of both groups are left out. A group that lies wholly in the other is compared with the rest of it. Raises
    MissingError where a group has no image in the scene, or both have the same.
    """
    first, second = np.sort(_rows(first_ids, scene)), np.sort(_rows(second_ids, scene))
    if not len(first) or not len(second):
        raise MissingError(f"The {'second' if len(first) else 'first'} group has no image on the map; choose another.")
    shared = np.intersect1d(first, second)
    if len(shared) == len(first) == len(second):
        raise MissingError("Both groups have the same images, so nothing tells them apart; choose two that differ.")
    groups = tuple(each if len(shared) == len(each) else np.setdiff1d(each, shared) for each in (first, second))
    name = " and ".join(_called(name, number) for number, name in enumerate(names))
    source = _Source(scene, vector_index, store, vocabulary)
    return source.subject("difference", name, groups, names, shared=len(shared))


@dataclass(frozen=True, slots=True)
class _Source:
    """What subjects are read from."""

    scene: Scene
    vector_index: VectorIndex
    store: StoreReader
    vocabulary: Vocabulary | None

    def subject(
        self, kind: Kind, name: str, groups: tuple[Rows, ...], names: tuple[str, ...], *, shared: int = 0
    ) -> Subject:
        """groups: the rows of each; names: theirs."""
        scene = self.scene
        looked_at = [spread(rows, LOOKED_AT) for rows in groups]
        vectors = [self._vectors(rows) for rows in looked_at]
        middle = self._vectors(spread(np.arange(len(scene.ids)), LOOKED_AT)).mean(axis=0)
        fits = WordFits(self.vocabulary, vectors, middle)
        sheets = [
            rows[:PICTURES] if kind == "view" else typical(some, self.vector_index, each.mean(axis=0), PICTURES)
            for rows, some, each in zip(groups, looked_at, vectors, strict=True)
        ]
        shown, rows = np.concatenate(sheets), np.concatenate(groups)
        public = [each for each in scene.cluster_records if not is_private(each)]
        stored = {each.english[0]: each.english[0] for each in public} | {each.name: each.english[0] for each in public}
        return Subject(
            cluster=-1,
            name=name,
            why="",
            pictures=self._pictures(shown, fits),
            vectors=self._vectors(shown),
            neighbours=(),
            ids=scene.ids[rows],
            kind=kind,
            groups=tuple(
                Group(
                    called,
                    len(group),
                    len(sheet),
                    self._labels(group, fits),
                    called not in stored,
                    stored.get(called, ""),
                )
                for called, group, sheet in zip(names, groups, sheets, strict=True)
            ),
            rest=self._labels(np.delete(np.arange(len(scene.ids)), rows), fits)
            if kind == "selection"
            else LabelCounts(),
            parts=parts_of(rows, shown, scene) if kind != "difference" else (),
            shared=shared,
            words=scene.words,
        )

    def _vectors(self, rows: Rows) -> Floats:
        return self.vector_index.at(rows.astype(np.int32))

    def _labels(self, rows: Rows, fits: WordFits) -> LabelCounts:
        """Of so many of these rows as are looked at."""
        some = spread(rows, LOOKED_AT)
        counts = self.store.label_counts(self.scene.ids[some], self.scene.model, least=SURE)
        fitting = fits.of(self._vectors(some)).sum(axis=0).tolist()
        found = counts | {word: count for word, count in zip(fits.words, fitting, strict=True) if count}
        return LabelCounts(len(rows), len(some), found)

    def _pictures(self, rows: Rows, fits: WordFits) -> tuple[Picture, ...]:
        """With the words that they look like before their labels."""
        pictures = _pictures(rows, self.scene, self.store)
        return tuple(
            replace(picture, labels=(*fitting, *(word for word in picture.labels if word not in fits.words)))
            for picture, fitting in zip(pictures, fits.words_of(self._vectors(rows)), strict=True)
        )


def _called(name: str, number: int) -> str:
    """A group in a title of two."""
    if not name:
        return ("the first group", "the second group")[number]
    return name if len(name) <= CALLED_MAX else f"{name[: CALLED_MAX - 1].rstrip()}…"


def _rows(ids: ImageIds, scene: Scene) -> Rows:
    """The rows of these images in their order, each once; images that the scene lacks are passed over."""
    wanted = np.array(list(dict.fromkeys(ids)), np.int64)
    rows, known = rows_of(scene.ids, wanted)
    return rows[known]


def _nearest(cluster: int, means: dict[int, Floats]) -> Sequence[int]:
    def near(other: int) -> float:
        lengths = float(np.linalg.norm(means[other]) * np.linalg.norm(means[cluster]))
        return float(means[other] @ means[cluster]) / max(lengths, 1e-9)

    return sorted(means.keys() - {cluster}, key=lambda other: (-near(other), other))[:NEIGHBOURS]


def _neighbour(record: Cluster, vectors: Floats) -> Neighbour:
    return Neighbour(record.english[0], vectors, private=is_private(record))


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
