"""Which files are being decoded at this moment, kept where a crash cannot take it away.

A decoder that crashes takes the whole process with it, and nothing is told. So every decoding thread writes the id
of its file into a small memory-mapped file first and a zero afterwards; what is found there at the next start is a
suspect. Suspects are decoded alone, and one that was in flight at three crashes is recorded as failed.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np

SLOTS = 64
CRASHES_MAX = 3
"""The first may have been another file's fault, and a kill by a person must not condemn a file."""
FILE_NAME = "in-flight.bin"


def anything_in_work(folder: Path) -> bool:
    """Whether a file was being decoded when the engine of this library died."""
    try:
        return any((folder / FILE_NAME).read_bytes())
    except OSError:
        return False


class CrashLog:
    """The file of ids in work. Each decoding thread uses one slot."""

    def __init__(self, folder: Path) -> None:
        path = folder / FILE_NAME
        if not path.exists() or path.stat().st_size != SLOTS * 8:
            path.write_bytes(bytes(SLOTS * 8))
        self._slots = np.memmap(path, np.int64, mode="r+", shape=(SLOTS,))
        self._free = list(range(SLOTS))
        self._lock = threading.Lock()

    def left_behind(self) -> tuple[int, ...]:
        """Ids that were in work when the engine last died; forgets them."""
        ids = tuple(int(id_) for id_ in self._slots if id_)
        self._slots[:] = 0
        return ids

    @contextlib.contextmanager
    def of(self, id_: int) -> Iterator[None]:
        """Mark an image as being decoded."""
        with self._lock:
            slot = self._free.pop()
        self._slots[slot] = id_
        try:
            yield
        finally:
            self._slots[slot] = 0
            with self._lock:
                self._free.append(slot)
