"""pyglet's X11 window with what it gets wrong put right (pyglet 2.1.19; each repair has its test in tests/ui).

* Keys stick: a symbol whose release went to another window, or came with other modifiers, could never be pressed again.
* Dead keys and compose are lost while the pointer is over the window: the event names a child, the input filter sits on
  the top level window.
* A file drop from a source with three types or fewer raises TypeError; "#", "?" and "http:" lines parse wrongly.
* The clipboard cuts text that is not ASCII, answers one type only, and reading it spins for ever when its owner is
  silent.
* Full screen is a new X window, which has no keyboard focus where no window manager gives it.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable
from ctypes import POINTER, byref, c_ubyte, cast, pointer, sizeof, string_at
from typing import Any
from urllib.parse import unquote

from pyglet.libs.x11 import xlib
from pyglet.window.xlib import XlibEventHandler, XlibWindow

from atlas_rt.ui.clipboard_picture import PICTURE_TARGETS
from atlas_rt.ui.key_places import X11

SELECTION_SECS = 0.3
"""How long another program may take to hand over its clipboard. One that answers takes 1 to 4 ms."""
PICTURE_TARGET = "image/png"
TEXT_TARGETS = ("UTF8_STRING", "text/plain;charset=utf-8", "text/plain", "STRING", "TEXT")
XA_ATOM, ANY_PROPERTY = 4, 0
NET_WM_STATE_REMOVE, NET_WM_STATE_ADD = 0, 1
SOURCE_APPLICATION = 1


class X11Window(XlibWindow):
    """The native window on Linux.

    keycode: of the key event that is being told, None outside of one.
    """

    keycode: int | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._clipboard_png = b""  # offered only while `_clipboard_str` is
        self._symbols_down: dict[int, int] = {}  # keycode -> the symbol it was pressed with
        super().__init__(*args, **kwargs)
        self._enable_event_queue = False  # or the key events would be told after `keycode` has moved on

    # -- keyboard ------------------------------------------------------------------------------------------------------

    def _event_text_symbol(self, ev: Any) -> tuple[str | None, int]:
        self.keycode = ev.xkey.keycode
        ev.xkey.window = self._window
        text, symbol = super()._event_text_symbol(ev)
        if ev.type == xlib.KeyRelease:
            self.pressed_keys.discard(self._symbols_down.pop(self.keycode, None))
        elif symbol:
            self._symbols_down.setdefault(self.keycode, symbol)
        return text, symbol

    def dispatch_event(self, *args: Any) -> None:
        if args[0] == "on_deactivate":
            self.pressed_keys.clear()
            self._symbols_down.clear()
        super().dispatch_event(*args)

    def when_lost(self, leave: Callable[[], None]) -> None:
        """Call `leave` when the X server has gone. Xlib ends the process when it returns, without unwinding Python."""

        def lost(_display: object) -> int:
            leave()
            return 0

        self._lost = xlib.XIOErrorHandler(lost)  # Xlib keeps no reference
        xlib.XSetIOErrorHandler(self._lost)

    def wait(self, secs: float) -> None:
        """Sleep until the X server sends something, at most so long. Call it after all that came was dispatched."""
        select.select([xlib.XConnectionNumber(self._x_display)], [], [], secs)

    def layout(self) -> dict[str, str]:
        """What is printed on each key, by its name on a US keyboard, where that is a letter or a digit."""
        symbols = {place: xlib.XKeycodeToKeysym(self._x_display, code, 0) for code, place in X11.items()}
        return {
            place: chr(symbol).upper() for place, symbol in symbols.items() if symbol < 0x100 and chr(symbol).isalnum()
        }

    # -- full screen ---------------------------------------------------------------------------------------------------

    def set_fullscreen(self, *args: Any, **kwargs: Any) -> None:
        super().set_fullscreen(*args, **kwargs)
        self.activate()

    def cover(self, rectangle: tuple[int, int, int, int], *, fullscreen: bool) -> None:
        """Move a borderless window to x, y, width, height, and have the window manager put it above its panels.

        Works without a window manager too. The X window stays the same, and with it context and focus.
        """
        x, y, width, height = rectangle
        if not fullscreen:
            self._ask_fullscreen(NET_WM_STATE_REMOVE)
        self.set_location(x, y)
        self.set_size(width, height)
        if fullscreen:
            self._ask_fullscreen(NET_WM_STATE_ADD)
        self.activate()

    def _ask_fullscreen(self, state: int) -> None:
        event = xlib.XEvent()
        event.xclient.type = xlib.ClientMessage
        event.xclient.window = self._window
        event.xclient.message_type = self._atom("_NET_WM_STATE")
        event.xclient.format = 32
        event.xclient.data.l[0] = state
        event.xclient.data.l[1] = self._atom("_NET_WM_STATE_FULLSCREEN")
        event.xclient.data.l[3] = SOURCE_APPLICATION
        mask = xlib.SubstructureRedirectMask | xlib.SubstructureNotifyMask
        xlib.XSendEvent(self._x_display, self._get_root(), False, mask, byref(event))

    # -- file drop -----------------------------------------------------------------------------------------------------

    def _event_drag_enter(self, ev: Any) -> None:
        data = list(ev.xclient.data.l)
        if data[1] & 1:  # more than three types: they stand in a property, which pyglet reads well
            super()._event_drag_enter(ev)
            return
        wanted = self._xdnd_atoms["text/uri-list"]
        self._xdnd_source, self._xdnd_version = data[0], data[1] >> 24
        self._xdnd_format = wanted if wanted in data[2:5] else None

    @staticmethod
    def parse_filenames(decoded_string: str) -> list[str]:
        """The local files of a text/uri-list (RFC 2483); comments and addresses of other schemes are left out."""
        return [path_of(line) for line in decoded_string.splitlines() if line.startswith("file:")]

    # -- clipboard -----------------------------------------------------------------------------------------------------

    def set_clipboard_text(self, text: str) -> None:
        """Offer a text to other programs."""
        xlib.XSetSelectionOwner(self._x_display, self._clipboard_atom, self._window, xlib.CurrentTime)
        owner = xlib.XGetSelectionOwner(self._x_display, self._clipboard_atom)
        self._clipboard_str = text if owner == self._window else None
        self._clipboard_png = b""

    def set_clipboard_picture(self, png: bytes, text: str) -> None:
        """Offer a picture to other programs, and a text to those that take none."""
        self.set_clipboard_text(text)
        if self._clipboard_str is not None:
            self._clipboard_png = png

    def get_clipboard_text(self) -> str:
        """The clipboard's text, empty for none or where its owner does not answer in time."""
        if self._clipboard_str is not None:
            return str(self._clipboard_str)
        return self.selection("UTF8_STRING")

    def selection(self, target: str) -> str:
        """The clipboard of another program as one of the types it offers, "text/uri-list" for copied files."""
        data, kind = self._converted(target)
        return bytes(data).decode("utf-8", "replace") if data and kind == self._atom(target) else ""

    def offers_picture(self) -> bool:
        """Whether there is a picture on the clipboard."""
        if self._clipboard_str is not None:
            return bool(self._clipboard_png)
        data, kind = self._converted("TARGETS")
        atoms = set(data) if data and kind == XA_ATOM else set()
        return any(self._atom(name) in atoms for name in PICTURE_TARGETS)

    def _converted(self, target: str) -> tuple[Any, int]:
        """What another program answers, as an array, and of which type that is; None where it does not answer in time,
        or the clipboard is our own."""
        nothing = None, 0
        if self._clipboard_str is not None or not xlib.XGetSelectionOwner(self._x_display, self._clipboard_atom):
            return nothing
        wanted, place = self._atom(target), self._atom("ATLAS_RT_CLIPBOARD")
        event = xlib.XEvent()
        xlib.XConvertSelection(self._x_display, self._clipboard_atom, wanted, place, self._window, xlib.CurrentTime)
        xlib.XFlush(self._x_display)
        deadline = time.perf_counter() + SELECTION_SECS
        while not xlib.XCheckTypedWindowEvent(self._x_display, self._window, xlib.SelectionNotify, byref(event)):
            if time.perf_counter() > deadline:
                return nothing
            time.sleep(0.001)
        if not event.xselection.property:
            return nothing
        window: Any = self._window
        data: Any
        data, count, kind = self.get_single_property(window, place, ANY_PROPERTY)
        items = (xlib.Atom if kind == XA_ATOM else c_ubyte) * count
        copied = items.from_buffer_copy(string_at(data, sizeof(items))) if data else None
        if data:
            xlib.XFree(data)
        xlib.XDeleteProperty(self._x_display, self._window, place)
        return copied, kind

    @XlibEventHandler(xlib.SelectionRequest)
    def _event_selection_request(self, ev: Any) -> None:
        """Another program pastes from us."""
        request = ev.xselectionrequest
        answer = xlib.XEvent()
        answer.xany.type = xlib.SelectionNotify
        answer.xselection.selection = request.selection
        answer.xselection.requestor = request.requestor
        answer.xselection.target = request.target
        answer.xselection.time = request.time
        if self._clipboard_str is not None and self._hand_over(request, self._clipboard_str):
            answer.xselection.property = request.property
        xlib.XSendEvent(self._x_display, request.requestor, False, 0, byref(answer))
        xlib.XFlush(self._x_display)

    def _hand_over(self, request: Any, offered: str) -> bool:
        """Write what was asked for into the other program's property; False where we have no such type."""
        names = ("TARGETS", *((PICTURE_TARGET,) if self._clipboard_png else ()), *TEXT_TARGETS)
        targets = [self._atom(name) for name in names]
        if request.target == targets[0]:
            atoms = (xlib.Atom * len(targets))(*targets)
            self._write_property(request, XA_ATOM, 32, cast(pointer(atoms), POINTER(c_ubyte)), len(targets))
        elif request.target in targets:
            data = self._clipboard_png if request.target == self._atom(PICTURE_TARGET) else offered.encode()
            self._write_property(request, request.target, 8, (c_ubyte * len(data)).from_buffer_copy(data), len(data))
        else:
            return False
        return True

    def _write_property(self, request: Any, kind: int, bits: int, data: Any, count: int) -> None:
        xlib.XChangeProperty(
            self._x_display, request.requestor, request.property, kind, bits, xlib.PropModeReplace, data, count
        )

    def _atom(self, name: str) -> Any:
        return xlib.XInternAtom(self._x_display, name.encode(), False)


def path_of(address: str) -> str:
    """The path of a `file:` address, taken apart by hand: file managers leave "#" and "?" as they are."""
    path = address.removeprefix("file:").rstrip("\r\n")
    if path.startswith("//"):
        path = "/" + path[2:].partition("/")[2]
    return unquote(path)
