"""The frame of every map, and the alignment of two."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atlas_rt.core.arrays import Floats
from atlas_rt.mapping.layout import TWIN_STEP, align, normalise, off_taken, principal_axes

Crowd = Callable[[int], Floats]


def cloud(n: int, seed: int = 0) -> Floats:
    """A lopsided cloud, longer in one direction than in the others."""
    rng = np.random.default_rng(seed)
    return (rng.gamma(2.0, size=(n, 3)) * [5.0, 2.0, 1.0] + 30.0).astype(np.float32)


def turn(seed: int) -> Floats:
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))[0].astype(np.float32)


def gaps(positions: Floats) -> Floats:
    apart = np.linalg.norm(positions[:, None] - positions[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    return apart.min(axis=1)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4])
def test_few_images_have_places(crowd: Crowd, count: int) -> None:
    positions = normalise(principal_axes(crowd(count)))
    assert positions.shape == (count, 3)
    assert positions.dtype == np.float32
    assert np.isfinite(positions).all()
    assert np.linalg.norm(positions, axis=1).max(initial=0) <= 1.2
    if count > 1:
        assert gaps(positions).min() > 0.3


def test_the_first_axis_is_the_longest(crowd: Crowd) -> None:
    spread = principal_axes(crowd(300)).std(axis=0)
    assert spread[0] > spread[1] > spread[2] > 0


def test_nearly_all_lie_in_the_unit_sphere_around_the_centre() -> None:
    positions = normalise(cloud(1000))
    assert (np.linalg.norm(positions, axis=1) <= 1.0).mean() == pytest.approx(0.95, abs=0.001)
    assert positions.mean(axis=0) == pytest.approx(0.0, abs=1e-4)


@given(seed=st.integers(0, 1000), scale=st.floats(0.01, 100.0), mirrored=st.booleans())
@settings(max_examples=30, deadline=None)
def test_a_turned_scaled_shifted_or_mirrored_layout_is_the_same_map(seed: int, scale: float, mirrored: bool) -> None:
    points = cloud(200, seed)
    flip = np.array([-1.0 if mirrored else 1.0, 1.0, 1.0])
    moved = scale * (points * flip) @ turn(seed) + 7.0
    assert normalise(moved) == pytest.approx(normalise(points), abs=2e-3)


@pytest.mark.parametrize("count", [2, 5, 400])
def test_identical_images_do_not_stand_on_one_spot(count: int) -> None:
    positions = normalise(principal_axes(np.tile(np.eye(1, 16, dtype=np.float32), (count, 1))))
    assert np.linalg.norm(positions, axis=1).max() <= 1.0
    assert gaps(positions).min() > 0.3 / np.cbrt(count)


def test_twins_stand_beside_each_other_and_nobody_else_moves() -> None:
    points = cloud(100)
    doubled = np.concatenate([points, points[:3], points[:1]])
    positions = normalise(doubled)
    assert gaps(positions).min() > TWIN_STEP / 2
    assert np.linalg.norm(positions[100:103] - positions[:3], axis=1) == pytest.approx(TWIN_STEP, rel=1e-3)
    assert positions[3:100] == pytest.approx(normalise(doubled)[3:100])


def test_who_comes_later_stands_where_nobody_does() -> None:
    """Each beside the spot that copies share, and the same whether they come together or one by one."""
    rng = np.random.default_rng(2)
    there = rng.normal(size=(50, 3)).astype(np.float32)
    spots = np.concatenate([np.repeat(there[:2], 300, axis=0), rng.normal(size=(5, 3)).astype(np.float32)])
    together = off_taken(spots, there)
    assert len(np.unique(np.round(np.concatenate([there, together]), 4), axis=0)) == 50 + 605
    assert np.array_equal(together[-5:], spots[-5:])
    assert np.linalg.norm(together - spots, axis=1).max() < 0.1
    one_by_one = there
    for spot in spots:
        one_by_one = np.concatenate([one_by_one, off_taken(spot[None], one_by_one)])
    assert np.array_equal(one_by_one[50:], together)
    assert off_taken(spots[:0], there).shape == (0, 3)


def test_strangers_beside_a_thousand_copies_stay_in_sight() -> None:
    vectors = np.concatenate([np.tile(np.eye(1, 16), (1000, 1)), np.eye(16)[1:6]])
    assert np.linalg.norm(normalise(principal_axes(vectors)), axis=1).max() <= 4.1


@given(seed=st.integers(0, 1000), scale=st.floats(0.1, 10.0))
@settings(max_examples=30, deadline=None)
def test_alignment_undoes_a_turn_a_scale_and_a_shift(seed: int, scale: float) -> None:
    old = cloud(60, seed)
    turned = turn(seed)
    turned = turned * np.sign(np.linalg.det(turned))
    new = scale * old @ turned - 3.0
    assert align(new[:40], old[:40]).apply(new) == pytest.approx(old, abs=1e-2)


def test_alignment_mirrors_only_when_it_may() -> None:
    old = cloud(60)
    new = old * [-1.0, 1.0, 1.0]
    assert np.linalg.det(align(new, old).turn) == pytest.approx(1.0)
    assert align(new, old, mirror=True).apply(new) == pytest.approx(old, abs=1e-3)


def test_two_shared_images_fix_nothing() -> None:
    points = cloud(5)
    assert align(points[:2], points[3:]).apply(points) == pytest.approx(points)
