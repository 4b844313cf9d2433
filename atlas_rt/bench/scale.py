"""What very many images cost: fitting a map compared with umap-learn alone, and searching a million vectors on disk.

Each part runs in a process of its own, so that its peak of memory is its own; the vectors are made, in clusters.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from atlas_rt.bench.report import Bar, BenchReport, quantiles
from atlas_rt.bench.scene import SEED, made_vectors
from atlas_rt.bench.search import PHRASES, WidenedEncoder
from atlas_rt.core.arrays import Floats
from atlas_rt.core.runtime import Runtime
from atlas_rt.encoders.registry import Model
from atlas_rt.errors import MissingError
from atlas_rt.mapping.projector import Projector
from atlas_rt.search import vector_index
from atlas_rt.search.vector_index import VectorIndex, keep_index, recall_at_10, vector_index_of
from atlas_rt.workers.searcher import Query, Searcher

IMAGES, DIM = 100_000, 384
VECTORS, WIDE = 1_000_000, 512
TIME_SHARE, MEMORY_GB, RECALL = 1.3, 4.0, 0.95
WARM = 5_000
"""Images fitted before the measurement, as umap-learn compiles what it needs at its first fits."""
Figures = dict[str, Any]


def measure(*, seed: int, model: Model, runtime: Runtime, images: int = IMAGES, vectors: int = VECTORS) -> BenchReport:
    """images: of the map; vectors: of the search. Takes some ten minutes and `vectors` kilobytes of disk."""
    theirs = _alone(_umap_alone, images, seed)
    ours = _alone(_ours, images, seed)
    window = _alone(_window, images, seed)
    with tempfile.TemporaryDirectory() as folder:
        search = _alone(_search, vectors, Path(folder), model, runtime)
    share = (ours["secs"]["layout"] + ours["secs"]["network"]) / theirs["secs"]
    whole = ours["peak_gb"] + window["peak_gb"]
    bars = (
        Bar("scale, fit", share, "of umap-learn's time", "at most", TIME_SHARE),
        Bar("scale, memory", whole, "GB, fitting and a window's share together", "at most", MEMORY_GB),
        Bar("scale, search", search["recall_at_10"], "of the best ten found", "at least", RECALL),
        Bar("scale, search memory", search["peak_gb"], "GB", "at most", MEMORY_GB),
    )
    raw = {
        f"umap-learn alone, {images:,}": theirs,
        f"fitted, {images:,}": ours,
        f"searched and placed in, {images:,}": window,
        f"search, {vectors:,} x {WIDE}": search,
    }
    return BenchReport(bars, raw)


def _alone(work: Callable[..., Figures], *arguments: object) -> Figures:
    """What it says, in a process of its own, with the most memory that process held."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_weighed, work, arguments).result()


def _weighed(work: Callable[..., Figures], arguments: tuple[object, ...]) -> Figures:
    figures = work(*arguments)
    if sys.platform == "win32":
        raise MissingError("the memory of a process cannot be read on this system; measure on Linux or macOS")
    import resource

    unit = 1e9 if sys.platform == "darwin" else 1e6  # bytes there, kilobytes elsewhere
    return figures | {"peak_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit, 3)}


def _umap_alone(images: int, seed: int) -> Figures:
    from atlas_rt.mapping.fit import umap_alone, warm_up

    vectors = made_vectors(images, DIM, seed=SEED)
    warm_up()
    umap_alone(vectors[:WARM], seed=seed)
    begun = time.perf_counter()
    umap_alone(vectors, seed=seed)
    return {"secs": round(time.perf_counter() - begun, 2)}


def _ours(images: int, seed: int) -> Figures:
    """As `atlas-rt index` fits: neighbours on all cores, which find the same, everything else on one."""
    from atlas_rt.engine.fitting import FitJob, fitted
    from atlas_rt.mapping.fit import warm_up
    from atlas_rt.search.labels import wordless

    vectors, words, cores = made_vectors(images, DIM, seed=SEED), wordless(DIM), os.cpu_count() or 1
    warm_up()
    for count in (min(WARM, images), images):
        ids = np.arange(count, dtype=np.int64)
        job = FitJob(ids, tuple(map(str, ids)), words, seed, threads=cores)
        found = fitted(vectors[:count], job, progress=lambda _: None)
    secs = {part: round(value, 2) for part, value in found.secs.items()}
    return {
        "secs": secs,
        "threads that look for neighbours": cores,
        "clusters": len(found.cluster_records),
        "edges": len(found.edges),
    }


def _window(images: int, seed: int) -> Figures:
    """What a window holds of so many images besides pictures: their vectors, and what places and searches by them."""
    held = VectorIndex(made_vectors(images, DIM, seed=SEED))
    positions = np.random.default_rng(seed).normal(size=(images, 3)).astype(np.float32)
    begun = time.perf_counter()
    projector = Projector(held.whole(), positions)
    ready = time.perf_counter()
    queries = made_vectors(50, DIM, seed=SEED + 1)
    projector.place(queries[:1])
    times = [_timed(partial(projector.place, query[None])) for query in queries]
    scored = [_timed(partial(held.score, query)) for query in queries]
    return {
        "projector_secs": round(ready - begun, 2),
        "place_ms": quantiles(times),
        "score_ms": quantiles(scored),
    }


def _search(count: int, folder: Path, model: Model, runtime: Runtime) -> Figures:
    file, rng = folder / "vectors.f16", np.random.default_rng(SEED)
    with file.open("wb") as out:
        for start in range(0, count, vector_index.BLOCK):
            part = made_vectors(min(vector_index.BLOCK, count - start), WIDE, seed=int(rng.integers(1 << 30)))
            out.write(part.astype(np.float16).tobytes())
    stored = np.memmap(file, np.float16, "r").reshape(-1, WIDE)
    begun = time.perf_counter()
    keep_index(stored, folder, going_on=lambda _: None)
    built = time.perf_counter()
    held = vector_index_of(stored, np.arange(count, dtype=np.int32), folder)
    opened = time.perf_counter()
    searcher = Searcher(model, WidenedEncoder(model, dim=WIDE, runtime=runtime))
    ids = np.arange(count, dtype=np.int64)
    first = _timed(lambda: searcher.answer(Query("picture", ids, held)))
    answers = [searcher.answer(Query(phrase, ids, held)) for phrase in PHRASES]
    phrases = np.stack([searcher.vector_of(phrase) for phrase in PHRASES])
    return {
        "how": held.how,
        "index_secs": round(built - begun, 1),
        "open_secs": round(opened - built, 2),
        "first_secs": round(first / 1000.0, 1),
        "encode_ms": quantiles([answer.encode_ms for answer in answers]),
        "score_and_rank_ms": quantiles([answer.search_ms for answer in answers]),
        "recall_at_10": round(recall_at_10(held, phrases), 4),
        "recall_at_10_of_images": round(recall_at_10(held, _of_images(held)), 4),
    }


def _of_images(held: VectorIndex) -> Floats:
    return held.at(np.linspace(0, len(held) - 1, 50).astype(np.int32))


def _timed(work: Callable[[], object]) -> float:
    """Milliseconds."""
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1000.0
