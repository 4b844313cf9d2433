"""Rows in rough order from front to back, so that early depth tests reject what is hidden before it is shaded.

The order along the way one looks depends on that direction alone, not on where the eye is: flying forward changes
nothing. So rows are sorted again only when the head has turned a little, or when they stand elsewhere.
"""

from __future__ import annotations

import moderngl
import numpy as np

from atlas_rt.core.arrays import Floats, Ints
from atlas_rt.core.scene import View
from atlas_rt.render.gl.nodes import UNIT_ORDER, DataTexture

TURN = 0.1
"""Turns of the head under so many radians leave the order: rows one card apart may then be the wrong way round, which
costs a few pixels that are shaded twice."""
STEPS = 65535
"""Depths are sorted as 16-bit numbers, for which numpy has a radix sort: 100,000 in 0.6 ms."""


def front_to_back(positions: Floats, forward: Floats) -> Ints:
    """(n,) rows by growing depth, to within a STEPS-th of their range."""
    if not len(positions):
        return np.zeros(0, np.int32)
    depths = positions @ forward
    least = depths.min()
    scale = np.float32(STEPS) / max(depths.max() - least, np.float32(1e-9))
    return np.argsort(((depths - least) * scale).astype(np.uint16), kind="stable").astype(np.int32)


class DepthOrder:
    """The order of the rows drawn last, on the GPU; what leaves comes after all others."""

    def __init__(self, ctx: moderngl.Context) -> None:
        self._order = DataTexture(ctx, 1)
        self._forward: Floats = np.zeros(3, np.float32)
        self._of: tuple[object, object, int] = (None, None, 0)

    def update(self, view: View, drawn: int) -> None:
        """Sort again where that is needed. drawn: rows with a card, those that leave included."""
        forward: Floats = -view.view_from_world[2, :3]
        of = view.positions, view.old_positions if view.morph < 0.5 else None, drawn
        same = all(one is other for one, other in zip(of[:2], self._of[:2], strict=True)) and drawn == self._of[2]
        if same and float(np.abs(forward - self._forward).max()) < TURN:
            return
        self._of, self._forward = of, forward
        places = view.positions if view.morph >= 0.5 else view.old_positions
        rows = front_to_back(places, forward)
        self._order.write(np.append(rows, np.arange(len(rows), drawn)).astype(np.float32))

    def use(self) -> None:
        """Bind to the unit the shaders expect."""
        self._order.use(UNIT_ORDER)

    def release(self) -> None:
        self._order.release()
