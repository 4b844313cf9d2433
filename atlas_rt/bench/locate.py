"""From a vector to a place, one image at a time, against `UMAP.transform` in the same run."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from atlas_rt.bench.report import Bar, BenchReport, quantiles
from atlas_rt.bench.scene import made_vectors
from atlas_rt.core.arrays import Floats
from atlas_rt.mapping.fit import fit_umap, umap_alone
from atlas_rt.mapping.layout import normalise
from atlas_rt.mapping.projector import Projector

IMAGES = 10_000
DIM = 384
QUERIES = 50
FASTER = 4.0


def measure(*, seed: int, vectors: Floats | None = None) -> BenchReport:
    """vectors: (n, dim) unit, of a real library; clustered ones of our own otherwise. Takes a minute."""
    known = made_vectors(IMAGES, DIM, seed=seed) if vectors is None else vectors
    rng = np.random.default_rng(seed)
    held_out = rng.permutation(len(known))[: min(QUERIES, len(known) // 10)]
    fitted = np.delete(known, held_out, axis=0)
    projector = Projector(fitted, normalise(fit_umap(fitted, seed=seed).positions))
    ours = _times_ms(lambda row: projector.place(known[row][None]), held_out)
    alone = umap_alone(fitted, seed=seed)
    theirs = _times_ms(lambda row: alone.place(known[row][None]), held_out)
    faster = float(np.median(theirs) / np.median(ours))
    raw = {"images": len(fitted), "ours_ms": quantiles(ours), "umap_transform_ms": quantiles(theirs)}
    return BenchReport((Bar("locate", faster, "times faster than UMAP.transform", "at least", FASTER),), raw)


def _times_ms(place: Callable[[int], object], rows: np.ndarray[tuple[int], np.dtype[np.int64]]) -> list[float]:
    """Milliseconds of each; the first call is not counted."""
    place(int(rows[0]))
    times = []
    for row in rows.tolist():
        begun = time.perf_counter()
        place(row)
        times.append((time.perf_counter() - begun) * 1000.0)
    return times
