"""Bottom left, in the status panel: what does not work now, for as long as that lasts, and a button for another try."""

from __future__ import annotations

from atlas_rt.core.troubles import Trouble
from atlas_rt.core.wishes import Retry
from atlas_rt.ui import theme
from atlas_rt.ui.panels.canvas import Canvas, Rect
from atlas_rt.ui.panels.stage import Stage

LINE, GAP = 19.0, 5.0
LINES_MAX = 4
"""Of one sentence; a reason may be as long as a library wants it."""
AGAIN = "Try again"


def troubles_height(stage: Stage, width: float) -> float:
    """How high the sentences are in this width, pixels."""
    return sum(_height(stage, trouble, width) for trouble in stage.hud.troubles)


def build_troubles(stage: Stage, canvas: Canvas, rect: Rect) -> None:
    """Draw the sentences from the top of a rectangle; a click wishes for another try."""
    y = rect.y
    for trouble in stage.hud.troubles:
        height = _height(stage, trouble, rect.width)
        _build(stage, canvas, rect._replace(y=y, height=height), trouble)
        y += height


def _build(stage: Stage, canvas: Canvas, rect: Rect, trouble: Trouble) -> None:
    lines = _lines(stage, trouble, rect.width)
    colour = theme.WARNING if trouble.retry else theme.ACCENT
    for number, line in enumerate(lines):
        canvas.text(rect.x, rect.y + number * stage.px(LINE), line, theme.SMALL, colour)
    if not trouble.retry:
        return
    place = Rect(rect.x, rect.y + len(lines) * stage.px(LINE), stage.type.width(AGAIN, theme.SMALL), stage.px(LINE))
    clicked, pointed = stage.button(f"again {trouble.part}", place)
    canvas.text(place.x, place.y, AGAIN, theme.SMALL, theme.INK if pointed else theme.INK_SOFT, strong=pointed)
    canvas.line((place.x, place.bottom), (place.right, place.bottom), theme.INK_SOFT, stage.px(1.0))
    if clicked:
        stage.wishes.append(Retry(trouble.part))


def _height(stage: Stage, trouble: Trouble, width: float) -> float:
    return stage.px((len(_lines(stage, trouble, width)) + trouble.retry) * LINE + GAP)


def _lines(stage: Stage, trouble: Trouble, width: float) -> list[str]:
    return stage.type.lines(trouble.text, width, theme.SMALL, most=LINES_MAX)
