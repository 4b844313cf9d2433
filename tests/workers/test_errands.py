"""What the desktop is asked for: programs of its own are real, and stand in a folder of the test."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from atlas_rt.workers import errands
from atlas_rt.workers.errands import COPY, OPEN, SHOW, Done, Errand, ErrandWorker
from tests.libraries import wait_for

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the desktop's programs are those of Linux")

Install = Callable[..., Path]


@pytest.fixture
def worker() -> Iterator[ErrandWorker]:
    worker = ErrandWorker()
    yield worker
    worker.close()
    assert not worker._thread.is_alive()


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Puts a program into the only folder of the path; it notes its words and ends with a code."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def write(name: str, code: int = 0) -> Path:
        noted = tmp_path / f"{name}.words"
        (folder / name).write_text(f'#!/bin/sh\nfor word in "$@"; do echo "$word" >> "{noted}"; done\nexit {code}\n')
        (folder / name).chmod(0o755)
        return noted

    return write


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "it's, a $(picture) & more.png"
    Image.new("RGB", (60, 40), (9, 99, 199)).save(path)
    return path


def done(worker: ErrandWorker, kind: str, path: Path) -> Done:
    assert worker.ask(Errand(kind, str(path)))
    found: Done = wait_for(lambda: next(worker.take(), None))
    return found


def test_a_file_is_opened_by_the_desktop_and_no_shell_reads_its_name(
    worker: ErrandWorker, install: Install, picture: Path
) -> None:
    noted = install("xdg-open")
    assert done(worker, OPEN, picture).error == ""
    assert noted.read_text() == f"{picture}\n"


def test_what_cannot_be_opened_is_told(worker: ErrandWorker, install: Install, picture: Path) -> None:
    assert "install xdg-utils" in done(worker, OPEN, picture).error
    install("xdg-open", code=3)
    assert "found no program for it" in done(worker, OPEN, picture).error
    picture.unlink()
    for kind in (OPEN, SHOW, COPY):
        assert "not there any more" in (error := done(worker, kind, picture).error) or "no longer there" in error


def test_the_file_manager_is_asked_for_the_file(worker: ErrandWorker, install: Install, picture: Path) -> None:
    noted = install("gdbus")
    assert done(worker, SHOW, picture).error == ""
    words = noted.read_text().splitlines()
    address = f"file://{picture.parent}/it%27s%2C%20a%20%24%28picture%29%20%26%20more.png"
    assert f"['{address}']" in words
    assert "org.freedesktop.FileManager1.ShowItems" in words


def test_where_no_file_manager_answers_the_folder_is_opened(
    worker: ErrandWorker, install: Install, picture: Path
) -> None:
    install("gdbus", code=1)
    noted = install("xdg-open")
    assert done(worker, SHOW, picture).error == ""
    assert noted.read_text() == f"{picture.parent}\n"


def test_a_picture_is_copied_as_png_upright(worker: ErrandWorker, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (60, 40), (9, 99, 199)).save(tmp_path / "turned.jpg", exif=exif)
    copied = done(worker, COPY, tmp_path / "turned.jpg")
    assert copied.size_px == copied.of_px == (40, 60)
    assert Image.open(io.BytesIO(copied.png)).size == (40, 60)


def test_one_that_the_clipboard_would_not_take_is_copied_smaller(
    worker: ErrandWorker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(errands, "PNG_BYTES_MAX", 40_000)
    speckled = np.random.default_rng(3).integers(0, 255, (200, 300, 3), np.uint8)
    Image.fromarray(speckled).save(tmp_path / "noise.png")
    copied = done(worker, COPY, tmp_path / "noise.png")
    assert len(copied.png) <= 40_000
    assert copied.of_px == (300, 200)
    assert copied.size_px < copied.of_px
    assert Image.open(io.BytesIO(copied.png)).size == copied.size_px
