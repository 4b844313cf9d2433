"""Bottom left, in the status panel: what does not work now, for as long as that lasts, and a button for another try."""

from __future__ import annotations

from atlas_rt.core.requests import Retry
from atlas_rt.core.troubles import Trouble
from atlas_rt.ui import theme
from atlas_rt.ui.panels.canvas import Canvas, Rect
from atlas_rt.ui.panels.panel_context import PanelContext

LINE, GAP = 19.0, 5.0
LINES_MAX = 4
"""Of one sentence; a reason may be as long as a library wants it."""
AGAIN = "Try again"


def troubles_height(context: PanelContext, width: float) -> float:
    """How high the sentences are in this width, pixels."""
    return sum(_height(context, trouble, width) for trouble in context.hud.troubles)


def build_troubles(context: PanelContext, canvas: Canvas, rect: Rect) -> None:
    """Draw the sentences from the top of a rectangle; a click requests for another try."""
    y = rect.y
    for trouble in context.hud.troubles:
        height = _height(context, trouble, rect.width)
        _build(context, canvas, rect._replace(y=y, height=height), trouble)
        y += height


def _build(context: PanelContext, canvas: Canvas, rect: Rect, trouble: Trouble) -> None:
    lines = _lines(context, trouble, rect.width)
    colour = theme.WARNING if trouble.retry else theme.ACCENT
    for number, line in enumerate(lines):
        canvas.text(rect.x, rect.y + number * context.px(LINE), line, theme.SMALL, colour)
    if not trouble.retry:
        return
    place = Rect(
        rect.x, rect.y + len(lines) * context.px(LINE), context.type.width(AGAIN, theme.SMALL), context.px(LINE)
    )
    clicked, pointed = context.button(f"again {trouble.part}", place)
    canvas.text(place.x, place.y, AGAIN, theme.SMALL, theme.INK if pointed else theme.INK_SOFT, strong=pointed)
    canvas.line((place.x, place.bottom), (place.right, place.bottom), theme.INK_SOFT, context.px(1.0))
    if clicked:
        context.requests.append(Retry(trouble.part))


def _height(context: PanelContext, trouble: Trouble, width: float) -> float:
    return context.px((len(_lines(context, trouble, width)) + trouble.retry) * LINE + GAP)


def _lines(context: PanelContext, trouble: Trouble, width: float) -> list[str]:
    return context.type.lines(trouble.text, width, theme.SMALL, most=LINES_MAX)
