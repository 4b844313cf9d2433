"""Where clusters lie, in which one the eye is, and what tells the way: minimap, compass, names by distance."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from atlas_rt.core.compass import compass_to_selected
from atlas_rt.core.framing import FreeView
from atlas_rt.core.maps import Subcluster
from atlas_rt.core.minimap import Plan
from atlas_rt.core.regions import STAY_SECS, Whereabouts, regions_of
from atlas_rt.core.scene import Pose, Scene
from atlas_rt.core.tags import name_tags
from atlas_rt.core.world import World
from tests.scenes import scene_of

SIZE_PX = (800, 600)
STILL: frozenset[str] = frozenset()
FRAME_SECS = 0.1


def two_clusters() -> Scene:
    """Ten images around (-1, 0, 0) in two parts of five, and six around (1, 0, 0)."""
    rng = np.random.default_rng(1)
    parts = [(-1.1, 0.0, 0.0)] * 5 + [(-0.9, 0.0, 0.0)] * 5 + [(1.0, 0.0, 0.0)] * 6
    places = (np.array(parts) + rng.normal(size=(16, 3)) * 0.02).tolist()
    scene = scene_of(list(range(1, 17)), [tuple(place) for place in places], clusters=[0] * 10 + [1] * 6)  # type: ignore[misc]
    records = tuple(Subcluster(part, 0, name, "vocabulary", (), 5, ()) for part, name in enumerate(("cats", "dogs")))
    subclusters = np.array([0] * 5 + [1] * 5 + [-1] * 6, np.int32)
    return dataclasses.replace(scene, subclusters=subclusters, subcluster_records=records)


def world_of(scene: Scene, *, eye: tuple[float, float, float], yaw: float = 0.0, pitch: float = 0.0) -> World:
    world = World()
    world.morph_to(scene)
    world.advance(20.0, STILL)
    world.camera.pose = Pose(eye, yaw, pitch)
    return world


def names(world: World) -> set[str]:
    return {tag.text for tag in name_tags(world.view(SIZE_PX), world.regions, SIZE_PX) if tag.strength > 0.05}


def test_regions_are_clusters_the_largest_first_and_then_their_parts() -> None:
    regions = regions_of(two_clusters())
    assert [(region.name, region.parent) for region in regions] == [
        ("group 0", -1),
        ("group 1", -1),
        ("cats", 0),
        ("dogs", 0),
    ]
    assert regions[0].centre == pytest.approx((-1.0, 0.0, 0.0), abs=0.03)
    assert 0.1 < regions[0].radius < 0.2
    assert regions[2].centre == pytest.approx((-1.1, 0.0, 0.0), abs=0.03)
    assert regions_of(scene_of([], [])) == ()


def test_from_afar_clusters_have_names_and_from_near_their_parts() -> None:
    assert names(world_of(two_clusters(), eye=(0.0, 0.0, 4.0))) == {"group 0", "group 1"}
    assert names(world_of(two_clusters(), eye=(-1.0, 0.0, 0.25))) == {"cats", "dogs"}
    hidden = world_of(two_clusters(), eye=(-1.0, 0.0, 0.25))
    hidden.shown_clusters = dataclasses.replace(hidden.shown_clusters, hidden=frozenset({0}))
    assert names(hidden) == set()


def test_one_is_told_a_cluster_after_a_moment_in_it_and_once() -> None:
    regions, whereabouts = regions_of(two_clusters()), Whereabouts()
    inside, outside = np.array([-1.0, 0.0, 0.0], np.float32), np.array([0.0, 0.0, 3.0], np.float32)
    whereabouts.follow(outside, regions, FRAME_SECS)
    assert whereabouts.region is None
    whereabouts.follow(inside, regions, FRAME_SECS)  # a corner that one flies through
    whereabouts.follow(outside, regions, FRAME_SECS)
    for _ in range(round(STAY_SECS / FRAME_SECS) - 1):
        whereabouts.follow(inside, regions, FRAME_SECS)
        assert whereabouts.region is None
    for _ in range(3):
        whereabouts.follow(inside, regions, FRAME_SECS)
    assert whereabouts.region is not None
    assert whereabouts.region.name == "group 0"
    assert whereabouts.crossed_secs <= 3 * FRAME_SECS
    for _ in range(50):
        whereabouts.follow(inside, regions, FRAME_SECS)
    assert whereabouts.crossed_secs > 4.0  # it was not told again
    whereabouts.follow(inside, (), FRAME_SECS)  # another library, or a map without clusters
    assert whereabouts.region is None


def test_the_minimap_shows_the_way_ahead_as_up_and_where_one_is() -> None:
    world = world_of(two_clusters(), eye=(1.0, 0.0, 0.5))
    plan = Plan(world.scene, world.regions)
    shown = plan.seen(world.view(SIZE_PX), here=1)
    left, right = (spot for spot in shown.spots)
    assert left.at[0] < 0.5 < right.at[0]
    assert shown.eye[0] == pytest.approx(right.at[0], abs=0.03)
    assert shown.eye[1] > right.at[1]  # the eye stands before it, that is below
    assert shown.heading == pytest.approx(0.0, abs=1e-5)
    world.camera.pose = Pose((90.0, 0.0, 0.5), -math.pi / 2.0, 0.0)
    turned = plan.seen(world.view(SIZE_PX), here=-1)
    assert turned.outside
    assert turned.eye[0] == 1.0
    assert abs(turned.heading) == pytest.approx(math.pi / 2.0, abs=1e-5)
    world.camera.pose = Pose((0.0, 5.0, 0.0), 0.0, -math.pi / 2.0 + 0.01)  # straight down
    assert plan.seen(world.view(SIZE_PX), here=-1).heading == pytest.approx(0.0, abs=1e-3)


@pytest.mark.parametrize("yaw", [-1.2, 0.4, 2.5])
def test_the_heading_is_clockwise_from_up(yaw: float) -> None:
    world = world_of(two_clusters(), eye=(0.0, 0.0, 3.0), yaw=yaw)
    view = world.view(SIZE_PX)
    right, _, forward = -view.view_from_world[2, :3]
    expected = math.atan2(float(right), -float(forward))
    assert Plan(world.scene, world.regions).seen(view, here=-1).heading == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    ("eye", "towards"),
    [((6.0, 0.0, 1.0), (-1.0, 0.0)), ((-6.0, 0.0, 1.0), (1.0, 0.0)), ((-1.1, -6.0, 1.0), (0.0, -1.0))],
)
def test_the_compass_points_to_a_selected_image_beside_the_picture(
    eye: tuple[float, float, float], towards: tuple[float, float]
) -> None:
    world = world_of(two_clusters(), eye=eye)
    world.selected_ids = (1,)
    compass = compass_to_selected(world.view(SIZE_PX), FreeView(), SIZE_PX)
    assert compass is not None
    assert compass.id == 1
    assert compass.towards == pytest.approx(towards, abs=0.05)
    assert 0.0 < compass.at_px[0] < SIZE_PX[0]
    assert 0.0 < compass.at_px[1] < SIZE_PX[1]


def test_there_is_no_compass_to_what_is_in_sight_and_one_to_what_is_behind() -> None:
    world = world_of(two_clusters(), eye=(-1.0, 0.0, 2.0))
    assert compass_to_selected(world.view(SIZE_PX), FreeView(), SIZE_PX) is None
    world.selected_ids = (1,)
    assert compass_to_selected(world.view(SIZE_PX), FreeView(), SIZE_PX) is None
    under_a_panel = compass_to_selected(world.view(SIZE_PX), FreeView(left=0.7), SIZE_PX)
    assert under_a_panel is not None
    assert under_a_panel.at_px[0] > 0.7 * SIZE_PX[0]
    world.camera.pose = Pose((-1.0, 0.0, -3.0), 0.0, 0.0)  # it lies behind
    assert compass_to_selected(world.view(SIZE_PX), FreeView(), SIZE_PX) is not None
