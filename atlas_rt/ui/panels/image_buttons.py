"""The buttons under the panel of an image: fly there, look at it, what the desktop can do with it."""

from __future__ import annotations

from atlas_rt.core.look import MOST
from atlas_rt.core.requests import CopyPath, CopyPicture, CopyText, Do, FlyTo, OpenFile, Request, ShowInFolder
from atlas_rt.ui import theme
from atlas_rt.ui.panels.canvas import Canvas, Rect
from atlas_rt.ui.panels.panel_context import PanelContext

TALL, LOW, GAP = 36.0, 30.0, 8.0
COPY = 44.0
"""The word before the three things that can be copied."""


def height(*, kiosk: bool) -> float:
    """Before scaling. A kiosk's visitors may only look."""
    return TALL if kiosk else TALL + 2.0 * (LOW + GAP)


def build(context: PanelContext, canvas: Canvas, rect: Rect, id_: int) -> None:
    """The buttons, which fill a rectangle of that height."""
    tall, low, gap = context.px(TALL), context.px(LOW), context.px(GAP)
    look = "Look" if context.hud.selection < 2 else f"Compare {min(context.hud.selection, MOST)}"
    _row(
        context, canvas, rect._replace(height=tall), [("Fly there", FlyTo(id_)), (look, Do("look_whole"))], accent=True
    )
    if context.hud.kiosk:
        return
    first = rect._replace(y=rect.y + tall + gap, height=low)
    _row(context, canvas, first, [("Open", OpenFile(id_)), ("Show in folder", ShowInFolder(id_))])
    second = first._replace(y=first.bottom + gap)
    canvas.text(rect.x, second.centre[1] - context.px(theme.CAPTION) / 2.0, "Copy", theme.CAPTION, theme.INK_FAINT)
    left = context.px(COPY)
    second = second._replace(x=second.x + left, width=second.width - left)
    _row(context, canvas, second, [("Path", CopyPath(id_)), ("Picture", CopyPicture(id_)), ("Text", CopyText(id_))])


def _row(
    context: PanelContext, canvas: Canvas, rect: Rect, buttons: list[tuple[str, Request]], *, accent: bool = False
) -> None:
    """Buttons of one width. accent: the first one is what is meant."""
    gap = context.px(GAP)
    width = (rect.width - gap * (len(buttons) - 1)) / len(buttons)
    for number, (label, request) in enumerate(buttons):
        place = rect._replace(x=rect.x + (width + gap) * number, width=width)
        if context.labelled_button(canvas, place, label, accent=accent and number == 0):
            context.requests.append(request)
