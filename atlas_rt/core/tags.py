"""Where on screen words stand: names of clusters at their centres, of the hovered image beside it, counts of stacks at
the corner of their card."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.camera import project
from atlas_rt.core.hud import CountTag, NameTag
from atlas_rt.core.records import PLAIN, Floats, Rows, View
from atlas_rt.core.visibility import brightness_of, drawn_depths, near_nodes, positions_now, screen_radii

FOG_DENSITY, FOG_FROM = 0.45, 0.7
"""Names fade with distance as the cloud does."""
TOO_NEAR = 0.45
"""Within this distance of the eye a cluster's name would hide its pictures; it fades out before."""
SEARCH_DIMS = 0.65
"""So much of the names' strength goes while a search lights the cloud: they would outshine what it found."""
COUNTED_PX = (11.0, 17.0)
"""Half the side of a card on screen between which its count fades in."""
COUNTS_MAX = 40
"""The counts of so many of the largest cards are shown."""
COUNT_INSET = 0.12
"""From the corner inwards, of half the card's side: there its round corner ends."""
MARGIN = 0.1
"""Names this share of the window outside of it are left out."""


def name_tags(view: View, size_px: tuple[int, int]) -> tuple[NameTag, ...]:
    """The clusters' names that are in sight, the largest first. Positions in pixels of a window of this size."""
    records = view.scene.cluster_records
    if not records or not view.settled:
        return ()
    centres = np.array([record.centre for record in records], np.float32)
    xy, depths = project(centres, view.view_from_world, view.clip_from_view, size_px)
    strengths = np.exp(-FOG_DENSITY * np.maximum(depths - FOG_FROM, 0.0)) * np.clip(depths / TOO_NEAR - 1.0, 0.0, 1.0)
    if view.lights is not None:
        strengths *= 1.0 - SEARCH_DIMS * view.light_mix
    size = np.asarray(size_px, np.float32)
    seen = (depths > TOO_NEAR) & ((xy > -MARGIN * size) & (xy < (1.0 + MARGIN) * size)).all(axis=1)
    order = sorted(np.flatnonzero(seen), key=lambda i: -records[i].size)
    return tuple(
        NameTag(
            text=records[i].name,
            at_px=(float(xy[i, 0]), float(xy[i, 1])),
            strength=float(strengths[i]),
            rgb=_rgb(view.scene.cluster_hues[i]),
            size=records[i].size,
        )
        for i in order
    )


def count_tags(view: View, size_px: tuple[int, int]) -> tuple[CountTag, ...]:
    """The counts of closed stacks whose card is large enough in a window of this size, and not covered there."""
    if view.scene.stacks is None or view.tiers is None:
        return ()
    rows = view.scene.stacks.tops[view.tiers[view.scene.stacks.tops] == PLAIN]
    positions = positions_now(view)
    xy, depths = project(positions[rows], view.view_from_world, view.clip_from_view, view.size_px)
    ratio = size_px[1] / max(view.size_px[1], 1)
    radii = screen_radii(view, rows, depths) * np.float32(ratio)
    inside = ((xy >= 0.0) & (xy < np.asarray(view.size_px, np.float32))).all(axis=1)
    large = np.flatnonzero((depths > 0.0) & inside & (radii > COUNTED_PX[0]))
    large = large[np.argsort(-radii[large], kind="stable")[:COUNTS_MAX]]
    if not len(large):
        return ()
    rows, depths, radii = rows[large], depths[large], radii[large]
    root = np.sqrt(view.scene.aspects[rows])
    inset = radii * np.float32(COUNT_INSET)
    corners = np.stack([radii * root - inset, inset - radii / root], axis=1)
    at_px = xy[large] * np.float32(ratio) + corners
    strengths = np.clip((radii - COUNTED_PX[0]) / (COUNTED_PX[1] - COUNTED_PX[0]), 0.0, 1.0)
    strengths *= np.exp(-FOG_DENSITY * np.maximum(depths - FOG_FROM, 0.0)) * np.minimum(brightness_of(view, rows), 1.0)
    strengths[_covered(view, positions, rows, depths, at_px / np.float32(ratio))] = 0.0
    return tuple(
        CountTag(int(view.scene.stacks.sizes[row]), (float(x), float(y)), float(strength))
        for row, (x, y), strength in zip(rows, at_px, strengths, strict=True)
        if strength > 0.0
    )


def _covered(view: View, positions: Floats, rows: Rows, depths: Floats, at_px: Floats) -> NDArray[np.bool_]:
    """(k,) whether another card lies over these pixels (k, 2) of the cards of `rows`."""
    near = near_nodes(view, positions, COUNTED_PX[0] / 2.0)
    xy, _ = project(positions[near.rows], view.view_from_world, view.clip_from_view, view.size_px)
    root = np.sqrt(view.scene.aspects[near.rows])
    half = np.stack([near.radii_px * root, near.radii_px / root], axis=1)
    over = (np.abs(at_px[:, None] - xy) < half).all(axis=2)
    over &= drawn_depths(view, near.rows, near.depths) < drawn_depths(view, rows, depths)[:, None]
    covered: NDArray[np.bool_] = (over & (rows[:, None] != near.rows)).any(axis=1)
    return covered


def node_at(view: View, row: int, position: Floats, size_px: tuple[int, int]) -> tuple[float, float, float]:
    """Where a node appears in a window of this size: x, y and the radius of its card in pixels."""
    xy, depths = project(position[None], view.view_from_world, view.clip_from_view, size_px)
    radius = screen_radii(view, np.array([row]), depths)[0] * size_px[1] / max(view.size_px[1], 1)
    return float(xy[0, 0]), float(xy[0, 1]), float(radius)


def _rgb(colour: np.ndarray[tuple[int], np.dtype[np.uint8]]) -> tuple[int, int, int]:
    return int(colour[0]), int(colour[1]), int(colour[2])
