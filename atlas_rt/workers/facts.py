"""What the panels tell of one image: labels and its file's metadata from the store, true neighbours from the vectors;
read on a thread."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from atlas_rt.core.channels import LatestOfEach
from atlas_rt.core.hud import ImageFacts
from atlas_rt.core.images import LibraryPlace
from atlas_rt.core.metadata import NOTHING_KNOWN, Metadata
from atlas_rt.core.rows import row_of
from atlas_rt.core.scene import Scene
from atlas_rt.errors import AtlasError
from atlas_rt.library.pairs import raw_of
from atlas_rt.library.store import Labels, StoreReader
from atlas_rt.search.labels import SURE
from atlas_rt.search.vector_index import VectorIndex
from atlas_rt.workers.worker import Announce, Worker, unheard

NEIGHBOURS = 12


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
                if (facts := facts_of(request, self._stored(request))) is not None:
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


def facts_of(request: FactsRequest, stored: Stored) -> ImageFacts | None:
    """All that is told of an image, None where the scene lacks it. Labels that are too unsure are not told."""
    scene = request.scene
    row = row_of(scene.ids, request.id)
    if row is None:
        return None
    cluster = int(scene.clusters[row])
    names = {record.id: record.name for record in scene.cluster_records}
    return ImageFacts(
        id=request.id,
        path=scene.paths[row],
        width_px=int(scene.sizes_px[row, 0]),
        height_px=int(scene.sizes_px[row, 1]),
        cluster=names.get(cluster, ""),
        metadata=stored.metadata,
        place=stored.place,
        text=stored.text,
        raw=Path(raw_of(scene.paths[row])).name if request.neighbours else "",
        labels=tuple(label for label in stored.labels if label[1] >= SURE),
        neighbours=nearest_images(scene, request.vector_index, row, NEIGHBOURS) if request.neighbours else (),
        alike=alike(scene, row),
        whole=request.neighbours,
    )


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
    count = min(count, len(scores) - 1)
    best = np.argsort(-scores, kind="stable")[:count]
    return tuple((int(scene.ids[i]), float(scores[i])) for i in best)
