"""The flat wall: a scene whose images stand in a plane, each in a cell of its own, seen straight on.

It is the same scene laid out otherwise, so whatever finds, lights, joins and frames images works on it as on the map.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from atlas_rt.core.arrays import Floats, Ints
from atlas_rt.core.scene import Pose, Scene

STEP = 2.16
"""From cell to cell, in half sides of a card: cards touch nowhere."""
MARGIN = 1.04
"""Room around the whole wall."""
NEAREST = 1.3
"""How near the eye may come, in half sides of a card."""
FARTHEST = 1.5
"""How far it may go, in distances from which the whole wall is seen."""


class Plane(NamedTuple):
    """Before what the eye is held: it looks along -z at the plane z = 0, and stays above its middle `reach`.

    reach: half its width and height; nearest, farthest: distances of the eye. World units.
    """

    reach: tuple[float, float]
    nearest: float
    farthest: float

    def held(self, eye: Floats, now: tuple[float, float, float]) -> Pose:
        """The pose nearest to this eye (3,) from which one may look at it. now: where the eye is; beyond the limits,
        where a flight may end, it is not pulled back, and goes no farther."""
        reach = [max(most, abs(at)) for most, at in zip(self.reach, now, strict=False)]
        x, y = (min(max(float(at), -most), most) for at, most in zip(eye[:2], reach, strict=True))
        z = min(max(float(eye[2]), min(self.nearest, now[2])), max(self.farthest, now[2]))
        return Pose((x, y, z), 0.0, 0.0)


def unfolded(scene: Scene) -> Scene:
    """The scene as a flat wall; itself where its map has none."""
    if not len(scene.wall) or scene.flat:
        return scene
    return replace(scene, positions=_places(scene.wall, scene.node_size), flat=True)


def plane_of(scene: Scene, aspect: float, fov_y: float) -> Plane:
    """The plane of a wall, in a picture of this width by height."""
    home = home_pose(scene.positions, scene.node_size, aspect, fov_y)
    across, up = (float(np.abs(scene.positions[:, axis]).max(initial=0.0)) for axis in (0, 1))
    return Plane((across, up), NEAREST * scene.node_size, FARTHEST * home.eye[2])


def home_pose(positions: Floats, half: float, aspect: float, fov_y: float) -> Pose:
    """The pose from which the cards of a wall, (n, 3), fill the picture, every one of them."""
    tan_y = math.tan(fov_y / 2.0)
    across, up = (float(np.abs(positions[:, axis]).max(initial=0.0)) + half for axis in (0, 1))
    return Pose((0.0, 0.0, max(up / tan_y, across / (tan_y * aspect)) * MARGIN), 0.0, 0.0)


def fitted(aspects: Floats, flatness: float) -> Floats:
    """(n,) by how much cards are smaller than on the map, so that their long sides fit into their cells: as in
    `half_card_px` of the shaders."""
    root = np.sqrt(aspects)
    share: Floats = np.float32(1.0) / (
        np.float32(1.0) + np.float32(flatness) * (np.maximum(root, 1.0 / root) - np.float32(1.0))
    )
    return share


def _places(cells: Ints, half: float) -> Floats:
    """(n, 3) around the middle of the cells that are taken."""
    middle = (cells.min(axis=0) + cells.max(axis=0)) / 2.0
    places = np.zeros((len(cells), 3), np.float32)
    places[:, :2] = (cells - middle) * (STEP * half)
    return places
