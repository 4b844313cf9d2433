"""The first screen: what this is, and three ways to begin."""

from __future__ import annotations

import math
from pathlib import Path

from imgui_bundle import imgui

from atlas_rt.core.wishes import OpenSource
from atlas_rt.ui import theme
from atlas_rt.ui.panels.canvas import Canvas, Rect
from atlas_rt.ui.panels.stage import Stage

WIDTH, HEIGHT = 560.0, 416.0
PAD = 36.0
DASH, SPACE = 7.0, 6.0
FOCUS_FRAME = 2
"""The frame in which the field takes the focus: Dear ImGui loses a request in a panel's first."""
PROMPT = "Path of a folder with images"


class WelcomePanel:
    """In the middle while no library is open."""

    def __init__(self) -> None:
        self._path = ""
        self._complaint = ""
        self._active = False
        self._shown_frames = 0

    @property
    def wants_text(self) -> bool:
        """The path field has the focus."""
        return self._active

    def build(self, stage: Stage) -> None:
        if not stage.hud.welcome:
            self._active, self._shown_frames = False, 0
            return
        self._shown_frames += 1
        width, height = stage.px(WIDTH), stage.px(HEIGHT)
        rect = Rect((stage.size[0] - width) / 2.0, (stage.size[1] - height) / 2.0, width, height)
        with stage.panel("welcome", rect) as canvas:
            x, y, inner = rect.x + stage.px(PAD), rect.y + stage.px(PAD - 8.0), width - stage.px(2.0 * PAD)
            canvas.text(x, y, "atlas_rt", theme.HUGE, theme.INK, strong=True)
            y += stage.px(54.0)
            canvas.text(
                x, y, "Your images as a map in space: what looks alike stands together.", theme.BODY, theme.INK_SOFT
            )
            y += stage.px(46.0)
            if stage.labelled_button(canvas, Rect(x, y, inner, stage.px(44.0)), "Fly through the demo", accent=True):
                stage.wishes.append(OpenSource((), demo=True))
            y += stage.px(60.0)
            self._folder(stage, canvas, Rect(x, y, inner, stage.px(44.0)))
            y += stage.px(66.0)
            self._drop_place(stage, canvas, Rect(x, y, inner, rect.bottom - stage.px(PAD) - y))

    def _folder(self, stage: Stage, canvas: Canvas, rect: Rect) -> None:
        button = Rect(rect.right - stage.px(124.0), rect.y, stage.px(124.0), rect.height)
        field = rect._replace(width=rect.width - button.width - stage.px(10.0))
        rounding = stage.px(theme.ROUND_SMALL)
        canvas.fill(field, theme.FILL, rounding)
        canvas.outline(field.inset(0.5), theme.faded(theme.ACCENT, 0.7) if self._active else theme.RIM, rounding)
        imgui.set_cursor_screen_pos((field.x + stage.px(14.0), field.centre[1] - stage.px(theme.BODY) / 2.0))
        imgui.set_next_item_width(field.width - stage.px(28.0))
        if self._shown_frames == FOCUS_FRAME:
            imgui.set_keyboard_focus_here()
        flags = imgui.InputTextFlags_.enter_returns_true
        entered, path = imgui.input_text_with_hint("##path", PROMPT, self._path, flags)
        self._active = imgui.is_item_active()
        if path != self._path:
            self._path, self._complaint = path, ""
        if stage.labelled_button(canvas, button, "Open folder") or entered:
            self._open(stage)
        if self._complaint:
            text = stage.type.fit(self._complaint, rect.width, theme.CAPTION)
            canvas.text(rect.x + stage.px(2.0), rect.bottom + stage.px(4.0), text, theme.CAPTION, theme.WARNING)

    def _open(self, stage: Stage) -> None:
        path = Path(self._path.strip().strip("'\"")).expanduser()
        if not self._path.strip():
            self._complaint = "Type or paste the path of a folder first"
        elif not path.exists():
            self._complaint = f"There is no folder {path}"
        else:
            stage.wishes.append(OpenSource((str(path.absolute()),)))

    def _drop_place(self, stage: Stage, canvas: Canvas, rect: Rect) -> None:
        """A dashed frame: dashes along the sides, whole corners."""
        colour, corner = theme.rgba(255, 255, 255, 0.2), stage.px(10.0)
        for a, b in (
            ((rect.x + corner, rect.y), (rect.right - corner, rect.y)),
            ((rect.x + corner, rect.bottom), (rect.right - corner, rect.bottom)),
            ((rect.x, rect.y + corner), (rect.x, rect.bottom - corner)),
            ((rect.right, rect.y + corner), (rect.right, rect.bottom - corner)),
        ):
            self._dashed(stage, canvas, a, b, colour)
        for x, y, first in (
            (rect.right - corner, rect.y + corner, -0.5),
            (rect.right - corner, rect.bottom - corner, 0.0),
            (rect.x + corner, rect.bottom - corner, 0.5),
            (rect.x + corner, rect.y + corner, 1.0),
        ):
            turns = [math.pi * (first + step / 12.0) for step in range(7)]
            arc = [(x + corner * math.cos(turn), y + corner * math.sin(turn)) for turn in turns]
            canvas.curve(arc, colour, stage.px(1.4))
        canvas.text_in(rect, "or drop a folder here", theme.SMALL, theme.INK_SOFT)

    def _dashed(
        self, stage: Stage, canvas: Canvas, a: tuple[float, float], b: tuple[float, float], colour: theme.Colour
    ) -> None:
        length = math.dist(a, b)
        count = max(round(length / stage.px(DASH + SPACE)), 1)
        across, down = (b[0] - a[0]) / length, (b[1] - a[1]) / length
        step, dash = length / count, length / count * DASH / (DASH + SPACE)
        for number in range(count):
            start = number * step + (step - dash) / 2.0
            canvas.line(
                (a[0] + across * start, a[1] + down * start),
                (a[0] + across * (start + dash), a[1] + down * (start + dash)),
                colour,
                stage.px(1.4),
            )
