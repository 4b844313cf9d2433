"""Which node is under the pointer, how large it is, which nodes are near."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from atlas_rt.core import camera
from atlas_rt.core.scene import FANNED, HIDDEN, PLAIN, Scene, View
from atlas_rt.core.stacks import stacks_of
from atlas_rt.core.visibility import (
    GROWTH_MAX,
    NearNodes,
    light_of,
    min_angle,
    near_nodes,
    neighbour_towards,
    pick,
    positions_now,
    rows_in_sight,
    screen_radii,
)

SIZE_PX = (800, 600)
FOV_Y = math.radians(50)


def make_view(positions: list[list[float]], *, aspects: list[float] | None = None, node_size: float = 0.05) -> View:
    """A view from (0, 0, 2) along -z of nodes at these places."""
    n = len(positions)
    scene = Scene(
        ids=np.arange(n, dtype=np.int64),
        paths=tuple(f"{row}.png" for row in range(n)),
        positions=np.array(positions, np.float32).reshape(n, 3),
        aspects=np.array(aspects or [1.0] * n, np.float32),
        mean_rgb=np.full((n, 3), 128, np.uint8),
        hues=np.full((n, 3), 200, np.uint8),
        tiles=np.arange(n, dtype=np.int32),
        sizes_px=np.full((n, 2), 64, np.int32),
        clusters=np.zeros(n, np.int32),
        edges=np.zeros((0, 2), np.int32),
        weights=np.zeros(0, np.float32),
        cluster_records=(),
        cluster_hues=np.full((1, 3), 200, np.uint8),
        node_size=node_size,
        generation=1,
        kind="umap",
        model="starter",
    )
    pose = camera.pose_looking_at((0.0, 0.0, 2.0), (0.0, 0.0, 0.0))
    return View(
        scene=scene,
        positions=scene.positions,
        old_positions=scene.positions,
        morph=1.0,
        settled=True,
        tiers=None,
        leaving=None,
        gone=1.0,
        lights=None,
        light_mix=0.0,
        eye=np.array([0.0, 0.0, 2.0], np.float32),
        view_from_world=camera.view_from_world(pose),
        clip_from_view=camera.clip_from_view(FOV_Y, SIZE_PX[0] / SIZE_PX[1], 0.01, 50.0),
        fov_y=FOV_Y,
        size_px=SIZE_PX,
        hovered=-1,
        selected=(),
        marker=None,
        marker_neighbours=(),
        time_secs=0.0,
        pulse_secs=0.0,
        ambient=0.0,
    )


def test_the_card_under_the_pointer_is_hit() -> None:
    view = make_view([[0, 0, 0], [0.3, 0, 0]])
    assert pick(view, (400, 300)) == 0
    radius = float(screen_radii(view, np.array([0]), np.array([2.0], np.float32))[0])
    assert pick(view, (400 + radius - 1, 300)) == 0


def test_the_nearer_of_two_cards_is_hit() -> None:
    view = make_view([[0, 0, 0], [0.01, 0, 0.5]])
    assert pick(view, (400, 300)) == 1


def test_the_card_s_shape_counts() -> None:
    view = make_view([[0, 0, 0]], aspects=[3.0], node_size=0.2)
    radius = float(screen_radii(view, np.array([0]), np.array([2.0], np.float32))[0])
    assert pick(view, (400 + radius * 1.6, 300)) == 0
    assert pick(view, (400, 300 + radius * 0.9)) == -1


def test_close_to_a_small_node_is_near_enough() -> None:
    view = make_view([[0, 0, 0]], node_size=0.001)
    assert pick(view, (411, 300)) == 0
    assert pick(view, (416, 300)) == -1


def test_nothing_behind_the_eye_is_hit() -> None:
    assert pick(make_view([[0, 0, 3]]), (400, 300)) == -1
    assert pick(make_view([]), (400, 300)) == -1


def test_what_is_too_near_to_be_drawn_is_not_hit() -> None:
    assert pick(make_view([[0, 0, 1.986]]), (400, 300)) == -1
    assert pick(make_view([[0, 0, 1.98]]), (400, 300)) == 0
    assert pick(make_view([[0, 0, 1.992]], node_size=0.001), (400, 300)) == -1  # before the near plane


def test_picking_follows_the_morph() -> None:
    view = make_view([[0.4, 0, 0]])
    old = np.array([[-0.4, 0, 0]], np.float32)
    half_way = dataclasses.replace(view, old_positions=old, morph=0.5)
    assert pick(half_way, (400, 300)) == 0
    assert positions_now(half_way)[0] == pytest.approx((0, 0, 0), abs=1e-6)


def test_lit_nodes_are_larger_and_others_smaller() -> None:
    view = make_view([[0, 0, 0], [0.5, 0, 0]], node_size=0.1)
    searched = dataclasses.replace(view, lights=np.array([4.0, 0.0], np.float32), light_mix=1.0)
    rows, depths = np.arange(2), np.full(2, 2.0, np.float32)
    plain, lit = screen_radii(view, rows, depths), screen_radii(searched, rows, depths)
    assert lit[0] == pytest.approx(plain[0] * 1.9, rel=1e-4)
    assert lit[1] == pytest.approx(plain[1] * 0.75, rel=1e-4)


def test_light_runs_between_its_two_scores() -> None:
    assert light_of(np.array([0.0, 1.4, 2.5, 3.6, 9.0], np.float32)) == pytest.approx([0, 0, 0.5, 1, 1])


def test_far_nodes_keep_a_size_that_can_be_seen_but_do_not_pile_up() -> None:
    view = make_view([[0, 0, 0]], node_size=0.01)
    radii = screen_radii(view, np.zeros(2, np.int64), np.array([1.5, 30.0], np.float32))
    focal = camera.focal_px(FOV_Y, SIZE_PX[1])
    assert radii[0] == pytest.approx(min_angle(1) * focal, rel=1e-4)
    assert radii[1] == pytest.approx(0.01 * GROWTH_MAX * focal / 30.0, rel=1e-4)
    assert min_angle(100_000) < min_angle(2_000) < min_angle(300)


def test_near_nodes_are_those_that_are_large_and_on_screen() -> None:
    view = make_view([[0, 0, 0], [0, 0, -40], [0, 0, 2.5], [30, 0, 0]])
    near = near_nodes(view, 8.0)
    assert near.rows.tolist() == [0]
    assert near.radii_px[0] > 8.0


def test_the_nearest_come_first_and_no_more_than_asked() -> None:
    near = NearNodes(
        np.array([4, 5, 6, 7]), np.array([3, 1, 2, 0.5], np.float32), np.array([50, 60, 70, 5], np.float32)
    )
    rows, depths = near.nearest(20.0, 2)
    assert rows.tolist() == [5, 6]
    assert depths.tolist() == [1, 2]


def test_the_largest_cards_in_sight_come_from_left_to_right() -> None:
    view = make_view([[0.5, 0, 0], [0, 0, 0.5], [-0.5, 0, 0], [0, 0, -3], [0, 0, 9], [30, 0, 0]])
    assert rows_in_sight(view, 3).tolist() == [2, 1, 0]
    assert rows_in_sight(view, 99).tolist() == [2, 1, 3, 0]


def test_a_neighbour_is_found_by_its_direction_on_screen() -> None:
    view = make_view([[0, 0, 0], [1, 0.1, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0]])
    scene = dataclasses.replace(view.scene, edges=np.array([[0, 1], [2, 0], [0, 3], [1, 4]], np.int32))
    view = dataclasses.replace(view, scene=scene)
    assert [neighbour_towards(view, 0, direction) for direction in ((1, 0), (-1, 0), (0, -1))] == [1, 2, 3]
    assert neighbour_towards(view, 4, (1, 0)) == 1
    assert neighbour_towards(make_view([[0, 0, 0]]), 0, (1, 0)) == -1


def test_what_is_drawn_foremost_is_what_is_hit() -> None:
    view = make_view([[0, 0, 0], [0, 0, 0.05]])
    assert pick(view, (400, 300)) == 1
    assert pick(dataclasses.replace(view, hovered=0), (400, 300)) == 0
    found = dataclasses.replace(view, lights=np.array([4.0, 0.0], np.float32), light_mix=1.0)
    assert pick(found, (400, 300)) == 0


def test_what_a_search_found_is_larger_from_afar() -> None:
    view = make_view([[0, 0, -6], [0.3, 0, -6]], node_size=0.01)
    found = dataclasses.replace(view, lights=np.array([4.0, 0.0], np.float32), light_mix=1.0)
    lit, dark = screen_radii(found, np.array([0, 1]), np.array([8.0, 8.0], np.float32))
    assert lit > 1.5 * dark


def test_what_is_under_its_leader_is_not_picked_not_near_and_not_stepped_through() -> None:
    view = make_view([[0, 0, 0], [0, 0, 0], [0.3, 0, 0]])
    hidden = dataclasses.replace(view, tiers=np.array([HIDDEN, PLAIN, HIDDEN], np.int8))
    assert pick(hidden, (400, 300)) == 1
    assert pick(hidden, (400 + 0.3 * camera.focal_px(FOV_Y, 600) / 2, 300)) == -1
    assert near_nodes(hidden, 5.0).rows.tolist() == [1]
    assert rows_in_sight(hidden, 10).tolist() == [1]


def test_from_one_of_a_fan_one_gets_to_the_others_and_to_the_neighbours_of_the_stack() -> None:
    view = make_view([[0, 0, 0], [0.2, 0, 0], [0, 0.2, 0], [0.5, 0, 0]])
    scene = dataclasses.replace(
        view.scene,
        stacks=stacks_of(np.array([1, 1, 1, 4])),
        edges=np.array([[0, 3]], np.int32),
        weights=np.ones(1, "f4"),
    )
    fanned = dataclasses.replace(view, scene=scene, tiers=np.array([FANNED, FANNED, FANNED, PLAIN], np.int8))
    assert neighbour_towards(fanned, 1, (1.0, 0.0)) == 3
    assert neighbour_towards(fanned, 1, (-1.0, 0.0)) == 0
    assert neighbour_towards(fanned, 1, (-1.0, -1.0)) == 2
    assert neighbour_towards(fanned, 3, (-1.0, 0.0)) == 0
