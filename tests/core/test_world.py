"""The world: morphs, lights, selection, rest."""

from __future__ import annotations

import numpy as np
import pytest

from atlas_rt.core.camera import project
from atlas_rt.core.records import LiveFix, SearchAnswer
from atlas_rt.core.world import AMBIENT_SECS, LIGHT_SECS, MORPH_SECS, World, home_pose
from tests.scenes import scene_of

STILL: frozenset[str] = frozenset()


def answer_for(lights: list[float], generation: int = 1) -> SearchAnswer:
    return SearchAnswer("a dog", generation, np.array(lights, np.float32), (), 1.0, 1.0)


def test_images_fly_from_where_they_stood_to_where_they_belong() -> None:
    world = World()
    world.morph_to(scene_of([1, 2], [(0, 0, 0), (1, 0, 0)]))
    world.morph_to(scene_of([1, 2, 3], [(0, 1, 0), (1, 0, 0), (0, 0, 1)], generation=2))
    assert np.allclose(world.positions()[0], (0, 0, 0))
    world.advance(MORPH_SECS / 2, STILL)
    assert np.allclose(world.positions()[0], (0, 0.5, 0))
    world.advance(MORPH_SECS, STILL)
    assert np.array_equal(world.positions(), world.scene.positions)


def test_a_morph_begins_where_an_unfinished_one_had_come_to() -> None:
    world = World()
    world.morph_to(scene_of([1], [(0, 0, 0)]))
    world.morph_to(scene_of([1], [(1, 0, 0)], generation=2))
    world.advance(MORPH_SECS / 2, STILL)
    here = world.positions()[0].copy()
    world.morph_to(scene_of([1], [(0, 1, 0)], generation=3))
    assert np.allclose(world.positions()[0], here)


def test_adding_images_moves_no_other() -> None:
    world = World()
    world.morph_to(scene_of([1, 2], [(0, 0, 0), (1, 0, 0)]))
    world.advance(2.0, STILL)
    world.morph_to(scene_of([1, 2, 3], [(0, 0, 0), (1, 0, 0), (0.5, 0, 0)], generation=2))
    for _ in range(20):
        world.advance(0.1, STILL)
        assert np.array_equal(world.positions()[:2], np.array([(0, 0, 0), (1, 0, 0)], np.float32))


def test_light_follows_the_answer_and_survives_new_rows() -> None:
    world = World()
    world.morph_to(scene_of([1, 3], [(0, 0, 0), (1, 0, 0)]))
    world.light_by(answer_for([3.0, -1.0]))
    world.advance(2 * LIGHT_SECS, STILL)
    assert np.allclose(world.view((320, 200)).lights, [3.0, -1.0])
    world.morph_to(scene_of([1, 2, 3], [(0, 0, 0), (0, 1, 0), (1, 0, 0)], generation=2))
    assert np.allclose(world.view((320, 200)).lights, [3.0, 0.0, -1.0])


def test_an_answer_about_another_scene_is_not_shown() -> None:
    world = World()
    world.morph_to(scene_of([1, 2], [(0, 0, 0), (1, 0, 0)], generation=7))
    world.light_by(answer_for([3.0, -1.0], generation=6))
    world.advance(2 * LIGHT_SECS, STILL)
    assert world.view((320, 200)).lights is None


def test_light_goes_out_when_the_search_is_cleared() -> None:
    world = World()
    world.morph_to(scene_of([1, 2], [(0, 0, 0), (1, 0, 0)]))
    world.light_by(answer_for([3.0, -1.0]))
    world.advance(2 * LIGHT_SECS, STILL)
    world.light_by(None)
    for _ in range(10):
        world.advance(LIGHT_SECS / 4, STILL)
    view = world.view((320, 200))
    assert view.lights is None
    assert view.light_mix == 0.0


def test_home_shows_the_whole_map() -> None:
    rng = np.random.default_rng(1)
    positions = rng.normal(size=(500, 3)).astype(np.float32) * (0.6, 0.3, 0.2)
    for size_px in ((1280, 720), (600, 900)):
        world = World()
        world.view(size_px)
        world.morph_to(scene_of(list(range(1, 501)), [tuple(p) for p in positions]))
        view = world.view(size_px)
        xy, depths = project(world.scene.positions, view.view_from_world, view.clip_from_view, size_px)
        inside = (depths > 0) & (xy >= 0).all(axis=1) & (xy < size_px).all(axis=1)
        assert inside.mean() > 0.95
        spread = np.percentile(xy, 98, axis=0) - np.percentile(xy, 2, axis=0)
        assert (spread / size_px).max() > 0.6  # it fills the picture


def test_home_of_nothing_and_of_one_image() -> None:
    assert home_pose(np.zeros((0, 3), np.float32), 1.5).eye[2] > 0
    assert home_pose(np.zeros((1, 3), np.float32), 1.5).eye[2] > 0.1


