"""The data of all nodes on the GPU, one texel a row, fetched by cards, glow and edges alike.

Each array of a View goes up when it is another object than in the frame before, and only then. Images that leave take
the rows behind the scene's, from the frame in which they begin to.
"""

from __future__ import annotations

from collections.abc import Iterator

import moderngl
import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.arrays import Floats, Tiers
from atlas_rt.core.preparation import Preparation
from atlas_rt.core.scene import FANNED, HIDDEN, Leaving, View
from atlas_rt.render.look import FANNED_FROM

TEXELS_ACROSS = 2048
"""Width of every data texture; the shaders find row r at (r % 2048, r / 2048)."""
SLICE_LINES = 16
"""Lines written at once where a frame must not wait: 0.5 MB of four numbers a row, 0.2 to 0.5 ms on llvmpipe."""

UNIT_PLACES, UNIT_OLD_PLACES, UNIT_COLOURS, UNIT_LIGHTS, UNIT_SLOTS, UNIT_EDGES, UNIT_ORDER, UNIT_GLOW = range(8)
UNIT_REACHED = 11
"""Texture units of the data textures, which stay bound for the whole frame."""
UNIT_TILES = 8
UNIT_SOURCE, UNIT_SECOND = 9, 10
"""Of passes over a whole target, which leave those of the nodes bound."""
SAMPLERS = {
    "node_places": UNIT_PLACES,
    "node_old_places": UNIT_OLD_PLACES,
    "node_colours": UNIT_COLOURS,
    "node_lights": UNIT_LIGHTS,
    "node_slots": UNIT_SLOTS,
    "edge_ends": UNIT_EDGES,
    "node_order": UNIT_ORDER,
    "glow": UNIT_GLOW,
    "tiles": UNIT_TILES,
    "node_reached": UNIT_REACHED,
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
        for _ in self.writing(rows, lines=max(-(-len(rows) // TEXELS_ACROSS), 1)):
            pass

    def writing(self, rows: NDArray[np.generic], *, lines: int = SLICE_LINES) -> Iterator[None]:
        """Replace everything by `rows` (n, components) in steps of so many lines."""
        whole, rest = divmod(len(rows), TEXELS_ACROSS)
        texture = self._with_lines(max(whole + (rest > 0), 1))
        rows = np.ascontiguousarray(rows).reshape(len(rows), self._components)
        for line in range(0, whole, lines):
            until = min(line + lines, whole)
            part = rows[line * TEXELS_ACROSS : until * TEXELS_ACROSS]
            texture.write(part, viewport=(0, line, TEXELS_ACROSS, until - line))
            yield
        if rest:
            texture.write(rows[whole * TEXELS_ACROSS :], viewport=(0, whole, rest, 1))
            yield

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
    """Places, colours and lights of the rows of the View drawn last, and those that a coming scene will need."""

    def __init__(self, ctx: moderngl.Context) -> None:
        self._places, self._coming_places = DataTexture(ctx, 4), DataTexture(ctx, 4)
        self._old_places = DataTexture(ctx, 4)
        self._colours, self._coming_colours = DataTexture(ctx, 2), DataTexture(ctx, 2)
        self._lights, self._reached = DataTexture(ctx, 1), DataTexture(ctx, 1)
        self._seen: dict[str, tuple[object, ...]] = {}
        self._staged: Preparation | None = None

    def staging(self, prepared: Preparation) -> Iterator[None]:
        """Upload what a scene will need, in steps, while another one is drawn; `update` takes it from there."""
        scene, self._staged = prepared.scene, None
        yield from self._coming_colours.writing(packed_colours(scene.mean_rgb, scene.hues, scene.away))
        yield
        places = _with_fourth(prepared.places, _shapes(scene.aspects, prepared.tiers))
        yield from self._coming_places.writing(places)
        self._staged = prepared

    def update(self, view: View) -> None:
        """Upload what has changed since the frame before."""
        scene, leaving = view.scene, view.leaving
        staged, before = self._take_staged(view), self._seen.get("places", (None,))[0]
        leave = self._is_new("leaving", leaving) and leaving is not None
        if view.morph < 1.0 and view.old_positions is before and leaving is None and staged:
            # What was drawn until now is where the rows set off: it lies in the textures that were just changed for.
            self._old_places, self._coming_places = self._coming_places, self._old_places
            self._is_new("old_places", view.old_positions)
        new = self._is_new("places", view.positions) | self._is_new("shapes", (scene.aspects, view.tiers))
        if (new and not staged) | leave:
            places = _with_fourth(view.positions, _shapes(scene.aspects, view.tiers))
            self._places.write(places if leaving is None else _joined(places, leaving.targets, leaving.aspects))
        if (view.morph < 1.0 and self._is_new("old_places", view.old_positions)) | leave:
            places = _with_fourth(view.old_positions, scene.aspects)
            self._old_places.write(places if leaving is None else _joined(places, leaving.positions, leaving.aspects))
        new = self._is_new("colours", (scene.mean_rgb, scene.hues, scene.away))
        if (new and not staged) | leave:
            colours = packed_colours(scene.mean_rgb, scene.hues, scene.away)
            self._colours.write(colours if leaving is None else _with_colours(colours, leaving))
        if view.lights is not None and self._is_new("lights", view.lights) | leave:
            unlit = np.zeros(0 if leaving is None else len(leaving.ids), np.float32)
            self._lights.write(np.append(view.lights, unlit))

        if view.reached is not None and self._is_new("reached", view.reached):
            self._reached.write(view.reached)

    def use(self) -> None:
        """Bind to the units the shaders expect."""
        self._places.use(UNIT_PLACES)
        self._old_places.use(UNIT_OLD_PLACES)
        self._colours.use(UNIT_COLOURS)
        self._lights.use(UNIT_LIGHTS)
        self._reached.use(UNIT_REACHED)

    def release(self) -> None:
        for texture in (
            self._places,
            self._old_places,
            self._colours,
            self._lights,
            self._reached,
            self._coming_places,
            self._coming_colours,
        ):
            texture.release()
        self._seen.clear()
        self._staged = None

    def _take_staged(self, view: View) -> bool:
        """Draw what was staged from now on, if the view shows just that."""
        staged = self._staged
        if staged is None or view.scene is not staged.scene:
            return False
        self._staged = None
        if view.positions is not staged.places or view.tiers is not staged.tiers:
            return False
        self._places, self._coming_places = self._coming_places, self._places
        self._colours, self._coming_colours = self._coming_colours, self._colours
        return True

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
    for column, rgb in enumerate((mean_rgb, hues)):  # a product of integer matrices takes ten times as long
        packed[:, column] = rgb[:, 0]
        packed[:, column] *= 256.0
        packed[:, column] += rgb[:, 1]
        packed[:, column] *= 256.0
        packed[:, column] += rgb[:, 2]
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
