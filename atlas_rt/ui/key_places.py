"""Where keys lie: each system's own number for a place on the keyboard, to the name of that place on a US keyboard."""

from __future__ import annotations

import sys
from collections.abc import Iterable

_DIGITS, _TOP, _MIDDLE, _BOTTOM = "1234567890", "QWERTYUIOP", "ASDFGHJKL", "ZXCVBNM"


def _rows(*rows: tuple[int, str]) -> dict[int, str]:
    """Rows whose keys are numbered one after the other, by the number of the first."""
    return {first + step: name for first, names in rows for step, name in enumerate(names)}


def _named(pairs: Iterable[tuple[str, Iterable[int]]]) -> dict[int, str]:
    return {number: name for names, numbers in pairs for name, number in zip(names, numbers, strict=True)}


X11 = _rows((10, _DIGITS), (24, _TOP), (38, _MIDDLE), (52, _BOTTOM)) | {
    23: "Tab",  # with Shift its symbol is another one, which pyglet does not know
    50: "Shift",
    62: "Shift",
    65: "Space",
}
"""Keycodes: evdev's plus 8, on every keyboard alike."""

WINDOWS = _rows((0x02, _DIGITS), (0x10, _TOP), (0x1E, _MIDDLE), (0x2C, _BOTTOM)) | {
    0x0F: "Tab",
    0x2A: "Shift",
    0x36: "Shift",
    0x39: "Space",
}
"""Scan codes of set 1, as they come with WM_KEYDOWN; those with the prefix E0 are 0xE000 more and none of these."""

MACOS = _named(
    (
        (_DIGITS, (0x12, 0x13, 0x14, 0x15, 0x17, 0x16, 0x1A, 0x1C, 0x19, 0x1D)),
        (_TOP, (0x0C, 0x0D, 0x0E, 0x0F, 0x11, 0x10, 0x20, 0x22, 0x1F, 0x23)),
        (_MIDDLE, (0x00, 0x01, 0x02, 0x03, 0x05, 0x04, 0x26, 0x28, 0x25)),
        (_BOTTOM, (0x06, 0x07, 0x08, 0x09, 0x0B, 0x2D, 0x2E)),
    )
) | {0x30: "Tab", 0x38: "Shift", 0x3C: "Shift", 0x31: "Space"}
"""Virtual key codes (HIToolbox/Events.h, kVK_ANSI_*), which on a Mac number places and not characters."""

BY_SYSTEM = {"linux": X11, "win32": WINDOWS, "darwin": MACOS}


def places(system: str = sys.platform) -> dict[int, str]:
    """The places of a system, as `sys.platform` calls it; none where its numbers are not known."""
    return BY_SYSTEM.get(system, {})


def scan_code(message: int) -> int:
    """The scan code in the lParam of WM_KEYDOWN and WM_KEYUP."""
    return message >> 16 & 0xFF | (0xE000 if message & 1 << 24 else 0)
