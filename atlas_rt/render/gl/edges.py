"""The edges on the GPU, most visible first, so that a step of the ladder draws a share of them by drawing fewer."""

from __future__ import annotations

import moderngl
import numpy as np

from atlas_rt.core.scene import View
from atlas_rt.render.edge_order import links, ordered
from atlas_rt.render.gl.nodes import UNIT_EDGES, DataTexture


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
            self._links.write(links(linked) if linked else np.zeros((1, 4), np.float32))

    def use_edges(self) -> None:
        self._edges.use(UNIT_EDGES)

    def use_links(self) -> None:
        self._links.use(UNIT_EDGES)

    def release(self) -> None:
        self._edges.release()
        self._links.release()
