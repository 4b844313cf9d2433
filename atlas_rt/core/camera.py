"""Where the eye is, as matrices. State only: what moves the eye lives elsewhere.

Matrices are (4, 4) float32, applied as matrix @ column, right-handed, with the view looking along -z and OpenGL's clip
space. Screen positions are pixels with the origin at the top left.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from atlas_rt.core.arrays import Floats
from atlas_rt.core.scene import Pose

PITCH_LIMIT = math.radians(89.0)
"""No pose looks straight up or down: there "right" would have no direction."""


def basis(pose: Pose) -> tuple[Floats, Floats, Floats]:
    """The directions right, up and forward of a pose: three unit vectors (3,) in the world."""
    sin_yaw, cos_yaw = math.sin(pose.yaw), math.cos(pose.yaw)
    sin_pitch, cos_pitch = math.sin(pose.pitch), math.cos(pose.pitch)
    right = np.array([cos_yaw, 0.0, sin_yaw], np.float32)
    forward = np.array([sin_yaw * cos_pitch, sin_pitch, -cos_yaw * cos_pitch], np.float32)
    up = np.array([-sin_yaw * sin_pitch, cos_pitch, cos_yaw * sin_pitch], np.float32)
    return right, up, forward


def view_from_world(pose: Pose) -> Floats:
    """The matrix that brings the world before the eye."""
    right, up, forward = basis(pose)
    matrix = np.eye(4, dtype=np.float32)
    matrix[:3, :3] = right, up, -forward
    matrix[:3, 3] = -matrix[:3, :3] @ np.asarray(pose.eye, np.float32)
    return matrix


def clip_from_view(fov_y: float, aspect: float, near: float, far: float) -> Floats:
    """A perspective: `fov_y` radians from top to bottom, `aspect` width / height, `near` and `far` world units."""
    focal = 1.0 / math.tan(fov_y / 2.0)
    matrix = np.zeros((4, 4), np.float32)
    matrix[0, 0] = focal / aspect
    matrix[1, 1] = focal
    matrix[2, 2] = (far + near) / (near - far)
    matrix[2, 3] = 2.0 * far * near / (near - far)
    matrix[3, 2] = -1.0
    return matrix


def pose_looking_at(eye: ArrayLike, target: ArrayLike) -> Pose:
    """The pose at `eye` that sees `target` in the middle; looks along -z where the two are the same."""
    start = np.asarray(eye, np.float64)
    x, y, z = np.asarray(target, np.float64) - start
    across = math.hypot(x, z)
    pitch = math.atan2(y, across) if across or y else 0.0
    yaw = math.atan2(x, -z) if across else 0.0
    return Pose(
        eye=(float(start[0]), float(start[1]), float(start[2])),
        yaw=yaw,
        pitch=min(max(pitch, -PITCH_LIMIT), PITCH_LIMIT),
    )


def focal_px(fov_y: float, height_px: int) -> float:
    """How many pixels a length of 1 at a depth of 1 takes on screen."""
    return height_px / 2.0 / math.tan(fov_y / 2.0)


def project(
    points: Floats, view_from_world: Floats, clip_from_view: Floats, size_px: tuple[int, int]
) -> tuple[Floats, Floats]:
    """Where `points` (n, 3) appear: (n, 2) pixels from the top left, and (n,) depths in front of the eye.

    Points at or behind the eye have a depth of 0 or less, and their pixels mean nothing.
    """
    in_view = points @ view_from_world[:3, :3].T + view_from_world[:3, 3]
    depths = -in_view[:, 2]
    safe = np.where(depths > 1e-6, depths, np.float32(1e-6))
    half = np.array([size_px[0] / 2.0, size_px[1] / 2.0], np.float32)
    scale = np.array([clip_from_view[0, 0], -clip_from_view[1, 1]], np.float32) * half
    xy = in_view[:, :2] * scale / safe[:, None] + half
    return xy.astype(np.float32, copy=False), depths.astype(np.float32, copy=False)
