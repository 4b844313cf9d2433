"""The image that one is taken to: framed, seen, picked; and what stood before it comes back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from atlas_rt.core.answers import Match, SearchAnswer
from atlas_rt.core.camera import project
from atlas_rt.core.framing import CardFraming, FreeView
from atlas_rt.core.scene import Pose, Scene, View
from atlas_rt.core.tags import visited_image
from atlas_rt.core.visibility import drawn_depths, near_nodes, pick, rows_in_sight, visited_card
from atlas_rt.core.visit import GLASS_SECS
from atlas_rt.core.world import World
from tests.scenes import scene_of

SIZE_PX = (1280, 720)
FRAME_SECS = 1.0 / 60.0
ASIDE = FreeView(0.28, 0.3, 0.72, 0.9)


def crowded_scene(aspect: float = 1.0) -> Scene:
    """Image 1 behind a row of others that come ever closer to whoever looks at it from +z, and two beside it."""
    before = [(0.0, 0.01 * (k % 3), 0.2 * k) for k in range(1, 12)]
    scene = scene_of(list(range(1, 15)), [(0, 0, 0), *before, (3, 0, 0), (0, 3, 0)])
    return replace(scene, node_size=0.1, aspects=np.full(14, aspect, np.float32))


@pytest.fixture
def world() -> World:
    made = World()
    made.view(SIZE_PX)
    made.morph_to(crowded_scene())
    frames(made, 3.0)
    made.camera.pose = Pose((0.0, 0.0, 6.0), 0.0, 0.0)
    return made


def frames(world: World, secs: float, *, free: FreeView | None = None, size_px: tuple[int, int] = SIZE_PX) -> View:
    """Let frames pass; the last one's view."""
    for _ in range(round(secs / FRAME_SECS)):
        if free is not None:
            world.keep_framed(free)
        world.advance(FRAME_SECS, frozenset())
        view = world.view(size_px)
    return view


def card_of(view: View) -> FreeView:
    """Where the visited card stands, as shares of the picture."""
    at = visited_image(view, view.size_px)
    assert at is not None
    width, height = view.size_px
    return FreeView(at.left / width, at.top / height, at.right / width, at.bottom / height)


def assert_framed(card: FreeView, free: FreeView) -> None:
    assert free.left <= card.left < card.right <= free.right
    assert free.top <= card.top < card.bottom <= free.bottom
    height, width = card.bottom - card.top, (card.right - card.left) / (free.right - free.left)
    assert 0.3 <= height <= 0.6 or 0.3 <= width <= 0.9


@pytest.mark.parametrize("aspect", [1.0 / 3.0, 1.0, 3.0])
@pytest.mark.parametrize("free", [FreeView(), ASIDE, FreeView(0.0, 0.0, 0.43, 0.9), FreeView(0.1, 0.5, 0.9, 0.9)])
@pytest.mark.parametrize("size_px", [SIZE_PX, (700, 900)])
def test_the_card_stands_in_what_is_free(aspect: float, free: FreeView, size_px: tuple[int, int]) -> None:
    world = World()
    world.view(size_px)
    world.morph_to(crowded_scene(aspect))
    frames(world, 2.0, size_px=size_px)
    assert world.visit(1, free)
    view = frames(world, 3.0, free=free, size_px=size_px)
    assert_framed(card_of(view), free)
    assert world.resting


def test_what_stands_before_it_makes_way_and_is_not_hit(world: World) -> None:
    view = world.view(SIZE_PX)
    assert pick(view, (640, 360)) == 11
    world.visit(1, FreeView())
    view = frames(world, 3.0)
    assert view.visited is not None
    assert (view.visited.row, view.visited.glass) == (0, 1.0)
    assert pick(view, (640, 360)) == 0
    near = near_nodes(view, 3.0)
    shown = near.rows[near.radii_px > 0.0].tolist()
    assert 0 in shown
    assert 1 in near_nodes(replace(view, visited=None), 3.0).rows
    assert 1 not in shown
    assert set(rows_in_sight(view, 20).tolist()) == {0}
    rows = np.arange(len(view.scene.ids))
    depths = view.eye[2] - view.positions[:, 2]
    assert np.argmin(drawn_depths(view, rows[depths > 0.0], depths[depths > 0.0])) == 0


def left_of(view: View) -> dict[int, float]:
    """What is left of every card on screen, by row."""
    plain, near = near_nodes(replace(view, visited=None), 3.0), near_nodes(view, 3.0)
    xy, _ = project(view.positions[near.rows], view.view_from_world, view.clip_from_view, SIZE_PX)
    inside = ((xy > 0.0) & (xy < SIZE_PX)).all(axis=1)
    left = near.radii_px / plain.radii_px
    return dict(zip(near.rows[inside].tolist(), left[inside].tolist(), strict=True))


