"""The settings: one row each, its values next to each other."""

from __future__ import annotations

from atlas_rt.core.preferences import PreferenceRow, PreferencesView
from atlas_rt.core.requests import Do, FindCommand, SetPreference
from atlas_rt.ui import theme
from atlas_rt.ui.panels.canvas import Canvas, Rect
from atlas_rt.ui.panels.fitting import Fitting, centred, clicked_beside
from atlas_rt.ui.panels.panel_context import Fade, PanelContext

WIDTH, TITLE, ROW, PAD = 780.0, 62.0, 54.0, 26.0
VALUE, VALUE_LEAST = 30.0, 58.0
FOOT = 40.0
SIDE_BY_SIDE, MANY = 8, 190.0
"""So many values stand next to each other; of more only the chosen one is shown, so wide."""


class SettingsPanel:
    """Over everything else while `hud.settings` is there; a click outside closes it."""

    def __init__(self) -> None:
        self._fade, self._fitting = Fade(0.1), Fitting()
        self._shown: PreferencesView | None = None

    def build(self, context: PanelContext) -> None:
        view = context.hud.settings
        opening = self._fade.value == 0.0
        alpha = self._fade.advance(view is not None, context.hud)
        self._shown = view or self._shown
        if alpha <= 0.0 or self._shown is None:
            return
        size = (WIDTH, TITLE + ROW * len(self._shown.rows) + FOOT)
        context = self._fitting.shrunk(context, size)
        whole, rect = Rect(0.0, 0.0, *context.size), centred(context, size)
        with context.panel("settings", whole, alpha=alpha, glass=False, raised=opening) as canvas:
            canvas.fill(whole, theme.SCRIM)
            canvas.glass(rect)
            self._sheet(context, canvas, rect, self._shown)
            if view is not None and clicked_beside(context, whole, rect):
                context.requests.append(Do("settings"))

    def _sheet(self, context: PanelContext, canvas: Canvas, rect: Rect, view: PreferencesView) -> None:
        x, right = rect.x + context.px(PAD), rect.right - context.px(PAD)
        canvas.text(x, rect.y + context.px(22.0), "Settings", theme.TITLE, theme.INK, strong=True)
        told = "Esc closes this"
        canvas.text_right(right, rect.y + context.px(26.0), told, theme.CAPTION, theme.INK_FAINT)
        y = rect.y + context.px(TITLE)
        for place, row in enumerate(view.rows):
            area = Rect(rect.x + context.px(10.0), y, rect.width - context.px(20.0), context.px(ROW))
            self._row(context, canvas, area, row, at=place == view.cursor)
            y = area.bottom
        foot = "Arrows choose. What you set holds at once and in every window; options of the command line come first."
        foot = context.type.fit(foot, right - x, theme.CAPTION)
        canvas.text(x, y + context.px(12.0), foot, theme.CAPTION, theme.INK_FAINT)

    def _row(self, context: PanelContext, canvas: Canvas, row: Rect, shown: PreferenceRow, *, at: bool) -> None:
        if at:
            canvas.fill(row.inset(context.px(1.0)), theme.FILL, context.px(theme.ROUND_SMALL))
        end = self._values(context, canvas, row, shown)
        x, y = row.x + context.px(PAD - 10.0), row.y + context.px(8.0)
        preference = shown.preference
        canvas.text(x, y, preference.title, theme.SMALL, theme.INK, strong=at)
        says = context.type.fit(preference.says, end - x - context.px(16.0), theme.CAPTION)
        canvas.text(x, y + context.px(20.0), says, theme.CAPTION, theme.INK_FAINT)

    def _values(self, context: PanelContext, canvas: Canvas, row: Rect, shown: PreferenceRow) -> float:
        """The choices, the last one at the right end; where they begin."""
        preference = shown.preference
        chosen = preference.chosen(shown.value)
        if len(preference.choices) > SIDE_BY_SIDE:
            return self._one_of_many(context, canvas, row, shown)
        labels = [choice.label for choice in preference.choices]
        widths = [
            max(context.type.width(label, theme.SMALL) + context.px(24.0), context.px(VALUE_LEAST)) for label in labels
        ]
        height = context.px(VALUE)
        x = begin = row.right - context.px(PAD - 10.0) - sum(widths)
        y = row.y + (row.height - height) / 2.0
        canvas.fill(Rect(begin, y, sum(widths), height), theme.FILL, context.px(theme.ROUND_SMALL))
        for place, (choice, width) in enumerate(zip(preference.choices, widths, strict=True)):
            cell = Rect(x, y, width, height)
            clicked, pointed = context.button(f"{preference.name} {choice.label}", cell)
            if place == chosen:
                canvas.fill(cell, theme.ACCENT, context.px(theme.ROUND_SMALL))
            elif pointed:
                canvas.fill(cell, theme.FILL_HOVER, context.px(theme.ROUND_SMALL))
            ink = theme.ACCENT_INK if place == chosen else theme.INK if pointed else theme.INK_SOFT
            canvas.text_in(cell, choice.label, theme.SMALL, ink, strong=place == chosen)
            if clicked:
                context.requests.append(SetPreference(preference.name, choice.value))
            x += width
        if chosen < 0:
            told = f"{shown.value:g}" if isinstance(shown.value, float) else str(shown.value)
            width = context.type.width(told, theme.SMALL) + context.px(14.0)
            canvas.text(begin - width, y + context.px(7.0), told, theme.SMALL, theme.ACCENT, strong=True)
            begin -= width
        return begin

    def _one_of_many(self, context: PanelContext, canvas: Canvas, row: Rect, shown: PreferenceRow) -> float:
        """The value with arrows to its neighbours. A click on it opens the palette, where words find all others."""
        preference, height, side = shown.preference, context.px(VALUE), context.px(VALUE)
        width = min(context.px(MANY), max(row.width - 2.0 * side - context.px(PAD), 1.0))
        begin = row.right - context.px(PAD - 10.0) - width - 2.0 * side
        whole = Rect(begin, row.y + (row.height - height) / 2.0, width + 2.0 * side, height)
        canvas.fill(whole, theme.FILL, context.px(theme.ROUND_SMALL))
        for step, x in ((-1, begin), (1, whole.right - side)):
            cell = Rect(x, whole.y, side, height)
            clicked, pointed = context.button(f"{preference.name} {step}", cell)
            _chevron(context, canvas, cell, step, theme.INK if pointed else theme.INK_SOFT)
            if clicked:
                value = preference.after(shown.value, step)
                context.requests.append(SetPreference(preference.name, value))
        cell = Rect(begin + side, whole.y, width, height)
        clicked, pointed = context.button(preference.name, cell)
        canvas.fill(cell, theme.faded(theme.ACCENT, 1.0 if pointed else 0.92), context.px(theme.ROUND_SMALL))
        place = preference.chosen(shown.value)
        told = preference.choices[place].label if place >= 0 else str(shown.value)
        told = context.type.fit(told, width - context.px(16.0), theme.SMALL, strong=True)
        canvas.text_in(cell, told, theme.SMALL, theme.ACCENT_INK, strong=True)
        if clicked:
            context.requests += [Do("settings"), Do("palette"), FindCommand(f"{preference.title.lower()}: ")]
        return begin


def _chevron(context: PanelContext, canvas: Canvas, cell: Rect, step: int, ink: theme.Colour) -> None:
    x, y = cell.centre
    reach = context.px(4.0)
    tip = x + step * reach / 2.0
    for down in (-reach, reach):
        canvas.line((tip - step * reach, y + down), (tip, y), ink, 1.6)
