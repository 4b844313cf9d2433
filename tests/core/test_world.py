"""The world: morphs, lights, selection, rest."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from atlas_rt.core.answers import LiveFix, SearchAnswer
from atlas_rt.core.camera import project
from atlas_rt.core.framing import FreeView
from atlas_rt.core.lights import LIGHT_SECS
from atlas_rt.core.motion import LEAVING_SECS, MORPH_SECS
from atlas_rt.core.scene import FANNED, HIDDEN, PLAIN, Pose, Scene
from atlas_rt.core.stacks import stacks_of
from atlas_rt.core.visibility import light_of, pick, screen_radii
from atlas_rt.core.world import AMBIENT_SECS, FAN_SECS, World
from tests.scenes import scene_of

STILL: frozenset[str] = frozenset()


def answer_for(scene: Scene, lights: list[float]) -> SearchAnswer:
    return SearchAnswer("a dog", scene.ids, np.array(lights, np.float32), (), 1.0, 1.0)


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
    world.light_by(answer_for(world.scene, [3.0, -1.0]))
    world.advance(2 * LIGHT_SECS, STILL)
    assert np.allclose(world.view((320, 200)).lights, [3.0, -1.0])
    world.morph_to(scene_of([1, 2, 3], [(0, 0, 0), (0, 1, 0), (1, 0, 0)], generation=2))
    assert np.allclose(world.view((320, 200)).lights, [3.0, 0.0, -1.0])


def test_an_answer_about_another_scene_is_not_shown() -> None:
    world = World()
    world.morph_to(scene_of([1, 2], [(0, 0, 0), (1, 0, 0)], generation=7))
    world.light_by(answer_for(scene_of([1, 2], [(0, 0, 0), (1, 0, 0)], generation=7), [3.0, -1.0]))
    world.advance(2 * LIGHT_SECS, STILL)
    assert world.view((320, 200)).lights is None


def test_light_goes_out_when_the_search_is_cleared() -> None:
    world = World()
    world.morph_to(scene_of([1, 2], [(0, 0, 0), (1, 0, 0)]))
    world.light_by(answer_for(world.scene, [3.0, -1.0]))
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


# Stacks


def stacked_world(*, reduced_motion: bool = False) -> World:
    """Images 1, 2 and 3 are nearly the same, 4 is another; all seen from the front."""
    world = World(reduced_motion=reduced_motion)
    scene = scene_of([1, 2, 3, 4], [(0, 0, 0), (0.2, 0, 0), (0, 0.3, 0), (0.8, 0, 0)])
    world.morph_to(dataclasses.replace(scene, stacks=stacks_of(np.array([1, 1, 1, 4]))))
    world.advance(MORPH_SECS, STILL)
    return world


def tiers_of(world: World) -> list[int]:
    tiers = world.view((320, 200)).tiers
    assert tiers is not None
    return tiers.tolist()  # type: ignore[no-any-return]


def test_a_closed_stack_is_one_node_and_the_scene_keeps_every_place() -> None:
    world = stacked_world()
    assert np.allclose(world.positions(), [(0, 0, 0)] * 3 + [(0.8, 0, 0)])
    assert np.allclose(world.scene.positions[1], (0.2, 0, 0))
    assert tiers_of(world) == [PLAIN, HIDDEN, HIDDEN, PLAIN]
    world.hovered_id = 3  # as from the strip of results
    assert world.view((320, 200)).hovered == 0
    assert world.resting


@pytest.mark.parametrize("chosen", [1, 3])
def test_selecting_any_of_a_stack_fans_it_out_and_leaving_it_closes_it(chosen: int) -> None:
    world = stacked_world()
    world.selected_ids = (chosen,)
    assert tiers_of(world) == [FANNED, FANNED, FANNED, PLAIN]
    assert np.allclose(world.positions()[:3], 0.0)
    assert not world.resting
    world.advance(FAN_SECS / 2, STILL)
    half_way = np.linalg.norm(world.positions()[1:3], axis=1)
    world.advance(FAN_SECS / 2, STILL)
    size = world.scene.node_size
    assert (np.linalg.norm(world.positions()[1:3], axis=1) > 2 * size).all()
    assert (half_way < np.linalg.norm(world.positions()[1:3], axis=1)).all()
    assert np.allclose(world.positions()[[0, 3]], [(0, 0, 0), (0.8, 0, 0)])  # leader and others stay
    world.selected_ids = (2,)  # another of the same
    assert world.resting
    world.selected_ids = (4,)
    assert tiers_of(world)[1:3] == [FANNED, FANNED]  # seen on their way back
    world.advance(FAN_SECS, STILL)
    assert tiers_of(world) == [PLAIN, HIDDEN, HIDDEN, PLAIN]
    assert np.allclose(world.positions()[:3], 0.0)


def test_with_reduced_motion_a_stack_is_open_at_once() -> None:
    world = stacked_world(reduced_motion=True)
    world.selected_ids = (1,)
    assert world.resting
    assert (np.linalg.norm(world.positions()[1:3], axis=1) > 0.0).all()
    world.selected_ids = ()
    assert tiers_of(world) == [PLAIN, HIDDEN, HIDDEN, PLAIN]


def test_one_flies_to_where_the_image_will_stand() -> None:
    world = stacked_world()
    pose = world.close_up(3)
    assert pose is not None
    world.camera.fly_to(pose)
    world.selected_ids = (3,)
    for _ in range(60):
        world.advance(0.1, STILL)
    view = world.view((320, 200))
    place = world.positions()[2:3]
    assert np.linalg.norm(place) > 0.0
    xy, depths = project(place, view.view_from_world, view.clip_from_view, (320, 200))
    assert np.allclose(xy[0], (160, 100), atol=0.5)
    assert depths[0] == pytest.approx(7 * world.scene.node_size, rel=0.01)


def test_cards_of_a_fan_seen_from_afar_do_not_overlap_there() -> None:
    world = stacked_world()
    world.camera.pose = Pose((0.0, 0.0, 12.0), 0.0, 0.0)
    world.selected_ids = (1,)
    world.advance(FAN_SECS, STILL)
    view = world.view((320, 200))
    xy, depths = project(world.positions()[:3], view.view_from_world, view.clip_from_view, (320, 200))
    side = 2 * screen_radii(view, np.arange(3), depths)[0]
    assert side > 2.2 * 2 * world.scene.node_size * 100 / np.tan(view.fov_y / 2) / 12.0  # drawn larger than it is
    apart = np.abs(xy[:, None] - xy[None]).max(axis=2)[np.triu_indices(3, 1)]
    assert (apart > side).all()


def test_a_stack_that_is_open_while_a_new_map_comes_stays_open_around_its_leader() -> None:
    world = stacked_world()
    world.selected_ids = (2,)
    world.advance(FAN_SECS, STILL)
    moved = scene_of([1, 2, 3, 4], [(0, 1, 0), (0, 1, 0), (0, 1, 0), (0.8, 0, 0)], generation=2)
    here = world.positions().copy()
    world.morph_to(dataclasses.replace(moved, stacks=stacks_of(np.array([1, 1, 1, 4]))))
    assert np.allclose(world.positions(), here)
    world.advance(MORPH_SECS, STILL)
    assert np.allclose(world.positions()[0], (0, 1, 0))
    assert tiers_of(world) == [FANNED, FANNED, FANNED, PLAIN]
    assert (np.linalg.norm(world.positions()[1:3] - (0, 1, 0), axis=1) > 0.0).all()


def test_a_newcomer_is_seen_flying_into_its_stack() -> None:
    world = World()
    world.morph_to(scene_of([1, 4], [(0, 0, 0), (0.8, 0, 0)]))
    world.advance(MORPH_SECS, STILL)
    more = scene_of([1, 2, 4], [(0, 0, 0), (0.2, 0, 0), (0.8, 0, 0)], generation=2)
    world.morph_to(dataclasses.replace(more, stacks=stacks_of(np.array([1, 1, 4]))))
    assert tiers_of(world) == [PLAIN, PLAIN, PLAIN]
    assert np.linalg.norm(world.positions()[1]) > 0.0
    world.advance(MORPH_SECS, STILL)
    assert tiers_of(world) == [PLAIN, HIDDEN, PLAIN]
    assert np.allclose(world.positions()[1], 0.0)


def test_a_light_on_a_hidden_image_lights_its_leader() -> None:
    world = stacked_world()
    world.light_by(answer_for(world.scene, [0.0, 1.0, 3.0, 2.0]))
    world.advance(2 * LIGHT_SECS, STILL)
    assert np.allclose(world.view((320, 200)).lights, [3.0, 1.0, 3.0, 2.0])


# What leaves


def test_what_is_gone_leaves_visibly_and_is_no_row_any_more() -> None:
    world = World()
    world.morph_to(scene_of([1, 2, 3], [(0, 0, 0), (1, 0, 0), (0, 1, 0)]))
    world.advance(MORPH_SECS, STILL)
    world.morph_to(scene_of([1, 3], [(0, 0, 0), (0, 1, 0)], generation=2))
    view = world.view((320, 200))
    assert view.leaving is not None
    assert view.leaving.ids.tolist() == [2]
    assert np.allclose(view.leaving.positions, [(1, 0, 0)])
    assert view.leaving.targets[0, 0] > 1.0
    assert (len(view.scene.ids), view.gone, world.resting) == (2, 0.0, False)
    world.advance(LEAVING_SECS / 2, STILL)
    assert world.view((320, 200)).gone == pytest.approx(0.5)
    world.advance(LEAVING_SECS / 2, STILL)
    assert world.view((320, 200)).leaving is None
    assert world.resting


def test_a_newcomer_does_not_cut_short_what_leaves() -> None:
    world = World()
    world.morph_to(scene_of([1, 2], [(0, 0, 0), (1, 0, 0)]))
    world.morph_to(scene_of([1], [(0, 0, 0)], generation=2))
    world.advance(LEAVING_SECS / 2, STILL)
    world.morph_to(scene_of([1, 3], [(0, 0, 0), (0, 1, 0)], generation=3))
    assert world.view((320, 200)).leaving is not None
    assert world.view((320, 200)).gone == pytest.approx(0.5)
    world.morph_to(scene_of([7], [(0, 0, 0)], generation=1))  # another library's
    assert world.view((320, 200)).leaving is None


def test_what_leaves_in_mid_morph_leaves_from_where_it_is() -> None:
    world = World()
    world.morph_to(scene_of([1, 2], [(0, 0, 0), (1, 0, 0)]))
    world.morph_to(scene_of([1, 2], [(0, 0, 0), (0, 1, 0)], generation=2))
    world.advance(MORPH_SECS / 2, STILL)
    world.morph_to(scene_of([1], [(0, 0, 0)], generation=3))
    leaving = world.view((320, 200)).leaving
    assert leaving is not None
    assert np.allclose(leaving.positions, [(0.5, 0.5, 0)])


def test_the_last_images_of_a_folder_leave_too() -> None:
    world = World()
    world.morph_to(scene_of([1], [(0, 0, 0)]))
    world.morph_to(scene_of([], [], generation=2))
    assert world.view((320, 200)).leaving is not None


def test_nothing_leaves_for_another_map_of_the_same_images_or_with_reduced_motion_or_from_under_a_leader() -> None:
    world = World()
    world.morph_to(scene_of([1, 2], [(0, 0, 0), (1, 0, 0)]))
    world.morph_to(scene_of([1, 2, 3], [(0, 1, 0), (0, 0, 0), (1, 0, 0)], generation=2))
    assert world.view((320, 200)).leaving is None
    world.morph_to(scene_of([7, 8], [(0, 1, 0), (0, 0, 0)], generation=3))  # nothing in common
    assert world.view((320, 200)).leaving is None

    still = World(reduced_motion=True)
    still.morph_to(scene_of([1, 2], [(0, 0, 0), (1, 0, 0)]))
    still.morph_to(scene_of([1], [(0, 0, 0)], generation=2))
    assert still.view((320, 200)).leaving is None

    stacked = stacked_world()
    rest = scene_of([1, 2, 4], [(0, 0, 0), (0.2, 0, 0), (0.8, 0, 0)], generation=2)
    stacked.morph_to(dataclasses.replace(rest, stacks=stacks_of(np.array([1, 1, 4]))))
    assert stacked.view((320, 200)).leaving is None


def test_the_next_of_a_stack_takes_the_place_of_a_leader_that_is_gone() -> None:
    world = stacked_world()
    rest = scene_of([2, 3, 4], [(0.2, 0, 0), (0, 0.3, 0), (0.8, 0, 0)], generation=2)
    world.morph_to(dataclasses.replace(rest, stacks=stacks_of(np.array([2, 2, 4]))))
    assert np.allclose(world.positions()[0], 0.0)
    assert tiers_of(world) == [PLAIN, HIDDEN, PLAIN]
    world.advance(MORPH_SECS, STILL)
    assert np.allclose(world.positions()[:2], (0.2, 0, 0))


def clustered() -> World:
    """Two images of cluster 0, one of cluster 1 and one of none."""
    world = World(reduced_motion=True)
    places = [(0.0, 0.0, 0.0), (0.1, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)]
    world.morph_to(scene_of([1, 2, 3, 4], places, clusters=[0, 0, 1, -1]))
    world.advance(MORPH_SECS, STILL)
    return world


def test_clusters_that_are_not_drawn_are_not_pointed_at_and_come_back() -> None:
    world = clustered()
    assert world.view((640, 480)).tiers is None
    home = world.home()
    world.shown_clusters = world.shown_clusters.isolated(1)
    view = world.view((640, 480))
    assert view.tiers is not None
    assert view.tiers.tolist() == [HIDDEN, HIDDEN, PLAIN, HIDDEN]
    assert view.concealed == {0}
    assert [world.concealed(id_) for id_ in (1, 3, 4, 99)] == [True, False, True, False]
    assert world.home() != home  # what is drawn fills the picture
    xy, depths = project(view.positions, view.view_from_world, view.clip_from_view, view.size_px)
    assert depths[0] > 0.0
    assert pick(view, (float(xy[0, 0]), float(xy[0, 1]))) != 0
    world.morph_to(scene_of([1, 2, 3], [(0, 0, 0), (0, 1, 0), (1, 0, 0)], clusters=[0, 0, -1], generation=2))
    world.advance(MORPH_SECS, STILL)
    assert world.shown_clusters.all  # the new map has no cluster 1
    assert world.view((640, 480)).tiers is None
    world.shown_clusters = world.shown_clusters.toggled(0)
    assert world.before_cluster(1, FreeView()) is None
    assert world.before_cluster(0, FreeView()) is not None


def test_a_cluster_is_lit_for_as_long_as_it_is_pointed_at_and_the_search_after_it() -> None:
    world = clustered()
    found = [0.0, 0.0, 0.0, 4.0]
    world.light_cluster(0)
    world.advance(LIGHT_SECS, STILL)
    lights = world.view((640, 480)).lights
    assert lights is not None
    assert light_of(lights)[:2].min() > 0.5
    assert light_of(lights)[2:].max() == 0.0
    world.light_by(answer_for(world.scene, found))  # an answer that comes meanwhile waits
    world.advance(LIGHT_SECS, STILL)
    assert world.view((640, 480)).lights is lights
    world.light_cluster(-1)
    world.advance(LIGHT_SECS, STILL)
    after = world.view((640, 480)).lights
    assert after is not None
    assert after.tolist() == found
    world.light_cluster(1)
    world.light_by(None)
    world.light_cluster(-1)
    world.advance(2 * LIGHT_SECS, STILL)
    assert world.view((640, 480)).lights is None
