"""What stands before the visited card makes way for it: how far, as one formula on the screen.

A card makes way that is clearly nearer than the visited one and overlaps it, or nearly does. It shrinks and fades where
it stands, so that one that makes way by half looks right in a picture at rest too: cards are drawn opaque, and dots
that let light through would be seen there. The shaders (`shaders/lib/nodes.glsl`) and the rasterizer have the same
formula, and so has picking: what has made way is not hit.

Lengths are tangents: distances beside the axis of sight, divided by the depth. So pictures of any size agree.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.arrays import Floats

GLASS_FROM, GLASS_TO = 0.03, 0.15
"""A card begins to make way where it is nearer than the visited one by the first share of that one's depth; from the
second on it makes way altogether."""
GLASS_MARGIN = 0.3
"""Space around the visited card in which others begin to make way, in halves of its shorter side."""


@dataclass(frozen=True, slots=True)
class VisitedCard:
    """The card that the person was taken to, as one frame shows it.

    glass: 0..1, how far what stands before it has made way. x, y: its middle to the right and up; across, down: half
    its sides, all as tangents. depth: world units.
    """

    row: int
    glass: float
    x: float
    y: float
    across: float
    down: float
    depth: float

    @property
    def margin(self) -> float:
        """The space around it in which others begin to make way, as a tangent."""
        return GLASS_MARGIN * min(self.across, self.down)


def standing(
    visited: VisitedCard | None, rows: NDArray[np.int64], at: tuple[Floats, Floats], halves: tuple[Floats, Floats],
    depths: Floats,
) -> Floats:  # fmt: skip
    """(k,) what is left of each card, 1 where it does not make way.

    at: (k,) each, their middles to the right and up. halves: (k,) each, half their sides across and down.
    """
    if visited is None or visited.glass <= 0.0:
        return np.ones(len(rows), np.float32)
    nearer = (visited.depth - depths) / np.float32(visited.depth)
    reach = np.minimum(
        np.float32(visited.across) + halves[0] - np.abs(at[0] - np.float32(visited.x)),
        np.float32(visited.down) + halves[1] - np.abs(at[1] - np.float32(visited.y)),
    )
    share = _smooth((nearer - GLASS_FROM) / (GLASS_TO - GLASS_FROM)) * _smooth(reach / visited.margin + 1.0)
    share[rows == visited.row] = 0.0
    left: Floats = (1.0 - visited.glass * share).astype(np.float32)
    return left


def _smooth(share: Floats) -> Floats:
    """smoothstep of the shaders, from 0 to 1."""
    share = np.clip(share, 0.0, 1.0)
    smoothed: Floats = share * share * (3.0 - 2.0 * share)
    return smoothed
