"""The bars of the map: true to its neighbours, still when images come, nearly still when it is fitted again.

On any library's vectors: a tenth is held out, and a kind of its own, half as large, is added for the refit.
"""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atlas_rt.bench.report import Bar, BenchReport, quantiles
from atlas_rt.bench.scene import made_vectors
from atlas_rt.core.arrays import Floats, Ints
from atlas_rt.core.maps import Map
from atlas_rt.encoders.sessions import open_made
from atlas_rt.engine.fitting import FitJob, Fitted, fitted
from atlas_rt.engine.placing import ReferenceMap, extended
from atlas_rt.mapping.fit import umap_alone, warm_up
from atlas_rt.mapping.map_quality import Quality, placed_quality, quality_of
from atlas_rt.mapping.projector import Projector
from atlas_rt.search.labels import wordless

IMAGES, DIM = 5_500, 384
FITTED = (1_000, 5_000)
JUDGED = 1_000
"""Images of a map by which it is judged: all of 5,000 would take a minute more and say the same to 0.002."""
KIND_SHARE, NEW_SHARE = 0.05, 0.1
UNSURE_SHARE = 0.2
"""The least certain fifth of the held-out images are called strangers."""
TOLERANCE, RECALL_TOLERANCE = 0.005, 0.03
SHIFT, NETWORK_MS, NETWORK_SHARE = 0.05, 0.2, 0.2
Rows = NDArray[np.intp]


