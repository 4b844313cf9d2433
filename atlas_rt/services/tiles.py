"""Tiles for the cards that are near: fetched on threads, nearest first, only as long as they are wanted.

Decoding releases the interpreter lock, so two threads beside the frame cost it nothing but cores. What is wanted is
replaced at every call: a flight past a thousand cards never queues a thousand tiles.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence

import numpy as np

from atlas_rt.core.channels import Closed, Inbox
from atlas_rt.core.records import Bytes, LibraryPlace, Tile
from atlas_rt.errors import AtlasError
from atlas_rt.library.tile_files import TileFiles
from atlas_rt.library.tile_making import load_large, mips

Want = tuple[int, int, int, str]
"""(image id, level, tile record, path) of a tile to fetch."""

ARRIVALS_MAX = 64


class TileService:
    """Threads that fetch what is wanted now, and an inbox of what has come."""

    def __init__(self, place: LibraryPlace, *, threads: int = 2) -> None:
        self._place = place
        self._arrivals: Inbox[Tile] = Inbox(ARRIVALS_MAX)
        self._wanted: list[Want] = []
        self._busy: set[tuple[int, int]] = set()
        self._failed: set[tuple[int, int]] = set()
        self._change = threading.Condition()
        self._closed = False
        self._threads = [threading.Thread(target=self._run, name=f"tiles-{i}", daemon=True) for i in range(threads)]
        for thread in self._threads:
            thread.start()

    def want(self, wanted: Sequence[Want]) -> None:
        """Replace what is wanted; the first is fetched first."""
        with self._change:
            skip = self._busy | self._failed
            self._wanted = [want for want in reversed(wanted) if want[:2] not in skip]
            if self._wanted:
                self._change.notify_all()

    def drain(self, *, budget_secs: float) -> Iterator[Tile]:
        """Tiles that have come, within a budget."""
        for tile in self._arrivals.drain(budget_secs=budget_secs):
            with self._change:
                self._busy.discard((tile.id, tile.level))
            yield tile

    def close(self) -> None:
        with self._change:
            self._closed = True
            self._change.notify_all()
        self._arrivals.close()
        for thread in self._threads:
            thread.join(timeout=2.0)

    def _run(self) -> None:
        files = TileFiles(self._place.folder, writable=False)
        with contextlib.suppress(Closed):
            while (want := self._next()) is not None:
                self._fetch(want, files)

    def _next(self) -> Want | None:
        with self._change:
            while not self._wanted and not self._closed:
                self._change.wait()
            if self._closed:
                return None
            want = self._wanted.pop()
            self._busy.add(want[:2])
            return want

    def _fetch(self, want: Want, files: TileFiles) -> None:
        """A tile that cannot be had (the source is unplugged, say) is not asked for again in this session."""
        id_, level, record, path = want
        levels = fetch_tile(files, level, record, path)
        if levels is None:
            with self._change:
                self._busy.discard(want[:2])
                self._failed.add(want[:2])
        else:
            self._arrivals.put(Tile(id_, level, levels))


def fetch_tile(files: TileFiles, level: int, record: int, path: str) -> tuple[Bytes, ...] | None:
    """The mip levels of a tile: a medium one (1) from the library, a large one (2) from the image; None without it."""
    try:
        pixels = files.medium_rgba(record) if level == 1 else load_large(path)
    except (AtlasError, OSError, ValueError, IndexError):
        return None
    return mips(np.ascontiguousarray(pixels))
