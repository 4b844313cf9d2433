"""How the words in the search field were read in the person's language: a quiet line below them, with which one takes
that back."""

from __future__ import annotations

from collections.abc import Iterator

from atlas_rt.core.answers import QueryReading
from atlas_rt.core.controls import BY_NAME
from atlas_rt.core.requests import ToggleReading
from atlas_rt.ui import theme
from atlas_rt.ui.panels.canvas import Canvas, Rect
from atlas_rt.ui.panels.panel_context import PanelContext

HEIGHT = 28.0
"""What the console grows by."""
BETWEEN, ARROW = 18.0, 15.0
"""Between two words with their English, and between a word and its English, where the arrow stands."""
LONGEST = 0.6
"""Share of the line that one word may take."""
Part = tuple[str, str]


def build_reading(context: PanelContext, canvas: Canvas, row: Rect, reading: QueryReading) -> None:
    """A row, a click on which takes the reading back, or the taking back."""
    clicked, pointed = context.button("reading", row)
    y = row.y + (row.height - context.px(theme.CAPTION)) / 2.0 - context.px(3.0)
    right = _way_back(context, canvas, row, y, reading, pointed=pointed)
    if reading.undone:
        told = context.type.fit("Searched as typed", right - row.x, theme.CAPTION)
        canvas.text(row.x, y, told, theme.CAPTION, theme.INK_FAINT)
    else:
        _words(context, canvas, Rect(row.x, y, right - row.x, row.height), reading, pointed=pointed)
    if clicked:
        context.requests.append(ToggleReading())


def _way_back(
    context: PanelContext, canvas: Canvas, row: Rect, y: float, reading: QueryReading, *, pointed: bool
) -> float:
    """The key and what it does, at the right end. Returns where the room for words ends."""
    key = BY_NAME["as_typed"].chords[0]
    does = f"read as {reading.english}" if reading.undone else "as typed"
    cap = context.type.width(key, theme.CAPTION) + context.px(14.0)
    most = row.width * LONGEST - cap
    if most < context.px(48.0):
        return row.right
    does = context.type.fit(does, most, theme.CAPTION)
    x = row.right - context.type.width(does, theme.CAPTION)
    canvas.text(x, y, does, theme.CAPTION, theme.ACCENT if pointed else theme.INK_FAINT)
    x -= context.px(7.0) + cap
    canvas.key_cap(x, y - context.px(3.0), key)
    return x - context.px(BETWEEN)


def _words(context: PanelContext, canvas: Canvas, row: Rect, reading: QueryReading, *, pointed: bool) -> None:
    """Each word with its English, as many as there is room for. The two are drawn apart, since a word of Hebrew or
    Arabic would turn the arrow and change sides with its English."""
    x, most = row.x, row.width * LONGEST
    typed_ink, english_ink = (theme.INK_SOFT, theme.INK) if pointed else (theme.INK_FAINT, theme.INK_SOFT)
    for pair in _pairs(reading):
        typed, english = (context.type.fit(word, most, theme.CAPTION) for word in pair)
        begin = x + context.type.width(typed, theme.CAPTION) + context.px(2.0 * 6.0 + ARROW)
        end = begin + context.type.width(english, theme.CAPTION)
        if end > row.right:
            canvas.text(x, row.y, "…", theme.CAPTION, typed_ink)
            return
        canvas.text(x, row.y, typed, theme.CAPTION, typed_ink)
        _arrow(context, canvas, begin - context.px(6.0 + ARROW), row.y + context.px(theme.CAPTION / 2.0), typed_ink)
        canvas.text(begin, row.y, english, theme.CAPTION, english_ink)
        x = end + context.px(BETWEEN)


def _pairs(reading: QueryReading) -> Iterator[Part]:
    """What changes: a name that is the same in English says nothing."""
    for typed, english in reading.words:
        if typed.casefold() != english.casefold():
            yield typed, english


def _arrow(context: PanelContext, canvas: Canvas, x: float, y: float, ink: theme.Colour) -> None:
    tip, back = x + context.px(ARROW - 2.0), context.px(3.5)
    canvas.line((x + context.px(1.0), y), (tip, y), ink, 1.2)
    canvas.line((tip - back, y - back), (tip, y), ink, 1.2)
    canvas.line((tip - back, y + back), (tip, y), ink, 1.2)
