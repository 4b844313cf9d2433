"""Pictures looked at whole in the real app: what is seen is the file's own pixels, and the map waits behind them."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import moderngl
import numpy as np
import pytest
from PIL import Image

from atlas_rt.core.arrays import Bytes
from atlas_rt.core.look_view import LookView
from atlas_rt.core.requests import (
    CopyPath,
    Deselect,
    LookAt,
    LookMove,
    LookZoom,
    OpenFile,
    OpenSource,
    Search,
    Select,
)
from atlas_rt.settings import Settings
from atlas_rt.ui.input import Input, PointerMoved
from atlas_rt.window.look_state import LookState
from tests.window.player import Player

SIZE_PX = (800, 600)
WIDE, TURNED = (1600, 1200), (900, 1400)
NAMES = ("clear", "line", "small", "turned", "violet", "wide")


def pattern(size: tuple[int, int]) -> Image.Image:
    """Another colour at each place, the same in blocks of 4 pixels."""
    y, x = np.mgrid[0 : size[1], 0 : size[0]] // 4
    return Image.fromarray(np.stack([x * 7 % 256, y * 5 % 256, (x + y) * 3 % 256], axis=-1).astype(np.uint8))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("looking") / "Pictures"
    folder.mkdir()
    exif = Image.Exif()
    exif[0x0112] = 6
    pattern(WIDE).save(folder / "wide.png")
    pattern(TURNED[::-1]).save(folder / "turned.png", exif=exif)
    Image.new("RGBA", (300, 300), (0, 200, 0, 0)).save(folder / "clear.png")
    Image.new("RGB", (1, 30_000), (250, 240, 10)).save(folder / "line.png")
    Image.new("RGB", (40, 30), (10, 200, 240)).save(folder / "small.png")
    Image.new("RGB", (700, 500), (140, 40, 170)).save(folder / "violet.png")
    return folder


@pytest.fixture(scope="module")
def opened(context: moderngl.Context, indexed_words: Path, folder: Path) -> Iterator[Player]:
    """The folder in an app of this process."""
    cache = folder.parent / "cache"
    shutil.copytree(indexed_words, cache / "vocabulary")
    player = Player(context, Settings(cache=str(cache), offline=True, quality="low"), folder, size_px=SIZE_PX)
    player.settle(len(NAMES))
    yield player
    player.close()


@pytest.fixture
def player(opened: Player) -> Player:
    """The same with nothing looked at, found or selected."""
    while look(opened).open:
        opened.do("step_back")
    opened.app.parts.panel_state.notices.clear()
    opened.do(Search(""), Deselect(), "home")
    opened.frame(8, dt_secs=0.2)
    return opened


def look(player: Player) -> LookState:
    return player.app.parts.panel_state.look


def said(player: Player) -> list[str]:
    return [notice.text for notice in player.app.parts.panel_state.notices]


def looked_at(player: Player, *names: str) -> None:
    """Select images and look at them, until all of their tiles are here."""
    for number, name in enumerate(names):
        player.do(Select(player.id_of(name), add=number > 0))
    player.do("look_whole")
    sharp(player)


def sharp(player: Player) -> None:
    player.see(lambda: look(player).shown and all(each.opened for each in look(player).shown), why="pictures")
    player.frame(2)
    player.see(lambda: not look(player).asked, why="tiles")
    player.frame(2)


def seen(player: Player) -> Bytes:
    return player._target.read()


def pixel(player: Player, x: int, y: int) -> tuple[int, ...]:
    return tuple(int(level) for level in seen(player)[y, x])


def test_a_picture_fills_the_window_and_esc_brings_the_map_back_as_it_was(player: Player) -> None:
    player.do("look_whole")
    assert "select an image to look at it" in said(player)
    pose = player.app.parts.world.camera.pose
    looked_at(player, "violet")
    assert pixel(player, 400, 270) == (140, 40, 170)
    columns = np.nonzero((seen(player) == (140, 40, 170)).all(axis=2).any(axis=0))[0]
    assert (columns.min(), columns.max()) == (19, 780)  # 544 lines above the bar, for 700 x 500
    player.do("look_turn", "step_back")
    assert not look(player).open
    player.frame(4)
    assert player.app.parts.world.camera.pose == pose
    assert player.app.parts.world.selected_ids == (player.id_of("violet"),)

    # At one to one each pixel of the screen is one of the file, upright, wherever it was moved.
    for name, size in (("wide", WIDE), ("turned", TURNED)):
        looked_at(player, name)
        player.do("look_size", LookMove((-137.0, 81.0)))
        sharp(player)
        upright = pattern(size) if name == "wide" else pattern(size[::-1]).transpose(Image.Transpose.ROTATE_270)
        left, top = (
            round(side * centre) - half
            for side, centre, half in zip(size, look(player).view.centre, (400, 272), strict=True)
        )
        shown = seen(player)[60:380, :700]  # below it there are notices, beside it the cross
        wanted = np.asarray(upright)[top + 60 : top + 380, left : left + 700]
        assert np.array_equal(shown, wanted), name
        player.do("look_whole")
    assert not look(player).open

    # Zooming to the pointer, by the wheel and by keys; nothing is drawn while nothing changes.
    looked_at(player, "wide")
    player.do(LookZoom(9.0, (200.0, 150.0)))
    sharp(player)
    before = pixel(player, 200, 150)
    player.do(LookZoom(3.0, (200.0, 150.0)))
    sharp(player)
    assert np.abs(np.subtract(pixel(player, 200, 150), before)).max() < 40
    player.window.told = Input(held=frozenset({"left", "up"}))
    centre = look(player).view.centre
    player.frame()
    assert look(player).view.centre[0] < centre[0]
    assert player.app.parts.world.camera.pose == pose
    player.frame(2, dt_secs=0.4)
    player.see(lambda: not player.app.frame(1 / 60), why="rest")

    # A window of another size.
    player.resize((600, 640))
    player.do("look_whole", "look_whole")
    sharp(player)
    rows = np.nonzero((seen(player)[:, 300] > 40).any(axis=1))[0]
    assert 65 <= rows.min() <= 67  # 450 lines in the middle of the 584 above the bar
    player.resize(SIZE_PX)
    player.frame(2)


def test_the_arrows_go_through_results_else_neighbours_and_say_which(player: Player) -> None:
    state = player.app.parts.panel_state
    looked_at(player, "violet")
    player.see(lambda: state.selected and state.selected.id == player.id_of("violet"), why="facts")
    player.frame()
    assert state.selected is not None
    order = [player.id_of("violet"), *(id_ for id_, _ in state.selected.neighbours)]
    assert told_order(player) == f"1 of {len(order)}  ·  nearest to violet.png"
    player.do("look_next")
    while not look(player).shown[0].opened or look(player).asked:
        assert max(pixel(player, 400, 270)) > 35  # until the next one is here, the one before stays: nothing flickers
        player.frame()
    player.do("look_previous")
    sharp(player)
    for by, place in (("look_next", 1), ("look_next", 2), ("look_previous", 1), ("look_next", 2)):
        player.do(by)
        assert look(player).shown[0].key.id == order[place]
        assert player.app.parts.world.selected_ids == (order[place],)
    sharp(player)
    player.do("step_back", Search("violet"))
    player.see(lambda: player.app.parts.world.answer, why="an answer")
    best = [match.id for match in player.app.parts.world.answer.best]
    player.do(LookAt((best[1],)), "look_next")
    assert look(player).shown[0].key.id == best[2]
    assert told_order(player) == f"3 of {len(best)}  ·  results for “violet”"
    player.do("step_back", Search(""), Deselect())

    # While nothing is known of it, all images by name.
    player.do(LookAt((player.id_of("line"),)))
    state.selected = None
    player.do("look_next")
    assert look(player).shown[0].name == "small.png"
    player.do("look_previous", "look_previous", "look_previous")
    assert look(player).shown[0].name == "wide.png"  # around the end
    assert told_order(player) == "by name"


def told_order(player: Player) -> str:
    app = player.app
    view = app.parts.world.view(SIZE_PX)
    panel = app.hud(view, 0.0).look
    assert panel is not None
    return panel.order


def test_several_are_compared_locked_together_and_one_of_them_alone(player: Player) -> None:
    looked_at(player, "violet", "wide", "turned", "small")
    assert [each.name for each in look(player).shown] == ["violet.png", "wide.png", "turned.png", "small.png"]
    assert pixel(player, 200, 130) == (140, 40, 170)
    assert pixel(player, 600, 400) == (10, 200, 240)
    player.do(LookZoom(12.0, (200.0, 130.0)), "look_turn")
    sharp(player)
    assert look(player).view.turns == 1
    assert pixel(player, 30, 250) == (140, 40, 170)  # as near as this it fills its pane, as all do
    assert pixel(player, 600, 500) == (10, 200, 240)
    player.do(LookAt((player.id_of("wide"),)))
    assert [each.name for each in look(player).shown] == ["wide.png"]
    player.do("step_back")
    assert len(look(player).shown) == 4
    player.do("step_back")
    assert not look(player).open
    assert len(player.app.parts.world.selected_ids) == 4

    # By the keyboard alone: a picture next to the one before it.
    looked_at(player, "wide")
    player.do("look_compare")
    assert "step to another picture first" in said(player)[-1]
    player.do("look_next")
    second = look(player).shown[0].name
    player.do("look_compare")
    assert [each.name for each in look(player).shown] == ["wide.png", second]
    player.do("step_back")
    assert [each.name for each in look(player).shown] == [second]
    player.do("step_back")
    assert not look(player).open


def test_files_are_copied_and_opened_and_not_in_a_kiosk(
    player: Player, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    looked_at(player, "turned")
    player.do("copy_picture")
    player.see(lambda: player.window.copied_png, why="the picture")
    assert Image.open(io.BytesIO(player.window.copied_png)).size == TURNED
    player.do("copy_path")
    assert player.window.copied == str(folder / "turned.png")
    state = player.app.parts.panel_state
    player.see(lambda: state.selected, why="facts")
    player.do("copy_text")
    assert player.window.copied.splitlines()[:2] == [
        str(folder / "turned.png"),
        "Size: 900 × 1,400 px  ·  1.3 megapixels",
    ]
    player.do("open_file")
    player.see(lambda: any("could not be opened" in text for text in said(player)), why="the reason")

    monkeypatch.setattr(player.app.parts, "settings", replace(player.app.parts.settings, kiosk=True))
    player.window.copied = ""
    player.do("copy_path", CopyPath(player.id_of("wide")), OpenFile(player.id_of("wide")))
    assert player.window.copied == ""
    player.do("look_information", "look_whole", "look_whole")
    assert look(player).open


def test_the_pointer_over_a_picture_finds_nothing_on_the_map(player: Player) -> None:
    id_ = player.visit("wide")
    player.frame(20, dt_secs=0.1)  # until the eye stands still
    player.window.told = Input(pointer_px=(400.0, 300.0), events=(PointerMoved((400.0, 300.0)),))
    player.frame()
    player.do("look_whole")
    player.window.told = Input(pointer_px=(401.0, 300.0), events=(PointerMoved((401.0, 300.0)),), wheel=1.0)
    speed, pose = player.app.parts.world.camera.speed, player.app.parts.world.camera.pose
    player.frame(2)
    assert player.app.parts.world.hovered_id == -1
    assert (player.app.parts.world.camera.speed, player.app.parts.world.camera.pose) == (speed, pose)
    assert player.app.parts.world.selected_ids == (id_,)


def test_what_goes_wrong_while_one_looks_is_told_and_ends_nothing(player: Player, folder: Path, tmp_path: Path) -> None:
    # Deleted while looked at: it is shown until it is left, and then that is said.
    looked_at(player, "violet")
    (folder / "violet.png").unlink()
    player.see(lambda: "violet" not in player.names(), why="violet to go")
    player.do("look_size", "look_size")
    sharp(player)
    assert pixel(player, 400, 270) == (140, 40, 170)
    player.do("copy_path")
    assert "this image is not on the map any more" in said(player)
    player.do("look_next")
    assert look(player).shown[0].name != "violet.png"
    assert "violet.png is no longer on the map" in said(player)
    player.do("step_back")

    # Deleted, or no picture any more, before it was read; the map does not know yet.
    wide, small = player.id_of("wide"), player.id_of("small")
    (folder / "small.png").unlink()
    player.do(LookAt((wide, small)))
    player.see(lambda: all(each.opened for each in look(player).shown), why="an answer")
    opened = look(player).shown[1].opened
    assert opened is not None
    assert opened.error == "it is no longer there"
    player.frame(3)
    player.do("step_back")

    # A line of 30,000 pixels, something that is all transparent, and another picture in the same file.
    looked_at(player, "line")
    columns = np.nonzero((np.abs(seen(player).astype(int) - (250, 240, 10)).max(axis=2) < 90).any(axis=0))[0]
    assert 399 in columns or 400 in columns
    player.do("step_back")
    looked_at(player, "clear")
    assert pixel(player, 400, 270) != (0, 200, 0)
    Image.new("RGB", (300, 200), (240, 20, 30)).save(folder / "clear.png")
    player.see(lambda: pixel(player, 400, 270) == (240, 20, 30), why="the file as it is now")

    # Another library is opened meanwhile: nothing of this one stays.
    Image.new("RGB", (40, 30)).save(tmp_path / "other.png")
    player.do(OpenSource((str(tmp_path),)))
    player.frame(3)
    assert not look(player).open
    assert look(player).view == LookView()
    assert not player.app.parts.display.looked_at._textures
