"""The edges as they are drawn: how strong each is, and which come first where only a share is drawn."""

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
TOO_LONG = 1e6
"""Length of an edge to a place that is not a number: it is not seen."""


def ordered(scene: Scene) -> Floats:
    """(k, 4) row, row, strength, phase of the edges that can be seen, first those that give the picture most light.

    That light is strength times the length that cards leave free: the very strongest edges are so short that the
    cards at their ends hide them. 500,000 edges take 150 ms: a thread's work.
    """
    rows, seen = all_ordered(scene)
    return rows[:seen]


def all_ordered(scene: Scene) -> tuple[Floats, int]:
    """(m, 4) as `ordered`, and behind those that can be seen the others; how many can be seen."""
    lengths = edge_lengths(scene)
    reach = np.clip(np.median(lengths) / USUAL_LENGTH, 1.0, REACH_MAX) if len(lengths) else 1.0
    strength = np.clip(scene.weights, 0.0, 1.0) * np.exp(-FALL / reach * lengths)
    order = np.argsort(-strength * np.maximum(lengths - scene.node_size, 0.0), kind="stable")
    visible = strength[order] >= LEAST_STRENGTH
    order = np.concatenate([order[visible], order[~visible]])
    rows = np.empty((len(order), 4), np.float32)
    rows[:, :2] = scene.edges[order]
    rows[:, 2] = strength[order]
    rows[:, 3] = np.arange(len(order)) * 0.61803398875 % 1.0
    return rows, int(visible.sum())


def edge_lengths(scene: Scene) -> Floats:
    """(m,) world units, on the map at rest."""
    ends = scene.positions[scene.edges]
    with np.errstate(over="ignore", invalid="ignore"):
        lengths: Floats = np.linalg.norm(ends[:, 0] - ends[:, 1], axis=1)
    lengths[~np.isfinite(lengths)] = TOO_LONG
    return lengths
