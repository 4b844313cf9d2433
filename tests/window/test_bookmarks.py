"""Views that a person keeps, in the app: kept, flown to, taken off, on later maps and in other libraries."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import moderngl
import numpy as np
import pytest

from atlas_rt.core.requests import DropBookmark, FindCommand, KeepBookmark, OpenSource, Retry, VisitBookmark
from atlas_rt.core.scene import Pose
from atlas_rt.library.bookmarks import Bookmark, Bookmarks
from atlas_rt.settings import Settings
from atlas_rt.window.bookmarks import pose_of
from atlas_rt.workers.bookmarks import LookAgain, PlacedBookmark
from tests.libraries import Library
from tests.scenes import scene_of
from tests.window.player import Player

Play = Callable[..., Player]
POSE = Pose((0.3, 0.2, 1.5), 0.1, -0.2)


@pytest.fixture
def play(context: moderngl.Context, indexed: Library, tmp_path: Path) -> Iterator[Play]:
    """Opens the indexed library, or other paths, with a data folder of the test's own."""
    players: list[Player] = []
    home = indexed.copy(tmp_path)

    def start(*paths: Path) -> Player:
        settings = Settings(cache=str(home.cache), data=str(tmp_path / "data"), offline=True, quality="low")
        players.append(Player(context, settings, *(paths or (home.source,)), size_px=(640, 480)))
        players[-1].see(lambda: len(players[-1].app.parts.world.scene.ids))
        return players[-1]

    yield start
    for player in players:
        player.close()


def views(player: Player) -> tuple[str, ...]:
    return player.app.parts.panel_state.views


def kept(player: Player, name: str) -> None:
    before = len(views(player))
    player.do(KeepBookmark(name))
    player.see(lambda: len(views(player)) > before, why="the bookmark")


def test_a_view_is_kept_named_flown_to_and_there_in_another_window(play: Play) -> None:
    player = play()
    world = player.app.parts.world
    world.camera.pose = POSE
    player.do("bookmark", FindCommand("  the\tbay "), "fly_to_best")
    player.see(lambda: views(player) == ("the bay",))
    player.do("home")
    player.see(lambda: world.resting)
    assert world.camera.pose != POSE
    player.do("palette", FindCommand("go bay"), "fly_to_best")
    player.see(lambda: world.resting)
    assert world.camera.pose.eye == pytest.approx(POSE.eye, abs=1e-4)
    assert world.camera.pose.pitch == pytest.approx(POSE.pitch, abs=1e-4)
    again = play()
    again.see(lambda: views(again) == ("the bay",))


def test_what_was_kept_and_taken_off_is_undone(play: Play, tmp_path: Path) -> None:
    player = play()
    kept(player, "one")
    kept(player, "two")
    player.do(DropBookmark(0))
    player.see(lambda: views(player) == ("two",))
    player.do("undo")
    player.see(lambda: set(views(player)) == {"one", "two"})
    player.do("undo")
    player.see(lambda: views(player) == ("one",))
    player.do("redo")
    player.see(lambda: set(views(player)) == {"one", "two"})
    assert {each.name for each in Bookmarks(tmp_path / "data").read().entries} == {"one", "two"}


def test_a_view_is_listed_again_when_a_deleted_cache_was_made_anew(play: Play, tmp_path: Path) -> None:
    first = play()
    kept(first, "one")
    first.app.close()
    shutil.rmtree(tmp_path / "libraries")
    again = play()
    again.see(lambda: views(again) == ("one",))


def test_a_view_of_another_library_is_not_listed_and_a_place_that_is_gone_does_nothing(play: Play) -> None:
    player = play()
    kept(player, "one")
    player.do(VisitBookmark(7), DropBookmark(7), OpenSource((), demo=True))
    player.see(lambda: len(player.app.parts.world.scene.ids) > 20)
    assert views(player) == ()


def test_where_nothing_can_be_written_that_is_said(play: Play, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "bookmarks.json").mkdir()
    player = play()
    player.do(KeepBookmark("one"))
    player.see(lambda: any("Nothing was changed" in each.text for each in player.app.parts.panel_state.notices))
    assert views(player) == ()


def test_a_thread_that_died_holds_nobody_up_and_is_begun_again(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    player = play()
    kept(player, "one")
    session = player.app.parts.session
    assert session is not None
    with monkeypatch.context() as broken:
        broken.setattr(session.bookmarks, "_carried_out", lambda _asked: 1 // 0)
        broken.setattr("atlas_rt.core.retries.PAUSES_SECS", (0.01, 0.01, 0.01))
        for _ in range(5):
            player.do(KeepBookmark("two"))
            player.frame(3)
        player.see(lambda: any(each.part == "bookmarks" for each in session.troubles()), secs=30)
        for _ in range(100):
            session.bookmarks.ask(LookAgain())
        player.do(KeepBookmark("three"))
        player.see(lambda: any("Nothing was changed" in each.text for each in player.app.parts.panel_state.notices))
    player.do(Retry("bookmarks"))
    player.see(lambda: not session.bookmarks.trouble)
    player.do(KeepBookmark("four"))
    player.see(lambda: "four" in views(player))


def test_a_view_moves_as_the_images_in_it_did() -> None:
    scene = scene_of([1, 2, 3], [(1.0, 0.0, 0.0), (1.1, 0.0, 0.0), (5.0, 5.0, 5.0)])
    stood = ((1, (0.0, 0.0, 0.0)), (2, (0.1, 0.0, 0.0)), (9, (0.0, 0.0, 0.0)))
    moved = pose_of(PlacedBookmark(Bookmark("x", POSE, ()), stood), scene)
    assert moved.eye == pytest.approx(np.add(POSE.eye, (1.0, 0.0, 0.0)), abs=1e-5)
    gone = pose_of(PlacedBookmark(Bookmark("x", POSE, ()), ((9, (0.0, 0.0, 0.0)),)), scene)
    assert gone == POSE
