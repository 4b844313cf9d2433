"""Where on screen words stand: names of clusters at their centres, of the hovered image next to it, counts of stacks at
the corner of their card, nothing over a visited one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.arrays import Floats, Ids, Rows
from atlas_rt.core.camera import focal_px, project
from atlas_rt.core.hud import CountTag, NameTag, VisitedImage
from atlas_rt.core.regions import Region
from atlas_rt.core.scene import HIDDEN, PLAIN, Scene, View
from atlas_rt.core.visibility import brightness_of, drawn_depths, near_nodes, positions_now, screen_radii, seen_radii

FOG_DENSITY, FOG_FROM = 0.45, 0.7
"""Names fade with distance as the cloud does."""
TOO_NEAR = 0.45
"""Within this distance of the eye a cluster's name would hide its pictures; it fades out before."""
OPEN_FROM, OPEN_TO = 0.32, 0.5
"""Radius by depth of a cluster between which its parts' names come in place of its own: at the latter it fills the
picture."""
PART_NEAR = 0.1
"""As TOO_NEAR, for the parts."""
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


def name_tags(view: View, regions: tuple[Region, ...], size_px: tuple[int, int]) -> tuple[NameTag, ...]:
    """The names of regions that are in sight, clusters before their parts and the largest first, for a window of this
    size. From near a cluster's name gives way to those of its parts."""
    if not regions or not view.settled:
        return ()
    centres = np.array([region.centre for region in regions], np.float32)
    radii = np.array([region.radius for region in regions], np.float32)
    parents = np.array([region.parent for region in regions], np.int64)
    xy, depths = project(centres, view.view_from_world, view.clip_from_view, size_px)
    strengths = np.exp(-FOG_DENSITY * np.maximum(depths - FOG_FROM, 0.0)) * _before(regions, depths, radii, parents)
    if view.lights is not None:
        ids = np.array([region.id for region in regions], np.int64)
        pointed = (ids == view.pointed) & (parents < 0)
        strengths = np.where(pointed, 1.0, strengths * (1.0 - SEARCH_DIMS * view.light_mix))
    size = np.asarray(size_px, np.float32)
    seen = (strengths > 0.0) & ((xy > -MARGIN * size) & (xy < (1.0 + MARGIN) * size)).all(axis=1)
    rows = np.flatnonzero(seen)
    found = zip(rows.tolist(), xy[rows].tolist(), strengths[rows].tolist(), strict=True)
    return tuple(
        NameTag(regions[row].name, (x, y), strength, regions[row].rgb, regions[row].size, regions[row].parent >= 0)
        for row, (x, y), strength in found
        if not _concealed(regions[row], view)
    )


def _before(regions: tuple[Region, ...], depths: Floats, radii: Floats, parents: Ids) -> Floats:
    """(k,) 0..1, how much a name shows by how near it is: a cluster's goes where its parts' come, or where it would
    hide its pictures."""
    far = np.clip(depths / TOO_NEAR - 1.0, 0.0, 1.0)
    wide = radii / np.maximum(depths, np.float32(1e-3))
    opened = np.where(depths > 0.0, np.clip((wide - OPEN_FROM) / (OPEN_TO - OPEN_FROM), 0.0, 1.0), 0.0)
    of = {region.id: row for row, region in enumerate(regions) if region.parent < 0}
    divided = np.zeros(len(regions), np.bool_)
    divided[[of[parent] for parent in set(parents.tolist()) if parent in of]] = True
    parts = np.flatnonzero(parents >= 0)
    shown = np.where(divided, far * (1.0 - opened), far)
    shown[parts] = opened[[of[parent] for parent in parents[parts].tolist()]] * np.clip(
        depths[parts] / PART_NEAR - 1.0, 0.0, 1.0
    )
    result: Floats = shown.astype(np.float32)
    return result


def _concealed(region: Region, view: View) -> bool:
    return (region.id if region.parent < 0 else region.parent) in view.concealed


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
        if stacks is None or view.tiers is None or view.scene.flat:
            return ()
        sizes = stacks.sizes if view.counts is None else view.counts
        self._age_secs += dt_secs
        if self._scene is not view.scene or self._age_secs >= LOOK_SECS:
            self._scene, self._age_secs = view.scene, 0.0
            self._rows, _ = near_nodes(view, COUNTED_PX[0]).nearest(COUNTED_PX[0], NEAR_MAX)
        rows = self._rows[view.tiers[self._rows] != HIDDEN]
        counted = np.flatnonzero((sizes[rows] > 1) & (view.tiers[rows] == PLAIN))
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
                sizes[rows[counted]].tolist(), at_px.tolist(), strengths.tolist(), strict=True
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
