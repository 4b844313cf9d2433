"""Filters in the world: embers, what leaves, stacks of which some pass, what is selected all the same, other scenes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from numpy.typing import NDArray

from atlas_rt.core.answers import Match, SearchAnswer
from atlas_rt.core.cluster_list import ShownClusters
from atlas_rt.core.lights import CLUSTER_LIGHT
from atlas_rt.core.scene import HIDDEN, Scene
from atlas_rt.core.stacks import stacks_of
from atlas_rt.core.world import World
from tests.scenes import scene_of

SIZE_PX = (320, 200)
PLACES = [(0.0, 0.0, 0.0), (0.1, 0.0, 0.0), (0.2, 0.0, 0.0), (0.5, 0.5, 0.0), (-0.5, 0.2, 0.1)]


def passing(*flags: int) -> NDArray[np.bool_]:
    return np.array(flags, np.bool_)


def world_of(scene: Scene) -> World:
    world = World()
    world.view(SIZE_PX)
    world.morph_to(scene)
    settle(world)
    return world


def settle(world: World) -> None:
    world.advance(3.0, frozenset())


@pytest.fixture
def world() -> World:
    """Five images, the first three of which are in one cluster."""
    return world_of(scene_of([1, 2, 3, 4, 5], PLACES, clusters=[0, 0, 0, 1, -1]))


@pytest.fixture
def stacked() -> World:
    """The first three stack under the first."""
    scene = scene_of([1, 2, 3, 4, 5], PLACES)
    return world_of(dataclasses.replace(scene, stacks=stacks_of(np.array([1, 1, 1, 4, 5]))))


def drawn(world: World) -> list[int]:
    view = world.view(SIZE_PX)
    rows = np.ones(len(view.scene.ids), np.bool_) if view.tiers is None else view.tiers != HIDDEN
    ids: list[int] = view.scene.ids[rows].tolist()
    return ids


def lit(world: World) -> list[int]:
    lights = world.view(SIZE_PX).lights
    return [] if lights is None else world.scene.ids[lights > 0.0].tolist()


def test_what_passes_is_lit_and_all_is_drawn_or_only_that_is(world: World) -> None:
    world.filter_by(passing(1, 0, 0, 1, 0), hides=False)
    settle(world)
    assert (lit(world), drawn(world)) == ([1, 4], [1, 2, 3, 4, 5])
    world.filter_by(passing(1, 0, 0, 1, 0), hides=True)
    settle(world)
    view = world.view(SIZE_PX)
    assert (view.lights, drawn(world)) == (None, [1, 4])
    assert view.concealed == {-1}  # of which nothing is drawn, so no name either
    world.filter_by(passing(0, 0, 0, 1, 0), hides=True)
    assert world.view(SIZE_PX).concealed == {0, -1}
    world.filter_by(None, hides=True)
    settle(world)
    assert (world.view(SIZE_PX).tiers, world.view(SIZE_PX).lights) == (None, None)


def test_a_change_is_in_the_very_next_view(world: World) -> None:
    world.filter_by(passing(0, 1, 0, 0, 0), hides=True)
    assert drawn(world) == [2]
    world.filter_by(passing(0, 1, 1, 0, 0), hides=True)
    assert drawn(world) == [2, 3]


def test_a_search_lights_only_what_passes_and_comes_back(world: World) -> None:
    lights = np.array([3.0, 2.0, 0.0, 3.0, 0.0], np.float32)
    best = tuple(Match(id_, 0.3, "strong") for id_ in (1, 4, 2))
    world.filter_by(passing(1, 1, 1, 0, 0), hides=False)
    world.light_by(SearchAnswer("x", world.scene.ids, lights, best, 0.0, 0.0))
    settle(world)
    assert lit(world) == [1, 2]
    assert [match.id for match in world.answer.best] == [1, 2] if world.answer else False
    world.filter_by(None, hides=False)
    settle(world)
    assert lit(world) == [1, 2, 4]
    world.filter_by(passing(0, 0, 1, 1, 0), hides=False)
    world.light_by(None)
    settle(world)
    assert lit(world) == [3, 4]
    world.light_cluster(0)
    settle(world)
    assert lit(world) == [3]
    world.light_cluster(-1)
    settle(world)
    assert lit(world) == [3, 4]


def test_clusters_and_filters_hide_together(world: World) -> None:
    world.filter_by(passing(1, 0, 1, 1, 1), hides=True)
    world.shown_clusters = ShownClusters(alone=0)
    assert drawn(world) == [1, 3]
    assert world.view(SIZE_PX).concealed == {1}
    world.shown_clusters = ShownClusters()
    assert drawn(world) == [1, 3, 4, 5]


def test_what_is_selected_is_shown_and_lit_as_long_as_it_is(world: World) -> None:
    for hides in (True, False):
        world.filter_by(passing(1, 0, 0, 0, 0), hides=hides)
        assert world.filtered_away(4)
        world.selected_ids = (4,)
        settle(world)
        assert 4 in (drawn(world) if hides else lit(world))
        assert world.filtered_away(4)  # it still does not pass
        world.selected_ids = ()
        settle(world)
        assert (drawn(world) if hides else lit(world)) == [1]


def test_of_a_stack_the_first_that_passes_stands_for_it(stacked: World) -> None:
    """tensorflow/tensorboard#725: no node shows what was filtered away."""
    stacked.filter_by(passing(0, 1, 1, 0, 1), hides=True)
    assert drawn(stacked) == [2, 5]
    assert np.array_equal(stacked.view(SIZE_PX).positions[1], stacked.scene.positions[0])  # at the leader's place
    stacked.filter_by(passing(0, 1, 1, 0, 1), hides=False)
    settle(stacked)
    assert drawn(stacked) == [2, 4, 5]
    assert {2, 5} <= set(lit(stacked))
    assert 4 not in lit(stacked)
    stacked.filter_by(passing(1, 1, 0, 0, 0), hides=True)
    assert drawn(stacked) == [1]
    stacked.selected_ids = (2,)  # fanned out: what passes of it
    settle(stacked)
    assert drawn(stacked) == [1, 2]
    stacked.selected_ids = ()
    stacked.filter_by(None, hides=True)
    settle(stacked)
    assert drawn(stacked) == [1, 4, 5]


