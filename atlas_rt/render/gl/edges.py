"""The edges on the GPU, most visible first, so that a step of the ladder draws a share of them by drawing fewer."""

from __future__ import annotations

from collections.abc import Iterator

import moderngl
import numpy as np

from atlas_rt.core.arrays import Ints
from atlas_rt.core.edges import ordered
from atlas_rt.core.graph import Graph
from atlas_rt.core.preparation import Preparation
from atlas_rt.core.scene import View
from atlas_rt.render.edge_order import links
from atlas_rt.render.gl.nodes import UNIT_EDGES, DataTexture

LEAST_CHOSEN = 0.05
"""Strength that an edge of what is hovered or selected has at least: the shader lets it stand out."""


class EdgeData:
    """The scene's edges, and the links from the live marker to its neighbours."""

    def __init__(self, ctx: moderngl.Context) -> None:
        self._edges, self._coming = DataTexture(ctx, 4), DataTexture(ctx, 4)
        self._staged: Preparation | None = None
        self._links = DataTexture(ctx, 4)
        self._seen: tuple[object, object] = (None, None)
        self._linked: tuple[int, ...] = ()
        self._chosen = DataTexture(ctx, 4)
        self._graph: Graph | None = None
        self._chosen_rows: tuple[int, ...] = ()
        self._chosen_places: Ints = np.zeros(0, np.int32)
        self._chosen_beyond = -1  # the number of edges drawn when `_chosen` was written
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
        self._single_out(view)
        linked = view.marker_neighbours if view.marker is not None else ()
        if linked != self._linked:
            self._linked = linked
            self.links = len(linked)
            self._links.write(links(linked) if linked else np.zeros((1, 4), np.float32))

    def stand_out(self, drawn: int) -> int:
        """Bind those edges of what is hovered or selected that are not among the first `drawn`; how many there are."""
        left_out = self._chosen_places >= drawn
        count = int(left_out.sum())
        if count and drawn != self._chosen_beyond:
            assert self._graph is not None
            rows = self._graph.drawn[self._chosen_places[left_out]]
            rows[:, 2] = np.maximum(rows[:, 2], LEAST_CHOSEN)
            self._chosen.write(rows)
            self._chosen_beyond = drawn
        self._chosen.use(UNIT_EDGES)
        return count

    def _single_out(self, view: View) -> None:
        chosen = (view.hovered, *view.selected[-1:])
        if self._graph is not view.graph or self._chosen_rows != chosen:
            self._graph, self._chosen_rows, self._chosen_beyond = view.graph, chosen, -1
            self._chosen_places = np.zeros(0, np.int32) if view.graph is None else view.graph.edges_of(chosen)

    def use_edges(self) -> None:
        self._edges.use(UNIT_EDGES)

    def use_links(self) -> None:
        self._links.use(UNIT_EDGES)

    def release(self) -> None:
        self._edges.release()
        self._coming.release()
        self._staged = None
        self._links.release()
        self._chosen.release()
