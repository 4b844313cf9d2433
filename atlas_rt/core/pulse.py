"""Light that runs along the edges, as thought: outward from what is selected or found, edge by edge.

Every row has a distance walked along edges from the nearest source, in world units (`core.graph.reached_from`). A point
of an edge is reached from either end, whichever is nearer; a front passes it when the distance walked to it is the
distance the front has gone. Fronts follow each other at an even spacing and grow faint with the distance. Where nothing
is selected or found, a faint front drifts along each edge by itself, by the edge's own phase.

The shaders (`shaders/edge.frag`) and the rasterizer compute the same from the same constants.
"""

from __future__ import annotations

import numpy as np

from atlas_rt.core.arrays import Floats
from atlas_rt.core.scene import View

PACE = 0.30
"""World units a second that a front walks; a map has a radius of about 1."""
SPACING = 0.9
"""World units from front to front: three seconds apart."""
WIDTH = 0.055
"""World units over which a front rises and falls (a gaussian's exp(-(x / WIDTH)^2))."""
FADE = 1.2
"""A front loses a factor e in 1 / FADE world units."""
GAIN = 4.0
"""An edge gives 1 + GAIN * pulse times its light."""
REACH = 3.0
"""Farther from every source no light can be seen: exp(-REACH * FADE) is 0.03."""
AMBIENT_STRENGTH = 0.12
AMBIENT_PACE = 0.06
"""How strong the fronts are that drift without a source, and their world units a second."""
SOURCES = 12
"""Light runs out from so many of a search's best results."""


def strength_of(view: View) -> float:
    """How strong the fronts are in a view, 0..1: by what they come from, and 0 where all is still."""
    if view.reached is None:
        return AMBIENT_STRENGTH * view.ambient
    return (1.0 if view.selected else float(view.light_mix)) * view.ambient


def pulse(from_one: Floats, from_other: Floats, secs: float) -> Floats:
    """The light of the fronts, 0..1, where a point's distances walked over an edge's two ends are these.

    from_one: that of the first end and the part of the edge from there; from_other likewise.
    """
    walked = np.minimum(from_one, from_other)
    behind = (walked - np.float32(PACE * secs)) / np.float32(SPACING)
    off = (behind - np.floor(behind) - np.float32(0.5)) * np.float32(SPACING)
    light: Floats = np.exp(-np.square(off / np.float32(WIDTH)) - np.float32(FADE) * walked)
    return light


def ambient_pulse(along: Floats, phases: Floats, secs: float) -> Floats:
    """The same without a source. along: world units from the edge's first end; phases: the edges' own, 0..1."""
    behind = (along - np.float32(AMBIENT_PACE * secs)) / np.float32(SPACING) + phases
    off = (behind - np.floor(behind) - np.float32(0.5)) * np.float32(SPACING)
    light: Floats = np.exp(-np.square(off / np.float32(WIDTH)))
    return light
