"""The help: every action of `core.controls` with its keys, in two columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from atlas_rt.core.controls import ACTIONS, Action
from atlas_rt.core.wishes import Do
from atlas_rt.ui import theme
from atlas_rt.ui.panels.canvas import Canvas, Rect, Type
from atlas_rt.ui.panels.stage import Fade, Stage

ROW, HEADING, TITLE = 26.0, 34.0, 56.0
COLUMN, KEYS, BETWEEN = 372.0, 150.0, 44.0
PAD = 30.0

Group = tuple[str, tuple[Action, ...]]


def help_columns(*, kiosk: bool) -> tuple[tuple[Group, ...], tuple[Group, ...]]:
    """Actions by group: the first in the left column, the others in the right. A kiosk hides how to leave it."""
    listed = [action for action in ACTIONS if not kiosk or (action.kiosk and action.name != "leave_kiosk")]
    names = list(dict.fromkeys(action.group for action in listed))
    groups = [(name, tuple(action for action in listed if action.group == name)) for name in names]
    return tuple(groups[:1]), tuple(groups[1:])


class HelpPanel:
    """Over everything else while it is open; a click outside closes it.

    layout: what is printed on the keys, by their names on a US keyboard.
    """

    def __init__(self, layout: Mapping[str, str]) -> None:
        self._layout = layout
        self._fade = Fade()
        self._small: tuple[tuple[Type, float], Type] | None = None

    def build(self, stage: Stage) -> None:
        opening = self._fade.value == 0.0
        alpha = self._fade.advance(stage.hud.help_open, stage.hud)
        if alpha <= 0.0:
            return
        columns = help_columns(kiosk=stage.hud.kiosk)
        tallest = max(sum(len(actions) * ROW + HEADING for _, actions in column) for column in columns)
        size = (2.0 * COLUMN + BETWEEN + 2.0 * PAD, TITLE + tallest + PAD)
        stage = self._shrunk(stage, size)
        width, height = stage.px(size[0]), stage.px(size[1])
        whole = Rect(0.0, 0.0, *stage.size)
        rect = Rect((stage.size[0] - width) / 2.0, (stage.size[1] - height) / 2.0, width, height)
        with stage.panel("help", whole, alpha=alpha, glass=False, raised=opening) as canvas:
            canvas.fill(whole, theme.SCRIM)
            canvas.glass(rect)
            if stage.hud.help_open and self._clicked_beside(stage, whole, rect):
                stage.wishes.append(Do("help"))
            x, y = rect.x + stage.px(PAD), rect.y + stage.px(PAD - 6.0)
            canvas.text(x, y, "Keys", theme.TITLE, theme.INK, strong=True)
            hint = "Esc closes this"
            canvas.text_right(rect.right - stage.px(PAD), y + stage.px(4.0), hint, theme.CAPTION, theme.INK_FAINT)
            for index, column in enumerate(columns):
                left = x + index * stage.px(COLUMN + BETWEEN)
                self._column(stage, canvas, left, rect.y + stage.px(TITLE), column)

    def _shrunk(self, stage: Stage, size: tuple[float, float]) -> Stage:
        """The stage with everything smaller, where the sheet would not fit into the window."""
        margin = stage.px(2.0 * theme.MARGIN)
        room = min((room - margin) / stage.px(length) for room, length in zip(stage.size, size, strict=True))
        if room >= 1.0:
            return stage
        if self._small is None or self._small[0] != (stage.type, room):
            self._small = (stage.type, room), Type(stage.type.fonts, stage.type.scale, shrunk=room)
        return replace(stage, type=self._small[1])

    def _clicked_beside(self, stage: Stage, whole: Rect, rect: Rect) -> bool:
        clicked_inside, _ = stage.button("sheet", rect)
        clicked, _ = stage.button("beside", whole)
        return clicked and not clicked_inside

    def _column(self, stage: Stage, canvas: Canvas, x: float, y: float, groups: tuple[Group, ...]) -> None:
        for name, actions in groups:
            canvas.text(x, y + stage.px(8.0), name, theme.SMALL, theme.ACCENT, strong=True)
            y += stage.px(HEADING)
            for action in actions:
                self._keys(stage, canvas, x, y, action)
                canvas.text(x + stage.px(KEYS), y + stage.px(2.5), action.does, theme.SMALL, theme.INK_SOFT)
                y += stage.px(ROW)

    def _keys(self, stage: Stage, canvas: Canvas, x: float, y: float, action: Action) -> None:
        for number, chord in enumerate(action.chords):
            if number:
                x = canvas.text(x + stage.px(5.0), y + stage.px(3.0), "or", theme.CAPTION, theme.INK_FAINT)
                x += stage.px(5.0)
            if action.mouse:
                x = canvas.text(x, y + stage.px(2.5), chord, theme.SMALL, theme.INK)
                continue
            for place, key in enumerate(chord.split("+")):
                x = canvas.key_cap(x + stage.px(3.0 if place else 0.0), y, self._printed(action, key))

    def _printed(self, action: Action, key: str) -> str:
        """Motion goes by place: its keys are named as the person's keyboard prints them."""
        name = self._layout.get(key, key) if action.held and len(action.chords[0]) <= len("Shift") else key
        return {"Left": "←", "Right": "→", "Up": "↑", "Down": "↓"}.get(name, name)
