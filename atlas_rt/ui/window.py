"""The program's window: a native window with an OpenGL 3.3 context, its input told once a frame.

    window = Window("atlas_rt - holidays")
    while not (told := window.poll()).closed:
        ...
        window.flip()

Everything here is for the main thread. pyglet is imported when a window is asked for, not before: programs without one
neither wait for it (57 ms) nor need its libraries.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from atlas_rt.errors import NoGraphicsError, UsageError
from atlas_rt.ui.input import Input

log = logging.getLogger(__name__)

NO_DISPLAY = "no display here: start it from a desktop session" + (
    ", or set DISPLAY" if sys.platform == "linux" else ""
)
NO_OPENGL = "no OpenGL 3.3 here: install the graphics driver"
if sys.platform == "linux":
    NO_OPENGL += ", or Mesa's software OpenGL (Debian: libgl1-mesa-dri)"
MINIMUM_PX = (640, 480)
NAP_SECS = 1.0 / 30.0
"""How long to sleep at rest where the window system cannot wake us: short enough to feel awake."""


def display_available() -> bool:
    """Whether a window could be opened here."""
    try:
        _display()
    except NoGraphicsError:
        return False
    return True


class AnyWindow(Protocol):
    """What the app needs of a window. A test has one of its own, whose input it writes."""

    text_focused: bool
    looking: bool

    @property
    def size_px(self) -> tuple[int, int]: ...
    @property
    def framebuffer_px(self) -> tuple[int, int]: ...
    @property
    def dpi_scale(self) -> float: ...
    @property
    def fullscreen(self) -> bool: ...
    def poll(self) -> Input: ...
    def wait(self, secs: float) -> None: ...
    def flip(self) -> None: ...
    def set_fullscreen(self, fullscreen: bool) -> None: ...
    def set_title(self, title: str) -> None: ...
    def set_pointer_visible(self, visible: bool) -> None: ...
    def set_visible(self, visible: bool) -> None: ...
    def clipboard(self) -> str: ...
    def set_clipboard(self, text: str) -> None: ...
    def set_clipboard_picture(self, png: bytes, text: str) -> bool: ...
    def clipboard_paths(self) -> tuple[str, ...]: ...
    def clipboard_has_picture(self) -> bool: ...
    def close(self) -> None: ...


class Window:
    """A window on the desktop, on a whole screen, or of a kiosk.

    size: in window pixels, at most the screen's.
    kiosk: covers its screen, cannot be closed from outside, and asks for none of the actions a kiosk forbids.
    screen: number of the screen to cover; None leaves it to the window system. vsync: flips wait for the screen.

    Raises NoGraphicsError without a display or without OpenGL 3.3, UsageError for a screen that is not there.
    """

    def __init__(
        self,
        title: str,
        *,
        size: tuple[int, int] = (1280, 800),
        fullscreen: bool = False,
        kiosk: bool = False,
        screen: int | None = None,
        visible: bool = True,
        vsync: bool = True,
    ) -> None:
        display = _display()
        self._screen = _screen(display, screen)
        # pyglet's own full screen lands on the wrong screen, or on both (measured under openbox and matchbox), so a
        # kiosk and a chosen screen get a borderless window of the screen's size instead.
        self._borderless = kiosk or (fullscreen and screen is not None)
        size = min(size[0], self._screen.width), min(size[1], self._screen.height)
        self._windowed_px = size
        self._pointer_visible = True
        self._native = _open_native(
            title,
            self._screen,
            size=None if fullscreen and not self._borderless else size,
            borderless=self._borderless,
            visible=visible,
            vsync=vsync,
        )
        self._fullscreen = fullscreen or kiosk
        if self._borderless:
            self._cover(fullscreen=True)
        self._listener = _listen(self._native, kiosk=kiosk)
        self._loop = _event_loop()

    # -- input ---------------------------------------------------------------------------------------------------------

    @property
    def text_focused(self) -> bool:
        """A text field has the focus: letters are text, and neither motion nor actions. The app sets it every frame."""
        return bool(self._listener.text_focused)

    @text_focused.setter
    def text_focused(self, focused: bool) -> None:
        self._listener.text_focused = focused

    @property
    def looking(self) -> bool:
        """A picture is looked at whole: keys mean first what they do there. The app sets it every frame."""
        return bool(self._listener.looking)

    @looking.setter
    def looking(self, looking: bool) -> None:
        self._listener.looking = looking

    def poll(self) -> Input:
        """What happened since the last call."""
        try:
            self._loop.step(0)  # without it no file drop arrives and no program can paste from us
            self._native.switch_to()
            self._native.dispatch_events()
        except Exception as error:  # known: a latin-1 byte in a dropped list, an input method's several characters
            text = "an event of the window system was not understood, and is left out (%s: %s)"
            log.error(text, type(error).__name__, error, exc_info=log.isEnabledFor(logging.DEBUG))
        told: Input = self._listener.take()
        return told

    def wait(self, secs: float) -> None:
        """Sleep until the window system has something to tell, at most so long."""
        if hasattr(self._native, "wait"):
            self._native.wait(secs)
        else:
            time.sleep(min(secs, NAP_SECS))

    def layout(self) -> dict[str, str]:
        """What is printed on the keys, by their names on a US keyboard; empty where the system does not tell."""
        return dict(self._native.layout()) if hasattr(self._native, "layout") else {}

    # -- what it is ----------------------------------------------------------------------------------------------------

    @property
    def size_px(self) -> tuple[int, int]:
        """Window pixels: those of the pointer and the panels."""
        width, height = self._native.get_size()
        return max(int(width), 1), max(int(height), 1)

    @property
    def framebuffer_px(self) -> tuple[int, int]:
        """Pixels to draw; more than `size_px` on displays that count in points. Read it every frame."""
        width, height = self._native.get_framebuffer_size()
        return max(int(width), 1), max(int(height), 1)

    @property
    def dpi_scale(self) -> float:
        """How much larger than usual this desktop wants its writing, beyond what `framebuffer_px` tells."""
        pixel_ratio = self.framebuffer_px[0] / self.size_px[0]
        return max(float(self._native.dpi) / 96.0 / pixel_ratio, 1.0) if sys.platform != "darwin" else 1.0

    @property
    def fullscreen(self) -> bool:
        return self._fullscreen

    def set_fullscreen(self, fullscreen: bool) -> None:
        """Cover the screen, or become a window again."""
        if fullscreen == self._fullscreen:
            return
        self._fullscreen = fullscreen
        if fullscreen:
            self._windowed_px = self.size_px
        if self._borderless:
            self._cover(fullscreen=fullscreen)
        elif fullscreen:
            self._native.set_fullscreen(True)
        else:
            self._native.set_fullscreen(False, width=self._windowed_px[0], height=self._windowed_px[1])

    def set_title(self, title: str) -> None:
        self._native.set_caption(title)

    def set_visible(self, visible: bool) -> None:
        """Show the window, or hide it as if it was minimised."""
        self._native.set_visible(visible)
        if visible:
            self._listener.on_show()
        else:
            self._listener.on_hide()  # pyglet swallows this event where it asked for it itself

    def set_pointer_visible(self, visible: bool) -> None:
        if visible != self._pointer_visible:  # each call makes a new cursor
            self._pointer_visible = visible
            self._native.set_mouse_visible(visible)

    # -- clipboard -----------------------------------------------------------------------------------------------------

    def clipboard(self) -> str:
        """The clipboard's text, empty for none."""
        return str(self._native.get_clipboard_text() or "")

    def set_clipboard(self, text: str) -> None:
        self._native.set_clipboard_text(text)

    def set_clipboard_picture(self, png: bytes, text: str) -> bool:
        """Offer a picture, and a text to programs that take no picture; False where this system is not known how to."""
        if not hasattr(self._native, "set_clipboard_picture"):
            return False
        self._native.set_clipboard_picture(png, text)
        return True

    def clipboard_paths(self) -> tuple[str, ...]:
        """Files and folders that were copied in a file manager, or whose paths were copied as lines of text."""
        lines: list[str] = []
        if hasattr(self._native, "selection"):
            lines = self._native.parse_filenames(self._native.selection("text/uri-list"))
        lines = lines or [line.strip() for line in self.clipboard().splitlines()]
        return tuple(line for line in lines if Path(line).is_absolute() and Path(line).exists())

    def clipboard_has_picture(self) -> bool:
        """Whether a picture was copied, and no file; where the system does not say, whether there is no text."""
        if hasattr(self._native, "offers_picture"):
            return bool(self._native.offers_picture())
        return not self.clipboard()

    # -- frame ---------------------------------------------------------------------------------------------------------

    def flip(self) -> None:
        """Show what was drawn."""
        self._native.flip()

    def when_lost(self, leave: Callable[[], None]) -> None:
        """Call `leave` when the connection to the display breaks; it must neither draw nor return."""
        if hasattr(self._native, "when_lost"):
            self._native.when_lost(leave)

    def close(self) -> None:
        """Close it; the OpenGL context goes with it. A second call does nothing."""
        self._native.close()

    def _cover(self, *, fullscreen: bool) -> None:
        screen = self._screen
        width, height = (screen.width, screen.height) if fullscreen else self._windowed_px
        if sys.platform == "win32" and fullscreen:
            height -= (
                1  # a window of exactly the screen's size is switched to exclusive mode, which flickers (pyglet#763)
            )
        x, y = screen.x, screen.y
        if not fullscreen:
            x, y = x + (screen.width - width) // 2, y + (screen.height - height) // 2
        if hasattr(self._native, "cover"):
            self._native.cover((x, y, width, height), fullscreen=fullscreen)
        else:
            self._native.set_location(x, y)
            self._native.set_size(width, height)