def test_filters_follow_their_images_and_newcomers_wait(world: World) -> None:
    world.filter_by(passing(1, 0, 0, 1, 1), hides=True)
    world.selected_ids = (2,)
    world.morph_to(scene_of([2, 4, 5, 9], [PLACES[1], PLACES[3], PLACES[4], (0.3, 0.3, 0.3)], generation=2))
    assert world.passing is not None
    assert world.passing.tolist() == [False, True, True, False]
    assert drawn(world) == [2, 4, 5]
    world.filter_by(passing(0, 1, 1, 1), hides=True)
    assert drawn(world) == [2, 4, 5, 9]
    world.morph_to(scene_of([], []))
    assert drawn(world) == []


def test_the_home_view_holds_what_is_drawn(world: World) -> None:
    whole = world.home()
    world.filter_by(passing(1, 1, 0, 0, 0), hides=True)
    assert np.linalg.norm(np.subtract(world.home().eye, (0.05, 0.0, 0.0))) < np.linalg.norm(whole.eye)
    world.filter_by(passing(0, 0, 0, 0, 0), hides=True)
    assert world.home() == whole  # of nothing: the whole map


def test_embers_are_as_dim_as_what_a_search_does_not_light(world: World) -> None:
    world.filter_by(passing(1, 0, 0, 0, 0), hides=False)
    settle(world)
    view = world.view(SIZE_PX)
    assert view.light_mix == 1.0
    assert view.lights is not None
    assert view.lights.tolist() == [CLUSTER_LIGHT, 0.0, 0.0, 0.0, 0.0]
