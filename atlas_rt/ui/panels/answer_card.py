"""The answer to a question about the selected images, the view or two clusters: a card at the bottom."""

from __future__ import annotations

from imgui_bundle import imgui

from atlas_rt.core.money import money
from atlas_rt.core.narration import AnswerCard
from atlas_rt.core.requests import AskClaude, CloseQuestion
from atlas_rt.ui import theme
from atlas_rt.ui.panels.canvas import Canvas, Rect
from atlas_rt.ui.panels.explanation import build_asking, build_claims, build_text, source_of
from atlas_rt.ui.panels.icons import cross
from atlas_rt.ui.panels.panel_context import Fade, PanelContext

WIDTH, LEAST_WIDTH = 540.0, 220.0
HEIGHT_SHARE = 0.46
"""Of the window's height, at most."""
HEAD, FOOT = 46.0, 12.0


class AnswerCardPanel:
    """Open while `hud.narrator.card` is there; as high as what it shows, which scrolls beyond that."""

    def __init__(self) -> None:
        self._fade = Fade()
        self._height = 0.0
        """Of its contents in the last frame, before scaling."""
        self._rect: Rect | None = None

    def build(self, context: PanelContext, below: float) -> None:
        """below: what lies there is taken."""
        card = context.hud.narrator.card
        alpha = self._fade.advance(card is not None, context.hud)
        if card is None:
            self._height, self._rect = 0.0, None
            return
        rect = self._rect = self._place(context, below)
        with context.panel("answer", rect, alpha=alpha) as canvas:
            x, right = rect.x + context.px(theme.PAD), rect.right - context.px(theme.PAD)
            self._close(context, canvas, (right - context.px(6.0), rect.y + context.px(23.0)))
            end = self._claude(context, canvas, (right - context.px(28.0), rect.y + context.px(23.0)), card)
            title = context.type.fit(card.topic.title, end - x - context.px(10.0), theme.BODY, strong=True)
            canvas.text(x, rect.y + context.px(14.0), title, theme.BODY, theme.INK, strong=True)
            top = rect.y + context.px(HEAD)
            inside = Rect(rect.x, top, rect.width - context.px(4.0), rect.bottom - top - context.px(FOOT))
            if inside.height >= 1.0:
                self._scrolled(context, inside, card, alpha)

    def top(self, context: PanelContext) -> float:
        """Where the window's free part ends below."""
        return context.size[1] if self._rect is None else self._rect.y

    def _place(self, context: PanelContext, below: float) -> Rect:
        margin = context.px(theme.MARGIN)
        most = context.size[1] * HEIGHT_SHARE
        height = min(context.px(HEAD + FOOT) + context.px(max(self._height, 40.0)), most)
        bottom = min(context.size[1] - context.px(26.0), below - context.px(10.0))
        left, right = context.free_span(bottom - height, bottom)
        left, right = left + margin, right - margin
        if right - left < context.px(LEAST_WIDTH):  # a narrow window: over what is there
            left, right = margin, context.size[0] - margin
        width = max(min(context.px(WIDTH), right - left), 1.0)
        return Rect((left + right - width) / 2.0, bottom - height, width, height)

    def _close(self, context: PanelContext, canvas: Canvas, at_px: tuple[float, float]) -> None:
        side = context.px(26.0)
        clicked, pointed = context.button("close", Rect(at_px[0] - side / 2.0, at_px[1] - side / 2.0, side, side))
        cross(canvas, at_px, theme.INK if pointed else theme.INK_FAINT)
        if clicked:
            context.requests.append(CloseQuestion())

    def _claude(self, context: PanelContext, canvas: Canvas, at_px: tuple[float, float], card: AnswerCard) -> float:
        """Ask Claude, or do not wait for it, at the right of the title; where the room for that ends."""
        narrator = context.hud.narrator
        asking = narrator.asking is not None and narrator.asking.topic == card.topic
        if asking or card.claude is not None or card.own is None or narrator.closed:
            return at_px[0]
        label, request = f"Ask Claude  ·  {money(card.usd)}", AskClaude((card.topic,))
        if narrator.waiting == card.topic:
            label = "Preparing …"
        width = context.type.width(label, theme.CAPTION, strong=True) + context.px(24.0)
        place = Rect(at_px[0] - width, at_px[1] - context.px(13.0), width, context.px(26.0))
        clicked, pointed = context.button("ask", place)
        canvas.fill(place, theme.faded(theme.ACCENT, 0.30 if pointed else 0.18), place.height / 2.0)
        canvas.text_in(place, label, theme.CAPTION, theme.ACCENT, strong=True)
        if clicked and narrator.waiting is None:
            context.requests.append(request)
        return place.x

    def _scrolled(self, context: PanelContext, area: Rect, card: AnswerCard, alpha: float) -> None:
        imgui.set_cursor_screen_pos((area.x, area.y))
        imgui.begin_child("said", (area.width, area.height))
        canvas = Canvas(imgui.get_window_draw_list(), context.type, alpha)
        begin = imgui.get_cursor_screen_pos()
        pad = context.px(theme.PAD)
        inside = Rect(begin.x + pad, begin.y, area.width - 2.0 * pad - context.px(4.0), 0.0)
        bottom = self._contents(context, canvas, inside, card)
        self._height = (bottom - begin.y) / context.px(1.0)
        imgui.set_cursor_screen_pos((begin.x, begin.y))
        imgui.dummy((area.width - context.px(8.0), bottom - begin.y))
        imgui.end_child()

    def _contents(self, context: PanelContext, canvas: Canvas, inside: Rect, card: AnswerCard) -> float:
        """Claude's answer once it is there, the vocabulary's until then; where it ends."""
        asking, y = context.hud.narrator.asking, inside.y
        if card.trouble:
            y = build_text(context, canvas, inside, card.trouble, theme.WARNING, most=14) + context.px(8.0)
        if asking is not None and asking.topic == card.topic:
            y = build_asking(context, canvas, inside._replace(y=y), asking)
        said = card.claude or card.own
        if said is not None:
            if said.name and card.claude is not None:
                canvas.text(inside.x, y, said.name, theme.BODY, theme.INK, strong=True)
                y += context.px(24.0)
            y = build_text(context, canvas, inside._replace(y=y), said.why, theme.INK) + context.px(8.0)
            y = build_claims(context, canvas, inside._replace(y=y), said.claims)
            source = context.type.fit(source_of(said), inside.width, theme.CAPTION)
            canvas.text(inside.x, y, source, theme.CAPTION, theme.INK_FAINT)
            y += context.px(26.0)
        elif not card.trouble:
            canvas.text(inside.x, y, "…", theme.BODY, theme.INK_SOFT)
            y += context.px(24.0)
        return y
