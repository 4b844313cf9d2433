"""What is shown stays true from one state to the next: images go, files change, another library is opened."""

from __future__ import annotations

import dataclasses
import itertools
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import moderngl
import numpy as np
import pytest
from imgui_bundle import imgui
from PIL import Image

from atlas_rt.core.answers import SearchAnswer
from atlas_rt.core.arrays import Bytes
from atlas_rt.core.quality import LADDER
from atlas_rt.core.requests import AddPaths, FindCommand, Hover, OpenSource, Retry, Search, Select
from atlas_rt.core.scene import Scene
from atlas_rt.errors import DecodeError
from atlas_rt.render.gl.offscreen import OffscreenTarget
from atlas_rt.settings import Settings
from atlas_rt.ui.input import Input
from atlas_rt.window import arrivals
from atlas_rt.workers import facts, pictures
from atlas_rt.workers.scenes import made_ready
from tests.libraries import Library
from tests.window.player import Player

COLOURS = {
    "red": (230, 30, 30),
    "green": (20, 160, 40),
    "blue": (30, 60, 230),
    "yellow": (240, 220, 30),
    "violet": (140, 40, 170),
    "white": (245, 245, 245),
}
Open = Callable[..., Player]


def paint(file: Path, colour: tuple[int, int, int]) -> Path:
    """A plain picture; one pixel tells it from others of its colour."""
    image = Image.new("RGB", (240, 240), colour)
    image.putpixel((0, 0), (len(file.stem), sum(colour) % 256, 7))
    image.save(file)
    return file


def folder_of(folder: Path, colours: dict[str, tuple[int, int, int]]) -> Path:
    folder.mkdir()
    for name, colour in colours.items():
        paint(folder / f"{name}.png", colour)
    return folder


@pytest.fixture
def cache(indexed: Library, tmp_path: Path) -> Path:
    """A cache in which the vocabulary need not be encoded again."""
    shutil.copytree(indexed.cache / "vocabulary", tmp_path / "cache" / "vocabulary")
    return tmp_path / "cache"


@pytest.fixture
def play(context: moderngl.Context, cache: Path) -> Iterator[Open]:
    """Opens folders in an app of this process."""
    players: list[Player] = []

    def start(*paths: Path, size_px: tuple[int, int] = (640, 480), **changes: object) -> Player:
        settings = Settings(cache=str(cache), offline=True, quality="low", **changes)  # type: ignore[arg-type]
        players.append(Player(context, settings, *paths, size_px=size_px))
        return players[-1]

    yield start
    for player in players:
        player.close()


@pytest.fixture
def colours(tmp_path: Path) -> Path:
    return folder_of(tmp_path / "colours", COLOURS)


def selected(player: Player, name: str) -> int:
    """Select an image, and wait for its panel."""
    id_ = player.id_of(name)
    player.do(Select(id_))
    state = player.app.parts.panel_state
    player.see(lambda: state.selected and state.selected.id == id_, why="the panel")
    return id_


def delete(player: Player, folder: Path, name: str) -> None:
    (folder / f"{name}.png").unlink()
    player.see(lambda: name not in player.names(), why=f"{name} to go")


def shows(player: Player, name: str, colour: tuple[int, int, int]) -> bool:
    return bool(np.abs(player.colour_of(player.id_of(name)) - colour).max() < 60.0)


def look_at_each(player: Player, colours: dict[str, tuple[int, int, int]]) -> None:
    """Fly to every image: its card has the colour of its file."""
    for name, colour in colours.items():
        player.visit(name)
        assert shows(player, name, colour), name


