"""Fitting in a process of its own: umap-learn's kernels hold the interpreter lock for whole epochs, and ending a
process is the one sure way to cancel them.

The process warms up (two seconds; the first time on a machine it compiles for ten) while the first images are decoded,
then serves one fit after another, beside the engine's own work. Vectors travel as a file in the library's folder, the
rest by the pipe.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.arrays import Floats, Ids, Ints
from atlas_rt.core.maps import Cluster, Map
from atlas_rt.core.retries import Retries
from atlas_rt.core.rows import rows_of
from atlas_rt.engine import child
from atlas_rt.engine.child import Child
from atlas_rt.engine.placing import EDGES
from atlas_rt.errors import FitError
from atlas_rt.library import disk_errors
from atlas_rt.library.scanning import content_hash
from atlas_rt.mapping.clusters import USUAL
from atlas_rt.mapping.neighbours import knn_edges, may_complete
from atlas_rt.search.labels import Vocabulary

READY = "ready"
"""What the child says first, once it has warmed up."""
FOLDER = ".fit-"
"""How the folder of a fit's vectors is called, with something behind it."""
NICENESS = 5
"""How far the child steps back at least, so that decoding comes first."""
ENDING_SECS = 0.5
"""A child that has closed its pipe is given so long to end before it is killed."""
COPIES = 64
"""Up to so many of one picture, edges are found by how near its neighbours are: copies are each compared with each."""
LAYOUT_SHARE, NETWORK_SHARE = 0.82, 0.12
"""Of the progress; clusters are the rest."""

Waiting = Callable[[float, float], bool]
"""(share done, seconds so far) -> go on; called while a fit runs."""


@dataclass(frozen=True, slots=True)
class FitJob:
    """A fit to make of (n, dim) vectors in the rows of ids and paths.

    old: the map to start from and stay near, None for the first. elastic: its images are drawn back to their places;
    without, it is only where the layout starts and what it is turned to. granularity: of the clusters. only_clusters:
    the old map's images stay where they are. threads: of the search for neighbours, which finds the same with any
    number.
    """

    ids: Ids
    paths: tuple[str, ...]
    vocabulary: Vocabulary
    seed: int
    old: Map | None = None
    elastic: bool = False
    granularity: str = USUAL
    only_clusters: bool = False
    threads: int = 1


@dataclass(frozen=True, slots=True)
class Fitted:
    """A finished fit: what `Map` holds under these names, in the rows of the job's ids. secs: of "layout" (neighbours
    and graph included), "network", "edges" and "clusters"."""

    positions: Floats
    edges: Ints
    weights: Floats
    clusters: Ints
    cluster_records: tuple[Cluster, ...]
    scale: float
    drift: float
    network: bytes
    secs: dict[str, float]


class Cancelled(Exception):  # noqa: N818 - no error: someone asked for it
    """The fit was given up because the engine is asked to stop."""


class FitProcess:
    """The child that fits. Owned by the engine's main thread; closing it cancels what it does.

    One that dies is started again after a pause, with the fit it was at, three times in all.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._retries = Retries()
        self._job: FitJob | None = None
        self._file: Path | None = None
        self._begun = 0.0
        self._failure = ""
        self._start()

    @property
    def busy(self) -> bool:
        return self._file is not None

    @property
    def seconds(self) -> float:
        """Since the fit in hand began."""
        return time.monotonic() - self._begun

    @property
    def warm(self) -> bool:
        """Whether it would begin a fit at once, or never will; asked while none is in hand."""
        if not self._ready and not self.busy:
            with contextlib.suppress(FitError):  # the next fit tells
                self._heard(0.0)
        return self._ready or bool(self._failure)

    def begin(self, vectors: Floats, job: FitJob) -> None:
        """Start a fit, where none is in hand. Raises MissingError on a full disk."""
        self._file, self._job = _written(vectors, self._folder), job
        self._begun = time.monotonic()

    def poll(self, wait_secs: float = 0.0) -> Fitted | None:
        """What the fit in hand came to, None while it runs. Raises FitError with the child's reason if it failed."""
        try:
            answer = self._heard(wait_secs)
        except FitError:
            self._put_away()
            raise
        if answer is None:
            return None
        self._put_away()
        if isinstance(answer, str):
            raise FitError(f"the map could not be fitted: {answer}")
        self._retries.went_well()
        return answer

    def wait(self, waiting: Waiting) -> Fitted:
        """What the fit in hand comes to. `waiting` is called ten times a second; False from it raises Cancelled."""
        while (fitted := self.poll(0.1)) is None:
            if not waiting(self.share, self.seconds):
                raise Cancelled
        return fitted

    def close(self) -> None:
        self._child.end()
        self._put_away()

    def _start(self) -> None:
        self._ready = self._sent = False
        self.share = 0.0
        self._start_secs: float | None = None
        self._child = Child(_serve, self._folder, name="atlas-fit")

    def _heard(self, wait_secs: float) -> Fitted | str | None:
        """What came of the fit in hand. Raises FitError once the child has died too often."""
        if self._start_secs is not None and not self._is_due(wait_secs):
            return None
        try:
            return self._received(wait_secs)
        except (EOFError, OSError):
            self._mourn()
            return None

    def _received(self, wait_secs: float) -> Fitted | str | None:
        """A job is sent once the child has warmed up: it is more than a pipe holds, and sending it would block."""
        while self._child.pipe.poll(wait_secs):
            answer: Fitted | str | float = self._child.pipe.recv()
            if isinstance(answer, float):
                self.share = answer
            elif answer == READY:
                self._ready = True
            else:
                return answer
            wait_secs = 0.0
        if self._ready and self._job is not None and not self._sent:
            self._child.pipe.send((str(self._file), self._job))
            self._sent = True
        return None

    def _is_due(self, wait_secs: float) -> bool:
        """Whether a child that died runs again; it is started when its pause is over."""
        if self._failure:
            raise FitError(self._failure)
        left_secs = (self._start_secs or 0.0) - time.monotonic()
        if left_secs > 0.0:
            time.sleep(min(left_secs, wait_secs))
            return False
        self._start()
        return True

    def _mourn(self) -> None:
        reason, pause_secs = self._child.end(limit_secs=ENDING_SECS), self._retries.failed()
        self._ready = False
        self._start_secs = time.monotonic() + (pause_secs or 0.0)
        if pause_secs is None:
            times = self._retries.failures
            self._failure = f"the map cannot be fitted: the process for it ended {times} times in a row ({reason})"
            raise FitError(self._failure)

    def _put_away(self) -> None:
        if self._file is not None:
            shutil.rmtree(self._file.parent, ignore_errors=True)
        self._file = self._job = None
        self._sent = False


