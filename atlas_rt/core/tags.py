"""Where on screen words stand: names of clusters at their centres, of the hovered image next to it, counts of stacks at
the corner of their card, nothing over a visited one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.arrays import Floats, Rows
from atlas_rt.core.camera import focal_px, project
from atlas_rt.core.hud import CountTag, NameTag, VisitedImage
from atlas_rt.core.scene import HIDDEN, PLAIN, Scene, View
from atlas_rt.core.visibility import brightness_of, drawn_depths, near_nodes, positions_now, screen_radii, seen_radii

FOG_DENSITY, FOG_FROM = 0.45, 0.7
"""Names fade with distance as the cloud does."""
TOO_NEAR = 0.45
"""Within this distance of the eye a cluster's name would hide its pictures; it fades out before."""
SEARCH_DIMS = 0.65
"""So much of the names' strength goes while a search lights the cloud: they would outshine what it found."""
COUNTED_PX = (11.0, 17.0)
"""Half the side of a card on screen between which its count fades in."""
COUNTS_MAX, NEAR_MAX = 32, 800
"""The counts of so many of the largest cards are shown; so many of the nearest cards may cover them."""
LOOK_SECS = 0.1
COUNT_INSET = 0.12
"""From the corner inwards, of half the card's side: there its round corner ends."""
MARGIN = 0.1
"""Names this share of the window outside of it are left out."""


class NameTags:
    """The names of the clusters of a scene."""

    def __init__(self) -> None:
        self._scene: Scene | None = None
        self._order: list[int] = []  # the largest first; those of a first map may have no name yet
        self._centres: Floats = np.zeros((0, 3), np.float32)
        self._colours: list[tuple[int, int, int]] = []

    def tags(self, view: View, size_px: tuple[int, int]) -> tuple[NameTag, ...]:
        """The names that are in sight, the largest first. Positions in pixels of a window of this size."""
        if view.scene is not self._scene:
            self._take(view.scene)
        if not self._order or not view.settled:
            return ()
        records = view.scene.cluster_records
        xy, depths = project(self._centres, view.view_from_world, view.clip_from_view, size_px)
        before = np.clip(depths / TOO_NEAR - 1.0, 0.0, 1.0)
        strengths = np.exp(-FOG_DENSITY * np.maximum(depths - FOG_FROM, 0.0)) * before
        if view.lights is not None:
            pointed = np.array([records[place].id == view.pointed for place in self._order])
            strengths = np.where(pointed, before, strengths * (1.0 - SEARCH_DIMS * view.light_mix))
        size = np.asarray(size_px, np.float32)
        seen = (depths > TOO_NEAR) & ((xy > -MARGIN * size) & (xy < (1.0 + MARGIN) * size)).all(axis=1)
        rows = np.flatnonzero(seen)
        found = zip(rows.tolist(), xy[rows].tolist(), strengths[rows].tolist(), strict=True)
        return tuple(
            NameTag(records[self._order[at]].name, (x, y), strength, self._colours[at], records[self._order[at]].size)
            for at, (x, y), strength in found
            if records[self._order[at]].id not in view.concealed
        )

    def _take(self, scene: Scene) -> None:
        records = scene.cluster_records
        self._scene = scene
        named = [place for place, record in enumerate(records) if record.name]
        self._order = sorted(named, key=lambda place: -records[place].size)
        self._centres = np.array([records[place].centre for place in self._order], np.float32).reshape(-1, 3)
        self._colours = [_rgb(scene.cluster_hues[place]) for place in self._order]


def name_tags(view: View, size_px: tuple[int, int]) -> tuple[NameTag, ...]:
    """As `NameTags.tags`, for one view."""
    return NameTags().tags(view, size_px)


