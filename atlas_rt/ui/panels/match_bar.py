"""How alike a match must be: a slider below the results, which tells how many match while it is dragged."""

from __future__ import annotations

from imgui_bundle import imgui

from atlas_rt.core.answers import SearchAnswer
from atlas_rt.core.match_threshold import ALL, STRONG, WEAK, share_of, threshold_at
from atlas_rt.core.requests import SetThreshold
from atlas_rt.ui import theme
from atlas_rt.ui.panels.canvas import Canvas, Rect
from atlas_rt.ui.panels.panel_context import PanelContext

HEIGHT = 30.0
LABEL = "How alike"
TOLD = 150.0
"""Room for the number of matches."""
KNOB = 7.0
NEAR = 0.02
"""A share so near to a mark, or to the left end, is taken for it."""


def build_match_bar(context: PanelContext, canvas: Canvas, row: Rect, answer: SearchAnswer) -> None:
    """A row with the slider; a click or a drag sets it."""
    middle = row.centre[1]
    y = middle - context.px(theme.CAPTION) / 2.0
    begin = canvas.text(row.x, y, LABEL, theme.CAPTION, theme.INK_FAINT) + context.px(16.0)
    track = Rect(begin, middle - context.px(1.5), row.right - context.px(TOLD) - begin, context.px(3.0))
    threshold, held, pointed = _dragged(context, track)
    _draw(context, canvas, track, threshold, lively=held or pointed)
    colour = theme.INK_FAINT if threshold <= ALL else theme.INK_SOFT
    canvas.text_right(row.right, y, _told(answer, threshold), theme.CAPTION, colour)


def _dragged(context: PanelContext, track: Rect) -> tuple[float, bool, bool]:
    """The threshold as it is now, whether the knob is held, and whether it is pointed at."""
    reach = context.px(KNOB + 4.0)
    _, pointed = context.button("threshold", Rect(track.x - reach, track.y - reach, track.width + 2 * reach, 2 * reach))
    held, threshold = imgui.is_item_active(), context.hud.threshold
    if held and track.width > 0.0:
        wanted = _snapped(threshold_at((imgui.get_mouse_pos().x - track.x) / track.width))
        if wanted != threshold:
            context.requests.append(SetThreshold(wanted))
            threshold = wanted
    return threshold, held, pointed


def _snapped(threshold: float) -> float:
    marks = (mark for mark in (ALL, WEAK, STRONG) if abs(share_of(threshold) - share_of(mark)) <= NEAR)
    return next(marks, round(threshold, 2))


def _draw(context: PanelContext, canvas: Canvas, track: Rect, threshold: float, *, lively: bool) -> None:
    """What is listed lies to the right of the knob; marks where weak and strong matches begin."""
    rounding, at = track.height / 2.0, track.x + share_of(threshold) * track.width
    canvas.fill(track, theme.FILL_HOVER, rounding)
    canvas.fill(track._replace(x=at, width=track.right - at), theme.faded(theme.ACCENT, 0.75), rounding)
    for mark in (WEAK, STRONG):
        x = track.x + share_of(mark) * track.width
        canvas.line(
            (x, track.y - context.px(5.0)), (x, track.bottom + context.px(5.0)), theme.INK_FAINT, context.px(1.0)
        )
    radius = context.px(KNOB + (1.0 if lively else 0.0))
    canvas.dot((at, track.centre[1]), radius + context.px(1.5), theme.SHADOW)
    canvas.dot((at, track.centre[1]), radius, theme.ACCENT if lively or threshold > ALL else theme.INK_SOFT)


def _told(answer: SearchAnswer, threshold: float) -> str:
    if threshold <= ALL:
        return f"all {answer.matching:,}, ranked" if answer.matching >= 0 else "all, ranked"
    return {0: "none match", 1: "1 matches"}.get(answer.matching, f"{answer.matching:,} match")
