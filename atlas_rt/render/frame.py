"""What both renderers know of a frame: one record, filled from a View. For shaders it is a uniform block."""

from __future__ import annotations

import numpy as np

from atlas_rt.core.arrays import Floats
from atlas_rt.core.camera import focal_px
from atlas_rt.core.easing import smootherstep
from atlas_rt.core.quality import Step
from atlas_rt.core.scene import View
from atlas_rt.core.visibility import (
    CHOSEN_FIRST,
    CHOSEN_NEARER,
    FANNED_NEARER,
    FOUND_NEARER,
    GROWTH_MAX,
    LIGHT_FROM,
    LIGHT_TO,
    LIT_GAIN,
    LIT_GROWTH,
    LIT_SIZE,
    UNLIT,
    light_of,
    min_angle,
)
from atlas_rt.render import look

FRAME = np.dtype(
    [
        ("view_from_world", "f4", (4, 4)),
        ("clip_from_view", "f4", (4, 4)),
        ("eye", "f4", (4,)),
        ("size_px", "f4", (4,)),
        ("focus", "f4", (4,)),
        ("marker", "f4", (4,)),
        ("chosen", "i4", (4,)),
        ("node_size", "f4"),
        ("min_angle", "f4"),
        ("focal_px", "f4"),
        ("morph", "f4"),
        ("light_mix", "f4"),
        ("time_secs", "f4"),
        ("pulse_secs", "f4"),
        ("ambient", "f4"),
        ("fog_start", "f4"),
        ("card_px", "f4"),
        ("sprite_px", "f4"),
        ("edge_gain", "f4"),
        ("glow_gain", "f4"),
        ("gone", "f4"),
    ]
)
"""size_px: width, height, and their inverses. focus: where the pulse runs out from, and its strength. marker: position,
and 1 when there is one. chosen: rows hovered and newest selected, and the first of those that leave. focal_px: pixels
of a length of 1 at depth 1. edge_gain, glow_gain: how much light each edge and each node at rest may give. gone: 0..1
of the way of what leaves."""

BLOCK_BYTES = -(-FRAME.itemsize // 16) * 16
"""std140 rounds a block up to whole vectors."""

CONSTANTS: dict[str, float | tuple[float, ...]] = {
    "LIGHT_FROM": LIGHT_FROM,
    "LIGHT_TO": LIGHT_TO,
    "LIT_SIZE_LEAST": LIT_SIZE[0],
    "LIT_SIZE_MORE": LIT_SIZE[1],
    "GROWTH_MAX": GROWTH_MAX,
    "LIT_GROWTH": LIT_GROWTH,
    "FOUND_NEARER": FOUND_NEARER,
    "CHOSEN_NEARER": CHOSEN_NEARER,
    "CHOSEN_FIRST": CHOSEN_FIRST,
    "FANNED_NEARER": FANNED_NEARER,
    "UNLIT": UNLIT,
    "LIT_GAIN": LIT_GAIN,
    **look.CONSTANTS,
}
"""Numbers that the shaders share with Python, as defines."""

FOG_START = 0.7
CLOUD_RADIUS = 0.9
"""From outside, fog begins where the cloud does: an overview is not dimmed as a whole, only its far side."""
EDGES_AT_FULL = 4000
"""More edges than this share their light, so that a dense map is a weave and not a haze; fewer may each give more."""
EDGE_LIGHT_MAX = 2.0
NODES_AT_FULL = 400
"""The same for glow."""
CLOCK_SECS = 3600.0
"""The shaders' clock starts again each hour: float32 loses milliseconds after a day of a kiosk."""


class BestMatch:
    """What the frame needs to know of a search's lights as a whole, found once for each search."""

    def __init__(self) -> None:
        self._lights: object = None
        self.best_row = -1
        self.best_light = 0.0

    def update(self, view: View) -> None:
        if view.lights is self._lights:
            return
        self._lights = view.lights
        self.best_row, self.best_light = -1, 0.0
        if view.lights is not None and len(view.lights):
            lights = light_of(view.lights)
            self.best_row = int(np.argmax(view.lights))
            self.best_light = float(lights[self.best_row])


def _shared(full: float, count: float, *, most: float = 1.0) -> float:
    """How much light each of `count` things may give when `full` of them may shine at full strength."""
    return float(min(most, (full / max(count, 1e-6)) ** 0.5))


def focus_of(view: View, search: BestMatch) -> tuple[int, float]:
    """Where the pulse runs out from: the newest selection, else the best of the search, else (-1) the middle; and how
    strong it is, 0..1."""
    if view.selected:
        return view.selected[-1], 1.0
    if search.best_row >= 0:
        return search.best_row, float(view.light_mix) * search.best_light
    return -1, 0.35


def place_of(view: View, row: int) -> Floats:
    """(3,) where one row stands in this frame."""
    end: Floats = view.positions[row]
    if view.morph >= 1.0:
        return end
    start: Floats = view.old_positions[row]
    return start + np.float32(smootherstep(view.morph)) * (end - start)


class FrameBlock:
    """The block as numpy fields, filled once a frame."""

    def __init__(self) -> None:
        self.values = np.zeros((), FRAME)
        self._search = BestMatch()

    def fill(self, view: View, step: Step, *, edges: int, sprite_px: float) -> bytes:
        """The bytes of the block for this view at this step of the ladder, with `edges` drawn."""
        values = self.values
        nodes = len(view.scene.ids)
        width, height = view.size_px
        # GLSL keeps matrices by columns.
        values["view_from_world"] = view.view_from_world.T
        values["clip_from_view"] = view.clip_from_view.T
        values["eye"][:3] = view.eye
        values["size_px"] = width, height, 1.0 / width, 1.0 / height
        self._search.update(view)
        row, strength = focus_of(view, self._search)
        values["focus"] = (*(place_of(view, row) if row >= 0 else (0.0, 0.0, 0.0)), strength * view.ambient)
        values["marker"] = (0.0, 0.0, 0.0, 0.0) if view.marker is None else (*view.marker, 1.0)
        values["chosen"][:3] = view.hovered, view.selected[-1] if view.selected else -1, nodes
        values["node_size"] = view.scene.node_size
        values["min_angle"] = min_angle(nodes)
        values["focal_px"] = focal_px(view.fov_y, height)
        values["morph"] = smootherstep(view.morph)
        values["light_mix"] = 0.0 if view.lights is None else view.light_mix
        values["time_secs"] = view.time_secs % CLOCK_SECS
        values["pulse_secs"] = view.pulse_secs % CLOCK_SECS
        values["ambient"] = view.ambient
        values["fog_start"] = max(FOG_START, float(np.linalg.norm(view.eye)) - CLOUD_RADIUS)
        values["card_px"] = step.card_px
        values["sprite_px"] = sprite_px
        values["edge_gain"] = _shared(EDGES_AT_FULL, edges, most=EDGE_LIGHT_MAX)
        values["glow_gain"] = _shared(NODES_AT_FULL, nodes)
        values["gone"] = smootherstep(view.gone)
        return values.tobytes()
