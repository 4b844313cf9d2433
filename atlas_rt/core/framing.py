"""Poses from which something fills the picture: the whole map, or one image from near."""

from __future__ import annotations

import numpy as np

from atlas_rt.core.arrays import Floats
from atlas_rt.core.camera import pose_looking_at
from atlas_rt.core.scene import Pose

FOV_Y = float(np.radians(55.0))
"""How much of the world a picture shows from top to bottom, radians."""
HOME_MARGIN = 1.1
HOME_STEPS = 6
CLOSE_UP = 7.0
"""Distance from which an image is looked at, in half sides of its card."""


def home_pose(positions: Floats, aspect: float) -> Pose:
    """The pose from which the map fills the picture: looking along -z at all but the farthest hundredth of the images.

    Nearer images spread wider on screen, so the eye's place and distance are found together, in a few steps. Columns
    are looked at one by one, which is five times as fast as rows: 100,000 images take 15 ms.
    """
    if not len(positions):
        return Pose((0.0, 0.0, 2.4), 0.0, 0.0)
    columns = np.ascontiguousarray(positions.T)
    away = np.square(columns - np.median(columns, axis=1, keepdims=True)).sum(axis=0)
    sides = columns[:, away <= np.percentile(away, 99.0)]
    tan_y = float(np.tan(FOV_Y / 2.0)) / HOME_MARGIN
    slopes = (tan_y * aspect, tan_y)
    nearest = float(sides[2].max())
    eye = [float(sides[0].mean()), float(sides[1].mean()), nearest + 1.0]
    for _ in range(HOME_STEPS):
        depths = np.maximum(eye[2] - sides[2], 1e-3)
        usual, needed = float(np.median(depths)), nearest + 0.3
        for axis, slope in enumerate(slopes):
            across = (sides[axis] - eye[axis]) / depths  # tangents of the angles on screen
            eye[axis] += float(across.max() + across.min()) / 2.0 * usual
            needed = max(needed, float((sides[2] + np.abs(sides[axis] - eye[axis]) / slope).max()))
        eye[2] = needed
    x, y, z = np.array(eye, np.float32).tolist()  # as a flight there ends
    return Pose((x, y, z), 0.0, 0.0)


def close_up_pose(target: Floats, *, coming_from: Floats, distance: float) -> Pose:
    """The pose that looks at a point from a distance (world units), on the side that the eye comes from, and never
    from steeply above or below."""
    away = coming_from - target
    length = float(np.linalg.norm(away))
    away = np.array([0.0, 0.0, 1.0], np.float32) if length < 1e-6 else away / np.float32(length)
    away[1] = np.clip(away[1], -0.5, 0.5)
    away /= np.linalg.norm(away)
    return pose_looking_at(target + away * np.float32(distance), target)
