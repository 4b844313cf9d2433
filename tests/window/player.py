"""The real app in this process, with a window and a clock of the test's own: what is done between two frames is exact.

The library, its engine and its threads are real, and pictures are drawn by real OpenGL; only the desktop is missing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import moderngl
import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.requests import Do, FlyTo, Request, Select
from atlas_rt.core.tags import node_at
from atlas_rt.render.gl.offscreen import OffscreenTarget
from atlas_rt.settings import Settings
from atlas_rt.ui.input import Input
from atlas_rt.window.actions import carry_out
from atlas_rt.window.app import App
from atlas_rt.window.picture import WindowPicture

PATIENCE_SECS = 60.0
FRAME_SECS = 1.0 / 60.0


class OwnWindow:
    """A window that nobody sees: `told` is the input of the next frame."""

    def __init__(self, size_px: tuple[int, int]) -> None:
        self.size_px = self.framebuffer_px = size_px
        self.dpi_scale = 1.0
        self.fullscreen = False
        self.text_focused = self.looking = False
        self.title = ""
        self.copied = ""
        self.copied_png = b""
        self.files: tuple[str, ...] = ()
        self.has_picture = False
        self.told = Input()
        self.visible = True
        self.closed = False

    def poll(self) -> Input:
        told, self.told = self.told, Input()
        return told if self.visible else replace(told, visible=False)

    def flip(self) -> None:
        """Nobody looks on."""

    def wait(self, secs: float) -> None:
        """Nothing will happen: the test has the clock."""

    def set_fullscreen(self, fullscreen: bool) -> None:
        self.fullscreen = fullscreen

    def set_title(self, title: str) -> None:
        self.title = title

    def set_pointer_visible(self, visible: bool) -> None:
        """There is none."""

    def set_visible(self, visible: bool) -> None:
        """Nobody sees it anyway."""

    def clipboard(self) -> str:
        return self.copied

    def set_clipboard(self, text: str) -> None:
        self.copied = text

    def set_clipboard_picture(self, png: bytes, text: str) -> bool:
        self.copied_png, self.copied = png, text
        return True

    def clipboard_paths(self) -> tuple[str, ...]:
        return self.files

    def clipboard_has_picture(self) -> bool:
        return self.has_picture

    def close(self) -> None:
        self.closed = True


class Player:
    """Plays a person: acts, lets frames pass, and looks at what is shown."""

    def __init__(
        self, context: moderngl.Context, settings: Settings, *paths: Path | str, size_px: tuple[int, int]
    ) -> None:
        self._context = context
        self._target = OffscreenTarget(context, size_px)
        self.window = OwnWindow(size_px)
        display = WindowPicture(context, quality=settings.quality, target=lambda: self._target.target)
        names = tuple(map(str, paths))
        try:
            self.app = App(settings, names, window=self.window, display=display)
        except BaseException:
            display.release()
            raise

    def do(self, *actions: str | Request) -> None:
        """Ask for actions by name, or for requests as the panels make them; each gets a frame."""
        for action in actions:
            carry_out(self.app.parts, Do(action) if isinstance(action, str) else action)
            self.frame()

    def frame(self, count: int = 1, *, dt_secs: float = FRAME_SECS) -> None:
        for _ in range(count):
            self.app.frame(dt_secs)
        assert self._context.error == "GL_NO_ERROR"

    def see(self, until: Callable[[], object], *, secs: float = PATIENCE_SECS, why: str = "") -> Any:
        """Let frames pass until something is seen; what was seen."""
        deadline = time.monotonic() + secs
        while not (seen := until()):
            assert time.monotonic() < deadline, f"never came: {why or self.shown()}"
            self.frame()
            time.sleep(0.004)
        return seen

    def settle(self, images: int) -> None:
        """Wait for a fitted map of so many images, and for the engine to rest. No other map is on its way then."""
        parts, world, desk = self.app.parts, self.app.parts.world, self.app.parts.panel_state
        self.see(lambda: len(self.names()) == images and desk is self.app.parts.panel_state and desk.progress is None)
        self.see(lambda: world.scene.generation >= desk.new_at and parts.incoming is None and world.resting)

    def visit(self, name: str) -> int:
        """Fly to an image and select it, so that nothing stands before it; its id."""
        id_ = self.id_of(name)
        self.do(FlyTo(id_), Select(id_))
        self.frame(12, dt_secs=0.2)
        return id_

    def names(self) -> list[str]:
        """What is on the map, by file name."""
        return [Path(path).stem for path in self.app.parts.world.scene.paths]

    def id_of(self, name: str) -> int:
        return int(self.app.parts.world.scene.ids[self.names().index(name)])

    def shown(self) -> str:
        """In words, for a test that fails."""
        world, desk = self.app.parts.world, self.app.parts.panel_state
        notices = [notice.text for notice in desk.notices]
        told = [trouble.text for trouble in desk.troubles]
        return f"{len(self.names())} images ({world.scene.kind}), {desk.progress}, {notices}, {told}"

    def resize(self, size_px: tuple[int, int]) -> None:
        self.window.size_px = self.window.framebuffer_px = size_px
        self.window.told = Input(exposed=True)
        self._target.release()
        self._target = OffscreenTarget(self._context, size_px)

    def colour_of(self, id_: int) -> NDArray[np.float64]:
        """The mean colour in the middle of an image's card as it is drawn now."""
        card = self._card(id_).reshape(-1, 3)
        mean: NDArray[np.float64] = card.mean(axis=0) if len(card) else np.full(3, np.nan)  # it is out of sight
        return mean

    def contrast_of(self, id_: int) -> float:
        """How much the pixels in the middle of an image's card differ from each other, as a standard deviation."""
        return float(self._card(id_).std())

    def _card(self, id_: int) -> NDArray[np.uint8]:
        """(h, w, 3) the middle of an image's card, panels left out."""
        app, size_px = self.app, self.window.size_px
        view = app.parts.world.view(size_px)
        picture = OffscreenTarget(self._context, size_px)
        app.parts.display.draw(view, picture.target, panels=False)
        pixels = picture.read()
        picture.release()
        row = app.parts.world.row(id_)
        x, y, radius = node_at(view, row, app.parts.world.positions()[row], size_px)
        half = max(int(radius * 0.4), 1)
        return pixels[max(int(y) - half, 0) : int(y) + half, max(int(x) - half, 0) : int(x) + half]

    def close(self) -> None:
        self.app.close()
        self._target.release()
