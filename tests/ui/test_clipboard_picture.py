"""Another program's picture on the clipboard, as a file's bytes: in one piece, in many, or not at all."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from atlas_rt.ui import clipboard_picture
from tests.screens import screen_of
from tests.ui.xclients import Clipboard


@pytest.fixture(scope="module")
def screen() -> Iterator[str]:
    with screen_of(64, 64) as name:
        yield name


@pytest.fixture(autouse=True)
def _there(screen: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", screen)


@contextmanager
def copied(screen: str, file: Path, *target: str) -> Iterator[None]:
    """Another program has copied a file."""
    words = ["xclip", "-selection", "clipboard", *target, "-i", str(file), "-quiet", "-display", screen]
    with subprocess.Popen(words, stderr=subprocess.DEVNULL) as owner:
        time.sleep(0.3)
        yield
        owner.terminate()


@pytest.mark.parametrize("side_px", [8, 1600])  # what is larger than 1 MB comes piece by piece
def test_a_picture_is_handed_over_whatever_its_size(screen: str, tmp_path: Path, side_px: int) -> None:
    file = tmp_path / "copied.png"
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (side_px, side_px, 3), np.uint8)).save(file)
    with copied(screen, file, "-t", "image/png"):
        assert clipboard_picture.clipboard_picture() == file.read_bytes()


def test_nobody_a_text_and_an_owner_who_is_silent_give_none(
    screen: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert clipboard_picture.clipboard_picture() == b""
    (tmp_path / "words").write_text("words")
    with copied(screen, tmp_path / "words"):
        assert clipboard_picture.clipboard_picture() == b""
    monkeypatch.setattr(clipboard_picture, "PATIENCE_SECS", 0.3)
    with Clipboard(screen, {}, silent=True):
        assert clipboard_picture.clipboard_picture() == b""
