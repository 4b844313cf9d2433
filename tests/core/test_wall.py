"""The flat wall as a scene: cards side by side, an eye that looks at it straight on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from atlas_rt.core.camera import project
from atlas_rt.core.flight import FlyCamera
from atlas_rt.core.framing import FOV_Y, FreeView
from atlas_rt.core.scene import Pose, Scene, View
from atlas_rt.core.stacks import stacks_of
from atlas_rt.core.visibility import half_sizes, pick
from atlas_rt.core.wall import plane_of, unfolded
from atlas_rt.core.world import World
from tests.scenes import scene_of

SIZE_PX = (1280, 720)
COUNT = 60


def scene() -> Scene:
    """60 images of all shapes, in a grid of ten columns with a hole."""
    rows = np.arange(COUNT) + (np.arange(COUNT) > 30)
    cells = np.stack([rows % 10, rows // 10], axis=1).astype(np.int32)
    aspects = np.geomspace(1 / 3, 3, COUNT).astype(np.float32)
    positions = np.random.default_rng(0).normal(size=(COUNT, 3)).astype(np.float32)
    return replace(scene_of(list(range(COUNT)), list(map(tuple, positions.tolist()))), wall=cells, aspects=aspects)


def settled(world: World) -> View:
    for _ in range(40):
        world.advance(0.1, frozenset())
    return world.view(SIZE_PX)


@pytest.fixture
def world() -> World:
    world = World()
    world.view(SIZE_PX)
    world.morph_to(scene())
    settled(world)
    return world


def test_no_card_covers_another_and_all_are_seen(world: World) -> None:
    world.morph_to(unfolded(world.scene))
    halfway = world.view(SIZE_PX)
    assert halfway.flatness == 0.0
    view = settled(world)
    assert view.flatness == 1.0
    xy, depths = project(view.positions, view.view_from_world, view.clip_from_view, SIZE_PX)
    halves = half_sizes(view, np.arange(COUNT), depths)[:, None] / depths[:, None] * SIZE_PX[1] / 2 / np.tan(FOV_Y / 2)
    root = np.sqrt(view.scene.aspects)[:, None]
    halves = np.hstack([halves * root, halves / root])
    assert (xy - halves >= 0.0).all()
    assert (xy + halves <= SIZE_PX).all()
    apart = np.abs(xy[:, None] - xy[None]) - (halves[:, None] + halves[None])
    assert (apart.max(axis=2)[~np.eye(COUNT, dtype=bool)] > 0.0).all()
    assert [pick(view, (x, y)) for x, y in xy.tolist()] == list(range(COUNT))


def test_a_search_enlarges_no_card(world: World) -> None:
    world.morph_to(unfolded(world.scene))
    view = settled(world)
    lit = replace(view, lights=np.full(COUNT, 9.0, np.float32), light_mix=1.0)
    depths = np.full(COUNT, 0.5, np.float32)
    assert np.array_equal(half_sizes(lit, np.arange(COUNT), depths), half_sizes(view, np.arange(COUNT), depths))


def test_it_folds_back_by_the_same_way_to_where_one_was(world: World) -> None:
    map_ = world.scene
    world.camera.pose = Pose((0.4, 0.1, 1.0), 0.3, -0.2)
    world.morph_to(unfolded(map_))
    on_wall = settled(world)
    assert world.camera.pose.yaw == world.camera.pose.pitch == 0.0
    world.morph_to(map_)
    assert np.array_equal(world.positions(), on_wall.positions)
    view = settled(world)
    assert view.flatness == 0.0
    assert np.array_equal(view.positions, map_.positions)
    assert np.allclose(world.camera.pose.eye, (0.4, 0.1, 1.0))
    assert (world.camera.pose.yaw, world.camera.pose.pitch) == (0.3, -0.2)


def test_half_way_one_may_turn_round(world: World) -> None:
    map_ = world.scene
    world.morph_to(unfolded(map_))
    for _ in range(7):
        world.advance(0.1, frozenset())
    here, flatness = world.positions(), world.flatness
    assert 0.0 < flatness < 1.0
    world.morph_to(map_)
    assert np.allclose(world.positions(), here, atol=1e-6)
    assert world.flatness == pytest.approx(flatness)


def test_an_image_is_framed_straight_on(world: World) -> None:
    world.morph_to(unfolded(world.scene))
    settled(world)
    for row in (0, 30, 59):  # tall, square, wide
        assert world.visit(int(world.scene.ids[row]), FreeView())
        view = settled(world)
        assert (world.camera.pose.yaw, world.camera.pose.pitch) == (0.0, 0.0)
        xy, depths = project(view.positions[[row]], view.view_from_world, view.clip_from_view, SIZE_PX)
        assert np.allclose(xy, np.array(SIZE_PX) / 2, atol=2.0)
        half = half_sizes(view, np.array([row]), depths)[0] / depths[0] / np.tan(FOV_Y / 2)
        height = half / np.sqrt(view.scene.aspects[row])
        assert 0.3 <= height <= 0.6 or 0.3 <= half * np.sqrt(view.scene.aspects[row]) / 16 * 9 <= 0.9


def test_the_eye_pans_zooms_to_the_pointer_and_stays_before_the_wall() -> None:
    flat = unfolded(scene())
    plane = plane_of(flat, 16 / 9, FOV_Y)
    far = 0.8 * plane.farthest
    camera = FlyCamera(Pose((0.0, 0.0, far), 0.0, 0.0))
    camera.hold_before(plane)
    at = (0.2, -0.1)
    point = np.array(camera.pose.eye[:2]) + np.array(at) * camera.pose.eye[2]
    camera.zoom(3.0, at)
    for _ in range(60):
        camera.advance(1 / 60, ())
    eye = camera.pose.eye
    assert eye[2] == pytest.approx(far * np.exp(-0.6), rel=1e-3)
    assert np.allclose(np.array(eye[:2]) + np.array(at) * eye[2], point, atol=1e-4)
    for held in ("left", "up", "back", "forward"):
        for _ in range(600):
            camera.advance(1 / 60, {held, "faster"})
        x, y, z = camera.pose.eye
        assert abs(x) <= plane.reach[0] + 1e-6
        assert abs(y) <= plane.reach[1] + 1e-6
        assert plane.nearest - 1e-6 <= z <= plane.farthest + 1e-6
    camera.hold_before(None)
    assert not camera.held


def test_the_wall_has_its_own_way_back() -> None:
    camera = FlyCamera(Pose((0.0, 0.0, 1.0), 0.0, 0.0), reduced_motion=True)
    camera.fly_to(Pose((0.5, 0.0, 1.0), 0.7, 0.0))
    camera.hold_before(plane_of(unfolded(scene()), 16 / 9, FOV_Y))
    assert not camera.step_back()
    camera.hold_before(None)
    assert camera.step_back()


def test_stacked_images_have_cells_of_their_own(world: World) -> None:
    leaders = world.scene.ids.copy()
    leaders[1:4] = leaders[0]
    map_ = replace(world.scene, stacks=stacks_of(leaders))
    world.morph_to(map_)
    settled(world)
    world.morph_to(unfolded(map_))
    view = settled(world)
    assert view.tiers is None
    assert len(np.unique(view.positions[:4], axis=0)) == 4
    world.selected_ids = (int(map_.ids[2]),)
    assert np.array_equal(settled(world).positions, view.positions)
    world.morph_to(map_)
    assert world.view(SIZE_PX).tiers is not None


def test_a_map_without_a_wall_stays_a_map() -> None:
    plain = scene_of([1, 2, 3], [(0.0, 0.0, 0.0)] * 3)
    assert unfolded(plain) is plain


def test_what_moves_on_the_map_after_the_wall_is_as_on_the_map(world: World) -> None:
    """A stack that fans out, or a filter, begins a way of its own."""
    leaders = world.scene.ids.copy()
    leaders[1:4] = leaders[0]
    map_ = replace(world.scene, stacks=stacks_of(leaders))
    for scene in (map_, unfolded(map_), map_):
        world.morph_to(scene)
        settled(world)
    world.selected_ids = (int(map_.ids[2]),)
    assert world.flatness == 0.0
    world.morph_to(unfolded(map_))
    settled(world)
    world.filter_by(np.arange(COUNT) % 2 == 0, hides=True)
    assert world.flatness == 1.0


def test_a_tour_or_a_view_asked_for_before_the_wall_was_there_is_had_and_forgotten(world: World) -> None:
    map_, pose = world.scene, Pose((0.2, 0.3, 0.9), 0.1, 0.1)
    world.fold_to(pose)
    world.morph_to(replace(map_, generation=2))
    settled(world)
    assert np.allclose(world.camera.pose.eye, pose.eye)
    world.tour_when_folded = True
    world.let_go()
    for scene in (unfolded(map_), map_):
        world.morph_to(scene)
        settled(world)
    assert world.tour is None


def test_another_shape_of_the_picture_leaves_room_for_the_whole_wall(world: World) -> None:
    world.morph_to(unfolded(world.scene))
    settled(world)
    world.view((300, 900))
    world.camera.fly_to(world.home())
    for _ in range(60):
        world.advance(0.1, frozenset())
        world.view((300, 900))
    assert world.camera.pose.eye == pytest.approx(world.home().eye, abs=1e-5)


def test_a_node_counts_the_images_that_filters_leave(world: World) -> None:
    leaders = world.scene.ids.copy()
    leaders[1:4] = leaders[0]
    world.morph_to(replace(world.scene, stacks=stacks_of(leaders)))
    passing = np.ones(COUNT, np.bool_)
    passing[[0, 2]] = False
    world.filter_by(passing, hides=True)
    counts = world.view(SIZE_PX).counts
    assert counts is not None
    assert counts[:5].tolist() == [2, 2, 2, 2, 1]
    world.filter_by(passing, hides=False)
    assert world.view(SIZE_PX).counts is None
