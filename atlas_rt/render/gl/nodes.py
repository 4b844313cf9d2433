"""The data of all nodes on the GPU, one texel a row, fetched by cards, glow and edges alike.

Each array of a View goes up when it is another object than in the frame before, and only then. Images that leave take
the rows behind the scene's, from the frame in which they begin to.
"""

from __future__ import annotations

import moderngl
import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.arrays import Floats, Tiers
from atlas_rt.core.scene import FANNED, HIDDEN, Leaving, View
from atlas_rt.render.look import FANNED_FROM

TEXELS_ACROSS = 2048
"""Width of every data texture; the shaders find row r at (r % 2048, r / 2048)."""

UNIT_PLACES, UNIT_OLD_PLACES, UNIT_COLOURS, UNIT_LIGHTS, UNIT_SLOTS, UNIT_EDGES = range(6)
"""Texture units of the data textures, which stay bound for the whole frame."""
UNIT_TILES = 8
SAMPLERS = {
    "node_places": UNIT_PLACES,
    "node_old_places": UNIT_OLD_PLACES,
    "node_colours": UNIT_COLOURS,
    "node_lights": UNIT_LIGHTS,
    "node_slots": UNIT_SLOTS,
    "edge_ends": UNIT_EDGES,
}


class DataTexture:
    """Rows of numbers as a float texture that grows when it must.

    components: numbers a row, 1, 2 or 4. dtype: "f4", or "f1" for bytes read as 0..1.
    """

    def __init__(self, ctx: moderngl.Context, components: int, dtype: str = "f4") -> None:
        self._ctx = ctx
        self._components = components
        self._dtype = dtype
        self._texture: moderngl.Texture | None = None

    def write(self, rows: NDArray[np.generic]) -> None:
        """Replace everything by `rows` (n, components)."""
        lines = max(-(-len(rows) // TEXELS_ACROSS), 1)
        padded = np.zeros((lines * TEXELS_ACROSS, self._components), rows.dtype)
        padded[: len(rows)] = rows.reshape(len(rows), self._components)
        texture = self._with_lines(lines)
        texture.write(padded, viewport=(0, 0, TEXELS_ACROSS, lines))

    def write_row(self, row: int, values: NDArray[np.generic]) -> None:
        """Replace one row."""
        assert self._texture is not None
        y, x = divmod(row, TEXELS_ACROSS)
        self._texture.write(values, viewport=(x, y, 1, 1))

    def use(self, unit: int) -> None:
        self._with_lines(1).use(unit)

    def release(self) -> None:
        if self._texture is not None:
            self._texture.release()
            self._texture = None

    def _with_lines(self, lines: int) -> moderngl.Texture:
        if self._texture is None or self._texture.height < lines:
            self.release()
            self._texture = self._ctx.texture((TEXELS_ACROSS, lines), self._components, dtype=self._dtype)
            self._texture.filter = moderngl.NEAREST, moderngl.NEAREST
        return self._texture


class NodeData:
    """Places, colours and lights of the rows of the View drawn last."""

    def __init__(self, ctx: moderngl.Context) -> None:
        self._places = DataTexture(ctx, 4)
        self._old_places = DataTexture(ctx, 4)
        self._colours = DataTexture(ctx, 2)
        self._lights = DataTexture(ctx, 1)
        self._seen: dict[str, tuple[object, ...]] = {}

    def update(self, view: View) -> None:
        """Upload what has changed since the frame before."""
        scene, leaving = view.scene, view.leaving
        leave = self._is_new("leaving", leaving) and leaving is not None
        if self._is_new("places", view.positions) | self._is_new("shapes", (scene.aspects, view.tiers)) | leave:
            places = _with_fourth(view.positions, _shapes(scene.aspects, view.tiers))
            self._places.write(places if leaving is None else _joined(places, leaving.targets, leaving.aspects))
        if (view.morph < 1.0 and self._is_new("old_places", view.old_positions)) | leave:
            places = _with_fourth(view.old_positions, scene.aspects)
            self._old_places.write(places if leaving is None else _joined(places, leaving.positions, leaving.aspects))
        if self._is_new("colours", (scene.mean_rgb, scene.hues, scene.away)) | leave:
            colours = packed_colours(scene.mean_rgb, scene.hues, scene.away)
            self._colours.write(colours if leaving is None else _with_colours(colours, leaving))
        if view.lights is not None and self._is_new("lights", view.lights) | leave:
            unlit = np.zeros(0 if leaving is None else len(leaving.ids), np.float32)
            self._lights.write(np.append(view.lights, unlit))

    def use(self) -> None:
        """Bind to the units the shaders expect."""
        self._places.use(UNIT_PLACES)
        self._old_places.use(UNIT_OLD_PLACES)
        self._colours.use(UNIT_COLOURS)
        self._lights.use(UNIT_LIGHTS)

    def release(self) -> None:
        for texture in (self._places, self._old_places, self._colours, self._lights):
            texture.release()
        self._seen.clear()

    def _is_new(self, name: str, arrays: object) -> bool:
        """Whether an array, or one of several, is another object than when it was last asked for."""
        now = arrays if isinstance(arrays, tuple) else (arrays,)
        before, self._seen[name] = self._seen.get(name, ()), now
        return len(before) != len(now) or any(one is not other for one, other in zip(before, now, strict=True))


def packed_colours(
    mean_rgb: NDArray[np.uint8], hues: NDArray[np.uint8], away: NDArray[np.bool_] | None = None
) -> Floats:
    """(n, 2) float32: mean colour and hue, 24 bits each, which a float holds exactly. The mean colour c of an image
    that is away is -1 - c."""
    packed = np.empty((len(mean_rgb), 2), np.float32)
    weights = np.array([65536, 256, 1], np.uint32)
    packed[:, 0] = mean_rgb @ weights
    packed[:, 1] = hues @ weights
    if away is not None:
        packed[away, 0] = -1.0 - packed[away, 0]
    return packed


def _shapes(aspects: Floats, tiers: Tiers | None) -> Floats:
    """(n,) aspects that tell the shaders how each row is drawn."""
    if tiers is None:
        return aspects
    shapes: Floats = aspects + np.float32(FANNED_FROM) * (tiers == FANNED)
    return np.where(tiers == HIDDEN, -shapes, shapes)


def _joined(places: Floats, more: Floats, aspects: Floats) -> Floats:
    return np.concatenate([places, _with_fourth(more, aspects)])


def _with_colours(colours: Floats, leaving: Leaving) -> Floats:
    return np.concatenate([colours, packed_colours(leaving.mean_rgb, leaving.hues)])


def _with_fourth(vectors: Floats, fourth: Floats) -> Floats:
    rows = np.empty((len(vectors), 4), np.float32)
    rows[:, :3] = vectors
    rows[:, 3] = fourth
    return rows
