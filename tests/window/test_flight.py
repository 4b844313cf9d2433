"""One long flight, as a person makes it: index, search, fly, click, drop, camera, tour, close, and start again.

The tests of this file share one run of the program and stand in the order of the flight; each begins at rest.
"""

from __future__ import annotations

import math
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from atlas_rt.library.cache_layout import place_of
from atlas_rt.library.lock import Lock
from tests.ui.xclients import Clipboard, close_politely, drop, give_focus
from tests.window.conftest import DEMO, NEWCOMER, Flight

GUITAR = "acoustic-guitar.webp"


@pytest.fixture(scope="module")
def program(launch: Callable[..., Flight], desk: Path, film: Path) -> Iterator[Flight]:
    flight = launch(desk / "images")
    flight.title = "atlas_rt - images"
    yield flight
    flight.close()


@pytest.fixture
def flight(program: Flight) -> Flight:
    """The program at rest: nothing searched, selected or open, the pointer on no image, the keyboard with it."""
    program.see(lambda told: told["images"] > 1)
    give_focus(program)
    program.xdotool("mousemove", "5", "5")
    for _ in range(6):
        program.key("Escape")
    program.see(lambda told: not (told["query"] or told["selected"] or told["searching"] or told["opening"]))
    return program


def test_images_appear_while_they_are_read_and_end_on_the_fitted_map(program: Flight, desk: Path) -> None:
    first = program.see(lambda told: told["images"] > 0)
    told = program.see(lambda told: told["map"] == "umap" and told["progress"] in {"", "idle"} and not told["flying"])
    assert first["images"] <= told["images"] == len(list((desk / "images").iterdir()))
    assert told["provider"] == "CPU"
    assert told["failures"] == []
    assert np.allclose(told["eye"], told["home"], atol=1e-3)  # all of it in sight, as long as nobody moved


def test_wasd_flies_where_the_eye_looks(flight: Flight) -> None:
    before = flight.look()
    flight.xdotool("keydown", "w", "sleep", "0.5", "keyup", "w")
    after = flight.see(lambda told: told["eye"] != before["eye"])
    away = np.subtract(after["eye"], before["eye"])
    forward = [math.sin(before["yaw"]), 0.0, -math.cos(before["yaw"])]
    assert away @ forward > 0.9 * np.linalg.norm(away) > 0.0
    flight.key("h")
    flight.see(lambda told: not told["flying"] and np.allclose(told["eye"], told["home"], atol=1e-3))


def test_dragging_looks_around_and_the_wheel_changes_the_speed(flight: Flight) -> None:
    before = flight.look()
    flight.xdotool("mousemove", "20", "20", "mousedown", "1", "mousemove", "60", "20", "mousemove", "160", "20")
    flight.xdotool("mouseup", "1")
    flight.see(lambda told: abs(told["yaw"] - before["yaw"]) > 0.1)
    flight.xdotool("click", "4")
    flight.see(lambda told: told["speed"] > before["speed"])
    flight.xdotool("click", "5")
    flight.key("h")


def test_a_typed_phrase_lights_every_image_and_enter_flies_to_the_best(flight: Flight) -> None:
    before = flight.look()
    flight.key("slash")
    flight.write("a guitar")
    told = flight.see(lambda told: told["answered"] == "a guitar" and told["lit"] == 1.0)
    assert told["query"] == "a guitar"  # the opening stroke is not part of it, and w, a, s, d have not flown
    assert told["eye"] == before["eye"]
    assert told["lights"] == told["images"]
    assert GUITAR in told["best"][:3]
    flight.key("Return")
    told = flight.see(lambda told: told["selected"] == [told["best"][0]] and not told["flying"])
    assert math.dist(told["eye"], before["eye"]) > 0.1
    flight.key("Tab")
    flight.see(lambda told: told["selected"] == [told["best"][1]])
    flight.key("shift+Tab")
    flight.see(lambda told: told["selected"] == [told["best"][0]])


def test_escape_goes_back_one_step_at_a_time_and_never_quits(flight: Flight) -> None:
    flight.key("slash")
    flight.write("cat")
    flight.see(lambda told: told["answered"] == "cat")
    flight.key("Escape")
    told = flight.see(lambda told: not told["query"])
    assert told["searching"]
    flight.key("Escape")
    flight.see(lambda told: not told["searching"])
    flight.key("Escape", "Escape", "Escape")
    assert flight.look()["images"] > 0


