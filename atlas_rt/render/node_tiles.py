"""Which tile each row of the scene shows: its small one, or a better one that came since."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.arrays import Bytes, Ids, Ints
from atlas_rt.core.images import Tile
from atlas_rt.core.rows import rows_of
from atlas_rt.core.scene import Leaving, Scene
from atlas_rt.core.slots import Slots
from atlas_rt.core.visibility import NearNodes
from atlas_rt.render.frame import CLOCK_SECS

LONG_AGO = -1e4
"""When a tile came that shall not fade in."""
MEDIUM_FROM_PX = 20.0
LARGE_FROM_PX = 84.0
"""Half side of a card on screen from which the next larger tile is wanted: a little before its own size."""
HELD_SHARE = 0.9
"""Share of the layers that may be wanted at once: the rest keeps what was just seen from going and coming."""
WANTED_MAX = 48

Rows = NDArray[np.int64]


class SmallStore(Protocol):
    """Where a renderer keeps small tiles. loaded: (k,) bool, by tile record, which it holds."""

    loaded: NDArray[np.bool_]

    def load(self, records: Ints, pixels: Bytes) -> None: ...

    def clear(self) -> None: ...


class TileStore(Protocol):
    """Where it keeps those of one larger level, in slots."""

    level: int
    slots: Slots

    def accept(self, tile: Tile) -> int | None: ...

    def clear(self) -> None: ...


class TableStore(Protocol):
    """Where it reads the table from, (n, 4) float32."""

    def write(self, rows: NDArray[np.generic]) -> None: ...

    def write_row(self, row: int, values: NDArray[np.generic]) -> None: ...


class NodeTiles:
    """Which tiles are here, and the table that tells a renderer where a row's tiles are.

    The table has four numbers a row: record of the small tile, slot of the medium, slot of the large (-1: none), and
    the shaders' time at which the newest of them came, from which it fades in.
    """

    def __init__(self, small: SmallStore, caches: tuple[TileStore, TileStore], table: TableStore) -> None:
        self._small = small
        self._caches = caches
        self._store = table
        self._table = np.zeros((0, 4), np.float32)
        self._ids: Ids = np.zeros(0, np.int64)
        self._tiles: Ints = np.zeros(0, np.int32)
        self._leaving: Leaving | None = None
        self._stale = True
        self._time_secs = 0.0
        self._hour = 0
        self.rows_by_level: tuple[Rows, Rows] = (np.zeros(0, np.int64), np.zeros(0, np.int64))
        """Rows that have a medium, and a large, tile."""

    def load_small(self, records: Ints, pixels: Bytes) -> None:
        """Keep small tiles (k, 32, 32, 3 or 4) by tile record (k,)."""
        self._small.load(records, pixels)
        self._stale = True

    def accept(self, tile: Tile) -> None:
        """Keep a small, medium or large tile; it shows from the next frame on, fading in."""
        if tile.level == 0:
            self._accept_small(tile)
            return
        evicted = self._caches[tile.level - 1].accept(tile)
        if self._stale:
            return
        if evicted is not None:
            self._write(evicted, tile.level, -1)
            self._stale = self._leaving is not None  # it may be one that leaves, which has no row of its own
        self._write(tile.record, tile.level, self._caches[tile.level - 1].slots.find(tile.record))
        self._list_rows()

    def clear(self) -> None:
        """Forget every tile: what is shown from now on is another library's, whose records mean other pictures."""
        self._small.clear()
        for cache in self._caches:
            cache.clear()
        self._ids, self._tiles, self._table = self._ids[:0], self._tiles[:0], self._table[:0]
        self._stale = True

    def update(self, scene: Scene, leaving: Leaving | None, time_secs: float) -> None:
        """Make the table fit the scene, and behind its rows the images that leave.

        Work is done only when ids or tile records are other arrays than before, or others leave.
        """
        self._keep_time(time_secs)
        same = scene.ids is self._ids and scene.tiles is self._tiles and leaving is self._leaving
        if same and not self._stale:
            return
        table = self._part(scene.tiles)
        table[:, 3] = self._kept_times(scene)
        if leaving is not None:
            table = np.concatenate([table, self._part(leaving.tiles)])
        self._ids, self._tiles, self._leaving, self._stale = scene.ids, scene.tiles, leaving, False
        self._table = table
        self._store.write(self._table)
        self._list_rows()

    def wanted(self, near: NearNodes, scene: Scene) -> list[tuple[int, int]]:
        """(image id, level) of the tiles to fetch now, at most WANTED_MAX: medium before large, each nearest first.

        What is seen and already here counts as used, so it stays.
        """
        found: list[tuple[float, int, int]] = []
        for cache, from_px in zip(self._caches, (MEDIUM_FROM_PX, LARGE_FROM_PX), strict=True):
            rows, depths = near.nearest(from_px, int(cache.slots.count * HELD_SHARE))
            records = scene.tiles[rows].tolist()
            cache.slots.touch(reversed(records))
            found += [
                (depth, id_, cache.level)
                for depth, id_, record in zip(depths.tolist(), scene.ids[rows].tolist(), records, strict=True)
                if record not in cache.slots
            ]
        # A medium tile comes from our own disk in a moment, a large one is decoded from the source: medium first.
        found.sort(key=lambda tile: (tile[2], tile[0]))
        return [(id_, level) for _, id_, level in found[:WANTED_MAX]]

    def _part(self, tiles: Ints) -> NDArray[np.float32]:
        """(k, 4) rows of the table of the images with these tile records, none of which fades in."""
        part = np.full((len(tiles), 4), -1.0, np.float32)
        part[:, 3] = LONG_AGO
        loaded = self._small.loaded
        known = tiles < len(loaded)
        known[known] = loaded[tiles[known]]
        part[known, 0] = tiles[known]
        for cache in self._caches:
            part[:, cache.level] = slots_of(cache.slots, tiles)
        return part

    def _accept_small(self, tile: Tile) -> None:
        self.load_small(np.array([tile.record], np.int32), tile.mips[0][None])

    def _keep_time(self, time_secs: float) -> None:
        """Set the shaders' clock. When it starts again, what came before has long faded in."""
        hour, now = divmod(time_secs, CLOCK_SECS)
        if hour != self._hour or now < self._time_secs:
            self._stale = True
            self._table[:, 3] = LONG_AGO
        self._hour, self._time_secs = int(hour), now

    def _kept_times(self, scene: Scene) -> NDArray[np.float32]:
        """When each row's newest tile came, carried over from the scene before."""
        came = np.full(len(scene.ids), LONG_AGO, np.float32)
        rows, known = rows_of(self._ids, scene.ids)
        same = np.flatnonzero(known)
        same = same[self._tiles[rows[same]] == scene.tiles[same]]
        came[same] = self._table[rows[same], 3]
        return came

    def _write(self, record: int, level: int, layer: int | None) -> None:
        if layer is None:
            return
        for row in np.flatnonzero(self._tiles == record).tolist():
            self._table[row, level] = layer
            if layer >= 0:
                self._table[row, 3] = self._time_secs
            self._store.write_row(row, self._table[row])

    def _list_rows(self) -> None:
        self.rows_by_level = (np.flatnonzero(self._table[:, 1] >= 0), np.flatnonzero(self._table[:, 2] >= 0))


def slots_of(slots: Slots, records: Ints) -> NDArray[np.int64]:
    """(n,) the slot of each tile record (n,), -1 for those that hold none."""
    found = np.full(int(records.max(initial=-1)) + 1, -1, np.int64)
    for record, slot in slots.items():
        if record < len(found):
            found[record] = slot
    return found[records]
