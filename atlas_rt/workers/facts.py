"""What the panels tell of one image: labels and its file's metadata from the store, true neighbours from the vectors;
read on a thread."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.arrays import Floats
from atlas_rt.core.channels import LatestOfEach
from atlas_rt.core.hud import ImageFacts
from atlas_rt.core.images import LibraryPlace
from atlas_rt.core.metadata import NOTHING_KNOWN, Metadata
from atlas_rt.core.paths import start_of
from atlas_rt.core.rows import row_of
from atlas_rt.core.scene import Scene
from atlas_rt.errors import AtlasError
from atlas_rt.library.pairs import raw_of
from atlas_rt.library.store import Labels, StoreReader
from atlas_rt.search.labels import SURE
from atlas_rt.search.vector_index import VectorIndex
from atlas_rt.workers.why_here import nearest_rows, why_here
from atlas_rt.workers.worker import Announce, Worker, unheard

NEIGHBOURS, COPIES = 12, 24


@dataclass(frozen=True, slots=True)
class FactsRequest:
    """Tell of this image. neighbours: also find its neighbours among all."""

    id: int
    scene: Scene
    vector_index: VectorIndex
    neighbours: bool


@dataclass(frozen=True, slots=True)
class Stored:
    """What the store knows of one image. labels: sure ones and others."""

    labels: Labels = ()
    metadata: Metadata = NOTHING_KNOWN
    place: str = ""
    text: str = ""


class FactsWorker(Worker):
    """A thread that answers the newest question about a selected image, and the newest about a hovered one."""

    part = "facts"
    lost = "What is known of an image cannot be shown"

    def __init__(self, place: LibraryPlace, *, announce: Announce = unheard) -> None:
        super().__init__(announce=announce)
        self._place = place
        self._requests: LatestOfEach[bool, FactsRequest] = LatestOfEach()
        self._answers: LatestOfEach[bool, ImageFacts] = LatestOfEach()
        self._store: StoreReader | None = None
        self._unreadable = ""
        self.start()

    @property
    def trouble(self) -> str:
        """What the store cannot tell included: everything else is told without it."""
        return super().trouble or self._unreadable

    def ask(self, request: FactsRequest) -> None:
        self._requests.put(request.neighbours, request)

    def take(self) -> tuple[ImageFacts, ...]:
        return self._answers.take()

    def wake(self) -> None:
        self._requests.close()

    def work(self) -> None:
        try:
            while True:
                request = self._requests.wait()
                if (facts := facts_of(request, self._stored(request), sources=self._place.sources)) is not None:
                    self._answers.put(request.neighbours, facts)
                self.went_well()
        finally:
            self._close_store()

    def _stored(self, request: FactsRequest) -> Stored:
        """None where they cannot be read, which the next question tries again."""
        try:
            self._store = self._store or StoreReader.open(self._place.folder)
            stored = stored_of(self._store, request)
        except AtlasError as error:
            self._close_store()
            self._unreadable = f"Labels, dates and keywords cannot be shown: {error}"
            return Stored()
        self._unreadable = ""
        return stored

    def _close_store(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None


def stored_of(store: StoreReader, request: FactsRequest) -> Stored:
    """What the store knows of an image."""
    id_, ids = request.id, np.array([request.id])
    return Stored(
        labels=store.labels(id_, request.scene.model),
        metadata=store.metadata_of(ids).get(id_, NOTHING_KNOWN),
        place=store.place_names(ids).get(id_, ""),
        text=store.text_in(id_),
    )


def facts_of(request: FactsRequest, stored: Stored, *, sources: Sequence[str] = ()) -> ImageFacts | None:
    """All that is told of an image, None where the scene lacks it. Labels that are too unsure are not told. sources: of
    the library, below which folders are told."""
    scene = request.scene
    row = row_of(scene.ids, request.id)
    if row is None:
        return None
    cluster = next((record for record in scene.cluster_records if record.id == scene.clusters[row]), None)
    facts = ImageFacts(
        id=request.id,
        path=scene.paths[row],
        width_px=int(scene.sizes_px[row, 0]),
        height_px=int(scene.sizes_px[row, 1]),
        cluster=cluster.name if cluster else "",
        cluster_id=cluster.id if cluster else -1,
        cluster_why=cluster.why if cluster else "",
        folder=folder_below(scene.paths[row], sources),
        metadata=stored.metadata,
        place=stored.place,
        text=stored.text,
        labels=tuple(label for label in stored.labels if label[1] >= SURE),
        alike=alike(scene, row),
        whole=request.neighbours,
    )
    return _with_others(facts, request, row) if request.neighbours else facts


def _with_others(facts: ImageFacts, request: FactsRequest, row: int) -> ImageFacts:
    """What takes a look at all images, and at the disk."""
    scene, index = request.scene, request.vector_index
    vector = index.at(np.array([row], np.int32))[0]
    scores = index.score(vector).scores
    scores[row] = -np.inf
    copies = np.zeros(0, np.int32)
    if scene.stacks is not None:
        copies = np.flatnonzero(scene.stacks.leaders == scene.stacks.leaders[row]).astype(np.int32)
        copies = copies[copies != row][:COPIES]
    similarities = index.score_of(copies, vector)
    scores[copies] = similarities  # an index may have passed them over
    order = np.argsort(-similarities, kind="stable")
    return replace(
        facts,
        raw=Path(raw_of(facts.path)).name,
        neighbours=_pairs(scene, nearest_rows(scores, NEIGHBOURS), scores),
        copies=_pairs(scene, copies[order], scores),
        why_here=why_here(scene, row, scores),
    )


def folder_below(path: str, sources: Sequence[str]) -> str:
    """The folder of a file below the source that holds it; empty at its root, or where no source holds it."""
    roots = (start_of(source) for source in sources)
    root = max((root for root in roots if path.startswith(root)), key=len, default="")
    return os.path.dirname(path[len(root) :]) if root else ""  # noqa: PTH120  of a text


def alike(scene: Scene, row: int) -> tuple[int, int]:
    """Which of how many near-duplicates a row is, in the order of their ids."""
    if scene.stacks is None:
        return 1, 1
    rows = np.flatnonzero(scene.stacks.leaders == scene.stacks.leaders[row])
    return int(np.searchsorted(rows, row)) + 1, len(rows)


def nearest_images(scene: Scene, vector_index: VectorIndex, row: int, count: int) -> tuple[tuple[int, float], ...]:
    """(id, cosine similarity) of the images nearest to one, nearest first, itself left out."""
    scores = vector_index.score(vector_index.at(np.array([row], np.int32))[0]).scores
    scores[row] = -np.inf
    return _pairs(scene, nearest_rows(scores, count), scores)


def _pairs(scene: Scene, rows: NDArray[Any], scores: Floats) -> tuple[tuple[int, float], ...]:
    """(id, similarity) of rows."""
    return tuple((int(scene.ids[row]), float(scores[row])) for row in rows)
