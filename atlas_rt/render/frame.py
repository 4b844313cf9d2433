"""What both renderers know of a frame: one record, filled from a View. For shaders it is a uniform block."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from atlas_rt.core import pulse
from atlas_rt.core.arrays import Floats
from atlas_rt.core.camera import focal_px
from atlas_rt.core.easing import smootherstep
from atlas_rt.core.glass import GLASS_FROM, GLASS_TO
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
    VISITED_FIRST,
    min_angle,
    near_plane,
    nearest_depth,
)
from atlas_rt.render import look

FRAME = np.dtype(
    [
        ("view_from_world", "f4", (4, 4)),
        ("clip_from_view", "f4", (4, 4)),
        ("eye", "f4", (4,)),
        ("size_px", "f4", (4,)),
        ("marker", "f4", (4,)),
        ("chosen", "i4", (4,)),
        ("whole", "f4", (4,)),
        ("visited_card", "f4", (4,)),
        ("node_size", "f4"),
        ("nearest", "f4"),
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
        ("lines_px", "f4"),
        ("pulse_strength", "f4"),
        ("pulse_walks", "f4"),
        ("visited", "i4"),
        ("visited_depth", "f4"),
        ("glass", "f4"),
        ("glass_margin", "f4"),
        ("first_depth", "f4"),
        ("flatness", "f4"),
        ("size_mix", "f4"),
    ]
)
"""size_px: width, height, and their inverses. marker: position, and 1 when there is one. chosen: rows hovered and
newest selected, the first of those that leave, and how many there are with those. whole: scale and offset from this
part's -1..1 to the whole picture's; lines_px: height of the whole. nearest: depth up to which no card is
drawn. focal_px: pixels of a length of 1 at depth 1.
edge_gain, glow_gain: how much light each edge and each node at rest may give. gone: 0..1 of the way of what leaves.
visited: the row that others make way for, -1 for none; visited_card: its middle and half its sides, visited_depth and
glass_margin, as in `core.glass`; glass: 0..1, how far they have; first_depth: at which it is drawn before all else.
flatness: 0 on the map, 1 on the flat wall; size_mix: how far a search changes the sizes of cards.
pulse_strength: of the light that runs along edges; pulse_walks: 1 where it runs out from what is selected or found, 0
where it drifts."""


@dataclass(frozen=True, slots=True)
class Part:
    """A rectangle of a picture that is drawn by itself, in pixels from the lower left corner of the whole."""

    left: int
    bottom: int
    width: int
    height: int

    @property
    def size_px(self) -> tuple[int, int]:
        return self.width, self.height

    def whole(self, size_px: tuple[int, int]) -> tuple[float, float, float, float]:
        """Scale (2) and offset (2) from -1..1 on this part to -1..1 on the whole picture of that size."""
        return (
            self.width / size_px[0],
            self.height / size_px[1],
            (2 * self.left + self.width) / size_px[0] - 1.0,
            (2 * self.bottom + self.height) / size_px[1] - 1.0,
        )


def all_of(size_px: tuple[int, int]) -> Part:
    """The whole picture as a part."""
    return Part(0, 0, *size_px)


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
    "GLASS_FROM": GLASS_FROM,
    "GLASS_TO": GLASS_TO,
    "PULSE_PACE": pulse.PACE,
    "PULSE_SPACING": pulse.SPACING,
    "PULSE_WIDTH": pulse.WIDTH,
    "PULSE_FADE": pulse.FADE,
    "PULSE_GAIN": pulse.GAIN,
    "PULSE_AMBIENT_PACE": pulse.AMBIENT_PACE,
    **look.CONSTANTS,
}
"""Numbers that the shaders share with Python, as defines."""

FOG_START = 0.7
CLOUD_RADIUS = 0.9
"""From outside, fog begins where the cloud does: an overview is not dimmed as a whole, only its far side."""
CLEAR_WALL = 100.0
"""On the flat wall fog begins beyond all of it. Edges are not drawn there: neighbours stand next to each other."""
EDGES_AT_FULL = 4000
"""More edges than this share their light, so that a dense map is a weave and not a haze; fewer may each give more."""
EDGE_LIGHT_MAX = 2.0
NODES_AT_FULL = 400
"""The same for glow."""
CLOCK_SECS = 3600.0
"""The shaders' clock starts again each hour: float32 loses milliseconds after a day of a kiosk."""


