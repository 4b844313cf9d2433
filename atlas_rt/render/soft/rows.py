"""What kernels read of the rows of a view: places, tiers, colours, lights.

Each is made again when the view's arrays are other objects than in the frame before, and only then.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.arrays import Bytes, Floats, Ints, Tiers
from atlas_rt.core.edges import ordered
from atlas_rt.core.graph import UNREACHED
from atlas_rt.core.scene import HIDDEN, PLAIN, View
from atlas_rt.render import look
from atlas_rt.render.edge_order import links
from atlas_rt.render.soft.kernels.records import CARD, NODE, Records

NOWHERE = np.float32(np.nan)


class RowData:
    """The rows of the view drawn last: the scene's, behind them what leaves, and at the end the live marker."""

    def __init__(self) -> None:
        self.places: Floats = np.zeros((1, 3), np.float32)
        self.old_places: Floats = self.places
        self.tiers: Tiers = np.zeros(1, np.int8)
        self.lights: Floats = np.zeros(1, np.float32)
        self.reached: Floats = np.zeros(1, np.float32)
        self.cards: Records = np.zeros(1, CARD)
        self.nodes: Records = np.zeros(1, NODE)
        self.ends: Ints = np.zeros((0, 2), np.int32)
        """(m, 2) rows that edges join, those first that give the picture most light."""
        self.strengths: Floats = np.zeros(0, np.float32)
        self._links: tuple[Ints, Floats] = (self.ends, self.strengths)
        self._seen: dict[str, tuple[object, ...]] = {}

    def update(self, view: View) -> None:
        """Take over what has changed since the frame before."""
        scene, leaving = view.scene, view.leaving
        count = len(scene.ids) + (0 if leaving is None else len(leaving.ids)) + 1
        if len(self.nodes) != count:
            self.nodes = np.zeros(count, NODE)
        if self._is_new("places", view.positions, leaving):
            self.places = _joined(view.positions, None if leaving is None else leaving.targets)
        if self._is_new("old_places", view.old_positions, leaving):
            self.old_places = _joined(view.old_positions, None if leaving is None else leaving.positions)
        marker = (NOWHERE,) * 3 if view.marker is None else view.marker
        self.places[-1] = self.old_places[-1] = marker
        if self._is_new("tiers", view.tiers, leaving, len(scene.ids)):
            self.tiers = np.full(count, PLAIN, np.int8)
            if view.tiers is not None:
                self.tiers[: len(scene.ids)] = view.tiers
            self.tiers[-1] = HIDDEN  # it has no card
        if self._is_new("lights", view.lights, leaving):
            self.lights = np.zeros(count, np.float32)
            if view.lights is not None:
                self.lights[: len(scene.ids)] = view.lights
        if self._is_new("cards", scene.mean_rgb, scene.hues, scene.aspects, scene.away, leaving):
            self.cards = self._cards(view, count)
        if self._is_new("reached", view.reached, count):
            self.reached = np.full(count, UNREACHED, np.float32)
            if view.reached is not None:
                self.reached[: len(scene.ids)] = view.reached
        self._update_edges(view, count)

    @property
    def links(self) -> tuple[Ints, Floats]:
        """Those of the live marker: ends (k, 2), strengths (k,)."""
        return self._links

    def _cards(self, view: View, count: int) -> Records:
        scene, leaving = view.scene, view.leaving
        cards = np.zeros(count, CARD)
        _colour(cards[: len(scene.ids)], scene.mean_rgb, scene.hues, scene.aspects, scene.away)
        if leaving is not None:
            _colour(cards[len(scene.ids) : -1], leaving.mean_rgb, leaving.hues, leaving.aspects, None)
        cards["root"][-1] = 1.0
        return cards

    def _update_edges(self, view: View, count: int) -> None:
        if self._is_new("edges", view.scene.edges, view.scene.positions):
            rows = ordered(view.scene)
            self.ends = np.ascontiguousarray(rows[:, :2], np.int32)
            self.strengths = np.ascontiguousarray(rows[:, 2])
        linked = view.marker_neighbours if view.marker is not None else ()
        if self._is_new("links", linked, count):
            rows = links(linked)
            rows[:, 1] = count - 1
            self._links = np.ascontiguousarray(rows[:, :2], np.int32), np.ascontiguousarray(rows[:, 2])

    def _is_new(self, name: str, *now: object) -> bool:
        """Whether an array, or one of several, is another object than when it was last asked for."""
        before, self._seen[name] = self._seen.get(name, ()), now
        return len(before) != len(now) or any(
            one is not other and not (isinstance(one, int | tuple) and one == other)
            for one, other in zip(before, now, strict=True)
        )


def _joined(places: Floats, more: Floats | None) -> Floats:
    """(n + g + 1, 3) places of the rows, of what leaves, and room for the marker's."""
    last = np.zeros((1, 3), np.float32)
    parts = [places, last] if more is None else [places, more, last]
    return np.concatenate(parts).astype(np.float32, copy=False)


def _colour(cards: Records, mean_rgb: Bytes, hues: Bytes, aspects: Floats, away: NDArray[np.bool_] | None) -> None:
    for at, name in enumerate(("red", "green", "blue")):
        cards[f"mean_{name}"] = mean_rgb[:, at] / np.float32(255.0)
        cards[f"hue_{name}"] = hues[:, at] / np.float32(255.0)
    cards["root"] = np.sqrt(np.clip(aspects, 1e-3, 1e3))
    cards["dim"] = 1.0 if away is None else np.where(away, look.AWAY_LIGHT, 1.0)
