"""The first screen: what this is, and three ways to begin."""

from __future__ import annotations

import math
from pathlib import Path

from imgui_bundle import imgui

from atlas_rt.core.requests import OpenSource
from atlas_rt.core.s3_address import is_s3
from atlas_rt.ui import theme
from atlas_rt.ui.panels.canvas import Canvas, Rect
from atlas_rt.ui.panels.panel_context import PanelContext
from atlas_rt.ui.panels.typed_text import TypedText

WIDTH, HEIGHT = 560.0, 416.0
PAD = 36.0
DASH, SPACE = 7.0, 6.0
FOCUS_FRAME = 2
"""The frame in which the field takes the focus: Dear ImGui loses a request in a panel's first."""
PROMPT = "Path of a folder, or s3://bucket/folder"


class WelcomePanel:
    """In the middle while no library is open."""

    def __init__(self) -> None:
        self._path, self._typed = "", TypedText()
        self._complaint = ""
        self._active = False
        self._shown_frames = 0

    @property
    def wants_text(self) -> bool:
        """The path field has the focus."""
        return self._active

    def build(self, context: PanelContext) -> None:
        if not context.hud.welcome:
            self._active, self._shown_frames = False, 0
            return
        self._shown_frames += 1
        width, height = context.px(WIDTH), context.px(HEIGHT)
        rect = Rect((context.size[0] - width) / 2.0, (context.size[1] - height) / 2.0, width, height)
        with context.panel("welcome", rect) as canvas:
            x, y, inner = rect.x + context.px(PAD), rect.y + context.px(PAD - 8.0), width - context.px(2.0 * PAD)
            canvas.text(x, y, "atlas_rt", theme.HUGE, theme.INK, strong=True)
            y += context.px(54.0)
            canvas.text(
                x, y, "Your images as a map in space: what looks alike stands together.", theme.BODY, theme.INK_SOFT
            )
            y += context.px(46.0)
            if context.labelled_button(
                canvas, Rect(x, y, inner, context.px(44.0)), "Fly through the demo", accent=True
            ):
                context.requests.append(OpenSource((), demo=True))
            y += context.px(60.0)
            self._folder(context, canvas, Rect(x, y, inner, context.px(44.0)))
            y += context.px(66.0)
            self._drop_place(context, canvas, Rect(x, y, inner, rect.bottom - context.px(PAD) - y))

    def _folder(self, context: PanelContext, canvas: Canvas, rect: Rect) -> None:
        button = Rect(rect.right - context.px(124.0), rect.y, context.px(124.0), rect.height)
        field = rect._replace(width=rect.width - button.width - context.px(10.0))
        rounding = context.px(theme.ROUND_SMALL)
        canvas.fill(field, theme.FILL, rounding)
        canvas.outline(field.inset(0.5), theme.faded(theme.ACCENT, 0.7) if self._active else theme.RIM, rounding)
        if self._shown_frames == FOCUS_FRAME:
            imgui.set_keyboard_focus_here()
        flags = imgui.InputTextFlags_.enter_returns_true
        box = Rect(
            field.x + context.px(14.0),
            field.centre[1] - context.px(theme.BODY) / 2.0,
            field.width - context.px(28.0),
            context.px(theme.BODY),
        )
        entered, path = self._typed.build(context, "##path", PROMPT, self._path, box, theme.BODY, flags)
        self._active = imgui.is_item_active()
        if path != self._path:
            self._path, self._complaint = path, ""
        if context.labelled_button(canvas, button, "Open folder") or entered:
            self._open(context)
        if self._complaint:
            text = context.type.fit(self._complaint, rect.width, theme.CAPTION)
            canvas.text(rect.x + context.px(2.0), rect.bottom + context.px(4.0), text, theme.CAPTION, theme.WARNING)

    def _open(self, context: PanelContext) -> None:
        typed = self._path.strip().strip("'\"")
        if is_s3(typed):
            context.requests.append(OpenSource((typed,)))
            return
        path = Path(typed).expanduser()
        if not self._path.strip():
            self._complaint = "Type or paste the path of a folder first"
        elif not path.exists():
            self._complaint = f"There is no folder {path}"
        else:
            context.requests.append(OpenSource((str(path.absolute()),)))

    def _drop_place(self, context: PanelContext, canvas: Canvas, rect: Rect) -> None:
        """A dashed frame: dashes along the sides, whole corners."""
        colour, corner = theme.rgba(255, 255, 255, 0.2), context.px(10.0)
        for a, b in (
            ((rect.x + corner, rect.y), (rect.right - corner, rect.y)),
            ((rect.x + corner, rect.bottom), (rect.right - corner, rect.bottom)),
            ((rect.x, rect.y + corner), (rect.x, rect.bottom - corner)),
            ((rect.right, rect.y + corner), (rect.right, rect.bottom - corner)),
        ):
            self._dashed(context, canvas, a, b, colour)
        for x, y, first in (
            (rect.right - corner, rect.y + corner, -0.5),
            (rect.right - corner, rect.bottom - corner, 0.0),
            (rect.x + corner, rect.bottom - corner, 0.5),
            (rect.x + corner, rect.y + corner, 1.0),
        ):
            turns = [math.pi * (first + step / 12.0) for step in range(7)]
            arc = [(x + corner * math.cos(turn), y + corner * math.sin(turn)) for turn in turns]
            canvas.curve(arc, colour, context.px(1.4))
        canvas.text_in(rect, "or drop a folder here", theme.SMALL, theme.INK_SOFT)

    def _dashed(
        self,
        context: PanelContext,
        canvas: Canvas,
        a: tuple[float, float],
        b: tuple[float, float],
        colour: theme.Colour,
    ) -> None:
        length = math.dist(a, b)
        count = max(round(length / context.px(DASH + SPACE)), 1)
        across, down = (b[0] - a[0]) / length, (b[1] - a[1]) / length
        step, dash = length / count, length / count * DASH / (DASH + SPACE)
        for number in range(count):
            start = number * step + (step - dash) / 2.0
            canvas.line(
                (a[0] + across * start, a[1] + down * start),
                (a[0] + across * (start + dash), a[1] + down * (start + dash)),
                colour,
                context.px(1.4),
            )
