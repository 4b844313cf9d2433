"""Positions as point sets: the provisional layout, the frame every map is brought into, alignment of two maps."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.arrays import Floats

Doubles = NDArray[np.float64]

INSIDE_PERCENT = 95.0
"""So many of the images lie within the unit sphere of a normalised map."""
FARTHEST = 4.0
"""World units from the centre at most, so that some strangers among a thousand copies aren't lost in the dark."""
NO_EXTENT = 1e-6
"""Below this, relative to where the points lie, differences are rounding and all points are one."""
SKEW_FLOOR = 1e-3
"""Skewness below which an axis is as good as symmetric, and its farthest point decides the sign."""
TWIN_STEP = 0.012
"""Distance between images that would stand on one spot, world units: about half a card, so each can be picked."""
GOLDEN_ANGLE = np.pi * (3.0 - np.sqrt(5.0))


def principal_axes(vectors: NDArray[Any]) -> Floats:
    """(n, dim) -> (n, 3): the three directions of largest variance, each pointing to where the points are skewed to.

    Any n; directions that are not there (one image, identical ones) are 0. 0.15 s at 10,000 x 384.
    """
    centred = _centred(vectors)
    projected = np.zeros((len(centred), 3))
    if len(centred):
        _, axes = np.linalg.eigh(centred.T @ centred)
        largest = axes[:, ::-1][:, :3]
        projected[:, : largest.shape[1]] = centred @ largest
    signed: Floats = (projected * _signs(projected)).astype(np.float32)
    return signed


def normalise(positions: NDArray[Any]) -> Floats:
    """The same shape in the frame of every map: centred on its mean, principal axes along x, y, z, 95 % within the unit
    sphere, none far outside, and no two images on one spot (twins stand around it, in the order of their rows).

    As each axis points to where the points are skewed to, a layout and its mirror image, which are equally good answers
    of a fit, become the same map.
    """
    turned = principal_axes(positions)
    if not len(turned):
        return turned
    distances: Doubles = np.linalg.norm(turned, axis=1)
    radius = max(float(np.percentile(distances, INSIDE_PERCENT)), float(distances.max()) / FARTHEST)
    if radius < NO_EXTENT * max(1.0, float(np.abs(positions).max())):
        ball: Floats = (_ball(len(turned)) / np.cbrt(len(turned))).astype(np.float32)
        return ball
    return apart(turned / np.float32(radius))


def framed(positions: Floats) -> Floats:
    """(n, 3) finite positions moved and scaled as a whole, but not turned, so that 95 % lie within the unit sphere."""
    centred = positions.astype(np.float64) - positions.astype(np.float64).mean(axis=0)
    distances: Doubles = np.linalg.norm(centred, axis=1)
    radius = max(float(np.percentile(distances, INSIDE_PERCENT)), float(distances.max()) / FARTHEST)
    if radius < NO_EXTENT * max(1.0, float(np.abs(positions).max())):
        return normalise(positions)
    return apart((centred / radius).astype(np.float32))


@dataclass(frozen=True, slots=True)
class Similarity:
    """A turn (3, 3), a uniform scale and a shift (3,): `scale * points @ turn + shift`."""

    turn: Doubles
    scale: float
    shift: Doubles

    def apply(self, points: NDArray[Any]) -> Floats:
        """(n, 3) -> (n, 3) float32."""
        moved: Floats = (self.scale * np.asarray(points, np.float64) @ self.turn + self.shift).astype(np.float32)
        return moved


def align(new: NDArray[Any], old: NDArray[Any], *, mirror: bool = False) -> Similarity:
    """What brings `new` nearest to `old`, (n, 3) each, row by row, in the sense of least squares.

    Procrustes analysis after Umeyama (1991). Rows are the images that both maps know; apply it to all of the new map.
    mirror: a reflection is allowed too. Fewer than three shared images fix no turn: the new map stays as it is.
    """
    if len(new) < 3:
        return Similarity(np.eye(3), 1.0, np.zeros(3))
    new_centred, old_centred = _centred(new), _centred(old)
    left, singular, right = np.linalg.svd(new_centred.T @ old_centred)
    handed = np.ones(3)
    if not mirror and np.linalg.det(left @ right) < 0:
        handed[2] = -1.0
    turn = (left * handed) @ right
    extent = float((new_centred**2).sum())
    scale = float((singular * handed).sum()) / extent if extent > 0 else 1.0
    return Similarity(turn, scale, np.mean(old, axis=0) - scale * np.mean(new, axis=0) @ turn)


