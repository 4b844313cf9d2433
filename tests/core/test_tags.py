"""Where counts stand on screen, and which of them."""

from __future__ import annotations

import dataclasses

import numpy as np

from atlas_rt.core.scene import View
from atlas_rt.core.stacks import stacks_of
from atlas_rt.core.tags import COUNTS_MAX, LOOK_SECS, CountTags
from atlas_rt.core.world import World
from tests.scenes import scene_of

SIZE_PX = (800, 600)
STILL: frozenset[str] = frozenset()


def world_of(*, leaders: list[int], places: list[tuple[float, float, float]], node_size: float = 0.1) -> World:
    """Images 1, 2, 3, ... seen from (0, 0, 2)."""
    world = World()
    scene = scene_of(list(range(1, len(places) + 1)), places)
    world.morph_to(dataclasses.replace(scene, node_size=node_size, stacks=stacks_of(np.array(leaders))))
    world.camera.pose = dataclasses.replace(world.camera.pose, eye=(0.0, 0.0, 2.0), yaw=0.0, pitch=0.0)
    world.advance(2.0, STILL)
    return world


def counts(view: View, size_px: tuple[int, int] = SIZE_PX) -> list[int]:
    return [tag.count for tag in CountTags().tags(view, size_px, 0.0)]


def test_a_count_stands_at_the_upper_right_corner_of_its_card_in_window_pixels() -> None:
    world = world_of(leaders=[1, 1, 3], places=[(0, 0, 0), (0, 0, 0), (0.5, 0, 0)])
    (tag,) = CountTags().tags(world.view(SIZE_PX), SIZE_PX, 0.0)
    half = 0.1 * 300 / np.tan(world.view(SIZE_PX).fov_y / 2) / 2.0
    assert tag.count == 2
    assert 400 + 0.7 * half < tag.at_px[0] < 400 + half
    assert 300 - half < tag.at_px[1] < 300 - 0.7 * half
    (doubled,) = CountTags().tags(world.view((1600, 1200)), SIZE_PX, 0.0)  # twice as many pixels in the framebuffer
    assert np.allclose(doubled.at_px, tag.at_px, atol=0.01)


def test_an_open_stack_shows_its_images_and_no_count() -> None:
    world = world_of(leaders=[1, 1], places=[(0, 0, 0), (0, 0, 0)])
    world.selected_ids = (2,)
    assert counts(world.view(SIZE_PX)) == []


def test_far_cards_and_covered_corners_have_no_count() -> None:
    assert counts(world_of(leaders=[1, 1], places=[(0, 0, -9), (0, 0, -9)], node_size=0.02).view(SIZE_PX)) == []
    assert counts(world_of(leaders=[1, 1], places=[(0, 0, 3), (0, 0, 3)]).view(SIZE_PX)) == []  # behind the eye
    pile = world_of(leaders=[1, 1, 3], places=[(0, 0, 0), (0, 0, 0), (0.05, 0.05, 0.3)])
    assert counts(pile.view(SIZE_PX)) == []
    pile.hovered_id = 1  # which brings it to the front
    assert counts(pile.view(SIZE_PX)) == [2]


def test_a_search_dims_the_counts_of_what_it_did_not_find() -> None:
    view = world_of(leaders=[1, 1, 3, 3], places=[(-0.5, 0, 0)] * 2 + [(0.5, 0, 0)] * 2).view(SIZE_PX)
    lights = np.array([4.0, 4.0, 0.0, 0.0], np.float32)
    dark = dataclasses.replace(view, lights=lights, light_mix=1.0)
    strengths = {tag.at_px[0] < 400: tag.strength for tag in CountTags().tags(dark, SIZE_PX, 0.0)}
    assert strengths[True] > 3 * strengths[False]


def test_the_largest_are_counted_first_and_never_too_many() -> None:
    random = np.random.default_rng(4)
    places = [tuple(place) for place in random.uniform(-0.6, 0.6, (200, 3)).tolist() for _ in range(2)]
    leaders = [2 * (row // 2) + 1 for row in range(400)]
    tags = CountTags().tags(world_of(leaders=leaders, places=places, node_size=0.03).view(SIZE_PX), SIZE_PX, 0.0)  # type: ignore[arg-type]
    assert 5 < len(tags) <= COUNTS_MAX


def test_cards_that_come_near_are_counted_a_moment_later() -> None:
    world = world_of(leaders=[1, 1], places=[(0, 0, -30), (0, 0, -30)], node_size=0.02)
    counting = CountTags()
    assert counting.tags(world.view(SIZE_PX), SIZE_PX, 0.0) == ()
    world.camera.pose = dataclasses.replace(world.camera.pose, eye=(0.0, 0.0, -29.5))
    assert counting.tags(world.view(SIZE_PX), SIZE_PX, LOOK_SECS / 2) == ()
    assert [tag.count for tag in counting.tags(world.view(SIZE_PX), SIZE_PX, LOOK_SECS / 2)] == [2]


def test_without_stacks_there_are_no_counts() -> None:
    assert counts(world_of(leaders=[1, 2], places=[(0, 0, 0), (0.5, 0, 0)]).view(SIZE_PX)) == []
