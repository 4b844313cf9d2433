"""A tiny scene that shows everything at once, so that drawing it once makes every program that will be needed.

A driver compiles a program when it is linked, and again for the state it is first drawn with (llvmpipe, and NVIDIA's
too): only a real draw warms it.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from atlas_rt.core.camera import clip_from_view, pose_looking_at, view_from_world
from atlas_rt.core.images import LARGE_TILE_PX, MEDIUM_TILE_PX, Tile
from atlas_rt.core.scene import FANNED, PLAIN, View, empty_scene

SIZE_PX = (64, 36)
FOV_Y = math.radians(55.0)
EYE = (0.0, 0.0, 2.0)


def probe_tiles() -> list[Tile]:
    """A medium and a large tile of the first image."""
    return [Tile(0, 0, level, _levels(side)) for level, side in ((1, MEDIUM_TILE_PX), (2, LARGE_TILE_PX))]


def probe_view() -> View:
    """A near card and small ones, joined, searched for, selected with its stack fanned out, and the live marker."""
    places = np.array([[0.0, 0.0, 1.0], [0.3, 0.1, 0.0], [-0.3, 0.1, -1.0]], np.float32)
    n = len(places)
    scene = replace(
        empty_scene(),
        ids=np.arange(n, dtype=np.int64),
        paths=("",) * n,
        positions=places,
        aspects=np.ones(n, np.float32),
        mean_rgb=np.full((n, 3), 128, np.uint8),
        hues=np.full((n, 3), 128, np.uint8),
        tiles=np.arange(n, dtype=np.int32),
        sizes_px=np.full((n, 2), 64, np.int32),
        clusters=np.zeros(n, np.int32),
        edges=np.array([[0, 1], [1, 2]], np.int32),
        weights=np.ones(2, np.float32),
        node_size=0.1,
    )
    return View(
        scene=scene,
        positions=places,
        old_positions=places,
        morph=1.0,
        settled=True,
        tiers=np.array([FANNED, PLAIN, PLAIN], np.int8),
        leaving=None,
        gone=1.0,
        lights=np.array([5.0, 0.0, 3.0], np.float32),
        light_mix=1.0,
        eye=np.array(EYE, np.float32),
        view_from_world=view_from_world(pose_looking_at(EYE, (0.0, 0.0, 0.0))),
        clip_from_view=clip_from_view(FOV_Y, SIZE_PX[0] / SIZE_PX[1], 0.01, 50.0),
        fov_y=FOV_Y,
        size_px=SIZE_PX,
        hovered=1,
        selected=(0,),
        marker=np.array([0.0, 0.3, 0.0], np.float32),
        marker_neighbours=(1,),
        time_secs=1.0,
        pulse_secs=0.0,
        ambient=1.0,
    )


def plain_view(view: View) -> View:
    """The same with nothing searched, selected or live."""
    return replace(view, lights=None, light_mix=0.0, hovered=-1, selected=(), tiers=None, marker=None)


def _levels(side: int) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.uint8]], ...]:
    levels = []
    while side:
        levels.append(np.zeros((side, side, 4), np.uint8))
        side //= 2
    return tuple(levels)
