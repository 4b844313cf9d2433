"""The one door to pyglet: what must be set before `pyglet.window` is imported is set here, once.

Importing this module fails with ImportError where the system's OpenGL or X11 libraries are missing; `window` turns that
into a sentence. It opens no display.
"""

from __future__ import annotations

import locale
import logging
import sys

import pyglet

log = logging.getLogger(__name__)


def _speak_utf8() -> None:
    """Give the process a UTF-8 locale if it has none.

    pyglet reads the locale while it is imported; without UTF-8 every key that is not ASCII raises in its event loop,
    and dead keys, compose and input methods are off.
    """
    if sys.platform != "linux" or locale.getlocale()[1] == "UTF-8":
        return
    try:
        locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
    except locale.Error:
        log.warning("no UTF-8 locale here: only ASCII can be typed")


_speak_utf8()
pyglet.options["shadow_window"] = False  # a second, hidden context that moderngl would take for ours
pyglet.options["debug_gl"] = False  # on by default: slow, and blames pyglet for errors that others left
pyglet.options["search_local_libs"] = False  # it would load libX11.so from `lib` in the current folder

import pyglet.app  # noqa: E402 - all of these read the options above
import pyglet.display  # noqa: E402
import pyglet.gl  # noqa: E402
import pyglet.window  # noqa: E402
from pyglet.window import key, mouse  # noqa: E402

__all__ = ["key", "mouse", "pyglet"]
