"""What a process of the engine does first, before anything heavy is imported.

A new interpreter at equal priority takes the cores from a software-drawn frame for half a second, most of it imports
(20 late frames in a row on two cores). So it steps back first, and is told its job only then.
"""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import signal
import sys
import threading
import time
from multiprocessing import connection
from multiprocessing.connection import Connection

from atlas_rt.engine.priority import step_back
from atlas_rt.excepthooks import ending_with_a_sentence, install

KEPT_BYTES = 32 * 2**20
"""Blocks up to this size (glibc's greatest) stay with the process when they are freed. Otherwise every decoded picture
asks the system for fresh pages and gives them back: 20 % of the speed at which photographs are indexed."""
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3


def serve(pipe: Connection, niceness: int) -> None:
    """The engine process: step back, hear the job, work, tell how it ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    step_back(niceness)
    end_with_parent()
    install()
    with ending_with_a_sentence("the engine has ended"):
        _keep_memory()
        job = pipe.recv()
        from atlas_rt.engine.engine import run

        run(job, pipe)
        pipe.close()


def end_with_parent() -> None:
    """End this process within moments of its parent's death, however that came; daemon processes do not."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        connection.wait([parent.sentinel])
        time.sleep(0.2)  # a parent that ends in order closes the pipe first, and we end by ourselves
        os._exit(3)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


def _keep_memory() -> None:
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # musl has no such call
            library = ctypes.CDLL(None)
            library.mallopt(M_MMAP_THRESHOLD, KEPT_BYTES)
            library.mallopt(M_TRIM_THRESHOLD, 2 * KEPT_BYTES)
