"""Before anything is sent to Claude: the very pictures and words, to whom, and what it costs."""

from __future__ import annotations

from imgui_bundle import imgui

from atlas_rt.core.money import money
from atlas_rt.core.narration import NarratorView, Proposal
from atlas_rt.core.requests import Agree, Decline, TurnPage
from atlas_rt.ui import theme
from atlas_rt.ui.panels.canvas import Canvas, Rect
from atlas_rt.ui.panels.explanation import build_text, model_name
from atlas_rt.ui.panels.icons import chevron
from atlas_rt.ui.panels.panel_context import Fade, PanelContext

WIDTH, HEIGHT = 880.0, 600.0
PAD = 26.0
BUTTON, FACT = 38.0, 21.0
SHEET_SHARE = 0.56
"""Of the width inside, for the sheet."""


class ConsentPanel:
    """Over everything else while `hud.narrator.proposal` waits for the person."""

    def __init__(self) -> None:
        self._fade = Fade()
        self._shown = -1

    def build(self, context: PanelContext) -> None:
        narrator = context.hud.narrator
        proposal = narrator.proposal
        opening = self._fade.value == 0.0
        alpha = self._fade.advance(proposal is not None, context.hud)
        if proposal is None:
            self._shown = -1
            return
        whole, margin = Rect(0.0, 0.0, *context.size), context.px(theme.MARGIN)
        width = min(context.px(WIDTH), max(context.size[0] - 2.0 * margin, 1.0))
        height = min(context.px(HEIGHT), max(context.size[1] - 2.0 * margin, 1.0))
        rect = Rect((context.size[0] - width) / 2.0, (context.size[1] - height) / 2.0, width, height)
        with context.panel("consent", whole, alpha=alpha, glass=False, raised=opening) as canvas:
            canvas.fill(whole, theme.SCRIM)
            canvas.glass(rect)
            self._contents(context, canvas, rect, narrator, proposal, alpha)
            context.button("consent", whole)  # the map below hears nothing

    def _contents(
        self,
        context: PanelContext,
        canvas: Canvas,
        rect: Rect,
        narrator: NarratorView,
        proposal: Proposal,
        alpha: float,
    ) -> None:
        pad = context.px(PAD)
        inside = Rect(rect.x + pad, rect.y + pad, rect.width - 2.0 * pad, rect.height - 2.0 * pad)
        canvas.text(inside.x, inside.y - context.px(4.0), "Send this to Claude?", theme.TITLE, theme.INK, strong=True)
        buttons = Rect(inside.x, inside.bottom - context.px(BUTTON), inside.width, context.px(BUTTON))
        self._buttons(context, canvas, buttons, proposal)
        top, bottom = inside.y + context.px(36.0), buttons.y - context.px(18.0)
        sheet = Rect(inside.x, top, inside.width * SHEET_SHARE, max(bottom - top, 1.0))
        self._sheet(context, canvas, sheet, narrator, proposal)
        left = sheet.right + context.px(22.0)
        beside = Rect(left, top, max(inside.right - left, 1.0), sheet.height)
        y = self._facts(context, canvas, beside, narrator, proposal)
        words = Rect(left, y, beside.width, max(beside.bottom - y, 0.0))
        if words.height > context.px(40.0):
            self._words(context, canvas, words, narrator, alpha)

    def _sheet(
        self, context: PanelContext, canvas: Canvas, rect: Rect, narrator: NarratorView, proposal: Proposal
    ) -> None:
        """The contact sheet of one topic, and the way to the others."""
        row = context.px(30.0)
        picture = rect._replace(height=max(rect.height - row, 1.0))
        canvas.fill(picture, theme.PLATE, context.px(theme.ROUND_SMALL))
        page, ref = narrator.page, context.thumbnails.picture_ref("sheet")
        if page is not None and ref is not None and page.size_px[0]:
            shown = picture.inset(context.px(6.0)).fitted(page.size_px[0] / page.size_px[1])
            canvas.picture(shown, ref, 0.0)
        else:
            canvas.text_in(picture, "making the sheet …", theme.SMALL, theme.INK_FAINT)
        at = page.at if page is not None else 0
        topic, y = proposal.topics[at], picture.bottom + context.px(9.0)
        right = rect.right
        if len(proposal.topics) > 1:
            right = self._turning(context, canvas, Rect(rect.x, y, rect.width, context.px(20.0)), at, proposal)
        name = context.type.fit(topic.title, right - rect.x - context.px(10.0), theme.SMALL, strong=True)
        canvas.text(rect.x, y, name, theme.SMALL, theme.INK, strong=True)

    def _turning(self, context: PanelContext, canvas: Canvas, line: Rect, at: int, proposal: Proposal) -> float:
        """Back and forth between the sheets; where the room for the name ends."""
        side, told = context.px(26.0), f"{at + 1:,} of {len(proposal.topics):,}"
        x = line.right - side
        for step, back in ((1, False), (-1, True)):
            place = Rect(x, line.centre[1] - side / 2.0, side, side)
            clicked, pointed = context.button("sheet before" if back else "sheet after", place)
            chevron(canvas, place.centre, theme.INK if pointed else theme.INK_SOFT, back=back)
            if clicked:
                context.requests.append(TurnPage(step))
            if not back:
                width = context.type.width(told, theme.SMALL)
                canvas.text(x - width - context.px(4.0), line.y, told, theme.SMALL, theme.INK_SOFT)
                x -= width + context.px(8.0) + side
        return x

    def _facts(
        self, context: PanelContext, canvas: Canvas, area: Rect, narrator: NarratorView, proposal: Proposal
    ) -> float:
        """To whom, in which language, for how much; where they end."""
        one, spent = proposal.usd[narrator.page.at if narrator.page else 0], narrator.spent
        cost = f"about {money(one)}"
        if len(proposal.usd) > 1:
            cost += f"; all {len(proposal.usd):,}: about {money(sum(proposal.usd))}"
        facts = [
            ("to", "Amazon Bedrock, your account"),
            ("region", proposal.region),
            ("model", model_name(proposal.model)),
            ("sent", "the sheet and the words below"),
            ("file names", "are sent" if proposal.file_names else "are not sent"),
            ("answers in", proposal.language),
            ("cost", cost),
        ]
        if spent is not None:
            facts.append(("spent", f"{money(spent.library)} of {money(spent.library_budget)} on this library"))
            facts.append(("", f"{money(spent.month)} of {money(spent.month_budget)} this month"))
        y, left = area.y, context.px(86.0)
        for name, text in facts:
            canvas.text(area.x, y, name, theme.SMALL, theme.INK_FAINT)
            shown = context.type.fit(text, area.width - left, theme.SMALL)
            canvas.text(area.x + left, y, shown, theme.SMALL, theme.INK)
            y += context.px(FACT)
        if not proposal.priced:
            told = "The price of this model is not known; the dearest is taken."
            y = build_text(context, canvas, Rect(area.x, y, area.width, 0.0), told, theme.WARNING, most=2)
        return y + context.px(10.0)

    def _words(self, context: PanelContext, canvas: Canvas, rect: Rect, narrator: NarratorView, alpha: float) -> None:
        """Every word that goes with the sheet, to be scrolled through."""
        canvas.fill(rect, theme.rgba(0, 0, 0, 0.28), context.px(theme.ROUND_SMALL))
        inset = rect.inset(context.px(10.0))
        imgui.set_cursor_screen_pos((inset.x, inset.y))
        imgui.begin_child("words", (inset.width + context.px(6.0), inset.height))
        page = narrator.page
        if page is not None:
            if self._shown != page.at:
                self._shown = page.at
                imgui.set_scroll_y(0.0)
            inner, begin = Canvas(imgui.get_window_draw_list(), context.type, alpha), imgui.get_cursor_screen_pos()
            y = begin.y
            for paragraph in page.text.splitlines():
                for line in context.type.lines(paragraph, inset.width - context.px(8.0), theme.CAPTION, most=200):
                    inner.text(begin.x, y, line, theme.CAPTION, theme.INK_SOFT)
                    y += context.px(17.0)
                y += context.px(5.0)
            imgui.set_cursor_screen_pos((begin.x, begin.y))
            imgui.dummy((1.0, y - begin.y))
        imgui.end_child()

    def _buttons(self, context: PanelContext, canvas: Canvas, rect: Rect, proposal: Proposal) -> None:
        """From the right: what was asked for, the other of one and all, and the way out."""
        several = len(proposal.topics) > 1
        one, every = ("Send this one", Agree(all=False)), (f"Send all {len(proposal.topics):,}", Agree(all=True))
        wanted = [one] if not several else [every, one] if proposal.all else [one, every]
        if not several:
            wanted = [("Send", Agree(all=False))]
        right = rect.right
        for number, (label, request) in enumerate(wanted):
            width = context.type.width(label, theme.SMALL, strong=True) + context.px(40.0)
            place = Rect(right - width, rect.y, width, rect.height)
            if context.labelled_button(canvas, place, label, accent=number == 0):
                context.requests.append(request)
            right = place.x - context.px(10.0)
        width = context.type.width("Send nothing", theme.SMALL, strong=True) + context.px(40.0)
        if context.labelled_button(canvas, Rect(rect.x, rect.y, width, rect.height), "Send nothing"):
            context.requests.append(Decline())
