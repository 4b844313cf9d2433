"""The subclusters on the page of a cluster: a line for each, which lights its images, and flies there at a click."""

from __future__ import annotations

from imgui_bundle import imgui

from atlas_rt.core.hud import SubclusterRow
from atlas_rt.core.requests import PointAtSubcluster, VisitSubcluster
from atlas_rt.ui import theme
from atlas_rt.ui.panels.canvas import Canvas, Rect
from atlas_rt.ui.panels.panel_context import PanelContext

ROW, CELL, GAP = 50.0, 40.0, 5.0
OUT = 8.0
"""How far the ground of the line that is pointed at reaches out at its left and right."""
IMAGES = 4


class SubclusterList:
    """Remembers which line the pointer rests on."""

    def __init__(self) -> None:
        self._pointed = -1

    def build(
        self, context: PanelContext, canvas: Canvas, inside: Rect, rows: tuple[SubclusterRow, ...], free: int
    ) -> float:
        """All lines below inside.y; where they end. free: how many of the cluster's images are in none of them."""
        y, height, pointed = inside.y, context.px(ROW), -1
        for number, row in enumerate(rows, 1):
            imgui.push_id(f"subcluster {row.id}")
            if self._row(context, canvas, Rect(inside.x, y, inside.width, height), row, number):
                pointed = row.id
            imgui.pop_id()
            y += height
        if free > 0:
            told = f"and {free:,} in none of these"
            canvas.text(inside.x, y + context.px(4.0), told, theme.CAPTION, theme.INK_FAINT)
            y += context.px(20.0)
        self._point_at(context, pointed)
        return y

    def leave(self, context: PanelContext) -> None:
        """The page is not shown any more."""
        self._point_at(context, -1)

    def _row(self, context: PanelContext, canvas: Canvas, rect: Rect, row: SubclusterRow, number: int) -> bool:
        """One subcluster; whether the pointer is over it."""
        imgui.set_next_item_allow_overlap()
        clicked, _ = context.button("line", rect)
        over = imgui.is_window_hovered(imgui.HoveredFlags_.allow_when_blocked_by_active_item)
        pointed = over and imgui.is_mouse_hovering_rect((rect.x, rect.y), (rect.right, rect.bottom - 1.0))
        if pointed:
            out = context.px(OUT)
            ground = Rect(rect.x - out, rect.y, rect.width + 2.0 * out, rect.height)
            canvas.fill(ground, theme.FILL_HOVER, context.px(theme.ROUND_SMALL))
        self._words(context, canvas, rect, row, number, pointed=pointed)
        side, gap = context.px(CELL), context.px(GAP)
        y, x = rect.y + (rect.height - side) / 2.0, self._strip_x(context, rect)
        for place, id_ in enumerate(row.images[:IMAGES]):
            context.image_button(canvas, Rect(x + place * (side + gap), y, side, side), id_)
        if clicked:
            context.requests.append(VisitSubcluster(row.id))
        return pointed

    def _words(
        self, context: PanelContext, canvas: Canvas, rect: Rect, row: SubclusterRow, number: int, *, pointed: bool
    ) -> None:
        """Its name; below it how many images it holds, and other words that tell it from its siblings."""
        room = self._strip_x(context, rect) - context.px(10.0) - rect.x
        name = context.type.fit(row.name or f"group {number}", room, theme.SMALL, strong=True)
        y = rect.y + context.px(7.0)
        canvas.text(rect.x, y, name, theme.SMALL, theme.INK, strong=True)
        told = f"{row.size:,}"
        for place, word in enumerate(row.words):  # as many whole ones as there is room for
            longer = f"{told}{', ' if place else '  ·  '}{word}"
            if context.type.width(longer, theme.CAPTION) > room:
                break
            told = longer
        ink = theme.INK_SOFT if pointed else theme.INK_FAINT
        canvas.text(rect.x, y + context.px(19.0), told, theme.CAPTION, ink)

    def _strip_x(self, context: PanelContext, rect: Rect) -> float:
        """Where the thumbnails begin."""
        return rect.right - IMAGES * context.px(CELL) - (IMAGES - 1) * context.px(GAP)

    def _point_at(self, context: PanelContext, subcluster: int) -> None:
        """Tell which line the pointer rests on, when that changes."""
        if subcluster != self._pointed:
            self._pointed = subcluster
            context.requests.append(PointAtSubcluster(subcluster))
