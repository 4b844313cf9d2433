"""The rings of a view: around what is hovered, selected, or of the same stack as what is selected."""

from __future__ import annotations

import math

import numpy as np

from atlas_rt.core.scene import FANNED, HIDDEN, View
from atlas_rt.render import look
from atlas_rt.render.soft.kernels.records import RING, Records


def rings_of(view: View, nodes: Records) -> Records:
    """Every ring to be drawn, in the order of `Renderer`."""
    rows = [*view.selected, *([view.hovered] if view.hovered >= 0 and view.hovered not in view.selected else [])]
    kinds = [1.0] * len(view.selected) + [0.0] * (len(rows) - len(view.selected))
    if view.selected:
        kinds[len(view.selected) - 1] = 2.0
    if view.selected and view.tiers is not None:
        fanned = np.setdiff1d(np.flatnonzero(view.tiers == FANNED), rows).tolist()
        rows, kinds = [*fanned, *rows], [-1.0] * len(fanned) + kinds
    shown = [(row, kind) for row, kind in zip(rows, kinds, strict=True) if _is_shown(view, nodes, row)]
    rings = np.zeros(len(shown), RING)
    for ring, (row, kind) in zip(rings, shown, strict=True):
        _set(ring, nodes[row], kind, view)
    return rings


def _is_shown(view: View, nodes: Records, row: int) -> bool:
    is_hidden = view.tiers is not None and view.tiers[row] == HIDDEN
    return bool(not is_hidden and nodes[row]["across"] > 0.0)


def _set(ring: np.void, node: np.void, kind: float, view: View) -> None:
    """kind: -1 of the same stack as what is selected, 0 hovered, 1 selected, 2 the newest selection."""
    scale = view.size_px[1] / look.RIBBON_LINES
    shortest = min(float(node["across"]), float(node["down"]))
    width = min(max(look.RING_SHARE * shortest, look.RING_LEAST_PX * scale), look.RING_MOST_PX * scale)
    width *= look.RING_CHOSEN if kind > 0.5 else 1.0
    gain = look.SELECTED_GAIN if kind > 0.5 else look.FAN_GAIN if kind < -0.5 else look.HOVERED_GAIN
    if kind > 1.5:
        gain *= 1.0 + look.RING_BEAT * view.ambient * math.sin(view.pulse_secs * look.RING_BEAT_SPEED)
    colour = look.HOVERED if kind == 0.0 else look.SELECTED
    ring["x"], ring["y"], ring["near"] = node["x"], node["y"], 1.0 / max(float(node["covering"]), 1e-9)
    ring["across"] = node["across"] + width * 0.5 + 1.0
    ring["down"] = node["down"] + width * 0.5 + 1.0
    ring["width"] = width
    ring["red"], ring["green"], ring["blue"] = (gain * each for each in colour)
