"""The palette: a line to type in, and below it what can be done."""

from __future__ import annotations

from imgui_bundle import imgui

from atlas_rt.core.command_list import Command
from atlas_rt.core.hud import PaletteView
from atlas_rt.core.requests import Do, FindCommand, RunCommand
from atlas_rt.ui import theme
from atlas_rt.ui.panels.canvas import Canvas, Rect
from atlas_rt.ui.panels.icons import magnifier
from atlas_rt.ui.panels.panel_context import Fade, PanelContext
from atlas_rt.ui.panels.text_field import TextField

WIDTH, FIELD, ROW = 620.0, 54.0, 36.0
TOP_SHARE = 0.16
"""Where it begins, as a share of the window's height."""
SHOWN = 9
PROMPT, NAMING = "What do you want to do?", "Name of this view"


class PalettePanel:
    """Over everything else while `hud.palette` is there; a click outside closes it."""

    def __init__(self) -> None:
        self._field, self._fade = TextField("command"), Fade(0.1)
        self._was_open = False
        self._first = 0

    @property
    def wants_text(self) -> bool:
        return self._field.wants_text

    def build(self, context: PanelContext) -> None:
        view = context.hud.palette
        alpha = self._fade.advance(view is not None, context.hud)
        opening, self._was_open = view is not None and not self._was_open, view is not None
        if view is None:
            self._field.leave("")
            return
        if opening:
            self._field.focus()
        self._field.adopt(view.text)
        rows = self._turn_page(context, view)
        whole = Rect(0.0, 0.0, *context.size)
        width = min(context.px(WIDTH), whole.width - context.px(2.0 * theme.MARGIN))
        height = context.px(FIELD + 8.0) + context.px(ROW) * max(rows, 1)
        top = max(min(whole.height * TOP_SHARE, whole.height - height - context.px(theme.MARGIN)), 0.0)
        rect = Rect((whole.width - width) / 2.0, top, width, height)
        with context.panel("palette", whole, alpha=alpha, glass=False, raised=opening) as canvas:
            canvas.fill(whole, theme.SCRIM)
            canvas.glass(rect)
            self._line(context, canvas, rect._replace(height=context.px(FIELD)), view.naming)
            self._rows(context, canvas, rect, view, rows)
            inside, _ = context.button("sheet", rect)
            beside, _ = context.button("beside", whole)
            if beside and not inside:
                context.requests.append(Do("palette"))

    def _turn_page(self, context: PanelContext, view: PaletteView) -> int:
        """Keep the line one is at in sight; how many lines there is room for."""
        room = int((context.size[1] * (1.0 - TOP_SHARE) - context.px(FIELD + 2.0 * theme.MARGIN)) / context.px(ROW))
        rows = min(len(view.commands), SHOWN, max(room, 1))
        self._first = min(max(self._first, view.cursor - rows + 1), view.cursor, max(len(view.commands) - rows, 0))
        return rows

    def _line(self, context: PanelContext, canvas: Canvas, rect: Rect, naming: bool) -> None:
        magnifier(canvas, (rect.x + context.px(28.0), rect.centre[1]), self._field.colour)
        x = rect.x + context.px(54.0)
        changed, _ = self._field.build(
            context, (x, rect.centre[1]), rect.right - context.px(18.0) - x, theme.TITLE, NAMING if naming else PROMPT
        )
        if changed:
            context.requests.append(FindCommand(self._field.text))
        for key, action in ((imgui.Key.down_arrow, "neighbour_down"), (imgui.Key.up_arrow, "neighbour_up")):
            if imgui.is_key_pressed(key) and self._field.wants_text:
                context.requests.append(Do(action))
        canvas.line((rect.x, rect.bottom - 0.5), (rect.right, rect.bottom - 0.5), theme.RIM)

    def _rows(self, context: PanelContext, canvas: Canvas, rect: Rect, view: PaletteView, rows: int) -> None:
        y = rect.y + context.px(FIELD + 4.0)
        if not view.commands:
            text = f"Nothing here is called “{view.text.strip()}”."
            text = context.type.fit(text, rect.width - context.px(36.0), theme.BODY)
            canvas.text(rect.x + context.px(18.0), y + context.px(8.0), text, theme.BODY, theme.INK_SOFT)
        for place in range(self._first, self._first + rows):
            row = Rect(rect.x + context.px(6.0), y, rect.width - context.px(12.0), context.px(ROW))
            self._row(context, canvas, row, place, view)
            y += row.height

    def _row(self, context: PanelContext, canvas: Canvas, row: Rect, place: int, view: PaletteView) -> None:
        command = view.commands[place]
        clicked, pointed = context.button(f"command {place}", row)
        if place == view.cursor or pointed:
            tint = theme.faded(theme.ACCENT, 0.18) if place == view.cursor else theme.FILL
            canvas.fill(row, tint, context.px(theme.ROUND_SMALL))
        right = self._keys(context, canvas, row, command)
        x = row.x + context.px(12.0)
        says = context.type.fit(command.says[:1].upper() + command.says[1:], right - x, theme.BODY)
        canvas.text(x, row.centre[1] - context.px(theme.BODY) / 2.0, says, theme.BODY, theme.INK)
        if clicked:
            context.requests.append(RunCommand(place))

    def _keys(self, context: PanelContext, canvas: Canvas, row: Rect, command: Command) -> float:
        """Its first keys at the right end, or its group where it has none; where they begin."""
        if not command.chords:
            canvas.text_right(
                row.right - context.px(12.0),
                row.centre[1] - context.px(8.0),
                command.group,
                theme.SMALL,
                theme.INK_FAINT,
            )
            return row.right - context.px(24.0) - context.type.width(command.group, theme.SMALL)
        keys = command.chords[0].split("+")
        widths = [max(context.type.width(key, theme.CAPTION) + context.px(14.0), context.px(24.0)) for key in keys]
        x = begin = row.right - context.px(12.0) - sum(widths) - context.px(3.0) * (len(keys) - 1)
        for key in keys:
            x = canvas.key_cap(x, row.centre[1] - context.px(10.5), key) + context.px(3.0)
        return begin - context.px(12.0)
