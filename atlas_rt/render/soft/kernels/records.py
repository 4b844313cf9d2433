"""The records that kernels hand to each other, and the types of their arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Records = NDArray[np.void]
"""Rows of one of the types below, or the one row of `render.frame.FRAME`."""
Record = Any
"""One of them: numba reads its fields by name."""
Pixels = NDArray[np.uint32]
"""(h, w) 0xFFRRGGBB, top row first."""
Depths = NDArray[np.uint16]
"""(h, w) how near the card of a pixel is, 0 where there is none: see `pixels.nearness`."""
Counts = NDArray[np.int32]

CARD = np.dtype(
    [
        ("mean_red", "f4"),
        ("mean_green", "f4"),
        ("mean_blue", "f4"),
        ("hue_red", "f4"),
        ("hue_green", "f4"),
        ("hue_blue", "f4"),
        ("root", "f4"),
        ("dim", "f4"),
    ]
)
"""What stays the same of a row: mean colour and hue as screen colours 0..1, the root of its aspect, and what is left
of its light (less than 1 where the file is away)."""

NODE = np.dtype(
    [
        ("x", "f4"),
        ("y", "f4"),
        ("near", "f4"),
        ("shine", "f4"),
        ("clear", "f4"),
        ("lit", "f4"),
        ("depth", "f4"),
        ("covering", "f4"),
        ("across", "f4"),
        ("down", "f4"),
        ("brightness", "f4"),
        ("light", "f4"),
        ("wx", "f4"),
        ("wy", "f4"),
        ("wz", "f4"),
        ("room", "f4"),
    ]
)
"""A row in this frame, 64 bytes, what edges need of it first. x, y: pixels from the top left. near: one over the depth
at which its edges end; shine: the share of their light that reaches the eye; clear: 0..1, what the fog leaves; lit: the
share of light it gives its edges. depth: before the eye; covering: by which it covers others. across, down: half sides
in pixels. light: 0..1 by the search. wx, wy, wz: its place in the world."""

SEGMENT = np.dtype(
    [
        ("x0", "f4"),
        ("y0", "f4"),
        ("x1", "f4"),
        ("y1", "f4"),
        ("near0", "f4"),
        ("near1", "f4"),
        ("shine0", "f4"),
        ("shine1", "f4"),
        ("reach0", "f4"),
        ("reach1", "f4"),
        ("a", "i4"),
        ("b", "i4"),
        ("t0", "f4"),
        ("t1", "f4"),
        ("length", "f4"),
        ("walk0", "f4"),
        ("walk1", "f4"),
    ]
)
"""An edge on screen. near: one over the depth of each end; shine: the share of its node's light; reach: half width in
pixels, 0 for a line of one pixel; a, b: rows; t0, t1: where on the whole edge its ends are. length: of the whole edge,
world units; walk0, walk1: how far its two nodes are from where light runs out from, along edges."""

RING = np.dtype(
    [
        ("x", "f4"),
        ("y", "f4"),
        ("near", "f4"),
        ("across", "f4"),
        ("down", "f4"),
        ("width", "f4"),
        ("red", "f4"),
        ("green", "f4"),
        ("blue", "f4"),
    ]
)
"""A ring around a card: middle, nearness, half sides, width of its line, light."""
