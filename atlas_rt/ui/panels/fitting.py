"""A sheet over everything else that fits into any window: drawn smaller where it would not."""

from __future__ import annotations

from dataclasses import replace

from atlas_rt.ui import theme
from atlas_rt.ui.panels.canvas import Rect, Type
from atlas_rt.ui.panels.panel_context import PanelContext

LEAST_SHRUNK = 0.05
"""Some window managers make windows as small as they like; letters without a size cannot be drawn."""


class Fitting:
    """Remembers the type of the size that was needed last."""

    def __init__(self) -> None:
        self._small: tuple[tuple[Type, float], Type] | None = None

    def shrunk(self, context: PanelContext, size: tuple[float, float]) -> PanelContext:
        """The context with everything smaller, where a sheet of this size (before scaling) would not fit."""
        margin = context.px(2.0 * theme.MARGIN)
        room = min((room - margin) / context.px(length) for room, length in zip(context.size, size, strict=True))
        if room >= 1.0:
            return context
        room = max(room, LEAST_SHRUNK)
        if self._small is None or self._small[0] != (context.type, room):
            self._small = (
                (context.type, room),
                Type(context.type.fonts, context.type.scale, context.type.shaped, shrunk=room),
            )
        return replace(context, type=self._small[1])


def clicked_beside(context: PanelContext, whole: Rect, rect: Rect) -> bool:
    """Whether the person clicked into the window but not on the sheet; to be called after its own buttons."""
    clicked_inside, _ = context.button("sheet", rect)
    clicked, _ = context.button("beside", whole)
    return clicked and not clicked_inside


def centred(context: PanelContext, size: tuple[float, float]) -> Rect:
    """Where a sheet of this size (before scaling) stands."""
    width, height = context.px(size[0]), context.px(size[1])
    return Rect((context.size[0] - width) / 2.0, (context.size[1] - height) / 2.0, width, height)
