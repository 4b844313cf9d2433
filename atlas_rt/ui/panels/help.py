"""The help: every action of `core.controls` with its keys, in three columns."""

from __future__ import annotations

import re
from collections.abc import Mapping

from atlas_rt.core.controls import ACTIONS, Action
from atlas_rt.core.requests import Do
from atlas_rt.ui import theme
from atlas_rt.ui.panels.canvas import Canvas, Rect
from atlas_rt.ui.panels.fitting import Fitting, centred, clicked_beside
from atlas_rt.ui.panels.panel_context import Fade, PanelContext

ROW, HEADING, TITLE = 26.0, 34.0, 56.0
COLUMN, KEYS, BETWEEN = 382.0, 132.0, 28.0
PAD = 30.0

COLUMNS = (("Fly", "Look"), ("Find", "Live"), ("Program",))
"""Groups of actions, by column."""

Group = tuple[str, tuple[Action, ...]]


def help_columns(*, kiosk: bool) -> tuple[tuple[Group, ...], ...]:
    """Actions by group in columns of about one height: flying and looking, finding and the camera, the program. A kiosk
    hides how to leave it."""
    listed = [action for action in ACTIONS if not kiosk or (action.kiosk and action.name != "leave_kiosk")]
    names = list(dict.fromkeys(action.group for action in listed))
    groups = [(name, tuple(action for action in listed if action.group == name)) for name in names]
    return tuple(tuple(group for group in groups if group[0] in column) for column in COLUMNS)


class HelpPanel:
    """Over everything else while it is open; a click outside closes it.

    layout: what is printed on the keys, by their names on a US keyboard.
    """

    def __init__(self, layout: Mapping[str, str]) -> None:
        self._layout = layout
        self._fade = Fade()
        self._fitting = Fitting()

    def build(self, context: PanelContext) -> None:
        opening = self._fade.value == 0.0
        alpha = self._fade.advance(context.hud.help_open, context.hud)
        if alpha <= 0.0:
            return
        columns = help_columns(kiosk=context.hud.kiosk)
        tallest = max(sum(len(actions) * ROW + HEADING for _, actions in column) for column in columns)
        size = (len(columns) * (COLUMN + BETWEEN) - BETWEEN + 2.0 * PAD, TITLE + tallest + PAD)
        context = self._fitting.shrunk(context, size)
        whole, rect = Rect(0.0, 0.0, *context.size), centred(context, size)
        with context.panel("help", whole, alpha=alpha, glass=False, raised=opening) as canvas:
            canvas.fill(whole, theme.SCRIM)
            canvas.glass(rect)
            if context.hud.help_open and clicked_beside(context, whole, rect):
                context.requests.append(Do("help"))
            x, y = rect.x + context.px(PAD), rect.y + context.px(PAD - 6.0)
            canvas.text(x, y, "Keys", theme.TITLE, theme.INK, strong=True)
            hint = "Esc closes this"
            canvas.text_right(rect.right - context.px(PAD), y + context.px(4.0), hint, theme.CAPTION, theme.INK_FAINT)
            for index, column in enumerate(columns):
                left = x + index * context.px(COLUMN + BETWEEN)
                self._column(context, canvas, left, rect.y + context.px(TITLE), column)

    def _column(self, context: PanelContext, canvas: Canvas, x: float, y: float, groups: tuple[Group, ...]) -> None:
        for name, actions in groups:
            canvas.text(x, y + context.px(8.0), name, theme.SMALL, theme.ACCENT, strong=True)
            y += context.px(HEADING)
            for action in actions:
                end = self._keys(context, canvas, x, y, action)
                left = max(x + context.px(KEYS), end + context.px(10.0))
                canvas.text(left, y + context.px(2.5), action.does, theme.SMALL, theme.INK_SOFT)
                y += context.px(ROW)

    def _keys(self, context: PanelContext, canvas: Canvas, x: float, y: float, action: Action) -> float:
        """The keys of an action. Returns where they end."""
        for number, chord in enumerate(action.chords):
            if number:
                x = canvas.text(x + context.px(5.0), y + context.px(3.0), "or", theme.CAPTION, theme.INK_FAINT)
                x += context.px(5.0)
            if action.mouse:
                x = canvas.text(x, y + context.px(2.5), chord, theme.SMALL, theme.INK)
                continue
            for place, key in enumerate(re.split(r"\+(?!$)", chord)):
                x = canvas.key_cap(x + context.px(3.0 if place else 0.0), y, self._printed(action, key))
        return x

    def _printed(self, action: Action, key: str) -> str:
        """Motion goes by place: its keys are named as the person's keyboard prints them."""
        name = self._layout.get(key, key) if action.held and len(action.chords[0]) <= len("Shift") else key
        return {"Left": "←", "Right": "→", "Up": "↑", "Down": "↓"}.get(name, name)
