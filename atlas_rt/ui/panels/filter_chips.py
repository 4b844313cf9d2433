"""What is filtered by, as chips: each can be taken off, and none is out of sight while it works."""

from __future__ import annotations

from atlas_rt.core.filter_panel import Chip, FilterPanel
from atlas_rt.core.requests import ClearFilters, HideFiltered, TakeOffFilter
from atlas_rt.ui import theme
from atlas_rt.ui.panels.canvas import Canvas, Rect
from atlas_rt.ui.panels.filters import counted
from atlas_rt.ui.panels.icons import cross, eye
from atlas_rt.ui.panels.panel_context import PanelContext

HEIGHT, GAP, PAD, LINE = 30.0, 6.0, 8.0, 20.0
WIDEST = 280.0
"""Of one chip's words."""
LEAST_WORDS = 24.0
"""Where less is left for its values, its field alone is told."""


def build_chips(context: PanelContext, above: Rect) -> Rect:
    """Rows of chips below a rectangle, as wide as it is; the rectangle with them. Nothing while no filter is on."""
    panel = context.hud.filters
    if not panel.chips:
        return above
    rows = _rows(context, panel, above.width)
    lines = [line for text in _sentences(panel) for line in context.type.lines(text, above.width, theme.SMALL, most=2)]
    gap = context.px(8.0) if above.height else 0.0
    step, pad = context.px(HEIGHT + GAP), context.px(PAD)
    height = step * len(rows) - context.px(GAP) + context.px(LINE) * len(lines) + 2.0 * pad
    width = max([row[-1][1].right for row in rows] + [context.type.width(line, theme.SMALL) for line in lines])
    left = above.x + (above.width - width) / 2.0
    rect = Rect(left - pad, above.bottom + gap, width + 2.0 * pad, height)
    with context.panel("chips", rect) as canvas:
        y = rect.y + pad
        for row in rows:
            for part, place in row:
                _part(context, canvas, place._replace(x=left + place.x, y=y), part, panel)
            y += step
        for line in lines:
            canvas.text(left + context.px(4.0), y - context.px(2.0), line, theme.SMALL, theme.WARNING)
            y += context.px(LINE)
    return Rect(above.x, above.y, above.width, rect.bottom - above.y)


COUNT, REST, CLEAR = "count", "rest", "clear"
Part = int | str
"""A chip's place, or one of the three things behind them."""


def _rows(context: PanelContext, panel: FilterPanel, room: float) -> list[list[tuple[Part, Rect]]]:
    """What stands in each row: the parts with their places from the left."""
    parts: list[Part] = [*range(len(panel.chips)), COUNT, REST, CLEAR]
    rows: list[list[tuple[Part, Rect]]] = [[]]
    x, height = 0.0, context.px(HEIGHT)
    for part in parts:
        width = min(_width(context, part, panel), room)
        if rows[-1] and x + width > room:
            rows.append([])
            x = 0.0
        rows[-1].append((part, Rect(x, 0.0, width, height)))
        x += width + context.px(GAP)
    return rows


def _width(context: PanelContext, part: Part, panel: FilterPanel) -> float:
    if isinstance(part, int):
        title, text = _words(panel.chips[part])
        words = context.type.width(title, theme.SMALL) + context.type.width(text, theme.SMALL, strong=True)
        return min(words, context.px(WIDEST)) + context.px(48.0)
    return context.type.width(_label(part, panel), theme.CAPTION) + context.px(34.0 if part == REST else 14.0)


def _label(part: Part, panel: FilterPanel) -> str:
    if part == COUNT:
        return counted(panel)
    if part == REST:
        return "rest hidden" if panel.hides else "rest dimmed"
    return "Clear all"


def _part(context: PanelContext, canvas: Canvas, rect: Rect, part: Part, panel: FilterPanel) -> None:
    if isinstance(part, int):
        _chip(context, canvas, rect, part, panel.chips[part])
        return
    label, y = _label(part, panel), rect.centre[1] - context.px(theme.CAPTION) / 2.0
    if part == COUNT:
        canvas.text_centred(rect.centre[0], y, label, theme.CAPTION, theme.INK_SOFT)
        return
    clicked, pointed = context.button(str(part), rect)
    colour = theme.INK if pointed else theme.INK_SOFT
    if pointed:
        canvas.fill(rect, theme.FILL, context.px(theme.ROUND_SMALL))
    if part == REST:
        eye(canvas, (rect.x + context.px(15.0), rect.centre[1]), colour, struck=panel.hides)
        canvas.text(rect.x + context.px(27.0), y, label, theme.CAPTION, colour)
    else:
        canvas.text_centred(rect.centre[0], y, label, theme.CAPTION, theme.ACCENT)
    if clicked:
        context.requests.append(HideFiltered(not panel.hides) if part == REST else ClearFilters())


def _chip(context: PanelContext, canvas: Canvas, rect: Rect, place: int, chip: Chip) -> None:
    colour = theme.ACCENT if chip.wanted else theme.WARNING
    clicked, pointed = context.button(f"chip {place}", rect)
    canvas.fill(rect, theme.faded(colour, 0.26 if pointed else 0.15), rect.height / 2.0)
    canvas.outline(rect.inset(0.5), theme.faded(colour, 0.5), rect.height / 2.0)
    title, text = _words(chip)
    y, x = rect.centre[1] - context.px(theme.SMALL) / 2.0, rect.x + context.px(14.0)
    end = rect.right - context.px(32.0)
    x = canvas.text(x, y, context.type.fit(title, max(end - x, 1.0), theme.SMALL), theme.SMALL, theme.INK_SOFT)
    room = end - x + 1.0  # as wide as `_width` makes it, and a rounding
    if room > min(context.px(LEAST_WORDS), context.type.width(text, theme.SMALL, strong=True)):
        text = context.type.fit(text, room, theme.SMALL, strong=True)
        canvas.text(x, y, text, theme.SMALL, theme.INK, strong=True)
    cross(canvas, (rect.right - context.px(17.0), rect.centre[1]), theme.INK if pointed else theme.INK_SOFT)
    if clicked:
        context.requests.append(TakeOffFilter(place))


def _words(chip: Chip) -> tuple[str, str]:
    return f"{'' if chip.wanted else 'not '}{chip.title}  ", chip.text


def _sentences(panel: FilterPanel) -> tuple[str, ...]:
    """What to know of them, and the way out where they let nothing through."""
    if panel.shown or not panel.total:
        return panel.remarks
    if len(panel.chips) == 1:
        told, way_out = "No image fulfils this filter.", "Take it off with its cross, or with Ctrl+Z."
    else:
        told, way_out = (
            "No image fulfils all of these filters.",
            "Take one off with its cross, or the last with Ctrl+Z.",
        )
    return (f"{' '.join(panel.remarks) or told} {way_out}",)
