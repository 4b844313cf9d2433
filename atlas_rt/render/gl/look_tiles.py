"""Textures for pictures that are looked at whole: one for each tile, those used least recently giving way."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

import moderngl
import numpy as np

from atlas_rt.core.look import LookTile, PictureKey, TileKey
from atlas_rt.render.gl.thumbnails import TextureRef

TILES_MAX = 256
"""Each takes 1 MB. Four thousand by two thousand pixels of the screen show 160 at most."""
CRISP_FROM = 4.0
"""Pixels of the screen for one of the picture: from here on its pixels are shown as squares."""


class LookTiles:
    """All calls on the thread of the context."""

    def __init__(self, ctx: moderngl.Context) -> None:
        self._ctx = ctx
        self._textures: OrderedDict[TileKey, tuple[moderngl.Texture, TextureRef]] = OrderedDict()
        self._dropped: list[moderngl.Texture] = []
        self._crisp = False
        self.contents = 0
        """Another number whenever what a `TextureRef` that was given out shows may have changed."""

    def accept(self, tile: LookTile) -> None:
        """Keep a tile."""
        self._drop(tile.key)
        height, width = tile.pixels.shape[:2]
        texture = self._ctx.texture((width, height), 4, alignment=1)
        texture.repeat_x = texture.repeat_y = False
        texture.filter = self._filter
        texture.write(np.ascontiguousarray(tile.pixels), alignment=1)
        left, top, right, bottom = tile.inner
        self._textures[tile.key] = texture, TextureRef(texture.glo, (left, top), (right, bottom))
        while len(self._textures) > TILES_MAX:
            self._drop(next(iter(self._textures)))

    def ref(self, key: TileKey) -> TextureRef | None:
        """Where a tile is, None where it is not here."""
        held = self._textures.get(key)
        return None if held is None else held[1]

    def has(self, key: TileKey) -> bool:
        """Whether a tile is here; it counts as used now."""
        if key not in self._textures:
            return False
        self._textures.move_to_end(key)
        return True

    def magnify(self, scale: float) -> None:
        """Show the picture's pixels as squares from CRISP_FROM on. scale: pixels of the screen for one of them."""
        if self._crisp == (scale >= CRISP_FROM):
            return
        self._crisp = not self._crisp
        self.contents += 1
        for texture, _ in self._textures.values():
            texture.filter = self._filter

    def keep(self, pictures: Iterable[PictureKey]) -> None:
        """Let the tiles of all other pictures go."""
        kept = set(pictures)
        for key in [key for key in self._textures if key.picture not in kept]:
            self._drop(key)

    def sweep(self) -> None:
        """Free what was dropped, once no panel that was built before is drawn with it any more."""
        for texture in self._dropped:
            texture.release()
        self._dropped.clear()

    def release(self) -> None:
        self.keep(())
        self.sweep()

    @property
    def _filter(self) -> tuple[int, int]:
        return moderngl.LINEAR, moderngl.NEAREST if self._crisp else moderngl.LINEAR

    def _drop(self, key: TileKey) -> None:
        held = self._textures.pop(key, None)
        if held is not None:
            self._dropped.append(held[0])
            self.contents += 1  # its name may be another texture's next
