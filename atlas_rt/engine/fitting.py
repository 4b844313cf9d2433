"""Fitting in a process of its own: umap-learn's kernels hold the interpreter lock for whole epochs, and ending a
process is the one sure way to cancel them.

The process warms up (import and compilation, about six seconds) while the first images are decoded, then serves
one fit after another. Vectors travel as a file in the library's folder, the rest by the pipe.
"""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from atlas_rt.core.records import Cluster, Floats, Ids, Ints
from atlas_rt.core.world import rows_of
from atlas_rt.engine.entry import end_with_parent
from atlas_rt.engine.process import SPAWN
from atlas_rt.errors import AtlasError
from atlas_rt.library import space
from atlas_rt.ml.labels import Vocabulary

READY = "ready"
"""What the child says first, once it has warmed up."""
Anchor = tuple[Ids, Floats]
"""The ids and (n, 3) positions of the map before."""


@dataclass(frozen=True, slots=True)
class FitJob:
    """A fit to make. vectors: file of (n, dim) float32 in the rows of ids and paths. old: the map to align with,
    None for the first."""

    vectors: str
    ids: Ids
    paths: tuple[str, ...]
    vocabulary: Vocabulary
    seed: int
    old: Anchor | None


@dataclass(frozen=True, slots=True)
class Fitted:
    """A finished fit: (n, 3) positions in world units, the cluster of each image, the clusters."""

    positions: Floats
    clusters: Ints
    cluster_records: tuple[Cluster, ...]


class Cancelled(Exception):  # noqa: N818 - no error: someone asked for it
    """The fit was given up because the engine is asked to stop."""


class FitProcess:
    """The child that fits. Owned by the engine's main thread; closing it cancels what it does."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pipe, theirs = SPAWN.Pipe()
        self._process = SPAWN.Process(target=_serve, args=(theirs,), name="atlas-fit")
        self._process.start()
        theirs.close()
        self._ready = False

    def fit(
        self,
        vectors: Floats,
        *,
        ids: Ids,
        paths: tuple[str, ...],
        vocabulary: Vocabulary,
        seed: int,
        old: Anchor | None,
        waiting: Callable[[float, float], bool],
    ) -> Fitted:
        """Fit and wait. `waiting(share, elapsed_secs)` is called ten times a second; False from it raises Cancelled.

        Raises AtlasError with the child's reason when the fit fails, MissingError on a full disk.
        """
        with _written(vectors, self._folder) as file:
            try:
                self._await_ready(waiting)
                self._pipe.send(FitJob(str(file), ids, paths, vocabulary, seed, old))
                answer = self._answer(waiting)
            except (EOFError, OSError) as error:
                raise AtlasError("the process that fits the map ended unexpectedly; start again to go on") from error
        if isinstance(answer, str):
            raise AtlasError(f"the map could not be fitted: {answer}")
        return answer

    def close(self) -> None:
        self._pipe.close()
        self._process.kill()
        self._process.join()

    def _await_ready(self, waiting: Callable[[float, float], bool]) -> None:
        """Wait until the child has warmed up: a job is more than a pipe holds, and sending it before would block."""
        begun = time.monotonic()
        while not self._ready:
            if self._pipe.poll(0.1):
                self._ready = self._pipe.recv() == READY
            elif not waiting(0.0, time.monotonic() - begun):
                raise Cancelled

    def _answer(self, waiting: Callable[[float, float], bool]) -> Fitted | str:
        begun, share = time.monotonic(), 0.0
        while True:
            while self._pipe.poll(0.1):
                answer: Fitted | str | float = self._pipe.recv()
                if not isinstance(answer, float):
                    return answer
                share = answer
            if not waiting(share, time.monotonic() - begun):
                raise Cancelled


@contextlib.contextmanager
def _written(vectors: Floats, folder: Path) -> Iterator[Path]:
    """A file of vectors for as long as a fit takes. Raises MissingError on a full disk."""
    with contextlib.ExitStack() as stack:
        with space.writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            # named as what `maps` sweeps away: an engine that is killed in mid-fit leaves it behind
            own = stack.enter_context(tempfile.TemporaryDirectory(prefix=".tmp-fit-", dir=folder))
            file = Path(own) / "vectors.f32"
            file.write_bytes(
                np.ascontiguousarray(vectors, np.float32).data
            )  # np.save does not tell that a disk is full
        yield file


def _serve(pipe: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()
    # umap-learn's helpers write warnings of their own when the process is ended in mid-fit; errors travel by the pipe
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    from atlas_rt.ml.fit import warm_up

    warm_up()
    with contextlib.suppress(EOFError, OSError):
        pipe.send(READY)
        while True:
            job: FitJob = pipe.recv()
            try:
                pipe.send(fitted(job, progress=pipe.send))
            except Exception as error:  # noqa: BLE001 - whatever umap-learn raises becomes a sentence for the engine
                pipe.send(f"{type(error).__name__}: {error}")


def fitted(job: FitJob, *, progress: Callable[[float], None]) -> Fitted:
    """The fit that a job describes: layout, alignment with the map before, clusters."""
    from atlas_rt.ml import clusters, fit, layout

    vectors: Floats = np.fromfile(job.vectors, np.float32).reshape(len(job.ids), -1)
    positions = layout.normalise(fit.fit_umap(vectors, seed=job.seed, progress=progress))
    if job.old is not None:
        rows, known = rows_of(job.old[0], job.ids)
        positions = layout.align(positions[known], job.old[1][rows[known]], mirror=True).apply(positions)
    groups, records = clusters.find_clusters(
        positions, vectors=vectors, ids=job.ids, paths=job.paths, vocabulary=job.vocabulary
    )
    return Fitted(positions, groups, records)
