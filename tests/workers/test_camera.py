"""A film played as a camera: at its own rate, in a loop, whole or damaged."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from atlas_rt.core.arrays import Bytes
from atlas_rt.errors import MissingError
from atlas_rt.workers.camera import Camera
from atlas_rt.workers.worker import State
from tests.libraries import wait_for
from tests.workers.films import MakeFilm, plain

Open = Callable[[Path], Camera]
GREYS = [plain(level, level, level) for level in range(10, 250, 24)]
"""Ten frames, each brighter than the one before."""


@pytest.fixture
def open_camera() -> Iterator[Open]:
    opened: list[Camera] = []

    def make(film: Path) -> Camera:
        opened.append(Camera(str(film)))
        return opened[-1]

    yield make
    for camera in opened:
        camera.close()
        assert not camera._thread.is_alive()


def seen(camera: Camera, *, count: int = 0, secs: float = 60.0) -> list[int]:
    """The brightness of frames as they come: so many of them, or for so long."""
    found: list[int] = []
    deadline = time.monotonic() + secs
    while time.monotonic() < deadline and not 0 < count <= len(found):
        if (frame := camera.take()) is not None:
            found.append(round(float(frame.mean())))
        time.sleep(0.001)
    return found


def chunks(film: bytes) -> list[tuple[int, int]]:
    """Where each frame of motion JPEG lies in an .avi: (start, length)."""
    found, at = [], film.find(b"movi")
    while (at := film.find(b"00dc", at)) >= 0:
        length = int.from_bytes(film[at + 4 : at + 8], "little")
        found.append((at + 8, length))
        at += 8 + length
    return found[: len(GREYS)]


def damaged(film: Path, frames: range) -> Path:
    """The same film with these frames overwritten."""
    content = bytearray(film.read_bytes())
    for start, length in [chunks(bytes(content))[frame] for frame in frames]:
        content[start : start + length] = bytes(length)
    film.write_bytes(content)
    return film


@pytest.mark.parametrize("name", ["film.mp4", "film.avi"])
def test_frames_are_upright_rgb_and_come_once_each(open_camera: Open, make_film: MakeFilm, name: str) -> None:
    top = plain(200, 20, 20)
    top[120:] = (20, 20, 200)
    camera = open_camera(make_film(name, [top] * 3))
    frame: Bytes = wait_for(camera.take)
    assert (frame.shape, frame.dtype) == ((240, 320, 3), np.uint8)
    assert np.abs(frame[30, 160].astype(int) - [200, 20, 20]).max() < 12
    assert np.abs(frame[200, 160].astype(int) - [20, 20, 200]).max() < 12
    assert frame.flags.c_contiguous


def test_a_film_begins_anew_when_it_is_over(open_camera: Open, make_film: MakeFilm) -> None:
    camera = open_camera(make_film("film.mp4", GREYS, fps=100.0))
    levels = seen(camera, count=25)
    assert sum(later < earlier for earlier, later in pairwise(levels)) >= 2
    assert camera.error is None


def test_a_film_plays_no_faster_than_it_was_made(open_camera: Open, make_film: MakeFilm) -> None:
    camera = open_camera(make_film("film.avi", GREYS, fps=20.0))
    assert 3 <= len(seen(camera, secs=0.6)) <= 14


def test_only_the_newest_frame_waits(open_camera: Open, make_film: MakeFilm) -> None:
    camera = open_camera(make_film("film.mp4", GREYS[:4], fps=100.0))
    wait_for(camera.take)
    time.sleep(0.1)
    camera.take()
    assert camera.take() is None


def test_a_damaged_frame_is_passed_over(open_camera: Open, make_film: MakeFilm) -> None:
    camera = open_camera(damaged(make_film("film.avi", GREYS, fps=100.0), range(4, 5)))
    levels = seen(camera, count=20)
    assert min(abs(level - 106) for level in levels) > 15  # the fifth frame is missing
    assert min(levels) < 106 - 15 < 106 + 15 < max(levels)
    assert camera.error is None


def test_a_film_that_was_cut_short_loops_over_what_there_is(open_camera: Open, make_film: MakeFilm) -> None:
    """A recording that was interrupted: its header speaks of frames that never come."""
    film = make_film("film.avi", GREYS, fps=100.0)
    content = film.read_bytes()
    film.write_bytes(content[: chunks(content)[3][0]])
    camera = open_camera(film)
    levels = seen(camera, count=7)
    assert len(levels) == 7
    assert max(levels) < 70  # of the first three
    assert camera.error is None


def test_a_film_of_one_frame_shows_it_again_and_again(open_camera: Open, make_film: MakeFilm) -> None:
    assert len(seen(open_camera(make_film("film.avi", GREYS[5:6])), count=3)) == 3


def test_a_picture_is_a_film_that_stands_still(open_camera: Open, tmp_path: Path) -> None:
    Image.fromarray(plain(90, 90, 90)).save(tmp_path / "still.png")
    assert seen(open_camera(tmp_path / "still.png"), count=3) == [90, 90, 90]


def test_a_film_that_is_deleted_while_it_plays_is_told_of(open_camera: Open, make_film: MakeFilm) -> None:
    film = make_film("film.avi", GREYS[:3])
    camera = open_camera(film)
    wait_for(camera.take)
    film.unlink()
    assert str(wait_for(lambda: camera.error)) == "the film has no more frames"
    assert camera.state is State.FAILED


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("no film at all.mp4", "there is no film at this path: "),
        ("letter.mp4", "this file cannot be played as a camera: "),
        (".", "there is no film at this path: "),
    ],
)
def test_what_is_no_film_is_told_in_a_sentence(tmp_path: Path, name: str, sentence: str) -> None:
    (tmp_path / "letter.mp4").write_text("Dear Sir or Madam")
    path = tmp_path / name
    with pytest.raises(MissingError) as refused:
        Camera(str(path))
    assert str(refused.value) == f"{sentence}{path}"


def test_a_camera_that_is_not_here_is_told_with_what_to_do() -> None:
    with pytest.raises(MissingError, match=r"camera 97 cannot be opened: plug one in.*--webcam FILE plays a film"):
        Camera("97")


def test_closing_ends_the_thread_at_once(make_film: MakeFilm) -> None:
    camera = Camera(str(make_film("film.mp4", GREYS, fps=1.0)))  # in the middle of a second's wait
    wait_for(camera.take)
    begun = time.monotonic()
    camera.close()
    assert time.monotonic() - begun < 0.5
    assert not camera._thread.is_alive()


@pytest.mark.parametrize(("system", "where"), [("darwin", "System Settings"), ("win32", "desktop apps")])
def test_a_refused_camera_says_where_access_is_allowed(
    monkeypatch: pytest.MonkeyPatch, system: str, where: str
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    with pytest.raises(MissingError, match=f"allow access to it .*{where}.*--webcam FILE"):
        Camera("97")
    assert os.environ["OPENCV_AVFOUNDATION_SKIP_AUTH"] == "1"
