"""Sentences that come and go at the bottom: what has just happened, and the speed and the tour."""

from __future__ import annotations

from atlas_rt.core.hud import FADE_SECS, Hud, Notice
from atlas_rt.ui import theme
from atlas_rt.ui.panels.canvas import Rect
from atlas_rt.ui.panels.panel_context import Fade, PanelContext

TONES = {"plain": theme.INK_SOFT, "good": theme.GOOD, "warning": theme.WARNING}
SPEED_SECS = 1.2
"""How long a change of the flying speed is told."""


class Notices:
    """A stack of sentences, newest lowest, above a quiet line."""

    def __init__(self) -> None:
        self._touring = Fade(0.6)
        self._first_speed = self._speed = 0.0
        self._speed_secs = SPEED_SECS

    def build(self, context: PanelContext, bottom: float) -> None:
        """bottom: what lies below is taken."""
        y = self._build_line(context, bottom)
        for notice in reversed(context.hud.notices):
            y = self._build_notice(context, notice, y)

    def _build_line(self, context: PanelContext, y: float) -> float:
        text, alpha = self._line(context.hud)
        if alpha <= 0.0:
            return y
        height, pad = context.px(30.0), context.px(16.0)
        left, right = context.free_span(y - height, y)
        text = context.type.fit(text, right - left - 4.0 * pad, theme.SMALL)
        width = context.type.width(text, theme.SMALL) + 2.0 * pad
        rect = Rect((left + right - width) / 2.0, y - height, width, height)
        canvas = context.under()
        canvas.fill(rect, theme.faded(theme.GLASS, 0.8 * alpha), height / 2.0)
        canvas.text_in(rect, text, theme.SMALL, theme.faded(theme.INK_SOFT, alpha))
        return rect.y - context.px(10.0)

    def _line(self, hud: Hud) -> tuple[str, float]:
        """What the line at the bottom says, and how strongly: a changed speed, or the tour."""
        if hud.speed != self._speed:
            self._speed_secs = 0.0 if self._first_speed else SPEED_SECS
            self._speed, self._first_speed = hud.speed, self._first_speed or hud.speed
        self._speed_secs += hud.dt_secs
        if self._speed_secs < SPEED_SECS:
            return f"Speed {self._speed / self._first_speed:.0%}", 1.0
        taken = hud.searching or hud.selected or hud.help_open or hud.welcome or hud.narrator.card or hud.look
        return "Guided tour  ·  Esc to stop", self._touring.advance(hud.touring and not (taken or hud.kiosk), hud)

    def _build_notice(self, context: PanelContext, notice: Notice, y: float) -> float:
        pad, height = context.px(18.0), context.px(38.0)
        left, right = context.free_span(y - height, y)
        text = context.type.fit(notice.text, right - left - 2.0 * pad - context.px(40.0), theme.SMALL)
        width = context.type.width(text, theme.SMALL) + 2.0 * pad + context.px(14.0)
        alpha = 1.0 if context.hud.reduced_motion else notice.alpha
        canvas = context.over(alpha)
        rise = context.px(8.0) * (1.0 - min(notice.age_secs / FADE_SECS, 1.0)) * (not context.hud.reduced_motion)
        rect = Rect((left + right - width) / 2.0, y - height + rise, width, height)
        canvas.glass(rect, rounding=19.0)
        canvas.dot((rect.x + pad + context.px(1.0), rect.centre[1]), context.px(3.5), TONES[notice.tone])
        text_y = rect.centre[1] - context.px(theme.SMALL) / 2.0
        canvas.text(rect.x + pad + context.px(14.0), text_y, text, theme.SMALL, theme.INK)
        return y - height - context.px(8.0)
