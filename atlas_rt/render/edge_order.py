"""The edges of a scene with their strengths, most visible first, and the links of the live marker."""

from __future__ import annotations

import numpy as np

from atlas_rt.core.arrays import Floats
from atlas_rt.core.scene import Scene

FALL = 3.5
"""Strength is similarity * exp(-FALL * length): long weak edges nearly vanish, short strong ones weave the clusters."""
USUAL_LENGTH, REACH_MAX = 0.1, 3.0
"""Where half of the edges are longer than this, lengths count for less: few images lie far apart, no less joined."""
LEAST_STRENGTH = 0.006
"""Weaker edges would change no pixel by one step of 255."""
LINK_STRENGTH = 0.9
TOO_LONG = 1e6
"""Length of an edge to a place that is not a number: it is not seen."""


def ordered(scene: Scene) -> Floats:
    """(k, 4) row, row, strength, phase of the edges that can be seen, first those that give the picture most light.

    That light is strength times the length that cards leave free: the very strongest edges are so short that the
    cards at their ends hide them.
    """
    ends = scene.positions[scene.edges]
    with np.errstate(over="ignore", invalid="ignore"):
        lengths = np.linalg.norm(ends[:, 0] - ends[:, 1], axis=1)
    lengths[~np.isfinite(lengths)] = TOO_LONG
    reach = np.clip(np.median(lengths) / USUAL_LENGTH, 1.0, REACH_MAX) if len(lengths) else 1.0
    strength = np.clip(scene.weights, 0.0, 1.0) * np.exp(-FALL / reach * lengths)
    order = np.argsort(-strength * np.maximum(lengths - scene.node_size, 0.0), kind="stable")
    order = order[strength[order] >= LEAST_STRENGTH]
    rows = np.empty((len(order), 4), np.float32)
    rows[:, :2] = scene.edges[order]
    rows[:, 2] = strength[order]
    rows[:, 3] = np.arange(len(order)) * 0.61803398875 % 1.0
    return rows


def links(rows: tuple[int, ...]) -> Floats:
    """(k, 4) row, -1 for the live marker, strength, 0: its links to the images nearest to it, nearest first."""
    result = np.zeros((len(rows), 4), np.float32)
    result[:, 0] = rows
    result[:, 1] = -1.0
    result[:, 2] = np.linspace(LINK_STRENGTH, LINK_STRENGTH / 3.0, max(len(rows), 1))[: len(rows)]
    return result
