"""The flat wall in the app: unfolded, moved by mouse and keys, folded back, and kept while the library changes."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import moderngl
import numpy as np
import pytest

from atlas_rt.core.requests import Do, FlyTo, KeepBookmark, VisitBookmark
from atlas_rt.core.scene import Pose
from atlas_rt.settings import Settings
from atlas_rt.ui.input import Input
from atlas_rt.window.actions import carry_out
from tests.libraries import PICTURES, Library, copy_pictures
from tests.window.player import Player

Play = Callable[..., Player]


@pytest.fixture
def play(context: moderngl.Context, indexed: Library, tmp_path: Path) -> Iterator[Play]:
    """Opens the indexed library, or another folder, with a data folder of the test's own."""
    players: list[Player] = []
    home = indexed.copy(tmp_path)

    def start(*paths: Path) -> Player:
        settings = Settings(cache=str(home.cache), data=str(tmp_path / "data"), offline=True, quality="low")
        players.append(Player(context, settings, *(paths or (home.source,)), size_px=(640, 480)))
        players[-1].see(lambda: len(players[-1].app.parts.world.scene.wall), why="a map with a wall")
        return players[-1]

    yield start
    for player in players:
        player.close()


def unfold(player: Player) -> None:
    player.do("wall")
    player.see(lambda: player.app.parts.world.flatness == 1.0, why="the wall")
    player.see(lambda: player.app.parts.world.resting)


def folded(player: Player) -> None:
    player.see(lambda: player.app.parts.world.flatness == 0.0, why="the map")
    player.see(lambda: player.app.parts.world.resting)


def test_the_map_unfolds_shows_every_picture_and_folds_back(play: Play) -> None:
    player = play()
    world = player.app.parts.world
    colours = {name: world.scene.mean_rgb[world.row(player.id_of(name))] for name in player.names()}
    before, pose = world.scene.positions, world.camera.pose
    unfold(player)
    assert world.scene.flat
    for name in player.names()[:6]:  # each where it is drawn, and none is another's picture
        row = world.row(player.id_of(name))
        assert np.array_equal(world.scene.mean_rgb[row], colours[name])
        assert np.abs(player.colour_of(player.id_of(name)) / 0.8 - colours[name]).max() < 110
    player.do("step_back")
    folded(player)
    assert np.array_equal(world.scene.positions, before)
    assert np.allclose(world.camera.pose.eye, pose.eye)


def test_drag_wheel_and_keys_move_it_and_a_double_click_goes_to_an_image(play: Play) -> None:
    player = play()
    world = player.app.parts.world
    unfold(player)
    player.window.told = Input(wheel=4.0, pointer_px=(500.0, 200.0))
    player.frame(40)
    x, y, z = world.camera.pose.eye
    assert x > 0.0 < y
    assert z < world.home().eye[2]
    player.window.told = Input(drag_left_px=(-60.0, 0.0), pointer_px=(320.0, 240.0))
    player.frame(2)
    assert world.camera.pose.eye[0] > x
    assert world.camera.pose.yaw == 0.0
    player.do(FlyTo(int(world.scene.ids[3])))
    player.frame(60, dt_secs=0.1)
    assert world.camera.pose.eye[:2] == pytest.approx(
        tuple(world.scene.positions[3, :2]), abs=2 * world.scene.node_size
    )
    assert world.camera.pose.pitch == 0.0


def test_images_that_come_and_go_do_so_on_the_wall(play: Play, tmp_path: Path) -> None:
    source = copy_pictures(PICTURES[:30], tmp_path / "Own")
    player = play(source)
    world = player.app.parts.world
    player.settle(30)
    unfold(player)
    places = {name: tuple(world.scene.positions[world.row(player.id_of(name))]) for name in player.names()}
    shutil.copy(world.scene.paths[0], source / "another.png")
    gone = Path(world.scene.paths[1])
    gone.unlink()
    player.see(lambda: "another" in player.names() and gone.stem not in player.names())
    player.see(lambda: world.resting)
    assert world.scene.flat
    assert len(np.unique(world.scene.positions, axis=0)) == len(world.scene.ids)
    steps = {
        tuple(np.round(np.subtract(places[name], world.scene.positions[world.row(player.id_of(name))]), 4))
        for name in player.names()
        if name in places
    }
    assert len(steps) == 1  # all moved together, if at all: the middle of the wall is another


def test_tour_and_kept_views_leave_the_wall(play: Play) -> None:
    player = play()
    world, panel_state = player.app.parts.world, player.app.parts.panel_state
    player.do(KeepBookmark("here"))
    player.see(lambda: panel_state.views == ("here",))
    pose = world.camera.pose
    unfold(player)
    player.do(KeepBookmark("there"))
    assert panel_state.views == ("here",)
    player.do(VisitBookmark(0))
    folded(player)
    assert world.camera.pose.eye == pytest.approx(pose.eye, abs=1e-4)
    world.camera.pose = Pose((0.9, 0.1, 1.2), 0.0, 0.0)
    unfold(player)
    carry_out(player.app.parts, Do("wall"))
    carry_out(player.app.parts, VisitBookmark(0))  # while the wall is still shown
    folded(player)
    assert world.camera.pose.eye == pytest.approx(pose.eye, abs=1e-4)
    unfold(player)
    player.do("tour")
    player.see(lambda: world.tour is not None and world.flatness == 0.0, why="the tour")


def test_pressed_twice_in_haste_it_is_the_map_again(play: Play) -> None:
    player = play()
    world = player.app.parts.world
    player.do("wall", "wall")
    player.frame(30)
    folded(player)
    assert not world.scene.flat
    player.do("wall")
    player.see(lambda: 0.0 < world.flatness < 1.0)
    player.do("wall")
    folded(player)
    assert not world.camera.held
