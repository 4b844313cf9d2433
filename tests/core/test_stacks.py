"""Stacks on screen: who stands for whom, and where they stand when they fan out."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from atlas_rt.core.scene import FANNED, HIDDEN, Scene
from atlas_rt.core.stacks import GAP, facing, fan, folded, honeycomb, lit, stacks_of, tiers
from tests.scenes import scene_of


def stacked_scene(count: int, *, aspect: float = 1.0) -> Scene:
    """So many images that all stack under the first."""
    scene = scene_of(list(range(1, count + 1)), [(0.1 * row, 0.0, 0.0) for row in range(count)])
    aspects = np.full(count, aspect, np.float32)
    return dataclasses.replace(scene, stacks=stacks_of(np.ones(count, np.int64)), aspects=aspects)


def test_rows_know_their_leader_and_leaders_their_number() -> None:
    stacks = stacks_of(np.array([1, 2, 1, 4, 2, 1]))
    assert stacks is not None
    assert stacks.leaders.tolist() == [0, 1, 0, 3, 1, 0]
    assert stacks.sizes.tolist() == [3, 2, 3, 1, 2, 3]
    assert stacks.members.tolist() == [2, 4, 5]


def test_the_first_follows_a_leader_that_is_not_there() -> None:
    stacks = stacks_of(np.array([7, 1, 1]))
    assert stacks is not None
    assert stacks.leaders.tolist() == [0, 1, 1]


def test_images_that_are_all_alone_are_no_stacks() -> None:
    assert stacks_of(np.array([1, 2, 3])) is None
    assert stacks_of(np.zeros(0, np.int64)) is None


def test_edges_end_at_the_leaders_once_and_none_runs_inside() -> None:
    stacks = stacks_of(np.array([1, 1, 3, 4, 3]))
    assert stacks is not None
    edges = np.array([[0, 1], [1, 4], [0, 2], [3, 4], [2, 4]], np.int32)
    ends, weights = folded(edges, np.array([0.9, 0.8, 0.7, 0.6, 0.5], np.float32), stacks)
    assert ends.tolist() == [[0, 2], [2, 3]]
    assert weights.tolist() == pytest.approx([0.8, 0.6])  # the first, which is the strongest


def test_a_leader_shines_with_the_best_of_its_stack() -> None:
    stacks = stacks_of(np.array([1, 1, 3, 1]))
    lights = np.array([0.5, 3.0, 1.0, 2.0], np.float32)
    assert lit(lights, stacks).tolist() == [3.0, 3.0, 1.0, 2.0]
    assert lit(lights, None) is lights


def test_only_an_open_stack_is_drawn_whole() -> None:
    scene = dataclasses.replace(stacked_scene(5), stacks=stacks_of(np.array([1, 1, 3, 3, 5])))
    assert tiers(scene, ()).tolist() == [0, HIDDEN, 0, HIDDEN, 0]  # type: ignore[union-attr]
    assert tiers(scene, [2]).tolist() == [0, HIDDEN, FANNED, FANNED, 0]  # type: ignore[union-attr]


@pytest.mark.parametrize("count", [2, 3, 5, 7, 8, 20, 200])
@pytest.mark.parametrize("aspect", [1 / 3, 1.0, 3.0])
def test_no_two_cards_of_a_fan_overlap_and_they_stay_together(count: int, aspect: float) -> None:
    half, eye = 0.05, np.array([0.0, 0.0, 2.0], np.float32)
    rows, places = fan(stacked_scene(count, aspect=aspect), 0, eye=eye, half=half)
    assert rows.tolist() == list(range(1, count))
    shown = np.concatenate([[(0.0, 0.0, 0.0)], places])
    apart = np.abs(shown[:, None] - shown[None])
    wide, high = 2 * half * aspect**0.5, 2 * half / aspect**0.5
    overlap = (apart[..., 0] < wide) & (apart[..., 1] < high)
    assert overlap.sum() == count  # each with itself
    assert np.allclose(shown[:, 2], 0.0, atol=1e-6)  # in the plane that the eye sees straight on
    reach = max(np.abs(shown[:, 0]).max() / wide, np.abs(shown[:, 1]).max() / high)
    assert reach <= GAP * (1.0 + (count / 3.0) ** 0.5)


def test_a_ring_is_full_before_the_next_begins_and_the_last_is_spread() -> None:
    assert honeycomb(1).tolist() == [[1.0, 0.0]]
    assert honeycomb(2).tolist() == [[1.0, 0.0], [-1.0, 0.0]]
    assert np.allclose(honeycomb(3).mean(axis=0), 0.0, atol=1e-6)
    assert len({tuple(cell) for cell in honeycomb(90).tolist()}) == 90  # four rings, and 30 of the fifth


@pytest.mark.parametrize("away", [(0.0, 0.0, 1.0), (1.0, 0.3, -0.4), (0.0, 5.0, 0.0), (0.0, 0.0, 0.0)])
def test_a_fan_faces_the_eye_and_stands_upright(away: tuple[float, float, float]) -> None:
    right, up = facing(np.array(away, np.float32))
    assert np.linalg.norm(right) == pytest.approx(1.0, abs=1e-5)
    assert np.linalg.norm(up) == pytest.approx(1.0, abs=1e-5)
    assert right @ up == pytest.approx(0.0, abs=1e-5)
    assert right[1] == 0.0
    assert right @ np.array(away) == pytest.approx(0.0, abs=1e-5)
