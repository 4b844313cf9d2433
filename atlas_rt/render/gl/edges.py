"""The edges on the GPU, most visible first, so that a step of the ladder draws a share of them by drawing fewer."""

from __future__ import annotations

from collections.abc import Iterator

import moderngl
import numpy as np

from atlas_rt.core.edges import ordered
from atlas_rt.core.preparation import Preparation
from atlas_rt.core.scene import View
from atlas_rt.render.gl.nodes import UNIT_EDGES, DataTexture

LINK_STRENGTH = 0.9


class EdgeData:
    """The scene's edges, and the links from the live marker to its neighbours."""

    def __init__(self, ctx: moderngl.Context) -> None:
        self._edges, self._coming = DataTexture(ctx, 4), DataTexture(ctx, 4)
        self._staged: Preparation | None = None
        self._links = DataTexture(ctx, 4)
        self._seen: tuple[object, object] = (None, None)
        self._linked: tuple[int, ...] = ()
        self.count = 0
        self.links = 0

    def staging(self, prepared: Preparation) -> Iterator[None]:
        """Upload a coming scene's edges, in steps, while others are drawn; `update` takes them from there."""
        self._staged = None
        yield from self._coming.writing(prepared.edges)
        self._staged = prepared

    def update(self, view: View) -> None:
        """Upload what has changed since the frame before."""
        if self._staged is not None and view.scene is self._staged.scene:
            self._seen = (view.scene.edges, view.scene.positions)
            self.count, self._staged = len(self._staged.edges), None
            self._edges, self._coming = self._coming, self._edges
        elif self._seen[0] is not view.scene.edges or self._seen[1] is not view.scene.positions:
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
        self._coming.release()
        self._staged = None
        self._links.release()
