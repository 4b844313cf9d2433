"""Which way to the selected image while it is not in sight."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from atlas_rt.core.framing import FreeView
from atlas_rt.core.scene import View
from atlas_rt.core.visibility import positions_now

INSET = 46.0
"""From the edge of what panels leave free, window pixels before scaling."""


@dataclass(frozen=True, slots=True)
class Compass:
    """at_px: where it stands, window pixels; towards: unit vector to the right and down. id: of the image."""

    id: int
    at_px: tuple[float, float]
    towards: tuple[float, float]


def compass_to_selected(view: View, free: FreeView, size_px: tuple[int, int], *, scale: float = 1.0) -> Compass | None:
    """The way to what was selected last; None while nothing is, or it is in the free part of the picture."""
    row = view.selected[-1] if view.selected else -1
    if row < 0:
        return None
    place = positions_now(view, np.array([row]))[0]
    right, up, back = (view.view_from_world[:3, :3] @ place + view.view_from_world[:3, 3]).tolist()
    width, height = size_px
    left, top, end, bottom = free.left * width, free.top * height, free.right * width, free.bottom * height
    across, down = right * float(view.clip_from_view[0, 0]), -up * float(view.clip_from_view[1, 1])
    if back < 0.0:  # before the eye
        x, y = (1.0 + across / -back) / 2.0 * width, (1.0 + down / -back) / 2.0 * height
        if left <= x <= end and top <= y <= bottom:
            return None
    way = np.array([across * width, down * height])
    length = float(np.linalg.norm(way))
    towards = way / length if length > 1e-6 else np.array([0.0, 1.0])  # straight behind: turn round over the floor
    inset = min(INSET * scale, (end - left) / 2.0, (bottom - top) / 2.0)
    middle = np.array([(left + end) / 2.0, (top + bottom) / 2.0])
    room = np.array([(end - left) / 2.0 - inset, (bottom - top) / 2.0 - inset])
    reach = min(room[axis] / abs(towards[axis]) for axis in range(2) if abs(towards[axis]) > 1e-6)
    at = middle + towards * reach
    return Compass(int(view.scene.ids[row]), (float(at[0]), float(at[1])), (float(towards[0]), float(towards[1])))
