"""Textures for the panels: thumbnails of images in one atlas, and a few named pictures.

Dear ImGui shows two-dimensional textures by their OpenGL name, so thumbnails lie in cells of one such texture.
"""

from __future__ import annotations

from typing import NamedTuple

import moderngl
import numpy as np

from atlas_rt.core.arrays import Bytes
from atlas_rt.core.images import MEDIUM_TILE_PX, Tile
from atlas_rt.core.slots import Slots

CELLS_ACROSS, CELLS_DOWN = 16, 8
WIDTH_PX, HEIGHT_PX = CELLS_ACROSS * MEDIUM_TILE_PX, CELLS_DOWN * MEDIUM_TILE_PX
INSET_PX = 0.5
"""Corners lie on the outermost texels' centres, or a neighbour would bleed in."""


class TextureRef(NamedTuple):
    """What `imgui.image` needs: an OpenGL texture name, and the corners of the part to show."""

    texture: int
    uv0: tuple[float, float]
    uv1: tuple[float, float]


class ThumbnailAtlas:
    """Thumbnails by tile record, the least recently asked for giving way, and pictures by name.

    All calls on the thread of the context.
    """

    def __init__(self, ctx: moderngl.Context) -> None:
        self._ctx = ctx
        self._slots = Slots(CELLS_ACROSS * CELLS_DOWN)
        self._texture = ctx.texture((WIDTH_PX, HEIGHT_PX), 4)
        self._texture.filter = moderngl.LINEAR, moderngl.LINEAR
        self._missing: dict[int, None] = {}
        self._lent: set[int] = set()
        self.contents = 0
        """Another number whenever what a `TextureRef` that was given out shows has changed."""
        self._pictures: dict[str, moderngl.Texture] = {}
        self._dropped: list[moderngl.Texture] = []

    def ref(self, record: int) -> TextureRef | None:
        """Where the thumbnail of a tile record is, or None; then it is wanted until it comes."""
        slot = self._slots.find(record)
        if slot is None:
            self._missing.pop(record, None)
            self._missing[record] = None
            return None
        self._slots.touch((record,))
        self._lent.add(slot)
        y, x = divmod(slot, CELLS_ACROSS)
        left, top = x * MEDIUM_TILE_PX + INSET_PX, y * MEDIUM_TILE_PX + INSET_PX
        side = MEDIUM_TILE_PX - 2.0 * INSET_PX
        return TextureRef(
            self._texture.glo,
            (left / WIDTH_PX, top / HEIGHT_PX),
            ((left + side) / WIDTH_PX, (top + side) / HEIGHT_PX),
        )

    def wanted(self) -> list[int]:
        """Records asked for and not here since the last call, the newest last; asking again wants them again."""
        records = list(self._missing)[-self._slots.count :]
        self._missing.clear()
        return records

    def clear(self) -> None:
        """Forget every thumbnail and picture: what is shown from now on is another library's."""
        self._slots = Slots(self._slots.count)
        self._missing.clear()
        for name in list(self._pictures):
            self.drop_picture(name)

    def accept(self, tile: Tile) -> None:
        """Keep a medium tile (level 1) as a thumbnail; other levels are passed over."""
        if tile.level != 1:
            return
        self._missing.pop(tile.record, None)
        slot = self._slots.take(tile.record).slot
        if slot in self._lent:
            self._lent.discard(slot)
            self.contents += 1
        y, x = divmod(slot, CELLS_ACROSS)
        box = (x * MEDIUM_TILE_PX, y * MEDIUM_TILE_PX, MEDIUM_TILE_PX, MEDIUM_TILE_PX)
        self._texture.write(np.ascontiguousarray(tile.mips[0]), viewport=box)

    def set_picture(self, name: str, pixels: Bytes) -> None:
        """Keep `pixels` (h, w, 3 or 4), top row first, under a name; replaces the picture of that name."""
        height, width, components = pixels.shape
        texture = self._pictures.get(name)
        if texture is None or texture.size != (width, height) or texture.components != components:
            self.drop_picture(name)
            texture = self._ctx.texture((width, height), components, alignment=1)
            texture.filter = moderngl.LINEAR, moderngl.LINEAR
            texture.repeat_x = texture.repeat_y = False
            self._pictures[name] = texture
        texture.write(np.ascontiguousarray(pixels), alignment=1)
        self.contents += 1

    def picture_ref(self, name: str) -> TextureRef | None:
        """The picture of that name, or None."""
        texture = self._pictures.get(name)
        return None if texture is None else TextureRef(texture.glo, (0.0, 0.0), (1.0, 1.0))

    def drop_picture(self, name: str) -> None:
        """Let the picture of that name go, if there is one; `sweep` frees it."""
        texture = self._pictures.pop(name, None)
        if texture is not None:
            self._dropped.append(texture)

    def sweep(self) -> None:
        """Free what was dropped. Panels that were built before it may still be drawn with it, so only after that."""
        for texture in self._dropped:
            texture.release()
        self._dropped.clear()

    def release(self) -> None:
        for name in list(self._pictures):
            self.drop_picture(name)
        self.sweep()
        self._texture.release()
