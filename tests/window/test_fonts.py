"""Text of other scripts in the window: fonts are found by a thread, and those that are missing are named once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import moderngl
import pytest

from atlas_rt.settings import Settings
from atlas_rt.typesetting import system_fonts
from tests.ui.test_fonts import square_font
from tests.window.player import Player

LETTER = "क"


@pytest.fixture
def fonts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder of fonts on this system, with nothing in it yet."""
    folder = tmp_path / "fonts"
    folder.mkdir()
    monkeypatch.setattr(system_fonts, "FOLDERS", dict.fromkeys(system_fonts.FOLDERS, (str(folder),)))
    return folder


@pytest.fixture
def player(context: moderngl.Context, fonts: Path, tmp_path: Path) -> Iterator[Player]:
    settings = Settings(cache=str(tmp_path / "cache"), data=str(tmp_path / "data"), offline=True, quality="low")
    player = Player(context, settings, size_px=(640, 480))
    yield player
    player.close()


def advised(player: Player) -> list[str]:
    return [notice.text for notice in player.app.parts.panel_state.notices if "No font here" in notice.text]


def test_missing_fonts_are_named_once(player: Player) -> None:
    player.app.parts.panel_state.say(f"{LETTER} is a name")
    (sentence,) = player.see(lambda: advised(player))
    assert "Devanagari" in sentence
    assert "fonts-noto-core" in sentence or not system_fonts.sys.platform.startswith("linux")
    player.app.parts.panel_state.notices.clear()
    player.app.parts.panel_state.say(f"{LETTER * 2} is another")
    player.frame(20)
    assert not advised(player)


def test_what_a_thread_has_found_is_drawn_without_a_touch(player: Player, fonts: Path) -> None:
    square_font(fonts / "Some Devanagari.ttf", LETTER, coloured=False)
    player.frame(60)  # at rest
    player.app.parts.panel_state.say(LETTER)
    display = player.app.parts.display
    player.see(lambda: display._fonts is not None and display._fonts.fonts.is_known(LETTER))
    player.frame(3)
    assert not advised(player)
    drawn = player._target.read()
    player.app.parts.panel_state.notices.clear()
    player.app.parts.panel_state.say(" ")
    player.frame(3)
    assert (drawn != player._target.read()).any()
    shutil.rmtree(fonts)  # what is mapped stays
    player.app.parts.panel_state.say(LETTER)
    player.frame(3)
