"""Placing images in a map that stays as it is."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from atlas_rt.core.arrays import Floats
from atlas_rt.mapping.layout import normalise, principal_axes
from atlas_rt.mapping.projector import Projector

Crowd = Callable[[int], Floats]


@pytest.fixture(scope="module")
def everyone(crowd: Crowd) -> Floats:
    return crowd(700)


@pytest.fixture(scope="module")
def positions(everyone: Floats) -> Floats:
    """Of the first 600. Principal axes: what places a newcomer well here places it well on any map."""
    return normalise(principal_axes(everyone[:600]))


@pytest.fixture(scope="module")
def projector(everyone: Floats, positions: Floats) -> Projector:
    return Projector(everyone[:600], positions)


def test_placing_one_or_many_gives_the_same_bits(projector: Projector, everyone: Floats) -> None:
    together = projector.place(everyone[600:])
    for count in (1, 2, 3, 8, 17):
        for one, other in zip(projector.place(everyone[600 : 600 + count]), together, strict=False):
            assert (one.position == other.position).all()
            assert one.uncertainty == other.uncertainty
            assert (one.neighbours == other.neighbours).all()


def test_an_image_stands_among_its_nearest(projector: Projector, everyone: Floats, positions: Floats) -> None:
    radius = np.linalg.norm(positions, axis=1).mean()
    for placed in projector.place(everyone[600:]):
        around = positions[placed.neighbours]
        assert placed.neighbours.shape == placed.similarities.shape == (15,)
        assert placed.position.dtype == np.float32
        assert (placed.position >= around.min(axis=0) - 1e-5).all()
        assert (placed.position <= around.max(axis=0) + 1e-5).all()
    errors = [np.linalg.norm(p.position - positions[p.neighbours[0]]) for p in projector.place(everyone[600:])]
    assert np.median(errors) < radius / 2


def test_a_copy_stands_beside_its_twin_and_not_on_it(projector: Projector, everyone: Floats, positions: Floats) -> None:
    placed = projector.place(everyone[:50])
    apart = np.array([np.linalg.norm(one.position - stand) for one, stand in zip(placed, positions, strict=False)])
    assert apart.min() > 1e-3
    assert apart.max() < 0.15
    assert max(one.uncertainty for one in placed) < 0.01


def test_the_map_s_scale_and_place_do_not_matter(everyone: Floats, positions: Floats, projector: Projector) -> None:
    wide = Projector(everyone[:600], positions * 8)
    for one, other in zip(projector.place(everyone[600:620]), wide.place(everyone[600:620]), strict=True):
        assert other.position == pytest.approx(one.position * 8, abs=1e-3)


def test_a_stranger_is_less_certain_than_a_member(projector: Projector, everyone: Floats) -> None:
    rng = np.random.default_rng(9)
    strangers = rng.normal(size=(20, everyone.shape[1])).astype(np.float32)
    strangers /= np.linalg.norm(strangers, axis=1, keepdims=True)
    unsure = [placed.uncertainty for placed in projector.place(strangers)]
    sure = [placed.uncertainty for placed in projector.place(everyone[600:])]
    assert 0.0 <= min(sure) <= max(unsure) <= 1.0
    assert min(unsure) > np.median(sure)
    assert np.mean(unsure) > 0.8


def test_it_grows_as_an_image_gets_less_like_its_nearest(projector: Projector, everyone: Floats) -> None:
    rng = np.random.default_rng(2)
    noise = rng.normal(size=everyone.shape[1]).astype(np.float32)
    steps = np.stack([everyone[5] + share * noise for share in np.linspace(0, 1, 8)]).astype(np.float32)
    steps /= np.linalg.norm(steps, axis=1, keepdims=True)
    doubts = [placed.uncertainty for placed in projector.place(steps)]
    assert doubts[0] < doubts[3] < doubts[-1]


@pytest.mark.parametrize("known", [0, 1, 2, 3])
def test_maps_of_few_images(everyone: Floats, known: int) -> None:
    positions = normalise(principal_axes(everyone[:known]))
    placed = Projector(everyone[:known], positions).place(everyone[10:12])
    assert len(placed) == 2
    assert all(np.isfinite(one.position).all() for one in placed)
    assert all(0.0 <= one.uncertainty <= 1.0 for one in placed)
    assert all(len(one.neighbours) == known for one in placed)


def test_a_library_of_copies(everyone: Floats) -> None:
    same = np.repeat(everyone[:1], 50, axis=0)
    placed = Projector(same, normalise(principal_axes(same))).place(everyone[:3])
    assert all(np.isfinite(one.position).all() for one in placed)


def test_nothing_to_place(projector: Projector, everyone: Floats) -> None:
    assert projector.place(everyone[:0]) == ()
