"""Settings and hints in the app: they hold at once, are there at the next start, and say when they cannot be kept."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import moderngl
import pytest

from atlas_rt.core.requests import FilterBy, FindCommand, OpenSource, SetPreference, SortClusters
from atlas_rt.core.word_names import unbracketed
from atlas_rt.core.words import folded
from atlas_rt.library.window_settings import WindowSettings
from atlas_rt.search import dictionary
from atlas_rt.search.word_names import words_of
from atlas_rt.settings import Settings
from atlas_rt.ui.input import Click, Input, Modifiers
from atlas_rt.window import preferences
from tests.libraries import Library, wait_for
from tests.window.player import Player

Play = Callable[..., Player]


@pytest.fixture
def play(context: moderngl.Context, indexed: Library, tmp_path: Path) -> Iterator[Play]:
    """Opens the indexed library, with what was kept in windows before."""
    players: list[Player] = []
    home = indexed.copy(tmp_path)

    def start(**changes: Any) -> Player:
        settings = Settings(cache=str(home.cache), data=str(tmp_path / "data"), offline=True, quality="low")
        player = Player(context, replace(settings, **changes), home.source, size_px=(640, 480))
        players.append(player)
        preferences.begin(player.app.parts, WindowSettings(tmp_path / "data"))
        player.see(lambda: len(player.app.parts.world.scene.ids))
        return player

    yield start
    for player in players:
        if not player.window.closed:
            player.close()


def test_settings_hold_at_once_and_are_kept(play: Play, tmp_path: Path) -> None:
    player = play()
    parts = player.app.parts
    player.do("settings", "neighbour_right")  # low -> normal
    assert parts.display.step == "normal"
    player.do("next_result", "next_result", "neighbour_right", "step_back")
    assert (parts.world.fov_y, parts.panel_state.settings_open) == (math.radians(70), False)
    player.do("palette", FindCommand("flying speed double"), "fly_to_best")
    assert parts.world.camera.speed == pytest.approx(1.2)
    player.do(SetPreference("reduced_motion", True), SetPreference("ui_scale", 2.0))
    assert parts.world.camera.reduced_motion
    yaw = parts.world.camera.pose.yaw
    player.window.told = Input(drag_left_px=(40.0, 0.0))
    player.frame(30)
    turned = parts.world.camera.pose.yaw - yaw
    player.do(SetPreference("invert_look", True))
    player.window.told = Input(drag_left_px=(40.0, 0.0))
    player.frame(30)
    assert parts.world.camera.pose.yaw - yaw == pytest.approx(0.0, abs=abs(turned) / 100)
    player.do(OpenSource((), demo=True))
    assert (parts.world.fov_y, parts.world.camera.speed) == (math.radians(70), pytest.approx(1.2))
    player.close()
    kept = WindowSettings(tmp_path / "data").read().values
    assert kept == {
        "quality": "normal", "field_of_view": 70, "flying_speed": 2.0, "reduced_motion": True, "ui_scale": 2.0,
        "invert_look": True,
    }  # fmt: skip


def test_another_language_is_on_the_map_at_once_and_encodes_nothing(play: Play) -> None:
    player = play(language="en")
    parts = player.app.parts
    assert parts.session is not None
    english, engine = parts.world.scene, parts.session.engine
    player.do(SetPreference("language", "de"))
    player.see(lambda: parts.world.scene.words.code == "de")
    german = parts.world.scene
    assert (german.ids is english.ids, german.generation, parts.session.engine) == (True, english.generation, engine)
    assert {region.name for region in parts.world.regions} >= {each.name for each in german.cluster_records}
    assert [each.name for each in german.cluster_records] != [each.name for each in english.cluster_records]
    player.do("clusters", SortClusters("name"))
    shown = [row.name for row in parts.panel_state.clusters.rows(german, parts.world.shown_clusters)]
    assert shown == sorted(shown, key=lambda name: folded(unbracketed(name)))
    player.do(SetPreference("language", "en"))
    player.see(lambda: parts.world.scene.words.code == "en")
    assert [each.name for each in parts.world.scene.cluster_records] == [each.name for each in english.cluster_records]


def test_what_is_open_follows_another_language(play: Play) -> None:
    player = play(language="de")
    parts = player.app.parts
    filters, narrator = parts.panel_state.filters, parts.panel_state.narrator
    player.do("filters")
    facets = player.see(lambda: filters.answer is not None and filters.answer.facets)
    said = words_of("de").said
    label = next(facet for facet, _ in facets if facet.field == "label")
    scene = parts.world.scene
    word, cluster = next(
        (value, each)
        for value in label.values
        if said.get(value, value).casefold() != value
        for each in scene.cluster_records
        if each.name not in each.english and each.id in scene.clusters[label.having([value], len(scene.ids))]
    )
    player.do("why", FilterBy(f'label:"{said[word]}" cluster:"{cluster.name}"'))
    german = player.see(lambda: narrator.card and narrator.card.own)
    player.see(lambda: filters.current and parts.world.passing is not None)
    before = parts.world.passing
    assert before is not None
    assert before.any()
    player.do(SetPreference("language", "ja"))
    player.see(lambda: parts.world.scene.words.code == "ja")
    player.see(lambda: filters.current and narrator.card is not None and narrator.card.own != german)
    player.frame(4)
    now = next(each.name for each in parts.world.scene.cluster_records if each.id == cluster.id)
    chips = filters.panel(len(parts.world.scene.ids), parts.world.scene.words).chips
    assert [chip.text for chip in chips] == [words_of("ja").shown(word), now]
    assert parts.world.passing.tolist() == before.tolist()
    player.do("undo", "redo")
    player.see(lambda: filters.current and parts.world.passing is not None)
    player.frame(4)
    assert parts.world.passing.tolist() == before.tolist()


def test_a_damaged_dictionary_leaves_the_window_in_english(
    play: Play, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "dictionary.zip"
    file.write_bytes(b"no archive")
    monkeypatch.setattr(dictionary, "FILE", str(file))
    caches = (dictionary._member, dictionary.languages, dictionary.load_dictionary, words_of)
    for each in caches:
        each.cache_clear()
    try:
        player = play(language="de")
        parts = player.app.parts
        player.see(lambda: any("dictionary cannot be read" in each.text for each in parts.panel_state.notices))
        player.do(SetPreference("language", "ja"))
        player.frame(30)
        assert parts.world.scene.words.code == "en"
        assert not parts.panel_state.troubles
    finally:
        for each in caches:
            each.cache_clear()


def test_what_cannot_be_kept_is_said_and_holds_all_the_same(play: Play, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("in the way")
    player = play(data=str(tmp_path / "other"))
    parts = player.app.parts
    player.do(SetPreference("invert_look", True))
    player.see(lambda: any("hold for this window only" in notice.text for notice in parts.panel_state.notices))
    assert parts.settings.invert_look


def test_hints_go_when_they_are_learnt_and_do_not_come_again(play: Play, tmp_path: Path) -> None:
    player = play()
    parts = player.app.parts
    player.frame(20, dt_secs=0.1)
    assert parts.hints.shown is not None
    player.window.told = Input(held=frozenset({"forward"}))
    player.frame()
    assert "fly" in parts.hints.learnt
    parts.world.hovered_id = int(parts.world.scene.ids[0])
    player.window.told = Input(clicks=(Click("left", (320.0, 240.0), Modifiers(), count=2),))
    player.do("search")
    assert (parts.hints.learnt, parts.hints.turn) == ({"fly", "visit", "find"}, None)
    file = WindowSettings(tmp_path / "data")
    wait_for(lambda: file.read().learnt == parts.hints.learnt)
    player.close()
    again = play()
    assert again.app.parts.hints.learnt == parts.hints.learnt
    again.do(SetPreference("hints", False))
    assert not preferences.has_room_for_hint(again.app.parts)
    again.do(SetPreference("hints", True))
    assert again.app.parts.hints.learnt == frozenset()
    wait_for(lambda: not file.read().learnt)
    kiosk = replace(again.app.parts.settings, kiosk=True)
    again.app.parts.settings = kiosk
    assert not preferences.has_room_for_hint(again.app.parts)
