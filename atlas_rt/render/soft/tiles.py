"""The pictures of the nodes in memory, in three sizes, every level of each: what textures are to OpenGL."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.arrays import Bytes, Floats, Ints
from atlas_rt.core.images import LARGE_TILE_PX, MEDIUM_TILE_PX, SMALL_TILE_PX, Tile
from atlas_rt.core.library_path import library_path_kept
from atlas_rt.core.slots import Slots
from atlas_rt.render.soft.kernels.cards import LEAST_SIDE
from atlas_rt.render.soft.kernels.records import Pixels

with library_path_kept():
    import cv2

SLAB = 2048
"""Small tiles whose levels are made at once: few enough to stay in the cache."""
GROWTH = 1.5


class SmallTiles:
    """Every small tile, by its record. `loaded` says which records have one."""

    def __init__(self) -> None:
        self.loaded: NDArray[np.bool_] = np.zeros(1, np.bool_)
        self.texels: Pixels = _texels(SMALL_TILE_PX, 1)

    def load(self, records: Ints, pixels: Bytes) -> None:
        """Keep tiles (k, 32, 32, 3 or 4) by their records (k,)."""
        if not len(records):
            return
        self._reserve(int(records.max()) + 1)
        levels = _levels(self.texels, SMALL_TILE_PX)
        for start in range(0, len(records), SLAB):
            chosen = records[start : start + SLAB]
            stack = pixels[start : start + SLAB].reshape(-1, SMALL_TILE_PX, pixels.shape[3])
            for level, texels in enumerate(levels):
                if level:  # all tiles of the slab are one tall picture: halving never mixes two of them
                    stack = np.asarray(cv2.resize(stack, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
                texels[chosen] = _packed(stack).reshape(len(chosen), -1)
        self.loaded[records] = True

    def reserving(self, count: int) -> Iterator[None]:
        """Make room for so many records, in one step: memory alone is copied."""
        self._reserve(count)
        yield

    def clear(self) -> None:
        """Forget every tile."""
        self.loaded[:] = False

    def _reserve(self, count: int) -> None:
        before = len(self.loaded)
        if count <= before:
            return
        size = max(count, int(before * GROWTH))
        grown = _texels(SMALL_TILE_PX, size)
        if self.loaded.any():
            for old, new in zip(_levels(self.texels, SMALL_TILE_PX), _levels(grown, SMALL_TILE_PX), strict=True):
                new[:before] = old
        self.texels = grown
        self.loaded = np.concatenate([self.loaded, np.zeros(size - before, np.bool_)])


class TileCache:
    """Tiles of one level (1 medium, 2 large), the least recently used giving way."""

    def __init__(self, *, level: int, count: int) -> None:
        self.level = level
        self.slots = Slots(count)
        self._side = {1: MEDIUM_TILE_PX, 2: LARGE_TILE_PX}[level]
        self.texels: Pixels = _texels(self._side, count)

    def accept(self, tile: Tile) -> int | None:
        """Keep a tile; the record that had to leave, if one did."""
        seat = self.slots.take(tile.record)
        for texels, pixels in zip(_levels(self.texels, self._side), tile.mips, strict=False):
            texels[seat.slot] = _packed(np.ascontiguousarray(pixels)).reshape(-1)
        return seat.evicted

    def clear(self) -> None:
        """Forget every tile."""
        self.slots = Slots(self.slots.count)


class Table:
    """Where the table of tiles is kept: a copy of it, with a last row for the live marker."""

    def __init__(self) -> None:
        self.rows: Floats = np.full((1, 4), -1.0, np.float32)

    def write(self, rows: NDArray[np.generic]) -> None:
        self.rows = np.concatenate([rows, np.full((1, 4), -1.0)]).astype(np.float32)

    def write_row(self, row: int, values: NDArray[np.generic]) -> None:
        self.rows[row] = values


def _sides(side: int) -> list[int]:
    return [side >> level for level in range((side // LEAST_SIDE).bit_length())]


def _texels(side: int, count: int) -> Pixels:
    """Room for so many tiles at all levels. Memory that is never written to is never taken."""
    return np.zeros(count * sum(each * each for each in _sides(side)), np.uint32)


def _levels(texels: Pixels, side: int) -> list[Pixels]:
    """(count, side * side) pixels of each level, as the kernels find them."""
    sizes = [each * each for each in _sides(side)]
    count = len(texels) // sum(sizes)
    parts = np.split(texels, np.cumsum([count * size for size in sizes])[:-1])
    return [part.reshape(count, -1) for part in parts]


def _packed(rgb: Bytes) -> Pixels:
    """(h, w, 3 or 4) bytes -> (h, w) 0xFFRRGGBB."""
    code = cv2.COLOR_RGB2BGRA if rgb.shape[2] == 3 else cv2.COLOR_RGBA2BGRA
    pixels: Pixels = cv2.cvtColor(rgb, code).view(np.uint32)[..., 0]
    return pixels
