"""What the page of a cluster tells: labels and dates from the store, likeness from the vectors; read on a thread."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.arrays import Floats, Ids, Rows
from atlas_rt.core.channels import Latest
from atlas_rt.core.hud import ClusterPage, SubclusterRow
from atlas_rt.core.images import LibraryPlace
from atlas_rt.core.maps import subclusters_of
from atlas_rt.core.scene import Scene
from atlas_rt.errors import AtlasError
from atlas_rt.library.explanations import KeptExplanation
from atlas_rt.library.store import StoreReader
from atlas_rt.narrator.claude import explanation_of
from atlas_rt.search.labels import SURE
from atlas_rt.search.vector_index import VectorIndex
from atlas_rt.workers.worker import Announce, Worker, unheard

SAMPLE = 256
"""Images of each cluster from which its mean is taken, evenly over all of them."""
LOOKED_AT = 2048
"""Images of a cluster among which those are looked for that show best what sets it apart."""
TYPICAL, BORDERLINE, SHOWN = 8, 4, 4
LABELS = 8


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Tell of this cluster of a scene. said: by Claude of it."""

    cluster: int
    scene: Scene
    vector_index: VectorIndex
    said: KeptExplanation | None = None


class ClusterPageWorker(Worker):
    """A thread that reads the page that was asked for last."""

    part = "cluster pages"
    lost = "What is known of a cluster cannot be shown"

    def __init__(self, place: LibraryPlace, *, announce: Announce = unheard) -> None:
        super().__init__(announce=announce)
        self._place = place
        self._requests: Latest[PageRequest] = Latest()
        self._pages: Latest[ClusterPage] = Latest()
        self.start()

    def ask(self, request: PageRequest) -> None:
        self._requests.put(request)

    def take(self) -> ClusterPage | None:
        return self._pages.take()

    def wake(self) -> None:
        self._requests.close()

    def work(self) -> None:
        while True:
            request = self._requests.wait()
            try:
                with StoreReader.open(self._place.folder) as store:
                    page = page_of(request, store)
            except AtlasError as error:
                page = ClusterPage(request.cluster, remark=str(error))
            self._pages.put(page)
            self.went_well()


def page_of(request: PageRequest, store: StoreReader) -> ClusterPage:
    """All that is told of a cluster. One of 4,300 among 100,000 images: 60 to 170 ms."""
    scene = request.scene
    rows = np.flatnonzero(scene.clusters == request.cluster)
    if not len(rows):
        return ClusterPage(request.cluster)
    ids = scene.ids[rows]
    nearest, mine, others = _nearest(request, rows)
    their_rows = np.flatnonzero(scene.clusters == nearest) if nearest >= 0 else rows[:0]
    difference = mine - others
    return ClusterPage(
        request.cluster,
        typical=_farthest(request, rows, mine, TYPICAL),
        borderline=_farthest(request, rows, -difference, BORDERLINE) if nearest >= 0 else (),
        subclusters=_subclusters(request),
        labels=_labels(store, scene.model, ids, scene.ids[their_rows]),
        months=_months(store.changed_secs(ids)),
        nearest=nearest,
        apart=_farthest(request, rows, difference, SHOWN) if nearest >= 0 else (),
        theirs=_farthest(request, their_rows, -difference, SHOWN),
        said=explanation_of(request.said, store.ids_with) if request.said else None,
    )


def _subclusters(request: PageRequest) -> tuple[SubclusterRow, ...]:
    """What the cluster divides into, the largest first."""
    scene, found = request.scene, []
    for record in subclusters_of(request.cluster, scene.subcluster_records):
        rows = np.flatnonzero(scene.subclusters == record.id)
        images = _farthest(request, rows, _mean(request.vector_index, rows), SHOWN)
        others = tuple(word for word in record.words if word not in record.name.split(", "))
        found.append(SubclusterRow(record.id, record.name, others, len(rows), images))
    return tuple(found)


def _nearest(request: PageRequest, rows: Rows) -> tuple[int, Floats, Floats]:
    """The cluster whose mean is most like this one's, -1 where there is no other; the means of both, (dim,)."""
    scene, vectors = request.scene, request.vector_index
    mine = _mean(vectors, rows)
    best, nearest, theirs = -np.inf, -1, mine
    for record in scene.cluster_records:
        members = np.flatnonzero(scene.clusters == record.id)
        if record.id == request.cluster or not len(members):
            continue
        mean = _mean(vectors, members)
        likeness = float(mine @ mean / max(float(np.linalg.norm(mine) * np.linalg.norm(mean)), 1e-9))
        if likeness > best:
            best, nearest, theirs = likeness, record.id, mean
    return nearest, mine, theirs


def _mean(vectors: VectorIndex, rows: Rows) -> Floats:
    mean: Floats = vectors.at(_spread(rows, SAMPLE)).mean(axis=0)
    return mean


def _farthest(request: PageRequest, rows: Rows, direction: Floats, count: int) -> tuple[int, ...]:
    """Ids of the images that lie farthest in a direction, the farthest first."""
    some = _spread(rows, LOOKED_AT)
    if not len(some):
        return ()
    along = request.vector_index.at(some) @ direction
    return tuple(request.scene.ids[some[np.argsort(-along, kind="stable")[:count]]].tolist())


def _spread(rows: Rows, count: int) -> NDArray[np.int32]:
    """At most `count` of the rows, evenly over all."""
    step = max(-(-len(rows) // count), 1)
    return rows[::step].astype(np.int32)


def _labels(store: StoreReader, model: str, mine: Ids, theirs: Ids) -> tuple[tuple[str, float, float], ...]:
    counts = store.label_counts(mine, model, least=SURE)
    others = store.label_counts(theirs, model, least=SURE)
    best = sorted(counts, key=lambda word: (-counts[word], word))[:LABELS]
    return tuple((word, counts[word] / len(mine), others.get(word, 0) / max(len(theirs), 1)) for word in best)


def _months(secs: NDArray[np.int64]) -> tuple[tuple[int, int, int], ...]:
    months, counts = np.unique(secs.astype("datetime64[s]").astype("datetime64[M]"), return_counts=True)
    since_1970 = months.astype(np.int64)
    return tuple(
        (1970 + int(month) // 12, int(month) % 12 + 1, int(count))
        for month, count in zip(since_1970, counts, strict=True)
    )
