"""The search console: one large line of text near the top, the best images in a strip below it."""

from __future__ import annotations

import math
from collections.abc import Iterator

from imgui_bundle import imgui

from atlas_rt.core.answers import Match, QueryReading, SearchAnswer
from atlas_rt.core.match_threshold import ALL
from atlas_rt.core.requests import ClearSearch, ForgetPicture, RecallQuery, Search
from atlas_rt.ui import theme
from atlas_rt.ui.panels import match_bar, reading_line
from atlas_rt.ui.panels.canvas import Canvas, Rect
from atlas_rt.ui.panels.completions import build_completions
from atlas_rt.ui.panels.filter_chips import build_chips
from atlas_rt.ui.panels.icons import cross, magnifier
from atlas_rt.ui.panels.panel_context import Fade, PanelContext
from atlas_rt.ui.panels.query_chip import build_chip
from atlas_rt.ui.panels.text_field import TextField

WIDTH, HEIGHT, TOP = 720.0, 58.0, 16.0
CELL, GAP, CAPTION_HEIGHT = 84.0, 8.0, 22.0
LINE, LINES_MAX = 21.0, 2
"""Of a sentence above the results."""
PROMPT = "Describe it, or type a name or a keyword"
BESIDE_PICTURE = "Add words, or -words"
CLEAR = 28.0
TIPS = (
    ("drop or paste", "a picture to search by"), ("beach -people", "without people"),
    ("date:2023 beach", "of that year"), ("folder:holiday", "in that folder"),
)  # fmt: skip
"""What can be typed besides words, and what it does; shown as long as nothing is typed."""
BANDS = {"exact": theme.GOOD, "strong": theme.ACCENT, "weak": theme.INK_SOFT, "none": theme.INK_FAINT}


