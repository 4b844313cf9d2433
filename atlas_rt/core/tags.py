"""Where on screen the names stand: of clusters at their centres, of the hovered image beside it."""

from __future__ import annotations

import numpy as np

from atlas_rt.core.camera import project
from atlas_rt.core.hud import NameTag
from atlas_rt.core.records import Floats, View
from atlas_rt.core.visibility import screen_radii

FOG_DENSITY, FOG_FROM = 0.45, 0.7
"""Names fade with distance as the cloud does."""
TOO_NEAR = 0.45
"""Within this distance of the eye a cluster's name would hide its pictures; it fades out before."""
SEARCH_DIMS = 0.65
"""So much of the names' strength goes while a search lights the cloud: they would outshine what it found."""
MARGIN = 0.1
"""Names this share of the window outside of it are left out."""


def name_tags(view: View, size_px: tuple[int, int]) -> tuple[NameTag, ...]:
    """The clusters' names that are in sight, the largest first. Positions in pixels of a window of this size."""
    records = view.scene.cluster_records
    if not records or view.morph < 1.0:
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
        if records[i].name  # those of a first map may have none yet
    )


def node_at(view: View, row: int, position: Floats, size_px: tuple[int, int]) -> tuple[float, float, float]:
    """Where a node appears in a window of this size: x, y and the radius of its card in pixels."""
    xy, depths = project(position[None], view.view_from_world, view.clip_from_view, size_px)
    radius = screen_radii(view, np.array([row]), depths)[0] * size_px[1] / max(view.size_px[1], 1)
    return float(xy[0, 0]), float(xy[0, 1]), float(radius)


def _rgb(colour: np.ndarray[tuple[int], np.dtype[np.uint8]]) -> tuple[int, int, int]:
    return int(colour[0]), int(colour[1]), int(colour[2])