def test_images_are_deleted_while_they_are_listed_selected_and_found(
    play: Open, colours: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of these ended the program, or a thread of it: an id was looked up in a scene that no longer had it."""
    player = play(colours)
    player.settle(6)
    app, session = player.app, player.app.parts.session
    assert session is not None

    # The newest image is listed in a panel, and hovered there.
    selected(player, "blue")
    last = int(app.parts.world.scene.ids[-1])
    player.do(Hover(last))
    assert app.parts.panel_state.selected is not None
    assert last in [id_ for id_, _ in app.parts.panel_state.selected.neighbours]
    late = app.parts.panel_state.selected
    delete(player, colours, player.names()[-1])
    monkeypatch.setattr(session, "told", lambda: (late,))  # facts that were asked for before
    player.frame()
    assert last not in [id_ for id_, _ in app.parts.panel_state.selected.neighbours]
    monkeypatch.undo()
    player.resize((1000, 800))
    player.frame(5)
    assert last not in [id_ for id_, _ in app.parts.panel_state.selected.neighbours]
    assert app.parts.world.hovered_id == -1
    session.want_tiles([(last, 1)])
    session.ask_picture(last)
    session.tell_of(last, neighbours=True)
    selected(player, "green")  # its facts come: the thread lives

    # The selected image goes, and its panel with it.
    delete(player, colours, "green")
    assert (app.parts.panel_state.selected, app.parts.world.selected_ids) == (None, ())
    selected(player, "red")
    app.parts.world.selected_ids = ()
    player.do("step_back")
    assert app.parts.panel_state.selected is None

    # The result one stands at goes: the list shrinks, and Enter does nothing.
    player.do(Search("red"))
    player.see(lambda: app.parts.world.answer, why="an answer")
    for _ in range(4):
        player.do("next_result")
    answer = app.parts.world.answer
    assert answer is not None
    assert app.parts.world.selected_ids == (answer.best[-1].id,)
    delete(player, colours, player.names()[app.parts.world.row(answer.best[-1].id)])
    for _ in range(2):  # before the search is answered again, and after
        player.do("fly_to_best")
        assert app.parts.world.selected_ids == ()
        player.see(lambda: len(app.parts.world.answer.best) == 3)  # type: ignore[union-attr]
    player.do("next_result")
    assert app.hud(app.parts.world.view((640, 480)), 0.0).result == 0
    player.do("fly_to_best")
    assert app.parts.world.selected_ids != ()


def test_another_library_never_shows_through_and_a_failed_open_changes_nothing(
    play: Open, colours: Path, cache: Path, tmp_path: Path
) -> None:
    """Ids and tile records start at 1 in each: image 1 of the second was drawn with the picture of the first."""
    player = play(colours)
    player.settle(6)
    look_at_each(player, COLOURS)
    session = player.app.parts.session
    player.do(OpenSource((str(colours),)))
    assert player.app.parts.session is session  # it is open: a second session would find it locked by the first

    player.do(OpenSource((str(cache),)))  # the cache is no source
    assert player.app.parts.panel_state.notices[-1].tone == "warning"
    assert player.app.parts.session is session
    assert player.window.title == "atlas_rt - colours"
    assert len(player.names()) == 6
    player.do(AddPaths((str(paint(tmp_path / "orange.png", (250, 140, 20))),)))
    player.settle(7)

    swapped = dict(zip(COLOURS, [*list(COLOURS.values())[1:], COLOURS["red"]], strict=True))
    player.do(OpenSource((str(folder_of(tmp_path / "swapped", swapped)),)))
    player.settle(6)
    assert player.window.title == "atlas_rt - swapped"
    look_at_each(player, swapped)


def test_a_changed_file_shows_its_new_picture_from_near_too(play: Open, colours: Path) -> None:
    player = play(colours)
    player.settle(6)
    player.visit("red")
    player.see(lambda: shows(player, "red", COLOURS["red"]))
    record = player.app.parts.world.scene.tiles[player.app.parts.world.row(player.id_of("red"))]
    paint(colours / "red.png", COLOURS["blue"])
    player.see(lambda: player.app.parts.world.scene.tiles[player.app.parts.world.row(player.id_of("red"))] != record)
    # its place is another one, and may change once more when the map is published again
    player.see(lambda: player.visit("red") and shows(player, "red", COLOURS["blue"]), why="the new picture")

    # A picture that comes late does not stand under another image's name.
    session, thumbnails = player.app.parts.session, player.app.parts.display._thumbnails
    assert session is not None
    player.see(lambda: thumbnails.picture_ref("selected"), why="the panel's picture")
    player.app.parts.display.show_picture("selected", None)
    session.pictures.ask(player.id_of("green"), str(colours / "green.png"))  # as if it had been slow
    player.frame(30)
    assert thumbnails.picture_ref("selected") is None

    # The shaders' clock starts again each hour; cards fade in once only.
    table = player.app.parts.display._renderer._tiles._table
    player.app.parts.world.time_secs += 3600.0
    player.resize((800, 600))
    player.frame(2)
    again = player.app.parts.display._renderer._tiles._table
    assert (again[:, 3] < 0.0).all()
    assert np.array_equal(again[:, :3], table[:, :3])


def test_a_renamed_file_has_its_new_name_in_the_panel_and_at_the_pointer(play: Open, colours: Path) -> None:
    """What was hovered kept its old name for as long as the pointer rested on it."""
    player = play(colours)
    player.settle(6)
    state = player.app.parts.panel_state
    selected(player, "red")
    player.do(Hover(player.id_of("green")))
    player.see(lambda: state.hovered)
    for name in ("red", "green"):
        (colours / f"{name}.png").rename(colours / f"{name} again.png")
    player.see(lambda: state.selected and state.selected.path == str(colours / "red again.png"), secs=20.0)
    player.see(lambda: state.hovered and state.hovered.path == str(colours / "green again.png"), secs=20.0)


def test_reduced_motion_stops_motion_and_not_loading(play: Open, tmp_path: Path) -> None:
    """Cards stayed at 32 pixels for ever: the clock of ambient motion also faded tiles in."""
    lines = np.zeros((512, 512, 3), np.uint8)
    lines.reshape(512, 32, 16, 3)[:, :, :8] = 255  # plain grey in a tile of 32 pixels
    (tmp_path / "lines").mkdir()
    Image.fromarray(lines).save(tmp_path / "lines" / "lines.png")
    player = play(tmp_path / "lines", reduced_motion=True, size_px=(1280, 960))
    player.settle(1)
    id_ = player.visit("lines")
    player.see(lambda: player.contrast_of(id_) > 50.0, secs=20.0, why="a sharp card")
    view = player.app.parts.world.view((1280, 960))
    assert (view.pulse_secs, view.ambient) == (0.0, 0.0)


def test_a_saved_picture_is_drawn_at_its_best_whatever_the_window_can_do(play: Open, colours: Path) -> None:
    player = play(colours)
    player.settle(6)
    display, view = player.app.parts.display, player.app.parts.world.view((640, 480))
    saved = display.picture_of(view)
    high = OffscreenTarget(display.context, (640, 480))
    display._renderer.draw(view, high.target, step=LADDER[0])
    assert np.array_equal(saved, high.read())
    display.draw(view, high.target, panels=False)  # as the window shows it
    assert not np.array_equal(saved, high.read())
    high.release()


def test_what_does_not_change_is_not_drawn_and_search_takes_the_caret_back(play: Open, colours: Path) -> None:
    """An open search console was drawn for ever, and Ctrl+F did nothing once a click had taken the caret away."""
    player = play(colours)
    player.settle(6)
    app = player.app
    player.do("search")
    player.see(lambda: app.parts.display.wants_text, why="the caret")
    app.parts.panel_state.notices.clear()  # one that fades is drawn
    player.see(lambda: not app.frame(0.1), why="rest, with the console open")
    drawn = [app.frame(0.1) for _ in range(30)]
    assert not any(drawn)

    app.parts.display._panels._search._active = False  # as after a click on the map
    imgui.internal.clear_active_id()
    player.window.told = Input(exposed=True)
    player.frame(3)
    assert not app.parts.display.wants_text
    player.do("search")
    player.window.told = Input(exposed=True)
    player.frame(4)
    assert app.parts.display.wants_text

    player.window.told = Input(exposed=True, visible=False)
    assert not app.frame(0.1)
    player.window.told = Input(exposed=True)
    assert app.frame(0.1)


def test_a_name_is_found_and_follows_its_file_and_tab_completes_a_field(play: Open, colours: Path) -> None:
    player = play(colours)
    player.settle(6)
    world, desk = player.app.parts.world, player.app.parts.panel_state

    def answered(text: str) -> SearchAnswer:
        player.do(Search(text))
        answer: SearchAnswer = player.see(lambda: world.answer if world.answer and world.answer.query == text else None)
        return answer

    player.do("search")
    green = player.id_of("green")
    assert (answered("gree").best[0].id, answered("gree").best[0].band) == (green, "exact")
    (colours / "green.png").rename(colours / "meadow.png")
    player.see(lambda: "meadow" in player.names(), secs=20.0)
    found = answered("meadow").best[0]
    assert (found.id, found.band, found.why[0]) == (green, "exact", "name")
    assert answered("green").best[0].band != "exact"

    assert [each.shown for each in answered("a typ").completions] == ["type:"]
    player.do("next_result")
    assert (desk.query, world.selected_ids) == ("a type:", ())
    player.see(lambda: world.answer and world.answer.query == "a type:" and world.answer.completions)
    player.do("next_result")
    assert desk.query == "a type:png "
    player.see(lambda: world.answer and world.answer.query == "a type:png " and world.answer.best)
    player.do("next_result")  # nothing to complete: the next result
    assert world.selected_ids


def test_a_source_that_is_unplugged_stays_on_the_map_and_says_so_as_long_as_it_lasts(play: Open, colours: Path) -> None:
    player = play(colours)
    player.settle(6)
    world, desk = player.app.parts.world, player.app.parts.panel_state
    bright = player.colour_of(player.visit("blue"))
    stood = world.scene.positions.tobytes()
    colours.rename(colours.with_name("unplugged"))
    colours.mkdir()
    player.see(lambda: desk.absence and world.scene.away is not None, why="word of it")
    assert desk.absence == f"{colours} is empty: is the drive connected? Showing what was known"
    assert troubles(player) == [desk.absence]
    assert world.scene.away is not None
    assert world.scene.away.all()
    dark = player.colour_of(player.id_of("blue"))
    assert (dark.argmax(), dark.sum() < 0.8 * bright.sum()) == (2, True)
    colours.rmdir()
    colours.with_name("unplugged").rename(colours)
    player.see(lambda: not desk.absence and world.scene.away is None, why="the source")
    assert (len(player.names()), world.scene.positions.tobytes()) == (6, stood)


def test_what_was_dropped_by_mistake_is_taken_back(play: Open, colours: Path, tmp_path: Path) -> None:
    player = play(colours)
    player.do("undo")
    assert notices(player)[-1] == "there is nothing to take back"
    others = folder_of(tmp_path / "others", {"grey": (120, 120, 120), "olive": (120, 130, 20)})
    player.do(AddPaths((str(others),)), AddPaths((str(others),)))  # the second time it is there already
    player.see(lambda: len(player.names()) == 8 and player.app.parts.panel_state.progress is None)
    player.do("undo")
    assert notices(player)[-1] == "taken off the map again: others"
    player.see(lambda: sorted(player.names()) == sorted(COLOURS))
    player.do("redo")
    player.see(lambda: len(player.names()) == 8 and player.app.parts.panel_state.progress is None)
    player.do("undo")
    player.see(lambda: sorted(player.names()) == sorted(COLOURS))
    player.do("undo")
    assert notices(player)[-1] == "there is nothing to take back"
    assert len(list(others.iterdir())) == 2


def troubles(player: Player) -> list[str]:
    """What the status panel says does not work, as it is drawn."""
    view = player.app.parts.world.view(player.window.size_px)
    return [trouble.text for trouble in player.app.hud(view, 0.0).troubles]


def notices(player: Player) -> list[str]:
    return [notice.text for notice in player.app.parts.panel_state.notices]


def test_a_window_that_may_not_write_says_so_all_the_time_and_adds_nothing(
    play: Open, colours: Path, tmp_path: Path
) -> None:
    first = play(colours)
    first.settle(6)
    second = play(colours)
    second.frame()
    assert len(second.names()) == 6
    (told,) = troubles(second)
    assert told.startswith("Read-only: another window (process ")
    assert told.endswith(") is updating this library")
    second.do(AddPaths((str(paint(tmp_path / "new.png", (9, 99, 199))),)))
    assert notices(second) == [f"Nothing was added. {told}"]
    second.frame(10, dt_secs=1.0)
    assert notices(second) == []
    assert troubles(second) == [told]
    assert first.app.parts.session is not None
    first.app.parts.session.close()  # as closing its window does
    first.app.parts.session = None
    second.see(lambda: not troubles(second))
    assert "The other window has stopped updating this library: now this one does" in notices(second)
    second.do(AddPaths((str(tmp_path / "new.png"),)))
    second.see(lambda: len(second.names()) == 7)


@pytest.mark.usefixtures("quick_retries")
def test_a_thread_that_fails_is_told_of_until_another_try_helps(
    play: Open, colours: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    player = play(colours)
    player.settle(6)
    whole = facts.facts_of

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("out of luck")

    monkeypatch.setattr(facts, "facts_of", broken)
    sentence = "What is known of an image cannot be shown: RuntimeError: out of luck"
    names = itertools.cycle(COLOURS)
    player.see(lambda: player.do(Select(player.id_of(next(names)))) or troubles(player) == [sentence])
    assert f"{sentence}; trying again" in notices(player)
    player.do(Search("red"))
    player.see(lambda: player.app.parts.world.answer)  # the others live on
    monkeypatch.setattr(facts, "facts_of", whole)
    player.do(Retry("facts"))
    player.see(lambda: not troubles(player))
    selected(player, "red")


def test_a_picture_that_cannot_be_shown_says_why_and_the_next_one_is_shown(
    play: Open, colours: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    player = play(colours)
    player.settle(6)
    load = pictures.load_picture

    def broken_red(path: str, size_px: int) -> Bytes:
        if path.endswith("red.png"):
            raise DecodeError("the file is cut short")
        return load(path, size_px)

    monkeypatch.setattr(pictures, "load_picture", broken_red)
    selected(player, "red")
    player.see(lambda: player.app.parts.panel_state.picture_trouble == "the file is cut short")
    selected(player, "green")
    assert player.app.parts.panel_state.picture_trouble == ""
    assert troubles(player) == []  # it is one picture's, and no thread's


def test_a_kiosk_is_fresh_for_its_next_visitor(play: Open, colours: Path) -> None:
    """What a visitor had opened stayed open, and the tour that the settings promise did not begin."""
    player = play(colours, kiosk=True, kiosk_idle_secs=20.0)
    player.settle(6)
    parts = player.app.parts
    player.do("help", "search", Search("red"), Select(player.id_of("blue")))
    player.see(lambda: parts.panel_state.selected is not None)
    player.window.told = Input(idle_secs=21.0)
    player.frame()
    state = parts.panel_state
    assert (state.help_open, state.searching, state.query, state.selected) == (False, False, "", None)
    assert parts.world.tour is not None
    player.app.close()
    player.app.close()  # a second call does nothing


# -- a map that goes up in slices --------------------------------------------------------------------------------------


@pytest.fixture
def slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    """One step of an upload in each frame."""
    monkeypatch.setattr(arrivals, "UPLOAD_BUDGET_SECS", 0.0)


def publish(player: Player, positions: np.ndarray, kept: int = 99) -> Scene:
    """Another map of the first images that are shown, handed over as the thread that reads scenes does."""
    session, world = player.app.parts.session, player.app.parts.world
    assert session is not None
    assert session._arrival is not None
    shown = session._arrival.scene
    scene = dataclasses.replace(
        shown,
        ids=shown.ids[:kept].copy(),
        paths=shown.paths[:kept],
        positions=positions[:kept].astype(np.float32),
        edges=shown.edges[(shown.edges < kept).all(axis=1)],
        weights=shown.weights[(shown.edges < kept).all(axis=1)],
        stacks=None,
        **{
            name: getattr(shown, name)[:kept]
            for name in ("aspects", "mean_rgb", "hues", "tiles", "sizes_px", "clusters")
        },
    )
    arrival = dataclasses.replace(session._arrival, scene=scene, tiles=scene.tiles, pixels=small_tiles(kept, scene))
    session.scenes._deliver(made_ready(arrival, aspect=world.aspect, shown=world.prepared))
    return scene


def small_tiles(kept: int, scene: Scene) -> Bytes:
    return np.repeat(scene.mean_rgb[:kept, None, None, :], 32, axis=1).repeat(32, axis=2)


@pytest.mark.usefixtures("slowly")
def test_the_map_before_is_seen_and_answers_until_the_next_one_is_whole(play: Open, colours: Path) -> None:
    player = play(colours)
    player.settle(6)
    parts = player.app.parts
    before, red = parts.world.scene, player.id_of("red")
    after = publish(player, -before.positions)
    player.frame(2)
    assert parts.incoming is not None
    assert parts.world.scene is before
    player.do(Select(red), Search("red"))  # at that moment
    assert parts.world.scene is before
    newer = publish(player, 0.5 * before.positions)  # and another one comes
    player.window.visible = False  # while the window is minimised
    player.see(lambda: parts.world.scene is after)
    player.window.visible = True
    player.see(lambda: parts.world.scene is newer)
    player.see(lambda: parts.incoming is None and parts.world.resting)
    assert parts.world.selected_ids == (red,)
    player.see(lambda: parts.world.answer is not None and parts.world.answer.ids is newer.ids)
    assert np.allclose(parts.world.positions(), newer.positions)


@pytest.mark.usefixtures("slowly")
def test_what_a_map_lacks_may_be_chosen_while_it_goes_up(play: Open, colours: Path) -> None:
    player = play(colours)
    player.settle(6)
    parts = player.app.parts
    last = int(parts.world.scene.ids[-1])
    fewer = publish(player, parts.world.scene.positions, kept=5)
    player.frame(2)
    assert parts.incoming is not None
    player.do(Select(last))
    player.see(lambda: parts.world.scene is fewer)
    assert parts.world.selected_ids == ()
    player.see(lambda: parts.world.resting)
    assert player.shown().startswith("5 images")


@pytest.mark.usefixtures("slowly")
def test_a_map_that_goes_up_is_dropped_when_another_library_is_opened(
    play: Open, colours: Path, tmp_path: Path
) -> None:
    player = play(colours)
    player.settle(6)
    parts = player.app.parts
    publish(player, -parts.world.scene.positions)
    player.frame(2)
    assert parts.incoming is not None
    player.do(OpenSource((str(folder_of(tmp_path / "other", {"grey": (128, 128, 128)})),)))
    assert parts.incoming is None
    player.settle(1)


def test_light_runs_out_from_what_is_selected_along_the_newest_map(play: Open, colours: Path) -> None:
    player = play(colours)
    player.settle(6)
    world = player.app.parts.world
    player.do(Select(player.id_of("red")))
    player.see(lambda: world.view((640, 480)).reached is not None)
    publish(player, -world.scene.positions)
    before = world.scene
    player.see(lambda: world.scene is not before and world.view((640, 480)).reached is not None)
    player.do("step_back")
    player.see(lambda: not world.selected_ids and world.view((640, 480)).reached is None)


def test_the_palette_does_what_is_chosen_and_goes_back_one_step(play: Open, colours: Path) -> None:
    player = play(colours)
    player.settle(6)
    parts = player.app.parts
    player.do("palette", FindCommand("keys"), "fly_to_best")
    assert parts.panel_state.help_open
    assert not parts.panel_state.palette.open
    player.do("palette", FindCommand("no such thing"), "next_result", "fly_to_best")
    assert not parts.panel_state.palette.open
    player.do("palette", "step_back")
    assert parts.panel_state.help_open, "Esc closes the palette first"
    player.do("step_back", "palette", "next_result", "next_result", "previous_result")
    assert parts.panel_state.palette.cursor == 1
    player.do(OpenSource((), demo=True))  # another library, with other clusters
    assert not parts.panel_state.palette.open


def test_the_minimap_follows_the_newest_map_and_the_library(play: Open, colours: Path) -> None:
    player = play(colours)
    player.settle(6)
    parts = player.app.parts
    player.do("minimap")
    view = parts.world.view((640, 480))
    before = player.app.hud(view, 0.0).minimap
    assert before is not None
    assert len(before.specks) == 6
    publish(player, -2.0 * parts.world.scene.positions)
    player.see(lambda: player.app.hud(parts.world.view((640, 480)), 0.0).minimap is not None and parts.incoming is None)
    player.do("minimap")
    assert player.app.hud(parts.world.view((640, 480)), 0.0).minimap is None
