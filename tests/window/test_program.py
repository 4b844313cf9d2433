"""The program as it is started: without a witness, in a kiosk, without anything to open, and when parts are missing."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from Xlib import X

from tests.libraries import lives, wait_for
from tests.screens import screen_of
from tests.ui.xclients import close_politely, drop, give_focus, opened, window_of
from tests.window.conftest import DEMO, PATIENCE_SECS, ROOT, Flight


def test_the_command_opens_a_window_with_the_images_in_it(stage: str, desk: Path) -> None:
    words = [sys.executable, "-m", "atlas_rt", str(desk / "images"), "--cache", str(desk / "cache")]
    program = subprocess.Popen(words, cwd=ROOT, env={**os.environ, "DISPLAY": stage}, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + PATIENCE_SECS
    while (colourful := share_of_colour(stage, "atlas_rt - images")) < 0.01:
        assert program.poll() is None
        assert time.monotonic() < deadline, f"only {colourful:.1%} of the window is coloured"
        time.sleep(0.2)
    program.send_signal(signal.SIGINT)
    _, told = program.communicate(timeout=15)
    assert program.returncode == 130
    assert told == "interrupted; everything found so far is kept\n"


def test_without_anything_open_one_drops_a_folder_or_types_its_path(launch: Callable[..., Flight], desk: Path) -> None:
    flight = launch(cache=desk / "empty")
    told = flight.see(lambda _: True)
    assert told["images"] == 0
    folder = desk / "dropped"
    folder.mkdir()
    for name in ("acorn", "banana", "bee"):
        shutil.copy(DEMO / f"{name}.webp", folder)
    flight.title = "atlas_rt"
    assert drop(flight, folder.as_uri(), types=2)
    flight.see(lambda told: told["images"] == 3)
    flight.title = "atlas_rt - dropped"
    give_focus(flight)
    flight.key("ctrl+o")
    flight.see(lambda told: told["opening"] and told["text_focused"])
    flight.write(str(desk / "images"))
    flight.key("Return")
    flight.see(lambda told: told["images"] > 3)
    flight.title = "atlas_rt - images"
    close_politely(flight)
    assert flight.ended() == (0, "")


def test_a_kiosk_is_left_by_its_chord_alone(launch: Callable[..., Flight], desk: Path) -> None:
    flight = launch("--kiosk", desk / "images", ATLAS_RT_KIOSK_IDLE_SECS="2.5")
    flight.title = "atlas_rt - images"
    told = flight.see(lambda told: told["images"] > 0)
    assert (told["fullscreen"], told["size"]) == (True, [1280, 720])
    give_focus(flight)
    flight.key("ctrl+q", "F11", "F3", "ctrl+o", "Escape", "Escape")
    close_politely(flight)
    told = flight.look()
    assert (told["fullscreen"], told["figures"], told["opening"]) == (True, False, False)
    flight.key("slash")
    flight.write("bee")
    flight.see(lambda told: told["answered"] == "bee")
    flight.see(lambda told: not told["query"] and not told["searching"])  # nobody is there: it goes home
    flight.xdotool("keydown", "ctrl", "keydown", "alt", "keydown", "q", "sleep", "0.5", "keyup", "q")
    assert flight.look()["fullscreen"]
    flight.xdotool("keydown", "q", "sleep", "3.5")
    assert flight.ended() == (0, "")
    flight.xdotool("keyup", "q", "keyup", "alt", "keyup", "ctrl")


def test_a_picture_that_does_not_change_is_not_drawn_again(launch: Callable[..., Flight], desk: Path) -> None:
    trace = desk / "trace.jsonl"
    flight = launch(desk / "images", "--reduced-motion", ATLAS_RT_TRACE=str(trace))
    flight.xdotool("mousemove", "5", "5")
    flight.see(lambda told: told["images"] > 0 and not told["progress"] and not told["notices"])
    counts: list[int] = []

    def still(told: dict[str, Any]) -> bool:
        counts.append(told["drawn"])
        return len(counts) > 30 and counts[-30] == counts[-1]

    flight.see(still)
    flight.see(lambda _: "rss_mb" in trace.read_text())  # `bench start` hears of its moments at rest, too
    assert '"shown"' in trace.read_text()
    flight.title = "atlas_rt - images"
    give_focus(flight)
    flight.key("h")
    flight.see(lambda told: told["drawn"] > counts[-1])
    flight.close()


def test_a_film_that_is_not_there_is_a_sentence_before_a_window_opens(
    launch: Callable[..., Flight], desk: Path
) -> None:
    flight = launch(desk / "images", "--webcam", desk / "missing.mp4")
    code, told = flight.ended()
    assert code == 2
    assert told.startswith("atlas-rt: this film does not exist")


def test_a_film_that_is_none_is_told_in_the_window(launch: Callable[..., Flight], desk: Path) -> None:
    (desk / "letter.mp4").write_text("no film")
    flight = launch(desk / "images", "--webcam", desk / "letter.mp4")
    told = flight.see(lambda told: told["live_error"])
    assert "cannot be played" in told["live_error"]
    assert told["images"] > 0
    flight.close()


def share_of_colour(screen: str, title: str) -> float:
    """How much of a window is neither dark nor grey: 0 where there is no such window."""
    with opened(screen) as display:
        try:
            window = window_of(display, title)
        except IndexError:
            return 0.0
        size = window.get_geometry()
        image = window.get_image(0, 0, size.width, size.height, X.ZPixmap, 0xFFFFFF)
    bgrx: NDArray[np.int16] = np.frombuffer(image.data, np.uint8).reshape(-1, 4).astype(np.int16)
    colours = bgrx[:, :3]
    return float((colours.max(axis=1) - colours.min(axis=1) > 90).mean())


def test_a_display_that_goes_ends_the_program_in_order(desk: Path) -> None:
    """Xlib used to end it at once, and the engine with whatever it had in hand."""
    with screen_of(640, 480) as screen:
        flight = Flight(screen, [str(desk / "images"), "--cache", str(desk / "lost"), "--offline"], {})
        engine = flight.see(lambda told: told["engine"])["engine"]
    code, told = flight.ended()
    assert (code, told) == (3, "atlas-rt: the display has gone; everything found so far is kept\n")
    wait_for(lambda: not lives(engine))