def test_hovering_tells_and_clicking_opens_the_panel(flight: Flight) -> None:
    flight.key("h")
    flight.see(lambda told: not told["flying"])
    flight.point_at(GUITAR)
    hovered = flight.see(lambda told: told["hovered"] and told["hover_labels"])["hovered"]
    flight.xdotool("click", "1")
    told = flight.see(lambda told: told["panel"] == hovered)
    assert told["selected"] == [hovered]
    assert len(told["neighbours"]) >= 5
    assert hovered not in told["neighbours"]
    flight.key("Right")
    flight.see(lambda told: told["selected"] not in ([], [hovered]))
    flight.key("alt+Left")
    flight.see(lambda told: told["flying"])


def test_a_double_click_flies_there(flight: Flight) -> None:
    flight.key("h")
    before = flight.see(lambda told: not told["flying"])
    flight.point_at(GUITAR)
    flight.see(lambda told: told["hovered"])
    flight.xdotool("click", "--repeat", "2", "--delay", "60", "1")
    flight.see(lambda told: not told["flying"] and math.dist(told["eye"], before["eye"]) > 0.1)
    flight.key("h")


def test_dropped_files_join_the_map_and_move_no_other(flight: Flight, desk: Path) -> None:
    before = flight.ask("positions")
    dropped = desk / "elsewhere" / NEWCOMER
    dropped.parent.mkdir()
    shutil.copy(DEMO / NEWCOMER, dropped)
    broken = dropped.with_name("broken.jpg")
    broken.write_bytes(b"no picture")
    assert drop(flight, f"{dropped.as_uri()}\r\n{broken.as_uri()}\r\n", types=4)
    told = flight.see(lambda told: NEWCOMER in told["names"] and told["failures"])
    assert told["failures"] == ["broken.jpg"]
    after = flight.ask("positions")
    assert {name: after[name] for name in before} == before
    assert len(after) == len(before) + 1


def stands_before_its_pile(flight: Flight, name: str) -> bool:
    """Whether an image is the one that is pointed at in the middle of its card."""
    flight.point_at(name)
    drawn = flight.look()["drawn"]
    return bool(flight.see(lambda told: told["hovered"] and told["drawn"] > drawn + 2)["hovered"] == name)


def test_copies_stack_under_the_first_fan_out_when_selected_and_leave_when_deleted(flight: Flight, desk: Path) -> None:
    """As a person sees it: the copies are not to be seen, then to be pointed at, and gone soon after their files."""
    flight.key("h")
    before = flight.see(lambda told: not told["flying"])
    first = next(name for name in before["names"] if stands_before_its_pile(flight, name))
    copies = [desk / "images" / name for name in ("zz 1.png", "zz 2.png")]
    image = Image.open(desk / "images" / first).convert("RGBA")
    for number, copy in enumerate(copies, 1):
        image.putpixel((0, 0), (number, 0, 0, 255))  # other bytes, or it would be known by them
        image.save(copy)
    flight.see(lambda told: told["images"] == before["images"] + 2 and not told["moving"])
    assert flight.ask("where", copies[1].name) == pytest.approx(flight.ask("where", first))
    assert set(flight.look()["hidden"]) == {copy.name for copy in copies}

    flight.point_at(copies[0].name)
    flight.see(lambda told: told["hovered"] == first)  # who stands for it
    flight.xdotool("click", "1")
    told = flight.see(lambda told: told["panel"] == first and not told["moving"])
    assert (told["hidden"], told["alike"]) == ([], "1 of 3 alike")
    assert np.abs(np.subtract(flight.ask("where", copies[1].name), flight.ask("where", first))).max() > 5
    flight.point_at(copies[1].name)
    flight.see(lambda told: told["hovered"] == copies[1].name)
    flight.xdotool("click", "1")
    assert flight.see(lambda told: told["panel"] == copies[1].name)["hidden"] == []  # it stays open
    flight.key("Escape")
    told = flight.see(lambda told: not told["selected"] and not told["moving"])
    assert set(told["hidden"]) == {copy.name for copy in copies}

    (desk / "images" / first).rename(desk / first)
    flight.see(lambda told: first in told["leaving"])
    told = flight.see(lambda told: not told["leaving"] and not told["moving"])
    assert (told["images"], told["hidden"]) == (before["images"] + 1, [copies[1].name])
    for copy in copies:
        copy.unlink()
    (desk / first).rename(desk / "images" / first)
    told = flight.see(lambda told: told["names"] == before["names"] and not told["moving"])
    assert told["hidden"] == []


