"""The real program on real images, on a screen of its own, flown with xdotool as a person would."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from tests.screens import screen_of

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "models" / "demo"
IMAGES = 48
NEWCOMER = "cello.webp"
"""The one that is not in the folder, to be added."""
PATIENCE_SECS = 100.0
"""Beside a window the engine gets what is left of the cores, and a first fit compiles for a while."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "launch" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.window)


class Flight:
    """One run of the program with the witness inside."""

    def __init__(self, screen: str, words: list[str], environment: dict[str, str]) -> None:
        self.screen = screen
        self.title = "atlas_rt"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.window.witness", *words],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            bufsize=1,
            env={**os.environ, "DISPLAY": screen, **environment},
        )

    def ask(self, what: str, *words: Any) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(json.dumps([what, *words]), file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        if not line:
            pytest.fail(f"the program ended: {self.ended()}")
        return json.loads(line)

    def look(self) -> dict[str, Any]:
        told: dict[str, Any] = self.ask("look")
        return told

    def see(self, until: Callable[[dict[str, Any]], object], *, secs: float = PATIENCE_SECS) -> dict[str, Any]:
        """What the program shows once it is as wanted; fails with what it showed instead."""
        deadline = time.monotonic() + secs
        while not until(told := self.look()):
            assert time.monotonic() < deadline, f"never came: {told}"
            time.sleep(0.03)
        return told

    def key(self, *chords: str) -> None:
        self.xdotool("key", "--delay", "40", *chords)

    def write(self, text: str) -> None:
        self.xdotool("type", "--delay", "40", text)

    def point_at(self, name: str) -> None:
        """Move the pointer over an image's card."""
        x, y = self.ask("where", name)
        self.xdotool("mousemove", str(round(x)), str(round(y)))

    def xdotool(self, *words: str) -> None:
        subprocess.run(["xdotool", *words], env={**os.environ, "DISPLAY": self.screen}, check=True, timeout=20)

    def ended(self, *, secs: float = 15.0) -> tuple[int, str]:
        """The exit code, and what it wrote to standard error."""
        _, told = self.process.communicate(timeout=secs)
        return self.process.returncode, told

    def close(self) -> None:
        """End it, if it has not ended by itself, and let go of its pipes."""
        if self.process.poll() is None:
            self.process.terminate()
        if self.process.stdout is not None and not self.process.stdout.closed:
            self.ended()


@pytest.fixture(scope="session")
def stage() -> Iterator[str]:
    """A screen for the program alone: windows of other tests would take the keyboard from it."""
    with screen_of(1280, 720) as name:
        yield name


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `images`, `cache` and `pictures`, as a person has them."""
    folder = tmp_path_factory.mktemp("desk")
    (folder / "images").mkdir()
    (folder / "pictures").mkdir()
    files = [file for file in sorted(DEMO.glob("*.webp")) if file.name != NEWCOMER]
    for file in files[:: len(files) // IMAGES][:IMAGES]:
        shutil.copy(file, folder / "images")
    shutil.copy(DEMO / "acoustic-guitar.webp", folder / "images")
    return folder


@pytest.fixture(scope="session")
def launch(stage: str, desk: Path) -> Iterator[Callable[..., Flight]]:
    """Starts the program with words of its own, on the common cache unless told otherwise."""
    flights: list[Flight] = []

    def start(*words: str | Path, cache: Path = desk / "cache", **environment: str) -> Flight:
        told = [str(word) for word in words]
        folders = {"XDG_PICTURES_DIR": "pictures", "XDG_CONFIG_HOME": "config", "XDG_DATA_HOME": "data"}
        common = {name: str(desk / folder) for name, folder in folders.items()}
        flights.append(Flight(stage, [*told, "--cache", str(cache), "--offline"], common | environment))
        return flights[-1]

    yield start
    for flight in flights:
        flight.close()


@pytest.fixture(scope="session")
def film(desk: Path) -> Path:
    """A film of one drawing of the library, held still as before a webcam."""
    path = desk / "film.mp4"
    picture = np.asarray(Image.open(DEMO / "acoustic-guitar.webp").convert("RGBA"))
    ground = Image.new("RGB", (640, 480), "white")
    drawing = Image.fromarray(picture).resize((400, 400))
    ground.paste(drawing, (120, 40), drawing)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 25.0, (640, 480))
    for _ in range(30):
        writer.write(np.asarray(ground)[..., ::-1])
    writer.release()
    return path