def _display() -> Any:
    """The window system's display. Raises NoGraphicsError."""
    try:
        from atlas_rt.ui.toolkit import pyglet
    except ImportError as error:
        raise NoGraphicsError(f"{NO_OPENGL} ({error})") from error
    try:
        return pyglet.display.get_display()
    except Exception as error:  # each platform has a class of its own for it
        raise NoGraphicsError(NO_DISPLAY) from error


def _screen(display: Any, number: int | None) -> Any:
    screens = display.get_screens()
    if number is None:
        return display.get_default_screen()
    if not 0 <= number < len(screens):
        known = ", ".join(f"{index} ({screen.width} x {screen.height})" for index, screen in enumerate(screens))
        raise UsageError(f"no screen {number} here; there are: {known}")
    return screens[number]


def _open_native(
    title: str, screen: Any, *, size: tuple[int, int] | None, borderless: bool, visible: bool, vsync: bool
) -> Any:
    """The platform's window. size: None for the whole screen (with a size pyglet centres a smaller picture on it)."""
    from atlas_rt.ui.toolkit import pyglet

    window_class = _window_class()
    shape: dict[str, Any] = {"fullscreen": True} if size is None else {"width": size[0], "height": size[1]}
    config_class: Any = pyglet.gl.Config  # an abstract class to mypy, a name for the platform's at run time
    config = config_class(
        double_buffer=True, depth_size=24, major_version=3, minor_version=3, forward_compatible=True, opengl_api="gl"
    )
    try:
        native = window_class(
            caption=title,
            screen=screen,
            config=config,
            style=window_class.WINDOW_STYLE_BORDERLESS if borderless else window_class.WINDOW_STYLE_DEFAULT,
            resizable=True,
            file_drops=True,
            visible=visible,
            vsync=vsync,
            **shape,
        )
    except (
        pyglet.window.NoSuchConfigException,
        pyglet.gl.ContextException,
        pyglet.gl.ConfigException,
        pyglet.gl.lib.MissingFunctionException,
        pyglet.gl.lib.GLException,
    ) as error:
        raise NoGraphicsError(f"{NO_OPENGL} ({error})") from error
    if sys.platform == "linux":
        native.set_wm_class("atlas_rt")
    native.set_minimum_size(*MINIMUM_PX)
    return native


def _window_class(system: str = sys.platform) -> Any:
    """The system's own window, with what pyglet's lacks."""
    from atlas_rt.ui import native_keys

    if system == "win32":
        return native_keys.windows_window()
    if system == "darwin":
        return native_keys.macos_window()
    from atlas_rt.ui.x11 import X11Window

    return X11Window


def _listen(native: Any, *, kiosk: bool) -> Any:
    from atlas_rt.ui.listener import Listener

    listener = Listener(
        height_px=lambda: native.get_size()[1], keycode=lambda: getattr(native, "keycode", None), kiosk=kiosk
    )
    native.push_handlers(listener)
    return listener


def _event_loop() -> Any:
    from atlas_rt.ui.toolkit import pyglet

    loop = pyglet.app.platform_event_loop
    loop.start()
    return loop
