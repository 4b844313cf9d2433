"""How many neighbours of an image stand next to it on the flat wall, beside umap-learn in two dimensions."""

from __future__ import annotations

import numpy as np

from atlas_rt.bench.map import fit_alone
from atlas_rt.bench.report import Bar, BenchReport
from atlas_rt.bench.scene import made_vectors
from atlas_rt.core.arrays import Floats, Ints
from atlas_rt.mapping.fit import umap_alone, warm_up
from atlas_rt.mapping.map_quality import quality_of

IMAGES, DIM = 5_000, 384
TOLERANCE = 0.02


def measure(*, seed: int, vectors: Floats | None = None) -> BenchReport:
    """vectors: (n, dim) unit, of a real library; clustered ones of our own otherwise. Takes a minute or two."""
    known = made_vectors(IMAGES, DIM, seed=seed) if vectors is None else vectors
    if len(known) > IMAGES:
        known = known[np.sort(np.random.default_rng(seed).permutation(len(known))[:IMAGES])]
    warm_up()
    map_, secs = fit_alone(known, seed)
    flat = umap_alone(known, seed=seed, dimensions=2).positions
    recalls = {
        "wall": quality_of(known, _standing(map_.wall)).recall,
        "map": quality_of(known, map_.positions).recall,
        "umap-learn in two dimensions": quality_of(known, flat).recall,
    }
    better = recalls["wall"] - recalls["umap-learn in two dimensions"]
    alone = len(np.unique(map_.wall, axis=0))
    bars = (
        Bar("wall", better, "of 15 neighbours over umap-learn in two dimensions", "at least", -TOLERANCE),
        Bar("wall, cells", alone / len(known), "cells for an image", "at least", 1.0),
    )
    raw = {"images": len(known), "wall_secs": round(secs["wall"], 2)}
    return BenchReport(bars, raw | {f"recall, {name}": round(value, 4) for name, value in recalls.items()})


def _standing(cells: Ints) -> Floats:
    """(n, 3) the middles of cells."""
    return np.pad(cells, ((0, 0), (0, 1))).astype(np.float32)