def sweep(folder: Path) -> None:
    """Remove what a killed fit left behind: a library has one writer, so none of it is in use."""
    for left in folder.glob(f"{FOLDER}*"):
        shutil.rmtree(left, ignore_errors=True)


def _written(vectors: Floats, folder: Path) -> Path:
    """A file of vectors in a folder of its own. Raises MissingError on a full disk."""
    with disk_errors.writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        own = Path(tempfile.mkdtemp(prefix=FOLDER, dir=folder))
        try:
            file = own / "vectors.f32"
            # np.save does not tell that a disk is full
            file.write_bytes(np.ascontiguousarray(vectors, np.float32).data)
        except BaseException:
            shutil.rmtree(own, ignore_errors=True)
            raise
    return file


def _serve(pipe: Connection, folder: Path) -> None:
    child.begin(NICENESS)
    from atlas_rt.mapping.fit import warm_up

    warm_up(folder)
    with contextlib.suppress(EOFError, OSError):
        pipe.send(READY)
        while True:
            file, job = pipe.recv()
            try:
                vectors = np.fromfile(file, np.float32).reshape(len(job.ids), -1)
                pipe.send(fitted(vectors, job, progress=pipe.send))
            except Exception as error:  # noqa: BLE001 - whatever umap-learn raises becomes a sentence for the engine
                pipe.send(f"{type(error).__name__}: {error}")