def test_the_tour_flies_and_any_step_back_ends_it(flight: Flight) -> None:
    flight.key("t")
    first = flight.see(lambda told: told["touring"])
    flight.see(lambda told: math.dist(told["eye"], first["eye"]) > 0.02)
    flight.key("Escape")
    flight.see(lambda told: not told["touring"])
    flight.key("o")
    first = flight.see(lambda told: told["orbiting"])
    flight.see(lambda told: math.dist(told["eye"], first["eye"]) > 0.005)
    flight.xdotool("keydown", "w", "sleep", "0.1", "keyup", "w")
    assert not flight.see(lambda told: not told["orbiting"])["touring"]


def test_without_a_camera_it_says_so(flight: Flight) -> None:
    if list(Path("/dev").glob("video*")):
        pytest.skip("there is a camera here")
    flight.key("l")
    assert "camera 0 cannot be opened" in flight.see(lambda told: told["live_error"])["live_error"]
    flight.key("l")
    flight.see(lambda told: not told["live"])


def test_help_figures_and_opening_are_a_key_away(flight: Flight) -> None:
    flight.key("F1", "F3")
    flight.see(lambda told: told["help"] and told["figures"])
    flight.key("F1", "F3", "ctrl+o")
    flight.see(lambda told: told["opening"] and not told["help"] and not told["figures"])
    flight.key("Escape")
    flight.see(lambda told: not told["opening"])


def test_full_screen_and_back(flight: Flight) -> None:
    before = flight.look()["size"]
    flight.key("F11")
    flight.see(lambda told: told["fullscreen"] and told["size"] == [1280, 720])
    flight.key("Escape")
    flight.see(lambda told: not told["fullscreen"] and told["size"] == before)


def test_a_picture_is_saved_and_shows_the_map(flight: Flight, desk: Path) -> None:
    flight.key("F12")
    flight.see(lambda told: any(notice.startswith("picture saved") for notice in told["notices"]))
    (picture,) = (desk / "pictures").glob("*.png")
    pixels = np.asarray(Image.open(picture).convert("RGB"), np.float32)
    assert pixels.shape[:2] == (720, 1280)
    assert (pixels.max(axis=2) > 100).mean() > 0.01  # cards are bright, and space is dark
    assert np.median(pixels) < 40


def test_the_path_of_an_image_is_copied(flight: Flight, desk: Path) -> None:
    flight.key("Tab")
    name = flight.see(lambda told: told["selected"])["selected"][0]
    flight.key("ctrl+c")
    flight.see(lambda told: "path copied" in told["notices"])
    assert Path(Clipboard.read(flight, "UTF8_STRING")).name == name


def test_a_killed_engine_is_started_again(flight: Flight, desk: Path) -> None:
    engine, lock = flight.look()["engine"], Lock(place_of((str(desk / "images"),), desk / "cache"))
    os.kill(engine, signal.SIGKILL)
    told = flight.see(lambda told: told["engine"] not in {0, engine})
    assert any("started again" in notice for notice in told["notices"])
    assert told["images"] > 0
    # the library is its own again: whoever comes before it has it, may write
    flight.see(lambda told: str(told["engine"]) in lock.holder())


def test_a_second_window_may_only_look(flight: Flight, launch: Callable[..., Flight], desk: Path) -> None:
    second = launch(desk / "images")
    told = second.see(lambda told: told["read_only"])
    assert str(flight.process.pid) in told["read_only"] or str(flight.look()["engine"]) in told["read_only"]
    assert told["images"] == flight.look()["images"]
    second.close()


def test_closing_the_window_ends_the_program(flight: Flight) -> None:
    engine = flight.look()["engine"]
    close_politely(flight)
    code, told = flight.ended()
    assert (code, told) == (0, "")
    assert not running(engine)


def test_the_second_start_shows_everything_at_once(launch: Callable[..., Flight], desk: Path, film: Path) -> None:
    flight = launch(desk / "images", "--webcam", film)
    told = flight.see(lambda _: True)
    assert told["map"] == "umap"
    assert NEWCOMER in told["names"]  # what was dropped belongs to the library for good
    told = flight.see(lambda told: told["near"])
    assert GUITAR in told["near"][:3]
    there = flight.ask("positions")[GUITAR]
    told = flight.see(lambda told: told["marker"] and math.dist(told["marker"], there) < 0.35)
    flight.title = "atlas_rt - images"
    give_focus(flight)
    flight.key("l")
    flight.see(lambda told: not told["live"] and told["marker"] is None)
    flight.process.send_signal(signal.SIGTERM)
    assert flight.ended()[0] == 143


def running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
