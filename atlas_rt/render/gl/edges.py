"""The edges on the GPU, most visible first, so that a step of the ladder draws a share of them by drawing fewer."""

from __future__ import annotations

import moderngl
import numpy as np

from atlas_rt.core.arrays import Floats
from atlas_rt.core.scene import Scene, View
from atlas_rt.render.gl.nodes import UNIT_EDGES, DataTexture

FALL = 3.5
"""Strength is similarity * exp(-FALL * length): long weak edges nearly vanish, short strong ones weave the clusters."""
USUAL_LENGTH, REACH_MAX = 0.1, 3.0
"""Where half of the edges are longer than this, lengths count for less: few images lie far apart, no less joined."""
LEAST_STRENGTH = 0.006
"""Weaker edges would change no pixel by one step of 255."""
LINK_STRENGTH = 0.9


def ordered(scene: Scene) -> Floats:
    """(k, 4) row, row, strength, phase of the edges that can be seen, first those that give the picture most light.

    That light is strength times the length that cards leave free: the very strongest edges are so short that the
    cards at their ends hide them.
    """
    ends = scene.positions[scene.edges]
    lengths = np.linalg.norm(ends[:, 0] - ends[:, 1], axis=1)
    reach = np.clip(np.median(lengths) / USUAL_LENGTH, 1.0, REACH_MAX) if len(lengths) else 1.0
    strength = np.clip(scene.weights, 0.0, 1.0) * np.exp(-FALL / reach * lengths)
    order = np.argsort(-strength * np.maximum(lengths - scene.node_size, 0.0), kind="stable")
    order = order[strength[order] >= LEAST_STRENGTH]
    rows = np.empty((len(order), 4), np.float32)
    rows[:, :2] = scene.edges[order]
    rows[:, 2] = strength[order]
    rows[:, 3] = np.arange(len(order)) * 0.61803398875 % 1.0
    return rows


class EdgeData:
    """The scene's edges, and the links from the live marker to its neighbours."""

    def __init__(self, ctx: moderngl.Context) -> None:
        self._edges = DataTexture(ctx, 4)
        self._links = DataTexture(ctx, 4)
        self._seen: tuple[object, object] = (None, None)
        self._linked: tuple[int, ...] = ()
        self.count = 0
        self.links = 0

    def update(self, view: View) -> None:
        """Upload what has changed since the frame before."""
        if self._seen[0] is not view.scene.edges or self._seen[1] is not view.scene.positions:
            self._seen = (view.scene.edges, view.scene.positions)
            rows = ordered(view.scene)
            self.count = len(rows)
            self._edges.write(rows)
        linked = view.marker_neighbours if view.marker is not None else ()
        if linked != self._linked:
            self._linked = linked
            self.links = len(linked)
            fall = np.linspace(LINK_STRENGTH, LINK_STRENGTH / 3.0, max(len(linked), 1), dtype=np.float32)
            self._links.write(np.array([(row, -1, fall[at], 0.0) for at, row in enumerate(linked)] or [(0,) * 4], "f4"))

    def use_edges(self) -> None:
        self._edges.use(UNIT_EDGES)

    def use_links(self) -> None:
        self._links.use(UNIT_EDGES)

    def release(self) -> None:
        self._edges.release()
        self._links.release()