def fitted(vectors: Floats, job: FitJob, *, progress: Callable[[float], None]) -> Fitted:
    """The fit that a job describes: layout, the frame of the map before, network, edges, clusters."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):  # the last bits of BLAS depend on its threads
        return _fitted(vectors, job, progress)


def _fitted(vectors: Floats, job: FitJob, progress: Callable[[float], None]) -> Fitted:
    from threadpoolctl import threadpool_limits

    from atlas_rt.mapping import fit, layout, parametric_umap

    laps = [time.perf_counter()]
    one, of = _one_of_each(vectors)
    if job.only_clusters and job.old is not None:
        kept = job.old
        groups, records = _clusters(kept.positions[one][of], vectors, job)
        return Fitted(
            kept.positions, kept.edges, kept.weights, groups, records, kept.scale, kept.drift, kept.network, {}
        )
    old = job.old
    old_rows, known = _known(job)
    held = known & old.fitted[old_rows] if old and job.elastic else None
    shared = known if held is None else held
    distinct = vectors[one]
    with threadpool_limits(job.threads):  # neighbours are the same with any number
        near = fit.nearest_others(distinct, threads=job.threads) if len(one) >= fit.SMALLEST_FIT else None
    made = fit.fit_umap(
        distinct,
        seed=job.seed,
        near=near,
        start=_start(distinct, old, old_rows[one], known[one], near) if old else None,
        held=None if held is None else held[one],
        progress=lambda share: progress(LAYOUT_SHARE * share),
    )
    ones = _placed(made.positions, distinct, job, old_rows[one][shared[one]], shared[one])
    places = ones if len(one) == len(vectors) else layout.apart(ones[of])
    how = layout.align(made.positions, ones, mirror=True)
    laps.append(time.perf_counter())
    network = b""
    if made.graph is not None:
        learned = parametric_umap.train(
            distinct,
            made.positions,
            made.graph,
            seed=job.seed,
            progress=lambda share: progress(LAYOUT_SHARE + NETWORK_SHARE * share),
        )
        network = parametric_umap.to_onnx(learned.moved(how))
    laps.append(time.perf_counter())
    progress(LAYOUT_SHARE + NETWORK_SHARE)
    with threadpool_limits(job.threads):
        of_all = near if len(one) == len(vectors) else None
        if near is not None and of_all is None and may_complete(len(vectors)) and np.bincount(of).max() <= COPIES:
            of_all = near[0][of], near[1][of]  # a copy has others at least as near as its original has
        edges, weights = knn_edges(vectors, EDGES, known=of_all, threads=job.threads)
    laps.append(time.perf_counter())
    groups, records = _clusters(places[one][of], vectors, job)
    laps.append(time.perf_counter())
    secs = dict(zip(("layout", "network", "edges", "clusters"), np.diff(laps).tolist(), strict=True))
    drift = layout.drift(places[shared], old.positions[old_rows[shared]]) if old and job.elastic else 0.0
    scale = 1.0 / how.scale if how.scale > 0 and made.graph is not None else 0.0
    return Fitted(places, edges, weights, groups, records, scale, drift, network, secs)


def _clusters(places: Floats, vectors: Floats, job: FitJob) -> tuple[Ints, tuple[Cluster, ...]]:
    """places: copies all where the first of them is, as spread out they'd be a dozen clusters."""
    from atlas_rt.mapping.clusters import find_clusters

    return find_clusters(
        places,
        vectors=vectors,
        ids=job.ids,
        paths=job.paths,
        vocabulary=job.vocabulary,
        old=job.old,
        granularity=job.granularity,
    )


def _one_of_each(vectors: Floats) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The first row of each vector, ascending, and for every row which of those is its own.

    A map is laid out of one of all copies, around which the others then stand. A thousand copies have no neighbours but
    each other: UMAP gives them a third of the map and hurls them far from all else. (1,000 copies, 1,000 pictures that
    resemble each other and 974 others: these lay within 0.14 of the map's radius, and now within 0.4.)
    """
    known: dict[bytes, int] = {}
    of = np.array([known.setdefault(content_hash(vector.tobytes()), len(known)) for vector in vectors], np.intp)
    if len(known) <= 1:  # all the same: `layout.normalise` knows what to do
        return np.arange(len(vectors)), np.arange(len(vectors))
    return np.unique(of, return_index=True)[1], of


def _known(job: FitJob) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """The row of each of the job's images in the map before, and whether it holds it at all."""
    if job.old is None:
        return np.zeros(len(job.ids), np.intp), np.zeros(len(job.ids), np.bool_)
    return rows_of(job.old.ids, job.ids)


def _start(
    vectors: Floats,
    old: Map,
    old_rows: NDArray[np.intp],
    known: NDArray[np.bool_],
    near: tuple[Floats, Ints] | None,
) -> Floats | None:
    """Where each image stands in the map before, in UMAP's units; what is new begins in the middle of its nearest old
    ones."""
    from atlas_rt.mapping.projector import Projector, among

    if not old.scale or not known.any() or near is None:
        return None
    start = np.empty((len(vectors), 3), np.float32)
    start[known] = old.positions[old_rows[known]]
    new = np.flatnonzero(~known)
    near_old = known[near[1][new]]
    lonely = ~near_old.any(axis=1)
    start[new] = among(start[near[1][new]], near[0][new], near_old)
    if lonely.any():
        placements = Projector(vectors[known], start[known]).place(vectors[new[lonely]])
        start[new[lonely]] = [each.position for each in placements]
    scaled: Floats = start * np.float32(old.scale)
    return scaled


def _placed(
    positions: Floats, vectors: Floats, job: FitJob, old_rows: NDArray[np.intp], shared: NDArray[np.bool_]
) -> Floats:
    """In world units: in the frame of every map, turned to the map before; or, where springs held enough of it, in
    that map's own frame. shared: the images by which it is turned, at old_rows in the map before."""
    from atlas_rt.mapping import fit, layout

    places = layout.normalise(positions)
    if job.old is None:
        # as the sketch that is on screen: a flip, so that the longest axis stays x
        flips = np.where((places * layout.principal_axes(vectors)).sum(axis=0) < 0, -1.0, 1.0)
        return (places * flips).astype(np.float32)
    before = job.old.positions[old_rows]
    if job.elastic and job.old.scale and len(before) >= fit.SMALLEST_FIT:  # fewer fix no frame
        back = layout.align(positions[shared], before, mirror=True)
        return layout.apart(back.apply(positions))
    turned: Floats = (places @ layout.align(places[shared], before, mirror=True).turn).astype(np.float32)
    return turned
