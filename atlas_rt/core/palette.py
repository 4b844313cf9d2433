"""The colour of each cluster: hues around the circle in the order of the clusters' directions, so that neighbours
differ little.
"""

from __future__ import annotations

import colorsys

import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.arrays import Bytes, Floats, Ints

LIGHTNESS, SATURATION = 0.64, 0.75
UNCLUSTERED_SATURATION = 0.35
"""Images of no cluster take their nearest cluster's hue, paler."""


def cluster_hues(centres: Floats) -> Bytes:
    """(k, 3) centres in world -> (k, 3) uint8 sRGB."""
    ranks = ranks_around(centres)
    return np.array([_rgb(rank / max(len(centres), 1), SATURATION) for rank in ranks], np.uint8).reshape(-1, 3)


def ranks_around(centres: Floats) -> NDArray[np.intp]:
    """(k,) the place of each centre (k, 3) in the order of their directions from the middle of the map."""
    angles = np.arctan2(centres[:, 1], centres[:, 0])
    return np.argsort(np.argsort(angles, kind="stable"), kind="stable")


def node_hues(positions: Floats, clusters: Ints, centres: Floats) -> Bytes:
    """(n, 3) uint8 sRGB colour of each image by its cluster, or by the nearest centre."""
    if not len(centres):
        return np.tile(np.array(_rgb(0.6, UNCLUSTERED_SATURATION), np.uint8), (len(positions), 1))
    hues = cluster_hues(centres)
    result = hues[np.maximum(clusters, 0)]
    free = np.flatnonzero(clusters < 0)
    if len(free):
        distances = np.linalg.norm(positions[free, None, :] - centres[None], axis=2)  # (free, k)
        grey = hues.astype(np.float32).mean(axis=1, keepdims=True)
        pale = (grey + (hues - grey) * UNCLUSTERED_SATURATION / SATURATION).astype(np.uint8)
        result[free] = pale[distances.argmin(axis=1)]
    return result


def _rgb(hue: float, saturation: float) -> tuple[int, int, int]:
    red, green, blue = colorsys.hls_to_rgb(hue, LIGHTNESS, saturation)
    return round(red * 255), round(green * 255), round(blue * 255)
