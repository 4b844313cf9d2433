"""What to do with a picture that was dropped: search by it, or add it to the map."""

from __future__ import annotations

from atlas_rt.core.drop_offer import DropOffer
from atlas_rt.core.requests import AddPaths, CloseOffer, SearchByFile
from atlas_rt.ui import theme
from atlas_rt.ui.panels.canvas import Canvas, Rect
from atlas_rt.ui.panels.icons import cross
from atlas_rt.ui.panels.panel_context import Fade, PanelContext

WIDTH, BUTTON, BELOW = 460.0, 38.0, 96.0


class DropOfferPanel:
    """In the lower middle of the window until something is chosen."""

    def __init__(self) -> None:
        self._fade = Fade()
        self._offer: DropOffer | None = None

    def build(self, context: PanelContext) -> None:
        self._offer = context.hud.drop_offer or self._offer
        alpha = self._fade.advance(context.hud.drop_offer is not None, context.hud)
        if alpha <= 0.0 or self._offer is None:
            self._offer = None
            return
        width = min(context.px(WIDTH), context.size[0] - context.px(2.0 * theme.MARGIN))
        inner = width - context.px(2.0 * theme.PAD)
        lines = context.type.lines(self._offer.why_not, inner, theme.SMALL) if self._offer.why_not else []
        height = context.px(2.0 * theme.PAD + 24.0 + 14.0 + BUTTON + 20.0 * len(lines))
        top = max(context.size[1] - context.px(BELOW) - height, context.px(theme.MARGIN))
        rect = Rect((context.size[0] - width) / 2.0, top, width, height)
        with context.panel("drop offer", rect, alpha=alpha, raised=True) as canvas:
            self._contents(context, canvas, rect, self._offer, lines)

    def _contents(self, context: PanelContext, canvas: Canvas, rect: Rect, offer: DropOffer, lines: list[str]) -> None:
        inside = rect.inset(context.px(theme.PAD))
        side = context.px(26.0)
        name = context.type.fit(offer.name, inside.width - side, theme.BODY, strong=True, middle=True)
        canvas.text(inside.x, inside.y, name, theme.BODY, theme.INK, strong=True)
        away = Rect(inside.right - side, inside.y - context.px(3.0), side, side)
        clicked, pointed = context.button("close offer", away)
        cross(canvas, away.centre, theme.INK if pointed else theme.INK_FAINT)
        if clicked:
            context.requests.append(CloseOffer())
        for number, line in enumerate(lines):
            y = inside.y + context.px(28.0 + 20.0 * number)
            canvas.text(inside.x, y, line, theme.SMALL, theme.INK_SOFT)
        self._buttons(context, canvas, inside._replace(y=inside.bottom - context.px(BUTTON)), offer)

    def _buttons(self, context: PanelContext, canvas: Canvas, row: Rect, offer: DropOffer) -> None:
        gap, searchable = context.px(8.0), not offer.why_not
        width = (row.width - gap) / 2.0 if searchable else row.width
        button = Rect(row.x, row.y, width, context.px(BUTTON))
        if searchable:
            if context.labelled_button(canvas, button, "Search by it", accent=True):
                context.requests.append(SearchByFile(offer.paths[0]))
            button = button._replace(x=button.right + gap)
        if context.labelled_button(canvas, button, "Add to the map", accent=not searchable):
            context.requests += [AddPaths(offer.paths), CloseOffer()]
