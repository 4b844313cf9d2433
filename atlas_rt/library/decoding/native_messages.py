"""Keeps what native libraries write to standard error by themselves off the terminal.

libtiff writes there unless it is told not to; so does the libpng inside OpenCV, which cannot be told. So libtiff is
told, once, and around the few calls of others the process's file descriptor 2 leads nowhere. Threads decode in parallel
and share the descriptor: the first to come turns it away, the last to leave turns it back.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import threading
from collections.abc import Iterator
from functools import lru_cache

from PIL import _imaging

_STDERR = 2


class _Stderr:
    """File descriptor 2, turned away while anybody is inside. kept: a copy of it meanwhile, -1 where there is none."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._kept = -1

    def enter(self) -> None:
        with self._lock:
            self._inside += 1
            if self._inside > 1:
                return
            with contextlib.suppress(OSError):  # a process without standard error has nothing to protect
                self._kept = os.dup(_STDERR)
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, _STDERR)
                os.close(nowhere)

    def leave(self) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside or self._kept < 0:
                return
            os.dup2(self._kept, _STDERR)
            os.close(self._kept)
            self._kept = -1


_stderr = _Stderr()


@contextlib.contextmanager
def unheard() -> Iterator[None]:
    """What native code writes to standard error meanwhile is lost, and so is what other threads write: keep it short.

    40 microseconds. Any number of threads may be inside.
    """
    _stderr.enter()
    try:
        yield
    finally:
        _stderr.leave()


@lru_cache(maxsize=1)
def libtiff_is_silent() -> bool:
    """Tell Pillow's libtiff to keep its messages to itself; False where it cannot be reached (it is linked into Pillow
    on Windows)."""
    try:
        library = ctypes.CDLL(_imaging.__file__)
        for name in ("TIFFSetErrorHandler", "TIFFSetWarningHandler"):
            set_handler = getattr(library, name)
            set_handler.argtypes, set_handler.restype = [ctypes.c_void_p], ctypes.c_void_p
            set_handler(None)
    except (OSError, AttributeError):
        return False
    return True
