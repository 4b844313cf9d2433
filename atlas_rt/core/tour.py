"""The guided tour: a smooth flight that visits the clusters one after the other and comes home.

The eye follows a closed Catmull-Rom spline through a stop before each cluster; the gaze follows another through the
clusters' centres, so both are smooth and the camera never rolls.
"""

from __future__ import annotations

import numpy as np

from atlas_rt.core.arrays import Floats
from atlas_rt.core.camera import basis, pose_looking_at
from atlas_rt.core.scene import Pose, Scene
from atlas_rt.core.vectors import unit

SECS_PER_STOP = 6.0
STOPS_MAX = 14
TILT = np.array([0.0, 0.12, 0.35], np.float32)
"""A stop lies outside of its cluster, a little towards the viewer and up."""


class Tour:
    """A closed flight past the largest clusters of a scene, the nearest next, that begins and ends at `start`."""

    def __init__(self, scene: Scene, start: Pose) -> None:
        centres = _stops(scene)
        away = centres + unit(centres + TILT) * 0.42
        eye, forward = np.asarray(start.eye, np.float32), basis(start)[2]
        self._eyes = np.concatenate([eye[None], away])
        self._gazes = np.concatenate([(eye + forward)[None], centres])
        self._elapsed_secs = 0.0

    def pose_at(self, secs: float) -> Pose:
        """The pose after so many seconds; the tour repeats without a seam."""
        t = secs / SECS_PER_STOP
        eye, gaze = _spline(self._eyes, t), _spline(self._gazes, t)
        return pose_looking_at(eye, gaze)

    def advance(self, dt_secs: float) -> Pose:
        self._elapsed_secs += dt_secs
        return self.pose_at(self._elapsed_secs)


def _stops(scene: Scene) -> Floats:
    """(k, 3) centres of the largest clusters, each followed by the nearest that is left; the map's own extremes
    where there are no clusters."""
    largest = sorted(scene.cluster_records, key=lambda cluster: -cluster.size)[:STOPS_MAX]
    centres = np.array([cluster.centre for cluster in largest], np.float32).reshape(-1, 3)
    if len(centres) < 2:
        rows = np.unique(np.concatenate([scene.positions.argmin(axis=0), scene.positions.argmax(axis=0)]))
        centres = scene.positions[rows]
    left, order = list(range(1, len(centres))), [0]
    while left:
        here = centres[order[-1]]
        order.append(min(left, key=lambda i: float(np.linalg.norm(centres[i] - here))))
        left.remove(order[-1])
    return centres[order]


def _spline(points: Floats, t: float) -> Floats:
    """Closed Catmull-Rom spline through the points, one unit of t per point."""
    count = len(points)
    i, f = int(np.floor(t)) % count, np.float32(t - np.floor(t))
    a, b, c, d = (points[(i + k) % count] for k in (-1, 0, 1, 2))
    result: Floats = 0.5 * (2 * b + (c - a) * f + (2 * a - 5 * b + 4 * c - d) * f**2 + (3 * b - a - 3 * c + d) * f**3)
    return result
