"""Pictures that are looked at whole, over the dimmed map: one over the whole window, or several side by side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from imgui_bundle import imgui

from atlas_rt.core.look import LookPane, LookPanel
from atlas_rt.core.requests import (
    CopyPicture,
    Do,
    LookAt,
    LookMove,
    LookSize,
    LookZoom,
    OpenFile,
    Request,
    ShowInFolder,
)
from atlas_rt.ui import theme
from atlas_rt.ui.panels import icons
from atlas_rt.ui.panels.canvas import Canvas, Rect
from atlas_rt.ui.panels.panel_context import PanelContext
from atlas_rt.ui.theme import Colour

BAR_HEIGHT = 56.0
"""Below the pictures, before scaling."""
BUTTON, GAP, PERCENT = 38.0, 6.0, 68.0
ORDER_LEAST, ORDER_MOST = 96.0, 330.0
GROUND = theme.rgba(3, 4, 9, 0.93)
"""Over the map: the picture is what is looked at."""

Sign = Callable[[Canvas, tuple[float, float], Colour], None]


@dataclass(frozen=True, slots=True)
class Piece:
    """Something in the bar. sign or text: what is drawn. request: what a click asks for, None where it is no button."""

    name: str
    width: float
    request: Request | None = None
    sign: Sign | None = None
    text: str = ""


class LookPictures:
    """The pictures, the bar below them, and what the mouse does over them."""

    def __init__(self) -> None:
        self._was_open = False

    def build(self, context: PanelContext) -> bool:
        """Show it, if anything is looked at; whether it is."""
        look = context.hud.look
        opening, self._was_open = not self._was_open, look is not None
        if look is None:
            return False
        whole = Rect(0.0, 0.0, *context.size)
        with context.panel("look", whole, glass=False, raised=opening) as canvas:
            canvas.fill(whole, GROUND)
            for pane in look.panes:
                self._picture(context, canvas, pane)
                if look.informed:
                    self._information(context, canvas, pane)
                elif len(look.panes) > 1:
                    self._caption(context, canvas, Rect(*pane.pane), pane.name)
            self._close(context, canvas)
            self._bar(context, canvas, look)
            for pane in look.panes:
                self._mouse(context, pane, compared=len(look.panes) > 1)
        return True

    # -- pictures ------------------------------------------------------------------------------------------------------

    def _picture(self, context: PanelContext, canvas: Canvas, pane: LookPane) -> None:
        rect = Rect(*pane.pane)
        with canvas.clipped(rect):
            if pane.stand_in and not pane.error:
                self._stand_in(context, canvas, pane)
            for placed in pane.tiles:
                ref = context.thumbnails.tile_ref(placed.key)
                if ref:
                    canvas.quad(placed.corners, ref)
        bottom = rect.bottom - context.px(40.0)
        if pane.error:
            self._sentence(context, canvas, rect, f"{pane.name} cannot be shown: {pane.error}", rect.centre[1])
        elif pane.remark:
            self._sentence(context, canvas, rect, pane.remark[:1].upper() + pane.remark[1:], bottom)
        elif pane.loading:
            text = f"Fetching it from S3: {pane.fetched}" if pane.fetched else "Reading it in full resolution"
            self._sentence(context, canvas, rect, text, bottom, theme.INK_SOFT)

    def _stand_in(self, context: PanelContext, canvas: Canvas, pane: LookPane) -> None:
        """The picture of the panel, or the thumbnail, until the first tile is here."""
        ref = context.thumbnails.picture_ref("selected") if context.hud.picture_id == pane.id else None
        ref = ref or context.thumbnails.ref(pane.id)
        if ref:
            canvas.quad(pane.corners, ref)

    def _caption(self, context: PanelContext, canvas: Canvas, rect: Rect, name: str) -> None:
        pad = context.px(10.0)
        text = context.type.fit(name, rect.width - 4.0 * pad, theme.SMALL, middle=True)
        pill = Rect(rect.x + pad, rect.y + pad, context.type.width(text, theme.SMALL) + 2.0 * pad, context.px(28.0))
        canvas.fill(pill, theme.GLASS, pill.height / 2.0)
        canvas.text_in(pill, text, theme.SMALL, theme.INK)

    def _sentence(
        self, context: PanelContext, canvas: Canvas, rect: Rect, text: str, y: float, ink: Colour = theme.WARNING
    ) -> None:
        pad, line = context.px(16.0), context.px(22.0)
        lines = context.type.lines(text, max(min(rect.width - 4.0 * pad, context.px(560.0)), 1.0), theme.SMALL)
        width = max(context.type.width(words, theme.SMALL) for words in lines) + 2.0 * pad
        card = Rect(
            rect.centre[0] - width / 2.0, y - len(lines) * line / 2.0 - pad / 2.0, width, len(lines) * line + pad
        )
        canvas.fill(card, theme.GLASS, context.px(theme.ROUND_SMALL))
        for number, words in enumerate(lines):
            top = card.y + pad / 2.0 + number * line + context.px(2.0)
            canvas.text_centred(card.centre[0], top, words, theme.SMALL, ink)

    def _information(self, context: PanelContext, canvas: Canvas, pane: LookPane) -> None:
        rect, pad, line = Rect(*pane.pane), context.px(theme.PAD), context.px(22.0)
        room = min(rect.width - context.px(2.0 * theme.MARGIN), context.px(420.0))
        rows = [
            (what, words) for what, value in pane.lines for words in self._rows(context, what, value, room - 2 * pad)
        ]
        height = (len(rows) + 1) * line + 2.0 * pad + context.px(6.0)
        card = Rect(rect.x + context.px(theme.MARGIN), rect.y + context.px(theme.MARGIN), max(room, 1.0), height)
        canvas.glass(card)
        inside = card.inset(pad)
        name = context.type.fit(pane.name, inside.width, theme.BODY, strong=True, middle=True)
        canvas.text(inside.x, inside.y, name, theme.BODY, theme.INK, strong=True)
        for number, (what, words) in enumerate(rows):
            y = inside.y + (number + 1) * line + context.px(8.0)
            canvas.text(inside.x, y, what, theme.CAPTION, theme.INK_FAINT)
            canvas.text(inside.x + context.px(76.0), y, words, theme.CAPTION, theme.INK_SOFT)

    def _rows(self, context: PanelContext, what: str, value: str, room: float) -> list[str]:
        """A value in lines; only the first says what it is."""
        width = max(room - context.px(76.0), 1.0)
        if what == "Folder":
            return [context.type.fit(value, width, theme.CAPTION, middle=True)]
        return context.type.lines(value, width, theme.CAPTION, most=2)

    # -- the mouse -----------------------------------------------------------------------------------------------------

    def _mouse(self, context: PanelContext, pane: LookPane, *, compared: bool) -> None:
        """After the buttons, which come first where they lie over a picture."""
        rect = Rect(*pane.pane)
        context.button(f"picture {pane.id}", rect._replace(width=max(rect.width, 1.0), height=max(rect.height, 1.0)))
        io = imgui.get_io()
        at_px = float(io.mouse_pos.x), float(io.mouse_pos.y)
        if imgui.is_item_hovered() and io.mouse_wheel:
            context.requests.append(LookZoom(float(io.mouse_wheel), at_px))
        by_px = float(io.mouse_delta.x), float(io.mouse_delta.y)
        if imgui.is_item_active() and by_px != (0.0, 0.0):
            context.requests.append(LookMove(by_px))
        if imgui.is_item_hovered() and imgui.is_mouse_double_clicked(imgui.MouseButton_.left):
            context.requests.append(LookAt((pane.id,)) if compared else LookSize(at_px))

    def _close(self, context: PanelContext, canvas: Canvas) -> None:
        side, margin = context.px(34.0), context.px(theme.MARGIN)
        place = Rect(context.size[0] - margin - side, margin, side, side)
        clicked, pointed = context.button("leave", place)
        canvas.dot(place.centre, side / 2.0, theme.rgba(10, 12, 20, 0.9 if pointed else 0.7))
        icons.cross(canvas, place.centre, theme.INK if pointed else theme.INK_SOFT)
        if clicked:
            context.requests.append(Do("step_back"))

    # -- the bar -------------------------------------------------------------------------------------------------------

    def _bar(self, context: PanelContext, canvas: Canvas, look: LookPanel) -> None:
        groups = self._fitting(context, look)
        gap, between = context.px(GAP), context.px(3.0 * GAP)
        widths = [sum(context.px(piece.width) for piece in group) + gap * (len(group) - 1) for group in groups]
        x = (context.size[0] - sum(widths) - between * (len(groups) - 1)) / 2.0
        y = context.size[1] - context.px((BAR_HEIGHT + BUTTON) / 2.0)
        for group in groups:
            for piece in group:
                rect = Rect(x, y, context.px(piece.width), context.px(BUTTON))
                self._piece(context, canvas, rect, piece)
                x += rect.width + gap
            x += between - gap

    def _fitting(self, context: PanelContext, look: LookPanel) -> list[list[Piece]]:
        """The groups of the bar; in a narrow window the order is cut first, then groups are left out."""
        room = context.size[0] / context.type.scale - 2.0 * theme.MARGIN
        wanted = min(context.type.width(look.order, theme.SMALL) / context.type.scale + 8.0, ORDER_MOST)
        groups = _groups(context, look, wanted)
        spared = min(max(_width(groups) - room, 0.0), wanted - ORDER_LEAST)
        groups = _groups(context, look, wanted - max(spared, 0.0))
        while _width(groups) > room and len(groups) > 1:
            groups.pop()
        return groups

    def _piece(self, context: PanelContext, canvas: Canvas, rect: Rect, piece: Piece) -> None:
        if piece.request is None:
            text = context.type.fit(piece.text, rect.width, theme.SMALL)
            canvas.text_in(rect, text, theme.SMALL, theme.INK_SOFT)
            return
        clicked, pointed = context.button(piece.name, rect)
        canvas.fill(rect, theme.FILL_HOVER if pointed else theme.FILL, context.px(theme.ROUND_SMALL))
        ink = theme.INK if pointed else theme.INK_SOFT
        if piece.sign is not None:
            piece.sign(canvas, rect.centre, ink)
        else:
            canvas.text_in(rect, piece.text, theme.SMALL, ink, strong=True)
        if clicked:
            context.requests.append(piece.request)


def _width(groups: list[list[Piece]]) -> float:
    """Of the whole bar, before scaling."""
    return sum(piece.width + GAP for group in groups for piece in group) + 2.0 * GAP * len(groups)


def _groups(context: PanelContext, look: LookPanel, order_width: float) -> list[list[Piece]]:
    """What the bar holds, the most needed first."""
    size = "1:1" if look.whole or abs(look.percent - 100.0) > 1.0 else "Fit"
    zooming = [
        Piece("farther", BUTTON, Do("look_farther"), icons.minus),
        Piece("percent", PERCENT, text=f"{look.percent:,.0f} %" if look.percent >= 10.0 else f"{look.percent:.1f} %"),
        Piece("nearer", BUTTON, Do("look_nearer"), icons.plus),
        Piece("size", 48.0, Do("look_size"), text=size),
    ]
    turning = [
        Piece("turn back", BUTTON, Do("look_turn_back"), icons.turn_back),
        Piece("turn", BUTTON, Do("look_turn"), icons.turn),
        Piece("information", BUTTON, Do("look_information"), text="i"),
    ]
    order = [Piece("order", order_width, text=look.order)]
    if len(look.panes) > 1:
        return [zooming, turning, order]
    previous = Piece("previous", BUTTON, Do("look_previous"), icons.back)
    stepping = [previous, *order, Piece("next", BUTTON, Do("look_next"), icons.chevron)]
    if look.steps:
        turning.append(Piece("compare", BUTTON, Do("look_compare"), icons.two_pictures))
    id_ = look.panes[0].id
    files = [
        Piece("open", 66.0, OpenFile(id_), text="Open"),
        Piece("show", 124.0, ShowInFolder(id_), text="Show in folder"),
        Piece("copy", 66.0, CopyPicture(id_), text="Copy"),
    ]
    return [stepping, zooming, turning, *([] if context.hud.kiosk else [files])]