class SearchPanel:
    """Open while `hud.searching`. The field's text and the app's are one unless the app changes its own."""

    def __init__(self) -> None:
        self._field = TextField("query")
        self._was_open = False
        self._first = 0
        self._shown_result = -1
        self._fade = Fade()

    @property
    def wants_text(self) -> bool:
        """The field has the focus, or is about to."""
        return self._field.wants_text

    def focus(self) -> None:
        """Give the field the focus (again)."""
        self._field.focus()

    def build(self, context: PanelContext, taken_right: float, taken_left: float = 0.0) -> None:
        """taken_right, taken_left: how much of either side the detail panel and the clusters have."""
        hud = context.hud
        if hud.searching and not self._was_open:
            self.focus()
        self._was_open = hud.searching
        alpha = self._fade.advance(hud.searching, hud)
        free = context.size[0] - taken_right - taken_left
        width = min(context.px(WIDTH), free - context.px(2 * theme.MARGIN))
        if not hud.searching:
            self._field.leave(hud.query)
            build_chips(context, Rect(taken_left + (free - width) / 2.0, context.px(TOP), width, 0.0))
            return
        self._field.adopt(hud.query)
        rise = context.px(10.0) * (1.0 - alpha)
        line = Rect(taken_left + (free - width) / 2.0, context.px(TOP) - rise, width, context.px(HEIGHT))
        reading = hud.answer.reading if hud.answer is not None and self._field.text.strip() else None
        rect = line if reading is None else line._replace(height=line.height + context.px(reading_line.HEIGHT))
        with context.panel("search", rect, alpha=alpha) as canvas:
            self._line(context, canvas, line)
            if reading is not None:
                self._reading(context, canvas, line, reading)
        rect = build_chips(context, rect)
        if not (self._field.text or hud.query_picture):
            self._tips(context, rect, alpha)
        elif hud.answer is not None:
            self._answer(context, rect, hud.answer, alpha)

    def _answer(self, context: PanelContext, console: Rect, answer: SearchAnswer, alpha: float) -> None:
        """Completions and results. A click that goes on with the query leaves the caret at its end."""
        asked, below = len(context.requests), console
        if answer.completions and answer.query == self._field.text:
            below = build_completions(context, _row_below(context, console), answer.completions, alpha)
        self._results(context, below, answer, alpha)
        if any(isinstance(request, Search) for request in context.requests[asked:]):
            self._field.focus(to_end=True)

    def _line(self, context: PanelContext, canvas: Canvas, rect: Rect) -> None:
        magnifier(canvas, (rect.x + context.px(30.0), rect.centre[1]), self._field.colour)
        hint_width = self._key_hint(context, canvas, rect)
        x, picture = rect.x + context.px(58.0), context.hud.query_picture
        if picture is not None:
            x = build_chip(context, canvas, x - context.px(6.0), rect.centre[1], picture) + context.px(14.0)
        width = rect.right - context.px(20.0) - hint_width - x
        was_empty = not self._field.text
        prompt, size = (BESIDE_PICTURE, theme.TITLE) if picture else (PROMPT, theme.LARGE)
        changed, _ = self._field.build(context, (x, rect.centre[1]), width, size, prompt)
        if changed:
            context.requests.append(Search(self._field.text))
        self._keys(context, may_forget=picture is not None and was_empty)

    def _reading(self, context: PanelContext, canvas: Canvas, line: Rect, reading: QueryReading) -> None:
        """Below the words, which begin farther right where a picture stands before them."""
        left, height = line.x + context.px(58.0), context.px(reading_line.HEIGHT)
        row = Rect(left, line.bottom - context.px(4.0), max(line.right - context.px(20.0) - left, 1.0), height)
        reading_line.build_reading(context, canvas, row, reading)

    def _keys(self, context: PanelContext, *, may_forget: bool) -> None:
        """Keys that mean something else here than in other fields."""
        if not self._field.active or imgui.get_io().key_ctrl:
            return
        for key, step in ((imgui.Key.up_arrow, -1), (imgui.Key.down_arrow, 1)):
            if imgui.is_key_pressed(key, False):
                context.requests.append(RecallQuery(step))
        if may_forget and imgui.is_key_pressed(imgui.Key.backspace, False):
            context.requests.append(ForgetPicture())

    def _key_hint(self, context: PanelContext, canvas: Canvas, rect: Rect) -> float:
        """The key that helps now, at the right end. Returns the room it takes."""
        answer, asked = context.hud.answer, bool(self._field.text or context.hud.query_picture)
        key, does = ("Enter", "fly there") if answer and answer.best and asked else ("Esc", "close")
        width = context.type.width(does, theme.CAPTION) + context.type.width(key, theme.CAPTION) + context.px(22.0)
        side = context.px(CLEAR) if asked else 0.0
        x, y = rect.right - context.px(20.0) - width - side, rect.centre[1] - context.px(10.5)
        end = canvas.key_cap(x, y, key)
        canvas.text(end + context.px(7.0), y + context.px(3.0), does, theme.CAPTION, theme.INK_FAINT)
        if asked:
            self._clear(context, canvas, Rect(rect.right - context.px(12.0) - side, rect.y, side, rect.height))
        return width + side + context.px(16.0)

    def _clear(self, context: PanelContext, canvas: Canvas, place: Rect) -> None:
        clicked, pointed = context.button("clear search", place)
        cross(canvas, place.centre, theme.INK if pointed else theme.INK_FAINT)
        if clicked:
            context.requests.append(ClearSearch())
            self.focus()

    def _tips(self, context: PanelContext, console: Rect, alpha: float) -> None:
        rect = _row_below(context, console)
        x, y = rect.x + context.px(20.0), rect.y + context.px(10.0)
        with context.panel("tips", rect, alpha=alpha) as canvas:
            for typed, does in TIPS:
                means = context.type.width(typed, theme.CAPTION, strong=True) + context.px(8.0)
                end = x + means + context.type.width(does, theme.CAPTION)
                if end > rect.right - context.px(12.0):
                    break
                canvas.text(x, y, typed, theme.CAPTION, theme.INK_SOFT, strong=True)
                canvas.text(x + means, y, does, theme.CAPTION, theme.INK_FAINT)
                x = end + context.px(28.0)

    def _results(self, context: PanelContext, console: Rect, answer: SearchAnswer, alpha: float) -> None:
        pad = context.px(12.0)
        lines = list(self._lines(context, answer, console.width - 2.0 * pad))
        head = context.px(LINE) * len(lines) + (context.px(LINE + 12.0) if answer.offers else 0.0)
        head += context.px(7.0) if head else 0.0
        strip_height = context.px(CELL + CAPTION_HEIGHT + 6.0) if answer.best else 0.0
        if not head and not answer.best:
            return
        top, bar = console.bottom + context.px(8.0), context.px(match_bar.HEIGHT) if len(answer.levels) else 0.0
        rect = Rect(console.x, top, console.width, strip_height + head + bar + 2.0 * pad - context.px(6.0))
        with context.panel("results", rect, alpha=alpha) as canvas:
            y = rect.y + pad
            for text, colour in lines:
                canvas.text(rect.x + pad + context.px(2.0), y, text, theme.SMALL, colour)
                y += context.px(LINE)
            self._offers(context, canvas, Rect(rect.x + pad, y, rect.width - 2.0 * pad, context.px(LINE + 5.0)), answer)
            strip = Rect(rect.x + pad, rect.y + pad + head, rect.width - 2.0 * pad, strip_height)
            self._strip(context, canvas, strip, answer)
            if bar:
                row = Rect(strip.x + context.px(2.0), strip.bottom, strip.width - context.px(4.0), bar)
                match_bar.build_match_bar(context, canvas, row, answer)

    def _lines(self, context: PanelContext, answer: SearchAnswer, width: float) -> Iterator[tuple[str, theme.Colour]]:
        """What is to be said of an answer, in lines."""
        for sentence, colour in _sentences(answer, closer=context.hud.threshold > ALL):
            for line in context.type.lines(sentence, width, theme.SMALL, most=LINES_MAX):
                yield line, colour

    def _offers(self, context: PanelContext, canvas: Canvas, row: Rect, answer: SearchAnswer) -> None:
        """Filters to take with a click."""
        x = row.x
        for offer in answer.offers:
            width = context.type.width(offer.filter, theme.SMALL, strong=True) + context.px(24.0)
            if x + width > row.right:
                break
            if context.labelled_button(canvas, Rect(x, row.y, width, row.height), offer.filter):
                context.requests.append(Search(offer.query))
            x += width + context.px(8.0)

    def _strip(self, context: PanelContext, canvas: Canvas, strip: Rect, answer: SearchAnswer) -> None:
        gap = context.px(GAP)
        columns = max(int((strip.width + gap) / (context.px(CELL) + gap)), 1)
        side = (strip.width - gap * (columns - 1)) / columns
        self._turn_page(context, strip, columns, len(answer.best))
        for column, match in enumerate(answer.best[self._first : self._first + columns]):
            cell = Rect(strip.x + column * (side + gap), strip.y, side, context.px(CELL))
            chosen = self._first + column == context.hud.result
            context.image_button(canvas, cell, match.id, chosen=chosen, dimmed=match.band == "none")
            self._caption(context, canvas, cell, match)

    def _turn_page(self, context: PanelContext, strip: Rect, columns: int, count: int) -> None:
        """Show the result the person stands at; the wheel over the strip moves it too."""
        result = context.hud.result
        if result != self._shown_result:
            self._shown_result = result
            self._first = min(max(self._first, result - columns + 1), max(result, 0))
        low, high = (strip.x, strip.y), (strip.right, strip.bottom)
        if imgui.is_window_hovered() and imgui.is_mouse_hovering_rect(low, high, False):
            wheel = imgui.get_io().mouse_wheel
            self._first -= round(math.copysign(max(abs(wheel), 1.0), wheel)) if wheel else 0
        self._first = min(max(self._first, 0), max(count - columns, 0))

    def _caption(self, context: PanelContext, canvas: Canvas, cell: Rect, match: Match) -> None:
        """Why it was found, below the thumbnail: in which words, or its similarity and what that means."""
        y, colour = cell.bottom + context.px(6.0), BANDS.get(match.band, theme.INK_SOFT)
        canvas.dot((cell.x + context.px(5.0), y + context.px(7.5)), context.px(2.5), colour)
        exact = match.band == "exact"
        told = match.why[0] if exact and match.why else f"{match.score:.2f}"
        canvas.text(cell.x + context.px(12.0), y, told, theme.CAPTION, colour)
        if not exact and match.band != "none":
            canvas.text_right(cell.right - context.px(2.0), y, match.band, theme.CAPTION, theme.INK_FAINT)


def _row_below(context: PanelContext, console: Rect) -> Rect:
    """Where a line of tips or completions stands."""
    return Rect(console.x, console.bottom + context.px(8.0), console.width, context.px(36.0))


def _sentences(answer: SearchAnswer, *, closer: bool) -> Iterator[tuple[str, theme.Colour]]:
    if answer.error:
        yield answer.error, theme.WARNING
        return
    for notice in answer.notices:
        yield notice, theme.INK_SOFT
    if answer.best and all(match.band == "none" for match in answer.best):
        how = " in meaning" if answer.offers else ""
        nothing = "" if answer.not_understood else f"Nothing here matches {answer.asked}{how}. "
        yield f"{nothing}The nearest images are:", theme.INK_SOFT
    elif closer and len(answer.levels) and not answer.best:
        yield f"Nothing here matches {answer.asked} so closely. Drag the knob to the left to see more.", theme.INK_SOFT
    elif not answer.best and not answer.notices:
        yield f"Nothing here matches {answer.asked}.", theme.INK_SOFT