def test_an_image_is_looked_at_from_where_one_comes() -> None:
    world = World()
    world.morph_to(scene_of([1, 2], [(0, 0, 0), (1, 0, 0)]))
    pose = world.close_up(2)
    assert pose is not None
    view_distance = np.linalg.norm(np.array(pose.eye) - (1, 0, 0))
    assert 2 * world.scene.node_size < view_distance < 10 * world.scene.node_size
    assert world.close_up(99) is None


def test_selection_forgets_images_that_are_gone() -> None:
    world = World()
    world.morph_to(scene_of([1, 2], [(0, 0, 0), (1, 0, 0)]))
    world.selected_ids = (1, 2)
    world.morph_to(scene_of([2], [(1, 0, 0)], generation=2))
    assert world.selected_ids == (2,)
    assert world.view((320, 200)).selected == (0,)


def test_the_marker_glides_to_where_the_camera_belongs() -> None:
    world = World()
    world.morph_to(scene_of([1, 2], [(0, 0, 0), (1, 0, 0)]))
    picture = np.zeros((1, 1, 3), np.uint8)
    fix = LiveFix(np.zeros(3, np.float32), 0.1, (1,), np.ones(1, np.float32), picture, 10.0)
    world.mark(fix)
    world.mark(LiveFix(np.ones(3, np.float32), 0.1, (1, 2), np.ones(2, np.float32), picture, 10.0))
    world.advance(0.1, STILL)
    marker = world.view((320, 200)).marker
    assert marker is not None
    assert (marker > 0).all()
    assert (marker < 1).all()
    assert world.view((320, 200)).marker_neighbours == (0, 1)
    world.mark(None)
    assert world.view((320, 200)).marker is None


def test_a_world_left_alone_comes_to_rest_and_its_ambient_motion_fades() -> None:
    world = World()
    world.morph_to(scene_of([1, 2], [(0, 0, 0), (1, 0, 0)]))
    assert world.resting
    world.camera.fly_to(world.home())
    world.stir()
    assert not world.resting
    for _ in range(int(AMBIENT_SECS * 10) + 5):
        world.advance(0.1, STILL)
    assert world.resting
    assert world.ambient == 0.0
    world.stir()
    assert world.ambient == 1.0


def test_nothing_moves_by_itself_with_reduced_motion() -> None:
    world = World(reduced_motion=True)
    world.morph_to(scene_of([1], [(0, 0, 0)]))
    world.morph_to(scene_of([1], [(1, 0, 0)], generation=2))
    assert np.allclose(world.positions(), (1, 0, 0))
    assert world.view((320, 200)).ambient == 0.0


def test_the_whole_map_stays_in_sight_until_the_person_moves() -> None:
    world = World()
    world.view((1600, 900))
    world.morph_to(scene_of([1, 2], [(0, 0, 0), (0.1, 0, 0)]))
    world.morph_to(scene_of([1, 2], [(-1, 0, 0), (1, 0, 0)], generation=2))
    world.advance(5.0, STILL)
    assert world.camera.pose == world.home()
    world.let_go()
    here = world.camera.pose
    world.morph_to(scene_of([1, 2], [(-9, 0, 0), (9, 0, 0)], generation=3))
    world.advance(5.0, STILL)
    assert world.camera.pose == here


def test_it_circles_the_selected_image_at_the_same_distance() -> None:
    world = World()
    world.morph_to(scene_of([1, 2], [(0, 0, 0), (1, 0, 0)]))
    world.selected_ids, world.orbiting = (2,), True
    before, target = np.array(world.camera.pose.eye), np.array([1.0, 0.0, 0.0])
    world.advance(1.0, STILL)
    after = np.array(world.camera.pose.eye)
    assert np.linalg.norm(after - before) > 0.01
    assert np.isclose(np.linalg.norm(after - target), np.linalg.norm(before - target), rtol=1e-4)
    assert not world.resting
    world.let_go()
    assert not world.orbiting


def test_a_new_image_comes_in_from_outside_and_the_others_stay() -> None:
    world = World()
    world.morph_to(scene_of([1, 2], [(0.5, 0, 0), (0, 0.5, 0)]))
    world.morph_to(scene_of([1, 2, 3], [(0.5, 0, 0), (0, 0.5, 0), (0, 0, 0.4)], generation=2))
    begun = world.positions()
    assert begun[2] == pytest.approx((0, 0, 0.6))
    for _ in range(200):
        assert world.positions()[:2] == pytest.approx(begun[:2])
        world.advance(0.02, STILL)
    assert world.positions()[2] == pytest.approx((0, 0, 0.4))


def test_with_reduced_motion_it_is_there_at_once() -> None:
    world = World(reduced_motion=True)
    world.morph_to(scene_of([1], [(0.5, 0, 0)]))
    world.morph_to(scene_of([1, 2], [(0.5, 0, 0), (0, 0, 0.4)], generation=2))
    assert world.positions()[1] == pytest.approx((0, 0, 0.4))