def _centred(points: NDArray[Any]) -> Doubles:
    doubles = np.asarray(points, np.float64)
    return doubles - doubles.mean(axis=0) if len(doubles) else doubles


def _signs(points: Doubles) -> Doubles:
    """+1 or -1 for each column, so that its long tail (else its farthest point) lies on the positive side."""
    if not len(points):
        return np.ones(points.shape[1])
    spread = np.sqrt((points**2).mean(axis=0))
    skew = (points**3).mean(axis=0) / np.maximum(spread, 1e-12) ** 3
    farthest = points[np.abs(points).argmax(axis=0), np.arange(points.shape[1])]
    return np.where(np.where(np.abs(skew) > SKEW_FLOOR, skew, farthest) < 0, -1.0, 1.0)


def apart(positions: Floats) -> Floats:
    """Moves twins off the spot they share: the first stays, the others stand around it on a golden spiral."""
    _, spot, count = np.unique(np.round(positions, 4), axis=0, return_inverse=True, return_counts=True)
    if count.max() == 1:
        return positions
    order = np.argsort(spot, kind="stable")
    rank = np.empty(len(positions), np.int64)
    rank[order] = np.arange(len(positions)) - np.repeat(np.cumsum(count) - count, count)
    return (positions + TWIN_STEP * _ball(int(count.max()))[rank]).astype(np.float32)


def off_taken(spots: Floats, taken: Floats) -> Floats:
    """`spots` (q, 3) one after the other, each where nobody stands yet, no earlier one and none of `taken` (n, 3).

    Where a spot is taken, the first free place of the golden spiral around it.
    """
    used, tried = set(_cells(taken).tolist()), Counter[int]()
    free, around = np.array(spots, np.float32), TWIN_STEP * _ball(2)
    for row, cell in enumerate(_cells(free).tolist()):
        here = cell
        while here in used:
            tried[cell] += 1
            if tried[cell] == len(around):
                around = TWIN_STEP * _ball(2 * len(around))
            free[row] = spots[row] + around[tried[cell]]
            here = int(_cells(free[row : row + 1])[0])
        used.add(here)
    return free


def _cells(positions: Floats) -> NDArray[np.int64]:
    """(n,) one number for each spot, as `apart` tells them from each other."""
    x, y, z = (np.round(positions.astype(np.float64), 4) * 1e4).astype(np.int64).T + 2**20
    cells: NDArray[np.int64] = x << 42 | y << 21 | z
    return cells


def _ball(count: int) -> Doubles:
    """(count, 3) points that fill a ball evenly from its centre outwards, about one unit apart."""
    rank = np.arange(count, dtype=np.float64)
    height = 1.0 - 2.0 * ((rank * np.sqrt(2.0)) % 1.0)
    around = rank * GOLDEN_ANGLE
    flat = np.sqrt(1.0 - height**2)
    sphere = np.stack([flat * np.cos(around), height, flat * np.sin(around)], axis=1)
    ball: Doubles = np.cbrt(rank)[:, None] * sphere
    return ball


def drift(new: NDArray[Any], old: NDArray[Any]) -> float:
    """By how much images moved, (n, 3) each, row by row: the median shift, as a share of the old map's radius (95th
    percentile of the distances from its centre)."""
    if not len(old):
        return 0.0
    radius = float(np.percentile(np.linalg.norm(_centred(old), axis=1), INSIDE_PERCENT))
    return float(np.median(np.linalg.norm(new - old, axis=1))) / max(radius, NO_EXTENT)