def measure(*, seed: int, vectors: Floats | None = None) -> BenchReport:
    """vectors: (n, dim) unit, of a real library, 100 at least; clustered ones of our own otherwise. Takes minutes."""
    known = made_vectors(IMAGES, DIM, seed=seed) if vectors is None else vectors
    order = np.random.default_rng(seed).permutation(len(known))
    held_out = min(500, len(known) // 11)
    inside, outside = known[order[held_out:]], known[order[:held_out]]
    bars: list[Bar] = []
    raw: dict[str, Any] = {"images": len(inside), "held_out": len(outside)}
    warm_up()
    _fits(inside, seed, bars, raw)
    _placing(inside, outside, seed, bars, raw)
    _refit(known[order], seed, bars, raw)
    return BenchReport(tuple(bars), raw)


def _fits(inside: Floats, seed: int, bars: list[Bar], raw: dict[str, Any]) -> None:
    """What is published at 1,000 and at all images, each fit going on from the one before, against umap-learn's own."""
    old: Map | None = None
    for count in sorted({min(size, len(inside)) for size in (300, *FITTED)}):
        map_, _ = fit_alone(inside[:count], seed, old=old)
        old = map_
        if count < min(FITTED[0], len(inside)):
            continue
        begun = time.perf_counter()
        theirs = umap_alone(inside[:count], seed=seed).positions
        secs = time.perf_counter() - begun
        ours, plain = _judged(inside[:count], map_.positions), _judged(inside[:count], theirs)
        better = ours.trustworthiness - plain.trustworthiness
        bars.append(Bar(f"map quality, fitted to {count:,}", better, "over umap-learn", "at least", -TOLERANCE))
        raw[f"fitted to {count:,}"] = _told(ours) | {"umap-learn": _told(plain), "umap_secs": round(secs, 2)}


def _placing(inside: Floats, outside: Floats, seed: int, bars: list[Bar], raw: dict[str, Any]) -> None:
    """Images that the map never saw, against `UMAP.transform`; the network alone; what it would add."""
    map_, secs = fit_alone(inside, seed)
    placements = Projector(inside, map_.positions).place(outside)
    places = np.stack([each.position for each in placements])
    ours = placed_quality(outside, places, inside, map_.positions)
    alone = umap_alone(inside, seed=seed)
    theirs = placed_quality(outside, alone.place(outside), inside, alone.positions)
    for name, mine, other in zip(("trustworthiness", "recall"), _both(ours), _both(theirs), strict=True):
        bars.append(Bar(f"map quality, {name}", mine - other, "over UMAP.transform", "at least", -TOLERANCE))
    raw["placed"] = _told(ours) | {"UMAP.transform": _told(theirs)}

    both = np.concatenate([inside, outside])
    grown = _grown(map_, both)
    moved = int((grown.positions[: len(inside)] != map_.positions).any(axis=1).sum())
    bars.append(Bar("map stability", moved, "images moved by adding others", "at most", 0))

    doubts = np.array([each.uncertainty for each in placements])
    each = (placed_quality(outside[[i]], places[[i]], inside, map_.positions) for i in range(len(outside)))
    missed = np.array([1.0 - quality.recall for quality in each])
    raw["uncertainty, rank correlation with the true neighbours missed"] = round(_rank_correlation(doubts, missed), 3)
    _network(map_, inside, outside, places, doubts, bars, raw)
    share = secs["network"] / max(secs["layout"], 1e-9)
    bars.append(Bar("parametric network, training", share, "of the layout's time", "at most", NETWORK_SHARE))
    raw["fit_secs"] = {name: round(value, 3) for name, value in secs.items()}


def _network(
    map_: Map, inside: Floats, outside: Floats, places: Floats, doubts: Floats, bars: list[Bar], raw: dict[str, Any]
) -> None:
    session = open_made(map_.network, threads=1)
    times = []
    for vector in outside[:, None]:
        begun = time.perf_counter()
        session.run("position", {"vector": vector})
        times.append((time.perf_counter() - begun) * 1000.0)
    bars.append(Bar("parametric network", float(np.median(times)), "ms an image", "at most", NETWORK_MS))
    alone = session.run("position", {"vector": outside})
    strangers = doubts >= np.quantile(doubts, 1.0 - UNSURE_SHARE)
    told = {}
    for name, rows in (("all", np.ones(len(outside), np.bool_)), ("strangers", strangers)):
        for share in (0.0, 0.2, 0.5, 1.0):
            mixed = (1.0 - share) * places[rows] + share * alone[rows]
            told[f"{name}, {share:.0%} network"] = _told(placed_quality(outside[rows], mixed, inside, map_.positions))
    raw["what the network adds to settling"] = told
    raw["network_ms"] = quantiles(times)


def _refit(known: Floats, seed: int, bars: list[Bar], raw: dict[str, Any]) -> None:
    """A tenth is added, half of it of a kind that the map did not hold: what is nearest to one image."""
    kind_size = max(5, round(KIND_SHARE * len(known) / (1.0 + NEW_SHARE)))
    similar = np.argsort(-(known @ known[0]), kind="stable")
    kind, others = similar[:kind_size], np.sort(similar[kind_size:])
    old_rows, usual = others[kind_size:], others[:kind_size]
    vectors = known[np.concatenate([old_rows, kind, usual])]
    count = len(old_rows)
    first, _ = fit_alone(vectors[:count], seed)
    anchored, secs = fit_alone(vectors, seed, old=_grown(first, vectors), anchored=True)
    cold, _ = fit_alone(vectors, seed)
    new = np.arange(count, len(vectors), dtype=np.int32)
    ours, plain = _judged(vectors, anchored.positions), _judged(vectors, cold.positions)
    ours_new, plain_new = (quality_of(vectors, each.positions, rows=new) for each in (anchored, cold))
    truer, found = ours.trustworthiness - plain.trustworthiness, ours_new.recall - plain_new.recall
    bars += [
        Bar("map refit, shift", anchored.drift, "of the radius, median of the old", "at most", SHIFT),
        Bar("map refit, trustworthiness", truer, "over a cold refit", "at least", -TOLERANCE),
        Bar("map refit, recall of the new", found, "over a cold refit", "at least", -RECALL_TOLERANCE),
    ]
    raw["refit"] = {
        "old": count, "new": len(new), "of them of a new kind": len(kind), "secs": round(secs["layout"], 2),
        "elastic": _told(ours), "cold": _told(plain), "elastic, new": _told(ours_new), "cold, new": _told(plain_new),
    }  # fmt: skip


def _grown(map_: Map, vectors: Floats) -> Map:
    """The map with the vectors beyond its own placed in it, as images that come are."""
    rows = np.arange(len(vectors), dtype=np.int32)
    reference = ReferenceMap(map_, vectors.__getitem__)
    return extended(map_, rows.astype(np.int64), rows, reference=reference, vectors_at=vectors.__getitem__)


def fit_alone(
    vectors: Floats, seed: int, *, old: Map | None = None, anchored: bool = False
) -> tuple[Map, dict[str, float]]:
    """A fit as the engine's child makes it, and the seconds of its parts."""
    ids = np.arange(len(vectors), dtype=np.int64)
    words = wordless(vectors.shape[1])
    job = FitJob(ids, tuple(map(str, ids)), words, seed, old, anchored)
    found = fitted(vectors, job, progress=lambda _: None)
    return _map_of(found, ids, seed), found.secs


def _map_of(found: Fitted, ids: NDArray[np.int64], seed: int) -> Map:
    kept = {field.name: getattr(found, field.name) for field in dataclasses.fields(found) if field.name != "secs"}
    fresh = np.ones(len(ids), np.bool_)
    return Map(ids=ids, rows=ids.astype(np.int32), fitted=fresh, generation=1, kind="umap", model="", seed=seed, **kept)


def _judged(vectors: Floats, positions: Floats) -> Quality:
    step = max(1, len(vectors) // JUDGED)
    rows: Ints = np.arange(0, len(vectors), step, dtype=np.int32)
    return quality_of(vectors, positions, rows=rows)


def _both(quality: Quality) -> tuple[float, float]:
    return quality.trustworthiness, quality.recall


def _told(quality: Quality) -> dict[str, float]:
    return {"trustworthiness": round(quality.trustworthiness, 4), "recall": round(quality.recall, 4)}


def _rank_correlation(one: Floats, other: Floats) -> float:
    """Spearman's; ties have the mean of their ranks."""
    ranks = []
    for values in (one, other):
        _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
        ends = np.cumsum(counts)
        ranks.append((ends - (counts - 1) / 2.0)[inverse])
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])