def test_cards_make_way_and_come_back_without_a_jump(world: World) -> None:
    before, jumps = left_of(world.view(SIZE_PX)), [0.0]
    for id_ in (1, 5, 13):
        world.visit(id_, FreeView())
        for _ in range(200):
            view = frames(world, FRAME_SECS)
            now = left_of(view)
            jumps += [abs(now[row] - before[row]) for row in now.keys() & before.keys()]
            before = now
        assert view.visited is not None
        assert (view.visited.row, view.visited.glass) == (id_ - 1, 1.0)
    assert 0.02 < max(jumps) <= 2.0 * FRAME_SECS / GLASS_SECS
    world.camera.fly_to(Pose((0.0, 0.0, 6.0), 0.0, 0.0))
    assert frames(world, 3.0).visited is None
    world.camera.step_back()  # the viewpoint, and with it what made way
    assert frames(world, 3.0).visited is not None


def test_it_is_framed_again_when_panels_or_the_window_change(world: World) -> None:
    world.visit(1, FreeView())
    frames(world, 3.0, free=FreeView())
    eyes = [world.camera.pose.eye]
    for _ in range(120):
        view = frames(world, FRAME_SECS, free=ASIDE)
        eyes.append(world.camera.pose.eye)
    assert_framed(card_of(view), ASIDE)
    steps = np.linalg.norm(np.diff(np.array(eyes), axis=0), axis=1)
    assert steps.max() < 0.2 * steps.sum()  # it glides
    for size_px in ((600, 900), (1600, 500)):
        view = frames(world, 2.0, free=ASIDE, size_px=size_px)
        assert_framed(card_of(view), ASIDE)
    rested = world.camera.pose
    frames(world, 1.0, free=ASIDE._replace(bottom=ASIDE.bottom - 0.02), size_px=(1600, 500))
    assert world.camera.pose == rested  # a line more in a panel moves nothing


def test_whoever_flies_on_by_hand_is_left_alone(world: World) -> None:
    world.visit(1, FreeView())
    frames(world, 0.5)
    world.advance(FRAME_SECS, frozenset({"left"}))
    frames(world, 2.0)
    here = world.camera.pose
    frames(world, 2.0, free=ASIDE, size_px=(600, 900))
    assert world.camera.pose == here


def test_it_follows_its_image_on_a_new_map_and_ends_with_it(world: World) -> None:
    world.visit(1, FreeView())
    world.selected_ids = (1,)
    frames(world, 3.0)
    scene = crowded_scene()
    moved = scene.positions.copy()
    moved[0] = (0.3, -0.2, 0.0)
    world.morph_to(replace(scene, positions=moved, generation=2))
    view = frames(world, 3.0)
    assert_framed(card_of(view), FreeView())
    kept = slice(1, None)
    gone = {name: getattr(scene, name)[kept] for name in ("ids", "paths", "positions", "aspects", "mean_rgb", "hues")}
    rest = {name: getattr(scene, name)[kept] for name in ("tiles", "sizes_px", "clusters")}
    world.morph_to(replace(scene, **gone, **rest, generation=3))
    here = world.camera.pose
    assert frames(world, 1.0).visited is None
    assert (world.visited_id, world.camera.pose) == (-1, here)
    assert not world.visit(1, FreeView())


def test_another_selection_ends_it(world: World) -> None:
    world.visit(1, FreeView())
    world.selected_ids = (1,)
    frames(world, 3.0)
    world.selected_ids = (1, 5)
    assert frames(world, 1.0).visited is None
    world.visit(1, FreeView())
    frames(world, 3.0)
    world.leave()
    assert frames(world, 1.0).visited is None


def test_what_was_found_is_framed_in_its_own_size(world: World) -> None:
    lights = np.zeros(14, np.float32)
    lights[0] = 9.0
    world.light_by(SearchAnswer("x", world.scene.ids, lights, (Match(1, 0.4, "strong"),), 0.0, 0.0))
    world.visit(1, ASIDE)
    assert_framed(card_of(frames(world, 3.0, free=ASIDE)), ASIDE)
    world.light_by(None)
    assert_framed(card_of(frames(world, 3.0, free=ASIDE)), ASIDE)


def test_without_motion_all_is_there_at_once() -> None:
    world = World(reduced_motion=True)
    world.view(SIZE_PX)
    world.morph_to(crowded_scene())
    world.visit(1, FreeView())
    view = frames(world, 3 * FRAME_SECS)
    assert view.visited is not None
    assert view.visited.glass == 1.0


def test_a_card_behind_the_eye_is_none(world: World) -> None:
    world.camera.pose = Pose((0.0, 0.0, -1.0), 0.0, 0.0)
    view = world.view(SIZE_PX)
    assert visited_card(view, 0, 1.0) is None
    card = CardFraming(view.positions[0], (0.1, 0.1), 1.6, FreeView())
    assert card.seen_from(world.camera.pose) == FreeView(0.0, 0.0, 0.0, 0.0)
