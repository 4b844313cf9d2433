"""Wherever the program takes one, the image is wholly seen: in the real app, with its panels open."""

from __future__ import annotations

from collections.abc import Iterator

import moderngl
import numpy as np
import pytest

from atlas_rt.bench.sight import alone, seen
from atlas_rt.core.arrays import Bytes
from atlas_rt.core.requests import Deselect, FlyTo, Search, Select
from atlas_rt.core.tags import visited_image
from atlas_rt.settings import Settings
from tests.libraries import Library
from tests.window.player import Player

pytestmark = pytest.mark.gpu
SIZE_PX = (960, 600)
RESIZED_PX = (640, 720)


@pytest.fixture(scope="module")
def opened(context: moderngl.Context, indexed: Library, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Player]:
    home = indexed.copy(tmp_path_factory.mktemp("sight"))
    settings = Settings(cache=str(home.cache), data=str(home.cache / "data"), offline=True, quality="low")
    player = Player(context, settings, home.source, size_px=SIZE_PX)
    player.see(lambda: player.app.parts.world.scene.kind == "umap" and player.app.parts.world.resting)
    yield player
    player.close()


@pytest.fixture
def player(opened: Player) -> Player:
    """The window with nothing searched or selected, from afar."""
    opened.do(Search(""), Deselect(), "home")
    opened.frame(10, dt_secs=0.3)
    return opened


def arrive(player: Player) -> int:
    """Let the flight end and the panel of the image come; the id of the image."""
    parts = player.app.parts
    player.frame(8, dt_secs=0.3)
    player.see(lambda: parts.panel_state.selected is not None)
    player.frame(8, dt_secs=0.3)
    assert parts.world.visited_id == parts.world.selected_ids[-1]
    return parts.world.visited_id


def assert_seen(player: Player) -> None:
    """The card comes to lie in what the panels leave free, which an answer may still change; it has its size there, and
    nothing lies over it."""
    parts, size_px = player.app.parts, player.window.size_px
    player.see(lambda: lies_free(player), why="the card to be framed")
    view = parts.world.view(size_px)
    card, free = visited_image(view, size_px), parts.display.free_view
    assert card is not None
    width, height = size_px
    tall, wide = (card.bottom - card.top) / height, (card.right - card.left) / width / (free.right - free.left)
    assert 0.3 <= tall <= 0.6 or 0.3 <= wide <= 0.9
    player.frame()
    frame = pixels(player)
    parts.display.draw(alone(view), parts.display.target, panels=False)
    assert seen(frame, pixels(player), card) >= 0.95


def lies_free(player: Player) -> bool:
    parts, (width, height) = player.app.parts, player.window.size_px
    card, free = visited_image(parts.world.view((width, height)), (width, height)), parts.display.free_view
    return card is not None and (
        free.left * width <= card.left < card.right <= free.right * width
        and free.top * height <= card.top < card.bottom <= free.bottom * height
    )


def pixels(player: Player) -> Bytes:
    """(h, w, 3) what the last frame left, top row first."""
    target = player.app.parts.display.target
    width, height = target.size
    rows = np.frombuffer(target.read(components=3, alignment=1), np.uint8).reshape(height, width, 3)
    return np.ascontiguousarray(rows[::-1])


def test_enter_and_tab_take_one_to_results_that_are_seen(player: Player) -> None:
    player.do("search", Search("a guitar"))
    player.see(lambda: player.app.parts.world.answer)
    visited = []
    for action in ("fly_to_best", "next_result", "next_result"):
        player.do(action)
        visited.append(arrive(player))
        player.do("search")  # the console stays open
        player.frame(4, dt_secs=0.3)
        assert_seen(player)
    assert len(set(visited)) == 3


def test_neighbours_and_a_resized_window_are_no_trouble(player: Player) -> None:
    world = player.app.parts.world
    first = player.id_of("acoustic-guitar")
    player.do(FlyTo(first), Select(first))
    arrive(player)
    assert_seen(player)
    facts = player.app.parts.panel_state.selected
    assert facts is not None
    neighbour = facts.neighbours[0][0]
    player.do(FlyTo(neighbour), Select(neighbour))
    assert arrive(player) == neighbour
    assert_seen(player)
    player.do("neighbour_right")
    arrive(player)
    assert_seen(player)
    player.resize(RESIZED_PX)
    player.frame(20, dt_secs=0.1)
    assert_seen(player)
    player.resize(SIZE_PX)
    player.do(Deselect())
    player.frame(10, dt_secs=0.1)
    assert world.view(SIZE_PX).visited is None
