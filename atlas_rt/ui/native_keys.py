"""Windows and macOS: pyglet's window with the place of the key that is being told, which pyglet keeps to itself.

The classes are made from pyglet's own, which can be imported on their own system only.
"""

from __future__ import annotations

from functools import wraps
from typing import Any

from atlas_rt.ui.key_places import WINDOWS, scan_code

SCAN_CODE_TO_KEY, KEY_TO_CHARACTER = 1, 2
"""What MapVirtualKeyW translates (MAPVK_VSC_TO_VK, MAPVK_VK_TO_CHAR)."""


def windows_window() -> Any:
    """The window class to use on Windows."""
    from pyglet.libs.win32 import _user32
    from pyglet.window.win32 import Win32Window

    return with_scan_codes(Win32Window, _user32)


def macos_window() -> Any:
    """The window class to use on macOS."""
    from pyglet.window.cocoa import CocoaWindow, pyglet_view

    return with_virtual_keys(CocoaWindow, pyglet_view)


def with_scan_codes(base: Any, user32: Any) -> Any:
    """A subclass of pyglet's Win32Window. Its `keycode` is the scan code of the key event that is being told, None
    outside of one, and for Shift, of which pyglet hears by another way."""

    class ScanCodeWindow(base):  # type: ignore[misc]
        keycode: int | None = None

        @wraps(base._event_key)  # with the messages that pyglet has noted on it
        def _event_key(self, msg: int, wParam: int, lParam: int) -> Any:  # noqa: N803 - pyglet's names
            self.keycode = scan_code(lParam)
            try:
                return super()._event_key(msg, wParam, lParam)
            finally:
                self.keycode = None

        def layout(self) -> dict[str, str]:
            """What is printed on each key, by its name on a US keyboard, where that is a letter or a digit."""
            keys = {place: user32.MapVirtualKeyW(code, SCAN_CODE_TO_KEY) for code, place in WINDOWS.items()}
            printed = {place: chr(user32.MapVirtualKeyW(key, KEY_TO_CHARACTER) & 0xFFFF) for place, key in keys.items()}
            return {place: text.upper() for place, text in printed.items() if text.isalnum()}

    return ScanCodeWindow


def with_virtual_keys(base: Any, view: Any) -> Any:
    """A subclass of pyglet's CocoaWindow. Its `keycode` is the virtual key code of the key event that is being told,
    None outside of one, and for keys like Shift, whose events the view tells without `getSymbol`.

    view: the module of pyglet's view, whose `getSymbol` each event of other keys goes through.
    """
    told: list[int] = []
    symbol_of = view.getSymbol

    def note(event: Any) -> Any:
        told[:] = [int(event.keyCode())]
        return symbol_of(event) or 0  # None for a key that pyglet does not know

    view.getSymbol = note

    class VirtualKeyWindow(base):  # type: ignore[misc]
        @property
        def keycode(self) -> int | None:
            return told[0] if told else None

        def dispatch_event(self, *arguments: Any) -> Any:
            try:
                return super().dispatch_event(*arguments)
            finally:
                if arguments[0] in {"on_key_press", "on_key_release"}:
                    told.clear()

    return VirtualKeyWindow
