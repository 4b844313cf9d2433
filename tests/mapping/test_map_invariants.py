"""What holds for every map, whatever the images: property tests."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from atlas_rt.core.arrays import Floats
from atlas_rt.core.maps import Map
from atlas_rt.engine.placing import ReferenceMap, extended
from atlas_rt.mapping import layout
from atlas_rt.mapping.neighbours import knn, knn_edges
from atlas_rt.mapping.projector import Projector
from tests.libraries import same_bits

DIM = 12
BRIEFLY = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def unit(vectors: Floats) -> Floats:
    lengths = np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)
    return (vectors / lengths).astype(np.float32)


@st.composite
def crowds(draw: st.DrawFn, least: int = 0, most: int = 60) -> Floats:
    """Unit vectors: spread, in a few tight groups, or many times the same."""
    count = draw(st.integers(least, most))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    groups, spread = draw(st.integers(1, 5)), draw(st.sampled_from([0.0, 1e-4, 0.2, 1.0]))
    middles = rng.normal(size=(groups, DIM))
    return unit(middles[rng.integers(0, groups, count)] + spread * rng.normal(size=(count, DIM)))


def map_of(vectors: Floats, ids: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Map:
    edges, weights = knn_edges(vectors, 5)
    return Map(
        ids=ids,
        rows=np.arange(len(ids), dtype=np.int32),
        positions=layout.normalise(layout.principal_axes(vectors)),
        edges=edges,
        weights=weights,
        clusters=np.full(len(ids), -1, np.int32),
        fitted=np.ones(len(ids), np.bool_),
        cluster_records=(),
        generation=1,
        kind="umap",
        model="model",
        seed=1,
    )


@BRIEFLY
@given(crowds(least=2), crowds(least=1), st.data())
def test_no_image_moves_when_others_come_and_go(first: Floats, more: Floats, data: st.DataObject) -> None:
    every = np.concatenate([first, more])
    before = map_of(first, np.arange(len(first), dtype=np.int64) * 2)
    stays = np.array(data.draw(st.lists(st.booleans(), min_size=len(first), max_size=len(first))))
    ids = np.concatenate([before.ids[stays], np.arange(len(more), dtype=np.int64) * 2 + 1])
    rows = np.concatenate([before.rows[stays], len(first) + np.arange(len(more), dtype=np.int32)]).astype(np.int32)
    order = np.argsort(ids)
    after = extended(
        before, ids[order], rows[order], reference=ReferenceMap(before, every.__getitem__), vectors_at=every.__getitem__
    )
    at = np.searchsorted(after.ids, before.ids[stays])
    assert same_bits(after.positions[at], before.positions[stays])
    assert np.isfinite(after.positions).all()
    new = np.setdiff1d(np.arange(len(after.ids)), at)
    spots = np.unique(after.positions.round(4), axis=0)
    assert len(spots) >= len(np.unique(before.positions[stays].round(4), axis=0)) + len(new)  # each can be picked
    assert len(after.edges) == len(after.weights) == len(np.unique(after.edges, axis=0))
    assert (after.edges[:, 0] < after.edges[:, 1]).all()
    again = extended(
        after, after.ids, after.rows, reference=ReferenceMap(before, every.__getitem__), vectors_at=every.__getitem__
    )
    assert same_bits(again.positions, after.positions)
    assert same_bits(again.edges, after.edges)


@BRIEFLY
@given(crowds(least=20), crowds(least=1), st.sets(st.integers(0, 19), max_size=8))
def test_a_new_image_is_joined_to_its_nearest_of_all_that_are_there(
    first: Floats, more: Floats, gone: set[int]
) -> None:
    """Whether these are anchors or new themselves; some of the reference images went."""
    every = np.concatenate([first, more])
    before = map_of(first, np.arange(len(first), dtype=np.int64))
    rows = np.setdiff1d(np.arange(len(every)), list(gone)).astype(np.int32)
    after = extended(
        before,
        rows.astype(np.int64),
        rows,
        reference=ReferenceMap(before, every.__getitem__),
        vectors_at=every.__getitem__,
    )
    new = np.flatnonzero(rows >= len(first))
    similarities, _ = knn(every[rows], 5, of=new.astype(np.int32))
    assert after.weights == pytest.approx(every[rows][after.edges].prod(axis=1).sum(axis=1), abs=1e-5)
    for row, scores in zip(new, similarities, strict=True):
        joined = np.sort(after.weights[(after.edges == row).any(axis=1)])[::-1]
        assert joined[: len(scores)] == pytest.approx(scores, abs=1e-6)  # of copies of one picture any will do


@BRIEFLY
@given(crowds(least=3), crowds(least=2), st.randoms(use_true_random=False))
def test_a_place_depends_on_the_image_and_the_map_alone(known: Floats, new: Floats, random: object) -> None:
    positions = layout.normalise(layout.principal_axes(known))
    projector = Projector(known, positions)
    together = projector.place(new)
    for row in range(len(new)):
        (alone,) = projector.place(new[row : row + 1])
        assert same_bits(alone.position, together[row].position)
        assert alone.uncertainty == together[row].uncertainty
        assert 0.0 <= alone.uncertainty <= 1.0
    backwards = projector.place(new[::-1])
    assert all(same_bits(one.position, other.position) for one, other in zip(backwards[::-1], together, strict=True))


@BRIEFLY
@given(crowds(least=3), st.integers(0, 10**6))
def test_aligning_a_moved_map_brings_it_back(vectors: Floats, seed: int) -> None:
    points = layout.normalise(layout.principal_axes(vectors))
    rng = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    moved = 2.5 * points @ turn + rng.normal(size=3)
    assert layout.align(moved, points, mirror=True).apply(moved) == pytest.approx(points, abs=1e-3)
    assert layout.drift(points, points) == 0.0
