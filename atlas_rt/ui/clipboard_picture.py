"""The picture on the clipboard as a file's bytes, however large; for a process of its own.

Another program hands a large picture over piece by piece (INCR: ICCCM, section 2.7.2), which may take seconds. So it is
asked over a connection of its own, and nobody who draws waits for it.
"""

from __future__ import annotations

import io
import sys
import time
from ctypes import POINTER, byref, c_int, c_ubyte, c_ulong, sizeof, string_at
from typing import Any

from PIL import Image, ImageGrab

PICTURE_TARGETS = ("image/png", "image/jpeg", "image/webp", "image/avif", "image/gif", "image/bmp", "image/tiff")
"""What is asked for: the first that is offered."""
PATIENCE_SECS = 4.0
"""How long the other program may take to go on."""
BYTES_MAX = 60 * 2**20
ALL_OF_IT = 0x1FFFFFFF
NEW_VALUE = 0


def clipboard_picture(system: str = sys.platform) -> bytes:
    """The file; empty where there is no picture, nobody hands it over, or it is larger than 60 MB."""
    if system not in ("win32", "darwin"):
        return _of_x11()
    picture: object = ImageGrab.grabclipboard()
    if not isinstance(picture, Image.Image):
        return b""
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def _of_x11() -> bytes:
    from pyglet.libs.x11 import xlib

    display = xlib.XOpenDisplay(None)
    if not display:
        return b""
    try:
        asking = _Asking(xlib, display)
        offered = asking.ask("TARGETS")
        count = len(offered) // sizeof(c_ulong)
        atoms = set((c_ulong * count).from_buffer_copy(offered[: count * sizeof(c_ulong)]))
        target = next((name for name in PICTURE_TARGETS if asking.atom(name) in atoms), "")
        return asking.ask(target) if target else b""
    finally:
        xlib.XCloseDisplay(display)


class _Asking:
    """A window that nobody sees, which asks whoever owns the clipboard."""

    def __init__(self, xlib: Any, display: Any) -> None:
        self._xlib, self._display = xlib, display
        root = xlib.XDefaultRootWindow(display)
        self._window = xlib.XCreateSimpleWindow(display, root, 0, 0, 1, 1, 0, 0, 0)
        self._place, self._incr = self.atom("ATLAS_RT_PASTED"), self.atom("INCR")
        xlib.XSelectInput(display, self._window, xlib.PropertyChangeMask)

    def atom(self, name: str) -> int:
        return int(self._xlib.XInternAtom(self._display, name.encode(), False))

    def ask(self, target: str) -> bytes:
        """The clipboard as one of its types; empty where it is not given, or not in time."""
        x, event = self._xlib, self._xlib.XEvent()
        x.XConvertSelection(
            self._display, self.atom("CLIPBOARD"), self.atom(target), self._place, self._window, x.CurrentTime
        )
        if not self._came(x.SelectionNotify, event) or not event.xselection.property:
            return b""
        while self._came(x.PropertyNotify, event, patience_secs=0.0):
            pass  # of what stands there already
        data, kind = self._take()
        return self._in_pieces() if kind == self._incr else data

    def _in_pieces(self) -> bytes:
        """What comes piece by piece: each is asked for by taking the one before, and an empty one is the last."""
        pieces, event = bytearray(), self._xlib.XEvent()
        while self._came(self._xlib.PropertyNotify, event):
            if event.xproperty.state != NEW_VALUE or event.xproperty.atom != self._place:
                continue
            piece, _ = self._take()
            if not piece:
                return bytes(pieces)
            pieces += piece
            if len(pieces) > BYTES_MAX:
                break
        return b""

    def _take(self) -> tuple[bytes, int]:
        """What was put down, which it is no longer then, and of which type it is."""
        x, kind, width = self._xlib, self._xlib.Atom(), c_int()
        count, left = c_ulong(), c_ulong()
        data: Any = POINTER(c_ubyte)()
        x.XGetWindowProperty(
            self._display, self._window, self._place, 0, ALL_OF_IT, True, 0,
            byref(kind), byref(width), byref(count), byref(left), byref(data),
        )  # fmt: skip
        if not data:
            return b"", int(kind.value)
        item = sizeof(c_ulong) if width.value == 32 else width.value // 8  # Xlib's longs, whatever they were
        taken = string_at(data, count.value * item)
        x.XFree(data)
        return taken, int(kind.value)

    def _came(self, kind: int, event: Any, *, patience_secs: float = PATIENCE_SECS) -> bool:
        """Whether an event of this kind came in time."""
        self._xlib.XFlush(self._display)
        deadline = time.monotonic() + patience_secs
        while not self._xlib.XCheckTypedWindowEvent(self._display, self._window, kind, byref(event)):
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.001)
        return True
