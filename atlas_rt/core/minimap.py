"""The map from above, small: where its clusters lie, where the eye is, and which way it looks."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from atlas_rt.core.arrays import Floats
from atlas_rt.core.regions import Region
from atlas_rt.core.scene import Scene, View
from atlas_rt.core.visibility import positions_now

SPECKS = 320
"""So many images, spread evenly over the rows, stand for all."""
MARGIN = 0.08
"""What is left free around the map, as a share of its side."""
LEAST_SPOT = 0.02
FAR_OUT = (0.5, 99.5)
"""Percentiles of the images beyond which none makes the map smaller."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A cluster on the minimap. at: 0..1 from the left and the top; radius likewise."""

    id: int
    name: str
    at: tuple[float, float]
    radius: float
    rgb: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Minimap:
    """What the minimap shows. Places are 0..1 from the left and the top of its square: x of the world goes to the
    right, z down, so that the way the home view looks is up.

    specks: (k, 2) places of some images, with the colours of their clusters (k, 3). eye: held within the square.
    outside: it lies beyond it. heading: radians clockwise from up. height: 0..1 from the map's floor to its top,
    beyond where the eye is there. selected: where the selected image is. here: id of the cluster one is in, -1 for
    none.
    """

    spots: tuple[Spot, ...]
    specks: Floats
    speck_rgb: Floats
    eye: tuple[float, float]
    outside: bool
    heading: float
    half_angle: float
    height: float
    selected: tuple[float, float] | None = None
    here: int = -1


class Plan:
    """What stays on the minimap of one scene."""

    def __init__(self, scene: Scene, regions: tuple[Region, ...]) -> None:
        self.scene = scene
        few = scene.positions[:: max(len(scene.positions) // SPECKS, 1)]
        low, high = _reach(few)
        middle, self._half = (low + high) / 2.0, float(max(high[0] - low[0], high[2] - low[2], 1e-3)) / 2.0
        self._half *= 1.0 + 2.0 * MARGIN
        self._left, self._top = float(middle[0]) - self._half, float(middle[2]) - self._half
        self._floor, self._rise = float(low[1]), max(float(high[1] - low[1]), 1e-3)
        self.specks = np.stack([self._shares(few[:, 0], self._left), self._shares(few[:, 2], self._top)], axis=1)
        rows = scene.hues[:: max(len(scene.positions) // SPECKS, 1)]
        self.speck_rgb = rows.astype(np.float32)
        self.spots = tuple(
            Spot(
                region.id,
                region.name,
                self.at(np.asarray(region.centre)),
                max(region.radius / (2.0 * self._half), LEAST_SPOT),
                region.rgb,
            )
            for region in regions
            if region.parent < 0
        )

    def at(self, point: Floats) -> tuple[float, float]:
        """Where a place of the world is on the square, which it may lie beyond."""
        side = 2.0 * self._half
        return (float(point[0]) - self._left) / side, (float(point[2]) - self._top) / side

    def height(self, point: Floats) -> float:
        return (float(point[1]) - self._floor) / self._rise

    def seen(self, view: View, *, here: int) -> Minimap:
        """The minimap of a view."""
        x, y = self.at(view.eye)
        eye = min(max(x, 0.0), 1.0), min(max(y, 0.0), 1.0)
        right = view.view_from_world[0, :3]  # it lies level, also where one looks straight up or down
        half_angle = math.atan(math.tan(view.fov_y / 2.0) * view.size_px[0] / max(view.size_px[1], 1))
        row = view.selected[-1] if view.selected else -1
        selected = self.at(positions_now(view, np.array([row]))[0]) if row >= 0 else None
        if selected is not None and not (0.0 <= selected[0] <= 1.0 and 0.0 <= selected[1] <= 1.0):
            selected = None
        return Minimap(
            spots=tuple(spot for spot in self.spots if spot.id not in view.concealed),
            specks=self.specks,
            speck_rgb=self.speck_rgb,
            eye=eye,
            outside=eye != (x, y),
            heading=math.atan2(float(right[2]), float(right[0])),
            half_angle=half_angle,
            height=min(max(self.height(view.eye), 0.0), 1.0),
            selected=selected,
            here=here,
        )

    def _shares(self, values: Floats, first: float) -> Floats:
        shares: Floats = np.clip((values - np.float32(first)) / np.float32(2.0 * self._half), 0.0, 1.0)
        return shares


def _reach(points: Floats) -> tuple[Floats, Floats]:
    """The least and the greatest coordinates of what is shown: of all but a few images far out."""
    if not len(points):
        return np.zeros(3, np.float32), np.ones(3, np.float32)
    low, high = np.percentile(points, FAR_OUT, axis=0).astype(np.float32)
    return low, high
