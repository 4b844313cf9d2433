"""Where in the map something is: clusters and what they divide into, each a ball around its images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from atlas_rt.core.arrays import Floats, Ints
from atlas_rt.core.maps import subclusters_of
from atlas_rt.core.scene import Scene

REACH = 1.5
"""Radius of a region, in root mean square distances of its images from their middle: all but a few lie within."""
CROSSED = 0.8
"""Who stands in two regions at once is in the one that was entered first, until the other is nearer by this factor."""
STAY_SECS = 0.4
"""Who flies through a corner of a region was not in it."""


@dataclass(frozen=True, slots=True)
class Region:
    """A cluster, or a part of one.

    parent: the id of the cluster it is a part of, -1 for a cluster. centre, radius: world units. rgb: its hue.
    """

    id: int
    parent: int
    name: str
    size: int
    centre: tuple[float, float, float]
    radius: float
    rgb: tuple[int, int, int]


def regions_of(scene: Scene) -> tuple[Region, ...]:
    """The named clusters, the largest first, then the named parts of each."""
    records = scene.cluster_records
    hues = {record.id: _rgb(scene.cluster_hues[place]) for place, record in enumerate(records)}
    centres, radii = _balls(scene.positions, scene.clusters)
    whole = [
        Region(each.id, -1, each.name, each.size, _point(centres[each.id]), float(radii[each.id]), hues[each.id])
        for each in records
        if each.name and each.id < len(radii)
    ]
    whole.sort(key=lambda region: -region.size)
    if not len(scene.subclusters):
        return tuple(whole)
    centres, radii = _balls(scene.positions, scene.subclusters)
    parts = [
        Region(each.id, region.id, each.name, each.size, _point(centres[each.id]), float(radii[each.id]), region.rgb)
        for region in whole
        for each in subclusters_of(region.id, scene.subcluster_records)
        if each.name and each.id < len(radii)
    ]
    return (*whole, *parts)


class Whereabouts:
    """In which cluster one is, as one flies: `region`, None outside of all. `crossed_secs`: how long since that changed
    while one was in one."""

    def __init__(self) -> None:
        self.region: Region | None = None
        self.crossed_secs = np.inf
        self._next: Region | None = None
        self._next_secs = 0.0

    def follow(self, eye: Floats, regions: tuple[Region, ...], dt_secs: float) -> None:
        """The eye is here now."""
        self.crossed_secs += dt_secs
        known = {region.id: region for region in regions if region.parent < 0}
        self.region = None if self.region is None else known.get(self.region.id)
        there = _nearest(eye, tuple(known.values()), self.region)
        if (there and there.id) != (self._next and self._next.id):
            self._next_secs = 0.0
        self._next, self._next_secs = there, self._next_secs + dt_secs
        if (there and there.id) == (self.region and self.region.id) or self._next_secs < STAY_SECS:
            return
        self.region = there
        self.crossed_secs = 0.0 if there is not None else np.inf


def _nearest(eye: Floats, regions: tuple[Region, ...], now: Region | None) -> Region | None:
    """The region that the eye is deepest in; None outside of all."""
    if not regions:
        return None
    away = np.linalg.norm(np.array([region.centre for region in regions], np.float32) - eye, axis=1)
    depth = away / np.maximum(np.array([region.radius for region in regions], np.float32), np.float32(1e-6))
    if now is not None:
        depth = depth * np.array([CROSSED if region.id == now.id else 1.0 for region in regions], np.float32)
    best = int(np.argmin(depth))
    return regions[best] if depth[best] < 1.0 else None


def _balls(positions: Floats, groups: Ints) -> tuple[Floats, Floats]:
    """The middle (k, 3) of each group of rows 0..k-1 and its radius (k,); rows of group -1 are in none."""
    inside = groups >= 0
    rows, points = groups[inside], positions[inside]
    counts = np.maximum(np.bincount(rows), 1)
    centres = np.stack([np.bincount(rows, points[:, axis]) for axis in range(3)], axis=1) / counts[:, None]
    squares = np.square(points - centres[rows]).sum(axis=1)
    return centres.astype(np.float32), (REACH * np.sqrt(np.bincount(rows, squares) / counts)).astype(np.float32)


def _point(centre: Floats) -> tuple[float, float, float]:
    x, y, z = centre.tolist()
    return x, y, z


def _rgb(colour: np.ndarray[tuple[int], np.dtype[np.uint8]]) -> tuple[int, int, int]:
    return int(colour[0]), int(colour[1]), int(colour[2])
