"""The pictures of the nodes on the GPU, in three sizes.

Small: every image, in pages of 64 x 64 cells, found by its tile record, for ever. Medium and large: array
textures of one layer an image, given to the images that are near. Levels are made outside and uploaded one by one.
"""

from __future__ import annotations

from itertools import pairwise

import moderngl
import numpy as np

from atlas_rt.core.arrays import Bytes, Ints
from atlas_rt.core.images import LARGE_TILE_PX, MEDIUM_TILE_PX, SMALL_TILE_PX, Tile
from atlas_rt.core.slots import Slots
from atlas_rt.render.gl.raw_gl import RawGL

PAGE_PX = 2048
CELLS_ACROSS = PAGE_PX // SMALL_TILE_PX
CELLS = CELLS_ACROSS * CELLS_ACROSS
SMALL_LEVELS = 4
"""32, 16, 8 and 4 px: what is smaller on screen is hardly more than its mean colour."""
SLAB = 2048
"""Tiles whose levels are made at once: few enough to stay in the cache."""
GROWTH = 1.5
"""Pages are added in such steps while indexing; each copies what is there."""


def small_levels(pixels: Bytes) -> list[Bytes]:
    """The levels of small tiles (k, 32, 32, 3 or 4) -> RGBA (k, s, s, 4) for s = 32, 16, 8, 4, by box filter."""
    rgba = np.full((*pixels.shape[:3], 4), 255, np.uint8)
    rgba[..., : pixels.shape[3]] = pixels
    levels = [rgba]
    for _ in range(SMALL_LEVELS - 1):
        fine = levels[-1]
        total = fine[:, 0::2, 0::2].astype(np.uint16)
        for dy, dx in ((0, 1), (1, 0), (1, 1)):
            total += fine[:, dy::2, dx::2]
        levels.append(((total + 2) >> 2).astype(np.uint8))
    return levels


def runs(records: Ints) -> list[tuple[int, int]]:
    """Half-open spans of ascending `records` that follow each other within one row of cells."""
    breaks = np.flatnonzero((np.diff(records) != 1) | (records[1:] % CELLS_ACROSS == 0)) + 1
    edges = [0, *breaks.tolist(), len(records)]
    return list(pairwise(edges))


def shrinking(smooth: bool) -> tuple[int, int]:
    """The filters of a tile texture: between two levels, or (on software OpenGL, at half the cost) in the nearest."""
    return (moderngl.LINEAR_MIPMAP_LINEAR if smooth else moderngl.LINEAR_MIPMAP_NEAREST), moderngl.LINEAR


class SmallTiles:
    """The atlas of small tiles. `loaded` says, by record, which cells hold a picture."""

    def __init__(self, ctx: moderngl.Context, raw: RawGL, *, smooth: bool) -> None:
        self._ctx = ctx
        self._raw = raw
        self._filter = shrinking(smooth)
        self._texture = self._allocate(1)
        self.loaded = np.zeros(CELLS, np.bool_)

    def load(self, records: Ints, pixels: Bytes) -> None:
        """Upload tiles (k, 32, 32, 3 or 4) into the cells of their records (k,)."""
        if not len(records):
            return
        self._reserve(int(records.max()) + 1)
        order = np.argsort(records, kind="stable")
        for start in range(0, len(order), SLAB):
            chosen = order[start : start + SLAB]
            self._upload(records[chosen], small_levels(pixels[chosen]))
        self.loaded[records] = True

    def clear(self) -> None:
        """Forget every tile: what is shown from now on is another library's."""
        self.loaded[:] = False

    def use(self, unit: int) -> None:
        self._texture.use(unit)

    def release(self) -> None:
        self._texture.release()

    def _upload(self, records: Ints, levels: list[Bytes]) -> None:
        for start, stop in runs(records):
            page, cell = divmod(int(records[start]), CELLS)
            row, column = divmod(cell, CELLS_ACROSS)
            for level, tiles in enumerate(levels):
                side = SMALL_TILE_PX >> level
                strip = np.ascontiguousarray(tiles[start:stop].transpose(1, 0, 2, 3)).reshape(side, -1, 4)
                self._raw.upload(self._texture, strip, level=level, x=column * side, y=row * side, layer=page)

    def _reserve(self, count: int) -> None:
        pages = self._texture.layers
        needed = -(-count // CELLS)
        if needed <= pages:
            return
        grown = self._allocate(max(needed, int(pages * GROWTH)))
        if self.loaded.any():
            self._raw.copy_layers(self._texture, grown, SMALL_LEVELS)
        self._texture.release()
        self._texture = grown
        self.loaded = np.concatenate([self.loaded, np.zeros((grown.layers - pages) * CELLS, np.bool_)])

    def _allocate(self, pages: int) -> moderngl.TextureArray:
        texture = self._ctx.texture_array((PAGE_PX, PAGE_PX, pages), 4)
        self._raw.allocate_levels(texture, SMALL_LEVELS)
        texture.filter = self._filter
        texture.repeat_x = texture.repeat_y = False
        return texture


class TileCache:
    """Tiles of one level (1 medium, 2 large) in the layers of an array, the least recently used giving way.

    They are known by their tile records: a changed image has another record, so its old tile is never taken for it.
    """

    def __init__(self, ctx: moderngl.Context, raw: RawGL, *, level: int, count: int, smooth: bool) -> None:
        self.level = level
        self.side_px = {1: MEDIUM_TILE_PX, 2: LARGE_TILE_PX}[level]
        self.slots = Slots(count)
        self._raw = raw
        self._levels = self.side_px.bit_length() - 2
        self._texture = ctx.texture_array((self.side_px, self.side_px, count), 4)
        raw.allocate_levels(self._texture, self._levels)
        self._texture.filter = shrinking(smooth)
        self._texture.repeat_x = self._texture.repeat_y = False

    def accept(self, tile: Tile) -> int | None:
        """Upload a tile; the record that had to leave, if one did."""
        seat = self.slots.take(tile.record)
        for level, pixels in enumerate(tile.mips[: self._levels]):
            self._raw.upload(self._texture, np.ascontiguousarray(pixels), level=level, x=0, y=0, layer=seat.slot)
        return seat.evicted

    def clear(self) -> None:
        """Forget every tile."""
        self.slots = Slots(self.slots.count)

    def use(self, unit: int) -> None:
        self._texture.use(unit)

    def release(self) -> None:
        self._texture.release()
