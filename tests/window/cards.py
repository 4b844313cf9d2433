"""What the cards, thumbnails and pictures on the graphics card show: the colour in the middle of each, read back."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import moderngl
import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.camera import clip_from_view, view_from_world
from atlas_rt.core.images import MEDIUM_TILE_PX
from atlas_rt.core.look import PictureKey
from atlas_rt.core.scene import Pose, View
from atlas_rt.core.world import FOV_Y
from atlas_rt.render.gl.offscreen import OffscreenTarget
from atlas_rt.render.gl.thumbnails import CELLS_ACROSS
from atlas_rt.window.picture import WindowPicture

CELL_PX = 60
HALF_PX = 22.0
"""Half the side of a card: large enough not to be drawn as a point."""
CORNER_PX, PATCH_PX = 12, 2
"""Where a card is looked at: beside its middle, in which all edges of its node meet."""
FAR_AWAY = np.array([100.0, 0.0, 0.0], np.float32)
"""Where the cards are laid out, so that nothing else comes into the picture."""
FACE_LIGHT = 0.87
"""How bright a card's picture is drawn, in screen colours: between the middle and the corners of this picture."""

Colours = NDArray[np.float64]


def colours_of_cards(context: moderngl.Context, display: WindowPicture, view: View) -> Colours:
    """(n, 3) what the middle of each row's card shows, drawn once more by the window's own renderer from its own tiles,
    all cards side by side."""
    count = len(view.scene.ids)
    across = max(math.ceil(math.sqrt(count)), 1)
    side_px = across * CELL_PX
    middles = np.array([((row % across + 0.5) * CELL_PX, (row // across + 0.5) * CELL_PX) for row in range(count)])
    picture = OffscreenTarget(context, (side_px, side_px))
    display.draw(_laid_out(view, middles.reshape(-1, 2), side_px), picture.target, panels=False, still=True)
    pixels = picture.read()
    picture.release()
    return np.array([_middle(pixels, int(x), int(y)) for x, y in middles]).reshape(-1, 3) / FACE_LIGHT


def colours_of_thumbnails(context: moderngl.Context, display: WindowPicture) -> Iterator[tuple[int, Colours]]:
    """(tile record, colour) of each thumbnail that the panels can show."""
    atlas = display._atlas
    cells = context.framebuffer([atlas._texture])
    for record, slot in atlas._slots.items():
        y, x = divmod(slot, CELLS_ACROSS)
        at = (x * MEDIUM_TILE_PX + MEDIUM_TILE_PX // 2, y * MEDIUM_TILE_PX + MEDIUM_TILE_PX // 2, 1, 1)
        yield record, np.frombuffer(cells.read(viewport=at, components=3), np.uint8).astype(np.float64)
    cells.release()


def colour_of_picture(display: WindowPicture, name: str) -> Colours | None:
    """The colour in the middle of a picture in a panel, None where there is none."""
    texture = display._atlas._pictures.get(name)
    if texture is None:
        return None
    pixels = np.frombuffer(texture.read(alignment=1), np.uint8).reshape(texture.height, texture.width, -1)
    colour: Colours = pixels[texture.height // 2, texture.width // 2, :3].astype(np.float64)
    return colour


def colours_of_tiles(display: WindowPicture) -> dict[PictureKey, Colours]:
    """Picture that is looked at -> the colour in the middle of a tile of it."""
    colours = {}
    for key, (texture, _) in display.looked_at._textures.items():
        pixels = np.frombuffer(texture.read(alignment=1), np.uint8).reshape(texture.height, texture.width, -1)
        colours[key.picture] = pixels[texture.height // 2, texture.width // 2, :3].astype(np.float64)
    return colours


def _laid_out(view: View, middles: NDArray[np.float64], side_px: int) -> View:
    """The view with every card before the eye, alike large, in plain light."""
    focal_px = side_px / 2.0 / math.tan(FOV_Y / 2.0)
    depth = view.scene.node_size * focal_px / HALF_PX
    across = (middles - side_px / 2.0) * [1.0, -1.0] * depth / focal_px
    places = FAR_AWAY + np.column_stack([across, np.full(len(across), -depth)]).astype(np.float32)
    return replace(
        view,
        scene=replace(view.scene, away=None),  # what is absent is drawn darker
        positions=places,
        old_positions=places,
        morph=1.0,
        settled=True,
        tiers=None,
        lights=None,
        light_mix=0.0,
        eye=FAR_AWAY,
        view_from_world=view_from_world(Pose((100.0, 0.0, 0.0), 0.0, 0.0)),
        clip_from_view=clip_from_view(FOV_Y, 1.0, depth / 10.0, depth * 10.0),
        size_px=(side_px, side_px),
        hovered=-1,
        selected=(),
        marker=None,
        marker_neighbours=(),
        cells=None,  # with boxes around other places
        boxes=None,
        old_boxes=None,
        reached=None,
        graph=None,
        visited=None,  # of another place
    )


def _middle(pixels: NDArray[np.uint8], x: int, y: int) -> Colours:
    """The median of four patches: an edge may run across one of them."""
    corners = [(y + down, x + right) for down in (-CORNER_PX, CORNER_PX) for right in (-CORNER_PX, CORNER_PX)]
    patches = [pixels[y - PATCH_PX : y + PATCH_PX + 1, x - PATCH_PX : x + PATCH_PX + 1] for y, x in corners]
    middle: Colours = np.median(np.concatenate(patches).reshape(-1, 3), axis=0)
    return middle
