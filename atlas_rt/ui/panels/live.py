"""The camera's panel: what it sees, and which images are nearest to that."""

from __future__ import annotations

from atlas_rt.core.answers import LiveFix
from atlas_rt.ui import theme
from atlas_rt.ui.panels.canvas import Canvas, Rect
from atlas_rt.ui.panels.panel_context import Fade, PanelContext

WIDTH = 276.0
NEAREST = 4
DEFAULT_ASPECT = 4.0 / 3.0


class LivePanel:
    """Bottom right while the camera is on; left of the detail panel if that is open."""

    def __init__(self) -> None:
        self._fade = Fade()

    def build(self, context: PanelContext, taken_right: float) -> None:
        """taken_right: how much of the right side the detail panel has."""
        hud = context.hud
        alpha = self._fade.advance(hud.live_on, hud)
        if not hud.live_on:
            return
        fix, pad, margin = hud.live, context.px(12.0), context.px(theme.MARGIN)
        left, right = context.free_span(context.size[1] - margin - 1.0, context.size[1] - margin)
        right = min(right, context.size[0] - taken_right)
        width = min(context.px(WIDTH), right - left - 2.0 * margin)
        inner = width - 2.0 * pad
        lines = context.type.lines(fix.error, inner, theme.SMALL, most=4) if fix and fix.error else []
        picture_height = 0.0 if lines else inner / _aspect(fix)
        nearest = fix.neighbours[:NEAREST] if fix and not lines else ()
        side = (inner - context.px(6.0) * (NEAREST - 1)) / NEAREST
        height = context.px(26.0) + picture_height + len(lines) * context.px(20.0) + 2.0 * pad
        height += side + context.px(10.0) if nearest else 0.0
        rect = Rect(right - margin - width, context.size[1] - margin - height, width, height)
        with context.panel("live", rect, alpha=alpha) as canvas:
            x, y = rect.x + pad, rect.y + pad
            self._heading(context, canvas, Rect(x, y, inner, context.px(26.0)), fix)
            y += context.px(26.0)
            for number, line in enumerate(lines):
                canvas.text(x, y + number * context.px(20.0), line, theme.SMALL, theme.WARNING)
            if not lines:
                self._picture(context, canvas, Rect(x, y, inner, picture_height))
            y += picture_height + context.px(10.0)
            for column, id_ in enumerate(nearest):
                context.image_button(canvas, Rect(x + column * (side + context.px(6.0)), y, side, side), id_)

    def _heading(self, context: PanelContext, canvas: Canvas, rect: Rect, fix: LiveFix | None) -> None:
        seen = fix is not None and not fix.error
        canvas.dot(
            (rect.x + context.px(5.0), rect.y + context.px(8.0)), context.px(4.0), theme.GOOD if seen else theme.WARNING
        )
        canvas.text(rect.x + context.px(16.0), rect.y, "Camera", theme.SMALL, theme.INK, strong=True)
        if fix is None:
            canvas.text_right(rect.right, rect.y, "starting", theme.CAPTION, theme.INK_FAINT)
        elif seen:
            told = f"{certainty(fix.uncertainty)}  ·  {fix.fps:.0f}/s"
            canvas.text_right(rect.right, rect.y + context.px(1.0), told, theme.CAPTION, theme.INK_SOFT)

    def _picture(self, context: PanelContext, canvas: Canvas, rect: Rect) -> None:
        rounding = context.px(theme.ROUND_SMALL)
        canvas.fill(rect, theme.PLATE, rounding)
        if ref := context.thumbnails.picture_ref("live"):
            canvas.picture(rect, ref, rounding)


def certainty(uncertainty: float) -> str:
    """How sure the place is, in words."""
    if uncertainty < 0.34:
        return "sure of this place"
    return "roughly here" if uncertainty < 0.67 else "like nothing on the map"


def _aspect(fix: LiveFix | None) -> float:
    if fix is None or not fix.picture.size:
        return DEFAULT_ASPECT
    height, width = fix.picture.shape[:2]
    return float(width) / float(height)
