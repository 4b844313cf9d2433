"""What a newcomer may try next: a line at the bottom with the keys as they lie there."""

from __future__ import annotations

from collections.abc import Mapping

from atlas_rt.core.hints import Hint
from atlas_rt.ui import theme
from atlas_rt.ui.panels.canvas import Rect
from atlas_rt.ui.panels.panel_context import Fade, PanelContext

HEIGHT, PAD, GAP = 38.0, 16.0, 3.0


class HintLine:
    """Shown while `hud.hint` is there. layout: what is printed on the keys, by their names on a US keyboard."""

    def __init__(self, layout: Mapping[str, str]) -> None:
        self._layout = layout
        self._fade = Fade(0.4)
        self._hint: Hint | None = None

    def build(self, context: PanelContext, bottom: float) -> float:
        """bottom: what lies below is taken. Where the room above it ends."""
        wanted = context.hud.hint
        if wanted is not None and self._fade.value == 0.0:
            self._hint = wanted
        alpha = self._fade.advance(wanted is not None and wanted is self._hint, context.hud)
        if alpha <= 0.0 or self._hint is None:
            return bottom
        keys = [self._layout.get(key, key) for key in self._hint.keys]
        caps = [max(context.type.width(key, theme.CAPTION) + context.px(14.0), context.px(24.0)) for key in keys]
        pad, height = context.px(PAD), context.px(HEIGHT)
        left, right = context.free_span(bottom - height, bottom)
        room = right - left - 4.0 * pad - sum(caps)
        says = context.type.fit(self._hint.says, max(room, 0.0), theme.SMALL)
        beside = sum(caps) + context.px(GAP) * len(caps) + (context.px(8.0) if caps else 0.0)
        width = beside + context.type.width(says, theme.SMALL) + 2.0 * pad
        rect = Rect((left + right - width) / 2.0, bottom - height, width, height)
        canvas = context.over(alpha)
        canvas.glass(rect, rounding=19.0)
        x = rect.x + pad
        for key in keys:
            x = canvas.key_cap(x, rect.centre[1] - context.px(10.5), key) + context.px(GAP)
        x += context.px(8.0) if caps else 0.0
        canvas.text(x, rect.centre[1] - context.px(theme.SMALL) / 2.0, says, theme.SMALL, theme.INK)
        return rect.y - context.px(10.0)
