"""Screens of their own for windows: an X server that shows nothing to anyone (Xvfb), without a window manager."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def screen_of(width_px: int, height_px: int) -> Iterator[str]:
    """The display name of an empty X server. It must not reset when a client leaves."""
    reader, writer = os.pipe()
    server = subprocess.Popen(
        [
            "Xvfb",
            "-displayfd",
            str(writer),
            "-screen",
            "0",
            f"{width_px}x{height_px}x24",
            "-noreset",
            "-nolisten",
            "tcp",
        ],
        pass_fds=(writer,),
        stderr=subprocess.DEVNULL,
    )
    os.close(writer)
    with os.fdopen(reader) as told:
        name = ":" + told.readline().strip()
    yield name
    server.terminate()
    server.wait(5)
