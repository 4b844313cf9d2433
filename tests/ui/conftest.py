"""A screen of its own for the windows (Xvfb), real windows in a process of their own, and panels in a headless context.

Windows open in another process because one process cannot hold an EGL and a GLX context at a time.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import moderngl
import pytest

from atlas_rt.ui.overlay import Overlay
from atlas_rt.ui.panels import Panels
from tests.screens import screen_of
from tests.ui.huds import SIZE_PX, Sheet, Tiles
from tests.ui.xclients import give_focus

ROOT = Path(__file__).parents[2]
PATIENCE_SECS = 8.0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "test_window" in item.nodeid:
            item.add_marker(pytest.mark.window)


@pytest.fixture(scope="session")
def screen() -> Iterator[str]:
    """The display name of a screen that all these windows share."""
    with screen_of(1280, 720) as name:
        yield name


class Probe:
    """A real window in a process of its own: told what to do by lines of JSON, telling what it hears the same way."""

    title = "probe"

    def __init__(self, screen: str, options: dict[str, Any], environment: dict[str, str]) -> None:
        self.screen = screen
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.ui.probe", json.dumps(options)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            env={**os.environ, "DISPLAY": screen, **environment},
        )
        self.opened = self.answer()

    def ask(self, what: str, *words: Any) -> Any:
        """Have the window do something, and its answer. What it heard until then is told by the next `heard`."""
        assert self._process.stdin is not None
        print(json.dumps([what, *words]), file=self._process.stdin, flush=True)
        return self.answer()

    def answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"the window's process ended with {self._process.wait(5)}"
        return json.loads(line)

    def heard(self, name: str, until: Callable[[Any], bool]) -> Any:
        """One field of everything heard since the last call, once it is as wanted (or time is up)."""
        deadline = time.monotonic() + PATIENCE_SECS
        while True:
            told = self.ask("heard")[name]
            if until(told) or time.monotonic() > deadline:
                self.ask("forget")
                return told
            time.sleep(0.02)

    def xdotool(self, *words: str) -> None:
        """Type, press and point as a person."""
        subprocess.run(["xdotool", *words], env={**os.environ, "DISPLAY": self.screen}, check=True, timeout=10)

    def close(self) -> int:
        """End it, and its exit code."""
        if self._process.poll() is None and self._process.stdin is not None:
            self._process.stdin.close()
        code = self._process.wait(10)
        if self._process.stdout is not None:
            self._process.stdout.close()
        return code


@pytest.fixture(scope="session")
def shared_probe(screen: str) -> Iterator[Probe]:
    probe = Probe(screen, {}, {})
    yield probe
    assert probe.close() == 0


@pytest.fixture
def probe(shared_probe: Probe) -> Probe:
    """The window of 800 x 600 that most tests share, with nothing heard yet."""
    give_focus(shared_probe)
    shared_probe.ask("text_focused", False)
    shared_probe.ask("settle")
    shared_probe.ask("forget")
    return shared_probe


@pytest.fixture
def open_probe(screen: str) -> Iterator[Callable[..., Probe]]:
    """Windows with options of their own."""
    opened: list[Probe] = []

    def open_it(environment: dict[str, str] | None = None, **options: Any) -> Probe:
        opened.append(Probe(screen, options, environment or {}))
        return opened[-1]

    yield open_it
    for probe in opened:
        probe.close()


@pytest.fixture(scope="session")
def tiles(context: moderngl.Context) -> Tiles:
    return Tiles(context)


@pytest.fixture(scope="session")
def targets(context: moderngl.Context) -> dict[tuple[int, int], moderngl.Framebuffer]:
    """Framebuffers by size. They live on: moderngl would bind one again that was released while bound."""
    sizes = ((1280, 720), (900, 600), (3840, 2160), (64, 48), (1, 1))
    return {size_px: context.framebuffer([context.texture(size_px, 4)]) for size_px in sizes}


@pytest.fixture
def make_sheet(
    context: moderngl.Context, tiles: Tiles, targets: dict[tuple[int, int], moderngl.Framebuffer]
) -> Iterator[Callable[[tuple[int, int]], Sheet]]:
    """Fresh panels over grey pictures of any size."""
    assert context.error == "GL_NO_ERROR"
    made: list[Sheet] = []

    def make(size_px: tuple[int, int]) -> Sheet:
        made.append(Sheet(targets[size_px], Overlay(), Panels(tiles)))
        return made[-1]

    yield make
    for sheet in made:
        sheet.release()
    assert context.error == "GL_NO_ERROR"


@pytest.fixture
def sheet(make_sheet: Callable[[tuple[int, int]], Sheet]) -> Sheet:
    return make_sheet(SIZE_PX)