def _shared(full: float, count: float, *, most: float = 1.0) -> float:
    """How much light each of `count` things may give when `full` of them may shine at full strength."""
    return float(min(most, (full / max(count, 1e-6)) ** 0.5))


def _cropped(clip_from_view: Floats, whole: tuple[float, float, float, float]) -> Floats:
    """The perspective of a part of a picture: off its centre, with the whole picture's angles."""
    if whole == (1.0, 1.0, 0.0, 0.0):
        return clip_from_view
    cropped = clip_from_view.astype(np.float64)
    for axis in (0, 1):
        cropped[axis] = (cropped[axis] - whole[2 + axis] * cropped[3]) / whole[axis]
    return cropped.astype(np.float32)


class FrameBlock:
    """The block as numpy fields, filled once a frame."""

    def __init__(self) -> None:
        self.values = np.zeros((), FRAME)

    def fill(self, view: View, step: Step, *, edges: int, sprite_px: float, part: Part | None = None) -> bytes:
        """The bytes of the block for this view, or a part of it, at this step of the ladder, with `edges` drawn."""
        values = self.values
        nodes = len(view.scene.ids)
        part = part or all_of(view.size_px)
        width, height = part.size_px
        whole = part.whole(view.size_px)
        # GLSL keeps matrices by columns.
        values["view_from_world"] = view.view_from_world.T
        values["clip_from_view"] = _cropped(view.clip_from_view, whole).T
        values["eye"][:3] = view.eye
        values["size_px"] = width, height, 1.0 / width, 1.0 / height
        values["marker"] = (0.0, 0.0, 0.0, 0.0) if view.marker is None else (*view.marker, 1.0)
        values["chosen"][:3] = view.hovered, view.selected[-1] if view.selected else -1, nodes
        values["chosen"][3] = nodes + (len(view.leaving.ids) if view.leaving is not None else 0)
        values["whole"] = whole
        values["lines_px"] = view.size_px[1]
        values["node_size"] = view.scene.node_size
        values["nearest"] = nearest_depth(view)
        values["min_angle"] = min_angle(nodes) * (1.0 - view.flatness)
        values["flatness"] = view.flatness
        values["focal_px"] = focal_px(view.fov_y, view.size_px[1])
        values["morph"] = smootherstep(view.morph)
        values["light_mix"] = 0.0 if view.lights is None else view.light_mix
        values["size_mix"] = values["light_mix"] * (1.0 - view.flatness)
        values["time_secs"] = view.time_secs % CLOCK_SECS
        values["pulse_secs"] = view.pulse_secs % CLOCK_SECS
        values["ambient"] = view.ambient
        clear = CLEAR_WALL * view.flatness
        values["fog_start"] = max(FOG_START, float(np.linalg.norm(view.eye)) - CLOUD_RADIUS) + clear
        values["card_px"] = step.card_px
        values["sprite_px"] = sprite_px
        values["edge_gain"] = _shared(EDGES_AT_FULL, edges, most=EDGE_LIGHT_MAX) * (1.0 - view.flatness)
        values["glow_gain"] = _shared(NODES_AT_FULL, nodes)
        values["pulse_strength"] = pulse.strength_of(view)
        values["pulse_walks"] = float(view.reached is not None)
        values["gone"] = smootherstep(view.gone)
        self._fill_visited(view)
        return values.tobytes()

    def _fill_visited(self, view: View) -> None:
        values, card = self.values, view.visited
        values["first_depth"] = VISITED_FIRST * near_plane(view)
        values["visited"], values["glass"] = (-1, 0.0) if card is None else (card.row, card.glass)
        if card is not None:
            values["visited_card"] = card.x, card.y, card.across, card.down
            values["visited_depth"], values["glass_margin"] = card.depth, card.margin