class CountTags:
    """The counts of closed stacks whose card is large enough on screen, and not covered there.

    Which cards are near is looked up LOOK_SECS apart, so that a frame costs next to nothing however many there are.
    """

    def __init__(self) -> None:
        self._rows: Rows = np.zeros(0, np.int64)
        self._scene: Scene | None = None
        self._age_secs = 0.0

    def tags(self, view: View, size_px: tuple[int, int], dt_secs: float) -> tuple[CountTag, ...]:
        """For a window of this size; dt_secs: since the frame before."""
        stacks = view.scene.stacks
        if stacks is None or view.tiers is None:
            return ()
        self._age_secs += dt_secs
        if self._scene is not view.scene or self._age_secs >= LOOK_SECS:
            self._scene, self._age_secs = view.scene, 0.0
            self._rows, _ = near_nodes(view, COUNTED_PX[0]).nearest(COUNTED_PX[0], NEAR_MAX)
        rows = self._rows[view.tiers[self._rows] != HIDDEN]
        counted = np.flatnonzero((stacks.sizes[rows] > 1) & (view.tiers[rows] == PLAIN))
        if not len(counted):
            return ()
        xy, depths = project(positions_now(view, rows), view.view_from_world, view.clip_from_view, size_px)
        scale = np.float32(size_px[1] / max(view.size_px[1], 1))
        radii = seen_radii(view, rows, xy / scale, depths) * scale
        counted = counted[(radii[counted] > COUNTED_PX[0]) & (depths[counted] > 0.0)]
        counted = counted[np.argsort(-radii[counted], kind="stable")[:COUNTS_MAX]]
        root = np.sqrt(view.scene.aspects[rows])
        halves = np.stack([radii * root, radii / root], axis=1)
        inset = radii[counted, None] * np.float32(COUNT_INSET)
        at_px = xy[counted] + (halves[counted] - inset) * np.array([1.0, -1.0], np.float32)
        free = ~_covered(at_px, xy, halves, drawn_depths(view, rows, depths), counted)
        counted, at_px = counted[free], at_px[free]
        strengths = np.clip((radii[counted] - COUNTED_PX[0]) / (COUNTED_PX[1] - COUNTED_PX[0]), 0.0, 1.0)
        strengths *= np.exp(-FOG_DENSITY * np.maximum(depths[counted] - FOG_FROM, 0.0))
        strengths *= np.minimum(brightness_of(view, rows[counted]), 1.0)
        return tuple(
            CountTag(count, (x, y), strength)
            for count, (x, y), strength in zip(
                stacks.sizes[rows[counted]].tolist(), at_px.tolist(), strengths.tolist(), strict=True
            )
        )


def _covered(at_px: Floats, xy: Floats, halves: Floats, drawn: Floats, own: Rows) -> NDArray[np.bool_]:
    """(k,) whether another card lies over these pixels (k, 2) of the cards `own`.

    xy, halves: (n, 2) centres and half sides of all cards, in pixels; drawn: (n,) depths by which they cover others.
    """
    mine = drawn[own]
    before = np.flatnonzero(drawn < mine.max(initial=-np.inf))
    over = np.abs(at_px[:, :1] - xy[before, 0]) < halves[before, 0]
    over &= np.abs(at_px[:, 1:] - xy[before, 1]) < halves[before, 1]
    over &= drawn[before] < mine[:, None]
    covered: NDArray[np.bool_] = over.any(axis=1)
    return covered


def node_at(view: View, row: int, position: Floats, size_px: tuple[int, int]) -> tuple[float, float, float]:
    """Where a node appears in a window of this size: x, y and the radius of its card in pixels."""
    xy, depths = project(position[None], view.view_from_world, view.clip_from_view, size_px)
    radius = screen_radii(view, np.array([row]), depths)[0] * size_px[1] / max(view.size_px[1], 1)
    return float(xy[0, 0]), float(xy[0, 1]), float(radius)


def visited_image(view: View, size_px: tuple[int, int]) -> VisitedImage | None:
    """The visited image and where its card stands in a window of this size."""
    card = view.visited
    if card is None:
        return None
    focal, middle = focal_px(view.fov_y, size_px[1]), (size_px[0] / 2.0, size_px[1] / 2.0)
    x, y = middle[0] + card.x * focal, middle[1] - card.y * focal
    across, down = card.across * focal, card.down * focal
    return VisitedImage(int(view.scene.ids[card.row]), x - across, y - down, x + across, y + down, card.glass)


def _rgb(colour: np.ndarray[tuple[int], np.dtype[np.uint8]]) -> tuple[int, int, int]:
    return int(colour[0]), int(colour[1]), int(colour[2])
