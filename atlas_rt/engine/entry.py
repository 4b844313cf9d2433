"""The engine's process from its first line, before anything heavy is imported.

A new interpreter at equal priority takes the cores from a software-drawn frame for half a second, most of it imports
(20 late frames in a row on two cores). So it steps back first, and is told its job only then.
"""

from __future__ import annotations

import contextlib
import ctypes
import sys
from multiprocessing.connection import Connection

from atlas_rt.engine import child
from atlas_rt.excepthooks import ending_with_a_sentence

KEPT_BYTES = 32 * 2**20
"""Blocks up to this size (glibc's greatest) stay with the process when they are freed. Otherwise every decoded picture
asks the system for fresh pages and gives them back: 20 % of the speed at which photographs are indexed."""
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3


def serve(pipe: Connection, niceness: int) -> None:
    """The engine process: step back, hear the job, work, tell how it ended."""
    child.begin(niceness)
    with ending_with_a_sentence("the engine has ended"):
        _keep_memory()
        job = pipe.recv()
        from atlas_rt.engine.engine import run

        run(job, pipe)
        pipe.close()


def _keep_memory() -> None:
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # musl has no such call
            library = ctypes.CDLL(None)
            library.mallopt(M_MMAP_THRESHOLD, KEPT_BYTES)
            library.mallopt(M_TRIM_THRESHOLD, 2 * KEPT_BYTES)
