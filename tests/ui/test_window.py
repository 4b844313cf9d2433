"""Real windows under Xvfb: what a person does arrives, and what pyglet gets wrong on X11 stays put right."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.ui.conftest import ROOT, Probe
from tests.ui.xclients import Clipboard, close_politely, drop, focus_elsewhere

LATIN = "ö日本 plain"


def test_it_opens_with_the_size_asked_for(probe: Probe) -> None:
    assert probe.opened == {"size": [800, 600], "framebuffer": [800, 600], "dpi_scale": 1.0}


def test_it_is_not_larger_than_the_screen(open_probe: Callable[..., Probe]) -> None:
    assert open_probe(size=(4000, 700)).opened["size"] == [1280, 700]


def test_characters_ask_for_actions_and_repeats_do_not(probe: Probe) -> None:
    probe.xdotool("key", "h")
    probe.xdotool("key", "question")
    probe.xdotool("key", "F3")
    probe.xdotool("key", "alt+Left")
    wanted = ["home", "help", "figures", "previous_place"]
    assert probe.heard("actions", lambda told: len(told) >= 4) == wanted
    probe.xdotool("keydown", "t", "sleep", "0.9", "keyup", "t")  # the server repeats a key after 0.66 s
    probe.ask("settle")
    assert probe.ask("heard")["actions"] == ["tour"]


def test_motion_is_held_by_place(probe: Probe) -> None:
    probe.xdotool("keydown", "w", "keydown", "space", "keydown", "shift")
    assert probe.heard("held", lambda told: len(told) == 3) == ["faster", "forward", "up"]
    probe.xdotool("keyup", "w", "keyup", "space", "keyup", "shift")
    assert probe.heard("held", lambda told: not told) == []


def test_search_is_opened_and_what_follows_is_text(probe: Probe) -> None:
    probe.xdotool("type", "/what h")
    assert probe.heard("text", lambda told: len(told) >= 6) == "what h"
    probe.ask("text_focused", False)


def test_letters_are_text_while_a_field_has_the_focus(probe: Probe) -> None:
    probe.ask("text_focused", True)
    probe.xdotool("keydown", "w", "key", "q", "keyup", "w", "key", "Return", "key", "ctrl+c", "key", "ctrl+q")
    assert probe.ask("settle") is None
    told = probe.ask("heard")
    assert (told["text"], told["held"], told["actions"]) == ("wq", [], ["fly_to_best", "quit"])


def test_escape_is_an_action_and_does_not_close(probe: Probe) -> None:
    probe.xdotool("key", "Escape")
    assert probe.heard("actions", bool) == ["step_back"]
    assert probe.ask("heard")["closed"] == 0


def test_dead_keys_and_other_scripts_arrive(probe: Probe) -> None:
    probe.ask("text_focused", True)
    probe.xdotool("mousemove", "200", "200")  # over the window, where the event names its child
    probe.xdotool("key", "--delay", "100", "dead_acute", "sleep", "0.2")  # xdotool lends it a key and takes that back
    probe.xdotool("key", "e")
    assert probe.heard("text", bool) == "é"
    probe.xdotool("type", "--delay", "60", "日ß")
    assert probe.heard("text", lambda told: len(told) >= 2) == "日ß"


def test_a_locale_without_utf8_types_all_the_same(open_probe: Callable[..., Probe]) -> None:
    probe = open_probe({"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0", "PYTHONIOENCODING": "utf-8"})
    probe.ask("text_focused", True)
    probe.xdotool("type", "--delay", "60", "ü")
    assert probe.heard("text", bool) == "ü"


def test_a_key_let_go_elsewhere_does_not_stick(probe: Probe) -> None:
    probe.xdotool("keydown", "w")
    assert probe.heard("held", bool) == ["forward"]
    with focus_elsewhere(probe.screen):
        assert probe.heard("focused", lambda told: not told) is False
        assert probe.ask("heard")["held"] == []
        probe.xdotool("keyup", "w")
    probe.heard("focused", bool)
    probe.xdotool("keydown", "w")
    assert probe.heard("held", bool) == ["forward"]
    probe.xdotool("keyup", "w")


def test_a_shifted_key_whose_shift_goes_first_can_be_pressed_again(probe: Probe) -> None:
    for _ in range(2):
        probe.xdotool("keydown", "shift", "keydown", "slash", "keyup", "shift", "keyup", "slash")
        assert probe.heard("actions", bool) == ["help"]


def test_clicks_double_clicks_drags_and_the_wheel(probe: Probe) -> None:
    probe.xdotool("mousemove", "100", "150", "click", "1")
    assert probe.heard("clicks", bool) == [["left", 1, 100, 150, False]]
    probe.xdotool("mousemove", "300", "150", "click", "--repeat", "2", "--delay", "50", "1")
    assert [click[1] for click in probe.heard("clicks", lambda told: len(told) > 1)] == [1, 2]
    probe.xdotool(
        "mousemove",
        "100",
        "100",
        "mousedown",
        "1",
        "mousemove",
        "110",
        "100",
        "mousemove",
        "140",
        "120",
        "mouseup",
        "1",
    )
    assert probe.heard("drag", any) == [30, 20]
    assert probe.ask("heard")["clicks"] == []
    probe.xdotool("click", "4")
    assert probe.heard("wheel", bool) == 1


def test_the_clipboard_gives_and_takes_every_script(probe: Probe) -> None:
    probe.ask("set_clipboard", LATIN)
    for target in ("UTF8_STRING", "STRING"):
        assert Clipboard.read(probe, target) == LATIN
    with Clipboard(probe.screen, {"UTF8_STRING": LATIN[::-1].encode()}):
        probe.ask("settle")
        assert probe.ask("clipboard") == LATIN[::-1]


def test_a_picture_on_the_clipboard_is_there_for_programs_that_take_pictures(probe: Probe) -> None:
    png = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8000
    assert probe.ask("set_clipboard_picture", png.hex(), "/pictures/a.png")
    assert Clipboard.read(probe, "TARGETS").split()[:3] == ["TARGETS", "image/png", "UTF8_STRING"]
    assert Clipboard.read_bytes(probe, "image/png") == png
    assert probe.ask("clipboard_has_picture")
    assert Clipboard.read(probe, "UTF8_STRING") == "/pictures/a.png"
    probe.ask("set_clipboard", LATIN)
    assert "image/png" not in Clipboard.read(probe, "TARGETS")
    assert not probe.ask("clipboard_has_picture")
    assert Clipboard.read(probe, "UTF8_STRING") == LATIN


def test_copied_files_can_be_pasted(probe: Probe, tmp_path: Path) -> None:
    picture = tmp_path / "a # b.png"
    picture.touch()
    with Clipboard(probe.screen, {"text/uri-list": f"{picture.as_uri()}\r\nfile:///none\r\n".encode()}):
        probe.ask("settle")
        assert probe.ask("clipboard_paths") == [str(picture)]


def test_a_silent_clipboard_does_not_hang_the_window(probe: Probe) -> None:
    with Clipboard(probe.screen, {}, silent=True):
        probe.ask("settle")
        assert probe.ask("clipboard") == ""


@pytest.mark.parametrize("types", [2, 4])
def test_dropped_files_arrive(probe: Probe, tmp_path: Path, types: int) -> None:
    names = ["plain.png", "with # and ?.png", "ü 日本.jpg", "folder"]
    paths = [tmp_path / name for name in names]
    for path in paths[:3]:
        path.touch()
    paths[3].mkdir()
    lines = ["# a comment", *(path.as_uri() for path in paths), "https://example.org/a.png", "file:///not/there.png"]
    lines[2] = f"file://{paths[1]}"  # file managers leave "#" and "?" as they are
    assert drop(probe, "\r\n".join(lines), types=types)
    assert probe.heard("drops", bool) == [str(path) for path in paths]


def test_closing_is_told_once_and_left_to_the_app(probe: Probe) -> None:
    close_politely(probe)
    assert probe.heard("closed", bool) == 1
    assert probe.ask("where")["size"] == [800, 600]


def test_fullscreen_and_back_keeps_the_keyboard(open_probe: Callable[..., Probe]) -> None:
    probe = open_probe()
    probe.ask("fullscreen", True)
    assert probe.ask("where") == {"size": [1280, 720], "framebuffer": [1280, 720], "fullscreen": True}
    probe.xdotool("key", "h")
    assert probe.heard("actions", bool) == ["home"]
    probe.ask("fullscreen", False)
    probe.ask("settle")
    assert probe.ask("where")["size"] == [800, 600]
    probe.xdotool("key", "l")
    assert probe.heard("actions", bool) == ["live"]


def test_a_window_that_began_fullscreen_gets_its_size(open_probe: Callable[..., Probe]) -> None:
    probe = open_probe(fullscreen=True, size=(700, 500))
    assert probe.ask("where") == {"size": [1280, 720], "framebuffer": [1280, 720], "fullscreen": True}
    probe.ask("fullscreen", False)
    probe.ask("settle")
    assert probe.ask("where")["size"] == [700, 500]


def test_a_kiosk_covers_the_screen_and_hears_what_it_may(open_probe: Callable[..., Probe]) -> None:
    probe = open_probe(kiosk=True)
    probe.ask("settle")
    assert probe.ask("where")["size"] == [1280, 720]
    probe.xdotool("key", "ctrl+q", "key", "F11", "key", "t")
    assert probe.heard("actions", bool) == ["tour"]
    close_politely(probe)
    probe.ask("settle")
    assert probe.ask("heard")["closed"] == 0
    probe.xdotool("keydown", "ctrl", "keydown", "alt", "keydown", "q")
    assert probe.heard("held", bool) == ["leave_kiosk"]
    probe.xdotool("keyup", "ctrl", "keyup", "alt")
    assert probe.heard("held", lambda told: not told) == []
    probe.xdotool("keyup", "q")


def test_a_screen_that_is_not_there_is_named(screen: str) -> None:
    told = run_without_probe("Window('x', fullscreen=True, screen=3)", {"DISPLAY": screen})
    assert told == "UsageError: no screen 3 here; there are: 0 (1280 x 720)"


def test_no_display_is_a_sentence() -> None:
    told = run_without_probe("print(display_available()); Window('x')", {"DISPLAY": ""})
    assert told.splitlines() == [
        "False",
        "NoGraphicsError: no display here: start it from a desktop session, or set DISPLAY",
    ]


def test_old_opengl_is_a_sentence(screen: str) -> None:
    old = {"DISPLAY": screen, "MESA_GL_VERSION_OVERRIDE": "3.0", "MESA_GLSL_VERSION_OVERRIDE": "130"}
    assert run_without_probe("Window('x')", old).startswith("NoGraphicsError: no OpenGL 3.3 here:")


def run_without_probe(code: str, environment: dict[str, str]) -> str:
    """What a program prints, with the error it ends with as its last line."""
    program = (
        "from atlas_rt.ui.window import Window, display_available\n"
        f"try:\n    {code}\nexcept Exception as error:\n    print(type(error).__name__ + ': ' + str(error))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_an_event_that_cannot_be_understood_is_one_sentence(screen: str) -> None:
    """pyglet raises in the middle of an event, as it does for a dropped list with a byte that is no text."""
    code = (
        "from atlas_rt import excepthooks; from atlas_rt.ui.window import Window; excepthooks.install()\n"
        "window = Window('probe')\n"
        "window._native.dispatch_events = lambda: 'é'.encode('ascii')\n"
        "for _ in range(3): window.poll()\n"
        "window.close()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, env={**os.environ, "DISPLAY": screen}
    )
    assert (done.returncode, len(done.stderr.splitlines())) == (0, 1), done.stderr
    assert done.stderr.startswith("atlas-rt: an event of the window system was not understood, and is left out (")
