"""What the panels leave free of the picture: the rectangle in which an image or a cluster is framed."""

from __future__ import annotations

from collections.abc import Iterable

from atlas_rt.core.framing import FreeView
from atlas_rt.ui.panels.canvas import Rect

LEAST = 0.18
"""Of either side of the window, so much stays: what would leave less lies over the picture, such as the help."""


def free_view(size: tuple[float, float], sides: tuple[float, float], covered: Iterable[Rect]) -> FreeView:
    """What is left of a window of this size between two widths taken at its sides, and beside every covered rectangle.

    Each rectangle cuts the free one at the edge where it takes least of it, the larger ones first.
    """
    width, height = size
    left = sides[0]
    free = Rect(left, 0.0, max(width - sides[1], left + 1.0) - left, height)
    for rect in sorted(covered, key=lambda rect: rect.width * rect.height, reverse=True):
        if free.overlaps(rect):
            best = max(_cut(free, rect), key=lambda part: _room(part, size))
            free = best if _room(best, size) > 0.0 else free
    return FreeView(free.x / width, free.y / height, free.right / width, free.bottom / height)


def _cut(free: Rect, rect: Rect) -> tuple[Rect, ...]:
    """What is left of the free rectangle beside another: at the right, at the left, below, above."""
    return (
        free._replace(x=rect.right, width=free.right - rect.right),
        free._replace(width=rect.x - free.x),
        free._replace(y=rect.bottom, height=free.bottom - rect.bottom),
        free._replace(height=rect.y - free.y),
    )


def _room(part: Rect, size: tuple[float, float]) -> float:
    """The area of what is left, 0 where that is too narrow."""
    is_wide = part.width >= LEAST * size[0] and part.height >= LEAST * size[1]
    return part.width * part.height if is_wide else 0.0
