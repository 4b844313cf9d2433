"""A stronger model by one click, in the app: offered, fetched from a local hub, encoded with, shown; and what can come
between."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import moderngl
import numpy as np
import pytest

from atlas_rt.core.requests import FindCommand, GetModel, OpenSource, Search, Select, StopModel
from atlas_rt.encoders.model_choice import chosen_name
from atlas_rt.library.store import StoreReader
from atlas_rt.library.tile_files import MEDIUM_FILE
from atlas_rt.settings import Settings
from atlas_rt.window import model_upgrade
from atlas_rt.window.session import Session
from tests import hubs, towers
from tests.hubs import Hub
from tests.libraries import PICTURES, copy_pictures
from tests.window.player import Player

NAME = "ViT-B-32-laion2b"
HUB, COMMIT = "immich-app/ViT-B-32__laion2b-s34b-b79k", "6e4b2ebb0ec5f1726a919aec359fad92cd3ec021"
BIG = "visual/model.onnx"
IMAGES = 8
"""Too few for a fit."""
Play = Callable[..., Player]


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """The hub of the process that fetches."""
    with hubs.running(towers.older_export(), name=HUB, commit=COMMIT) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        yield hub


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return copy_pictures(PICTURES[:IMAGES], tmp_path / "pictures")


@pytest.fixture
def play(context: moderngl.Context, indexed_words: Path, tmp_path: Path, source: Path) -> Iterator[Play]:
    """Opens the pictures in a cache that knows the starter's words."""
    players: list[Player] = []
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "vocabulary").symlink_to(indexed_words)

    def start(*, settled: bool = True, **changes: Any) -> Player:
        settings = Settings(cache=str(tmp_path / "cache"), data=str(tmp_path / "data"), quality="low", threads=2)
        players.append(Player(context, replace(settings, **changes), source, size_px=(640, 480)))
        if settled:
            players[-1].settle(IMAGES)
        return players[-1]

    yield start
    for player in players:
        if not player.window.closed:
            player.close()


def session_of(player: Player) -> Session:
    session = player.app.parts.session
    assert session is not None
    return session


def model_of(player: Player) -> str:
    """The model whose map is shown."""
    return session_of(player).model.name


def found(player: Player, query: str) -> Any:
    player.do(Search(query))
    world = player.app.parts.world
    return player.see(lambda: world.answer if world.answer and world.answer.query == query else None)


def switched(player: Player) -> None:
    player.see(lambda: model_of(player) == NAME and session_of(player).coming is None, why="the new map")


def kill_engine(player: Player) -> None:
    engine = session_of(player).engine
    assert engine is not None
    os.kill(engine.pid, signal.SIGKILL)


def test_a_click_brings_a_stronger_model_and_the_old_map_stays_until_its_own_is_there(
    play: Play, hub: Hub, tmp_path: Path
) -> None:
    player = play()
    world = player.app.parts.world
    assert [offer.name for offer in player.app.parts.upgrade.offers] == [NAME, "ViT-B-16-SigLIP2"]
    assert hub.headers == []
    ids, before = world.scene.ids.copy(), world.scene.positions.copy()
    tiles = (session_of(player).place.folder / MEDIUM_FILE).stat().st_size
    player.do(Select(int(ids[0])), "clusters")
    player.do(GetModel(NAME), GetModel(NAME))  # the second click asks for nothing more
    player.see(lambda: session_of(player).coming is not None)
    assert model_of(player) == "starter"
    assert not found(player, "guitar").error
    assert np.array_equal(world.scene.positions, before)
    switched(player)
    assert np.array_equal(world.scene.ids, ids)
    assert not np.array_equal(world.scene.positions, before)
    assert world.selected_ids == (int(ids[0]),)
    assert not found(player, "a red apple").error
    assert (session_of(player).place.folder / MEDIUM_FILE).stat().st_size == tiles
    with StoreReader.open(session_of(player).place.folder) as store:
        assert len(store.models()) == 2
    assert chosen_name(tmp_path / "cache") == NAME
    assert model_upgrade.view(player.app.parts) is None
    assert [hub.asked.count(each) for each in hub.asked if each.path == BIG] == [1]
    player.close()
    again = play()
    assert (model_of(again), session_of(again).coming) == (NAME, None)


def test_who_closes_the_window_midway_sees_the_old_map_at_the_next_start_and_then_the_new_one(
    play: Play, hub: Hub
) -> None:
    player = play()
    player.do(GetModel(NAME))
    player.see(lambda: session_of(player).coming is not None)
    kill_engine(player)  # before it has done anything
    player.close()
    again = play(settled=False)
    assert (model_of(again), len(again.names())) == ("starter", IMAGES)
    kill_engine(again)  # the next one goes on with the same model
    switched(again)


def test_cancel_keeps_the_old_model_and_what_came_and_the_offer_stays(play: Play, hub: Hub, tmp_path: Path) -> None:
    player = play()
    upgrade = player.app.parts.upgrade
    hub.stall[BIG] = 10_000
    player.do(GetModel(NAME))
    player.see(lambda: upgrade.download is not None and upgrade.download.told is not None)
    view = model_upgrade.view(player.app.parts)
    assert view is not None
    assert view.work is not None
    assert view.work.title == f"fetching {NAME}"
    player.do("palette", FindCommand("cancel better"), "fly_to_best")
    assert (upgrade.download, session_of(player).coming, chosen_name(tmp_path / "cache")) == (None, None, "")
    hub.stall.clear()
    player.do(GetModel(NAME))
    player.see(lambda: session_of(player).coming is not None)
    player.do(StopModel())
    assert (session_of(player).coming, chosen_name(tmp_path / "cache")) == (None, "starter")
    assert [(offer.name, offer.here) for offer in upgrade.offers] == [(NAME, True)]
    player.frame(30)
    player.settle(IMAGES)
    assert model_of(player) == "starter"
    player.close()
    again = play(offline=True)  # what is installed needs no network
    assert (model_of(again), session_of(again).coming) == ("starter", None)
    again.do("palette", FindCommand("better search use"), "fly_to_best")
    switched(again)


def test_what_goes_wrong_is_said_and_tried_again_and_a_download_outlives_the_library_it_was_asked_for(
    play: Play, hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    player = play()
    upgrade = player.app.parts.upgrade
    hub.served[BIG] = bytes(len(hub.files[BIG]))
    player.do(GetModel(NAME))
    player.see(lambda: upgrade.trouble)
    assert "is not the file that the hub recorded" in upgrade.trouble
    assert any("recorded" in notice.text for notice in player.app.parts.panel_state.notices)
    assert (upgrade.failed, model_of(player), session_of(player).coming) == (NAME, "starter", None)
    for changes in ({"offline": True}, {"model": "starter"}, {"kiosk": True}):
        settings = replace(player.app.parts.settings, **changes)
        with monkeypatch.context() as patch:
            patch.setattr(player.app.parts, "settings", settings)
            model_upgrade.look_for_offers(player.app.parts)
        assert upgrade.offers == ()
    model_upgrade.look_for_offers(player.app.parts)
    hub.served.clear()
    hub.slow_secs = 2.0
    player.do("search", GetModel(NAME))
    other = copy_pictures(PICTURES[20:24], tmp_path / "others")
    player.do(OpenSource((str(other),)))
    assert upgrade.download is not None
    player.see(lambda: len(player.names()) == 4 and player.app.parts.model.name == NAME)
    switched(player)
    player.see(lambda: len(player.names()) == 4)
