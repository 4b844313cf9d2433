"""Tiles for the cards that are near: fetched on threads, nearest first, only as long as they are wanted.

Decoding releases the interpreter lock, so two threads that run during a frame cost it nothing but cores. What is wanted
is replaced at every call: a flight past a thousand cards never queues a thousand tiles.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence

import numpy as np

from atlas_rt.core.arrays import Bytes
from atlas_rt.core.channels import Closed, Inbox
from atlas_rt.core.images import LibraryPlace, Tile
from atlas_rt.errors import AtlasError
from atlas_rt.library.tile_files import TileFiles
from atlas_rt.library.tile_making import load_large, mips
from atlas_rt.workers.worker import Announce, Worker, unheard

Want = tuple[int, int, int, str]
"""(image id, level, tile record, path) of a tile to fetch."""

Key = tuple[int, int]
"""(tile record, level): what a tile is of, whatever image has it now."""

ARRIVALS_MAX = 64
RETRY_SECS = 10.0
"""After which a tile that could not be had (the drive is away, the file is half written) is tried again."""
ALIKE_MAX = 24.0
"""Mean difference per channel, of 255, up to which a file still is what its small tile shows. Scaling and JPEG make
some 3; a file that was overwritten or has changed names with another is far beyond."""


class TileWorker:
    """Threads that fetch what is wanted now, and an inbox of what has come."""

    def __init__(self, place: LibraryPlace, *, threads: int = 2, announce: Announce = unheard) -> None:
        self._arrivals: Inbox[Tile] = Inbox(ARRIVALS_MAX)
        self._wanted: list[Want] = []
        self._busy: set[Key] = set()
        self._failed: dict[Want, float] = {}
        self._change = threading.Condition()
        self._closed = False
        self.workers = tuple(TileFetcher(self, place, number, announce) for number in range(threads))

    def want(self, wanted: Sequence[Want]) -> None:
        """Replace what is wanted; the first is fetched first."""
        with self._change:
            now = time.monotonic()
            self._failed = {want: until for want, until in self._failed.items() if until > now}
            self._wanted = [w for w in reversed(wanted) if w not in self._failed and _key(w) not in self._busy]
            if self._wanted:
                self._change.notify_all()

    def drain(self, *, budget_secs: float) -> Iterator[Tile]:
        """Tiles that have come, within a budget."""
        for tile in self._arrivals.drain(budget_secs=budget_secs):
            with self._change:
                self._busy.discard((tile.record, tile.level))
            yield tile

    def close(self) -> None:
        self.wake()
        for worker in self.workers:
            worker.close()

    def wake(self) -> None:
        """Let nobody wait any more, for a tile or for room in the inbox."""
        with self._change:
            self._closed = True
            self._change.notify_all()
        self._arrivals.close()

    def next_wanted(self) -> Want:
        """The nearest tile that nobody fetches yet, waiting for one. Raises Closed once the service is closed."""
        with self._change:
            while not self._wanted and not self._closed:
                self._change.wait()
            if self._closed:
                raise Closed
            want = self._wanted.pop()
            self._busy.add(_key(want))
            return want

    def deliver(self, want: Want, tile: Tile | None) -> None:
        """A tile, or None where it cannot be had: then it is not wanted for a while."""
        if tile is not None:
            self._arrivals.put(tile)
            return
        with self._change:
            self._busy.discard(_key(want))
            self._failed[want] = time.monotonic() + RETRY_SECS


class TileFetcher(Worker):
    """One thread of the service."""

    part = "tiles"
    lost = "Images cannot be shown sharply from near"

    def __init__(self, service: TileWorker, place: LibraryPlace, number: int, announce: Announce) -> None:
        super().__init__(announce=announce, number=number)
        self._service, self._place = service, place
        self.start()

    def wake(self) -> None:
        self._service.wake()

    def work(self) -> None:
        files = TileFiles(self._place.folder, writable=False)
        while True:
            want, tile = self._service.next_wanted(), None
            try:
                tile = fetch_tile(files, want)
            finally:
                self._service.deliver(want, tile)
            self.went_well()


def fetch_tile(files: TileFiles, want: Want) -> Tile | None:
    """A medium tile (level 1) from the library or a large one (2) from the image, with its mips; None without it.

    A large tile of a file that is no longer what its record shows is none: it would stand on the wrong card.
    """
    id_, level, record, path = want
    try:
        pixels = files.medium_rgba(record) if level == 1 else load_large(path)
        levels = mips(np.ascontiguousarray(pixels))
        if level == 2 and not _alike(levels, files.small([record])[0]):
            return None
    except (AtlasError, OSError, ValueError, IndexError):
        return None
    return Tile(id_, record, level, levels)


def _key(want: Want) -> Key:
    return want[2], want[1]


def _alike(levels: tuple[Bytes, ...], small: Bytes) -> bool:
    """Whether a tile's mips show what the small tile (32, 32, 3) shows."""
    shrunk = next(level for level in levels if level.shape[0] == small.shape[0])[..., :3]
    return float(np.abs(shrunk.astype(np.int16) - small).mean()) <= ALIKE_MAX
