"""The clusters (K): a list to sort and to search in, at the left side, and the page of one of them."""

from __future__ import annotations

from imgui_bundle import imgui

from atlas_rt.core.cluster_list import ORDERS
from atlas_rt.core.hud import ClusterPanel, ClusterRow
from atlas_rt.core.money import money
from atlas_rt.core.requests import (
    AskClaude,
    BeginRename,
    ClusterRequest,
    Do,
    FindClusters,
    HideCluster,
    IsolateCluster,
    OpenClusterPage,
    PointAtCluster,
    RenameCluster,
    ShowAllClusters,
    SortClusters,
    StopClaude,
    VisitCluster,
)
from atlas_rt.ui import theme
from atlas_rt.ui.panels import detail
from atlas_rt.ui.panels.canvas import Canvas, Rect
from atlas_rt.ui.panels.cluster_page import ClusterPageView
from atlas_rt.ui.panels.explanation import left_words
from atlas_rt.ui.panels.icons import chevron, cross, eye, magnifier, pencil
from atlas_rt.ui.panels.panel_context import Fade, PanelContext
from atlas_rt.ui.panels.text_field import TextField

WIDTH, LEAST_HEIGHT = 340.0, 120.0
HEAD, FOOT = 122.0, 30.0
EXPLAIN = 46.0
ROW, STRIP = 112.0, 48.0
GAP = 6.0
EXEMPLARS = 4
LEAST_BETWEEN = 220.0
"""So much of the map must stay between this panel and that of a selected image, or this one gives way."""
NAMED_BY = {"vocabulary": "by vocabulary", "claude": "by Claude", "exemplar": "after an image", "user": ""}
"""Who named a cluster; the reason of a name that the person gave says so itself."""
FIELD_HEIGHT = 32.0
TAB_HEIGHT = 26.0


class ClustersPanel:
    """Open while `hud.clusters.open`."""

    def __init__(self) -> None:
        self._fade = Fade()
        self._find, self._name = TextField("find clusters"), TextField("cluster name")
        self._renaming = -1
        self._moved = 0
        self._pointed = -1
        self._page = ClusterPageView()
        self._yields = False

    @property
    def wants_text(self) -> bool:
        """One of its fields has the focus, or is about to."""
        return self._find.wants_text or self._name.wants_text

    def width(self, context: PanelContext) -> float:
        """How much of the window's left side is taken; grows while it slides in."""
        slid = 1.0 - (1.0 - self._fade.value) ** 2
        return (self._panel_width(context) + context.px(theme.MARGIN)) * slid

    def taken(self, context: PanelContext) -> float:
        """The same once it has come to rest."""
        shown = context.hud.clusters.open and not self._yields
        return self._panel_width(context) + context.px(theme.MARGIN) if shown else 0.0

    def build(self, context: PanelContext) -> None:
        """After the status panel, above which it ends."""
        panel = context.hud.clusters
        self._yields = context.hud.selected is not None and self._between(context) < context.px(LEAST_BETWEEN)
        shown = panel.open and not self._yields
        alpha = self._fade.advance(shown, context.hud)
        if not shown:
            self._find.leave(panel.wanted)
            self._name.leave("")
            self._renaming = -1
            self._point_at(context, -1)
            self._page.leave(context)
            if not panel.open and panel.concealed and not context.hud.welcome:
                self._pill(context, panel)
            return
        if panel.renaming < 0:
            self._name.leave("")
            self._renaming = -1
        rect = self._place(context)
        with context.panel("clusters", rect, alpha=alpha) as canvas:
            if panel.opened is not None:
                self._find.leave(panel.wanted)
                self._build_page(context, canvas, rect, panel, alpha)
            else:
                self._page.leave(context)
                self._list(context, canvas, rect, panel, alpha)

    # -- places ------------------------------------------------------------------------------------------------------

    def _panel_width(self, context: PanelContext) -> float:
        return max(min(context.px(WIDTH), context.size[0] - context.px(2.0 * theme.MARGIN)), 1.0)

    def _between(self, context: PanelContext) -> float:
        """What is left of the window's width next to the panel of a selected image."""
        return context.size[0] - self._panel_width(context) - context.px(detail.WIDTH + 2.0 * theme.MARGIN)

    def _place(self, context: PanelContext) -> Rect:
        """From the top down to what lies in the lower left corner."""
        margin, width = context.px(theme.MARGIN), self._panel_width(context)
        below = [rect.y for rect in context.covered if rect.x < margin + width and rect.y > context.size[1] / 3.0]
        bottom = min(below, default=context.size[1]) - margin * (0.625 if below else 1.0)
        least = min(context.px(LEAST_HEIGHT), context.size[1] - 2.0 * margin)
        return Rect(margin, margin, width, max(bottom - margin, least, 1.0))

    # -- the list ----------------------------------------------------------------------------------------------------

    def _list(self, context: PanelContext, canvas: Canvas, rect: Rect, panel: ClusterPanel, alpha: float) -> None:
        self._head(context, canvas, rect, panel)
        foot = context.px(FOOT) if not context.hud.kiosk and rect.height > context.px(HEAD + FOOT + ROW) else 0.0
        foot += context.px(EXPLAIN) if foot and self._explains(context) else 0.0
        top = rect.y + context.px(HEAD)
        area = Rect(rect.x + context.px(6.0), top, rect.width - context.px(10.0), rect.bottom - top - foot)
        if area.height < 1.0:
            return
        if panel.rows:
            self._rows(context, area, panel, alpha)
        else:
            self._point_at(context, -1)
            self._nothing(context, canvas, area, panel)
        if foot:
            self._foot(context, canvas, rect, panel)
            if self._explains(context):
                self._explain(context, canvas, Rect(rect.x, rect.bottom - foot, rect.width, context.px(EXPLAIN)))

    def _head(self, context: PanelContext, canvas: Canvas, rect: Rect, panel: ClusterPanel) -> None:
        x, y = rect.x + context.px(theme.PAD), rect.y + context.px(14.0)
        right = rect.right - context.px(theme.PAD)
        end = canvas.text(x, y, "Clusters", theme.TITLE, theme.INK, strong=True)
        told = f"{panel.total:,}" if len(panel.rows) == panel.total else f"{len(panel.rows):,} of {panel.total:,}"
        canvas.text(end + context.px(9.0), y + context.px(3.5), told, theme.SMALL, theme.INK_SOFT)
        self._close(context, canvas, (right - context.px(6.0), y + context.px(10.0)))
        field = Rect(x, rect.y + context.px(46.0), right - x, context.px(FIELD_HEIGHT))
        self._field(context, canvas, field, panel)
        tabs = Rect(x, field.bottom + context.px(9.0), right - x, context.px(TAB_HEIGHT))
        self._tabs(context, canvas, tabs, panel)

    def _close(self, context: PanelContext, canvas: Canvas, at_px: tuple[float, float]) -> None:
        side = context.px(26.0)
        clicked, pointed = context.button("close", Rect(at_px[0] - side / 2.0, at_px[1] - side / 2.0, side, side))
        cross(canvas, at_px, theme.INK if pointed else theme.INK_FAINT)
        if clicked:
            context.requests.append(Do("clusters"))

    def _field(self, context: PanelContext, canvas: Canvas, rect: Rect, panel: ClusterPanel) -> None:
        """Where clusters are looked for. Arrows move through the list meanwhile."""
        self._find.adopt(panel.wanted)
        canvas.fill(rect, theme.FILL, context.px(theme.ROUND_SMALL))
        canvas.outline(rect.inset(0.5), theme.RIM, context.px(theme.ROUND_SMALL))
        magnifier(canvas, (rect.x + context.px(17.0), rect.centre[1]), self._find.colour, size=0.66)
        x = rect.x + context.px(32.0)
        at_px = (x, rect.centre[1])
        changed, _ = self._find.build(context, at_px, rect.right - context.px(8.0) - x, theme.BODY, "Find a cluster")
        if changed:
            context.requests.append(FindClusters(self._find.text))
        if self._find.wants_text:
            for key, action in ((imgui.Key.down_arrow, "neighbour_down"), (imgui.Key.up_arrow, "neighbour_up")):
                if imgui.is_key_pressed(key):
                    context.requests.append(Do(action))

    def _tabs(self, context: PanelContext, canvas: Canvas, rect: Rect, panel: ClusterPanel) -> None:
        """By what the list is sorted, and the way back to all clusters."""
        x = rect.x
        for order in ORDERS:
            label = f"By {order}"
            width = context.type.width(label, theme.CAPTION) + context.px(18.0)
            tab = Rect(x, rect.y, width, rect.height)
            clicked, pointed = context.button(label, tab)
            chosen = order == panel.order
            if chosen or pointed:
                canvas.fill(tab, theme.FILL_HOVER if chosen else theme.FILL, tab.height / 2.0)
            canvas.text_in(tab, label, theme.CAPTION, theme.INK if chosen else theme.INK_SOFT)
            if clicked:
                context.requests.append(SortClusters(order))
            x += width + context.px(2.0)
        if panel.concealed:
            width = context.type.width("Show all", theme.CAPTION, strong=True) + context.px(18.0)
            place = Rect(rect.right - width, rect.y, width, rect.height)
            clicked, pointed = context.button("show all", place)
            canvas.fill(place, theme.faded(theme.ACCENT, 0.30 if pointed else 0.18), place.height / 2.0)
            canvas.text_in(place, "Show all", theme.CAPTION, theme.ACCENT, strong=True)
            if clicked:
                context.requests.append(ShowAllClusters())

    def _nothing(self, context: PanelContext, canvas: Canvas, area: Rect, panel: ClusterPanel) -> None:
        if panel.total:
            text = f"No cluster's name or description holds “{panel.wanted.strip()}”."
        elif context.hud.images:
            text = "No clusters yet. Some dozens of images that stand together make one."
        else:
            text = "No images yet."
        width = area.width - context.px(24.0)
        for number, line in enumerate(context.type.lines(text, width, theme.SMALL)):
            y = area.y + context.px(16.0 + 20.0 * number)
            canvas.text(area.x + context.px(10.0), y, line, theme.SMALL, theme.INK_SOFT)

    def _explains(self, context: PanelContext) -> bool:
        """There is something to say of Claude below the list."""
        narrator = context.hud.narrator
        return not narrator.closed and bool(narrator.offer.left or narrator.asking)

    def _explain(self, context: PanelContext, canvas: Canvas, rect: Rect) -> None:
        """Have Claude explain all clusters, or how far it is with that."""
        narrator = context.hud.narrator
        asking, left = narrator.asking, narrator.offer.left
        canvas.line((rect.x, rect.y), (rect.right, rect.y), theme.RIM)
        line = rect.inset(context.px(theme.PAD))._replace(y=rect.y + context.px(9.0), height=context.px(28.0))
        if asking is None:
            count = f"all {len(left):,}" if len(left) > 1 else "the last one"
            about = f"Explain {count}  ·  about {money(narrator.offer.usd * len(left))}"
            if narrator.waiting is not None and len(left):
                about = "Preparing what would be sent …"
            if context.labelled_button(canvas, line, about) and narrator.waiting is None:
                context.requests.append(AskClaude(left))
            return
        stop = context.type.width("Stop", theme.CAPTION, strong=True) + context.px(24.0)
        place = Rect(line.right - stop, line.y + context.px(2.0), stop, context.px(24.0))
        told = "stopping" if asking.stopping else left_words(asking) or "1 question"
        text = context.type.fit(f"Claude: {told}", place.x - line.x - context.px(8.0), theme.SMALL)
        canvas.text(line.x, line.y + context.px(5.0), text, theme.SMALL, theme.INK_SOFT)
        if not asking.stopping and context.labelled_button(canvas, place, "Stop"):
            context.requests.append(StopClaude())
        bar = Rect(line.x, rect.y - context.px(0.5), line.width, context.px(2.0))
        canvas.fill(bar._replace(width=bar.width * asking.done / asking.total), theme.ACCENT)

    def _foot(self, context: PanelContext, canvas: Canvas, rect: Rect, panel: ClusterPanel) -> None:
        told = f"{panel.free:,} in no cluster" if panel.free > 0 else ""
        y, x, right = rect.bottom - context.px(24.0), rect.x + context.px(theme.PAD), rect.right - context.px(theme.PAD)
        canvas.line((rect.x, y - context.px(7.0)), (rect.right, y - context.px(7.0)), theme.RIM)
        canvas.text_right(right, y, told, theme.CAPTION, theme.INK_FAINT)
        keys = "Enter: fly there  ·  F2: rename"
        room = right - x - context.type.width(told, theme.CAPTION) - context.px(10.0)
        canvas.text(x, y, context.type.fit(keys, room, theme.CAPTION), theme.CAPTION, theme.INK_FAINT)

    def _rows(self, context: PanelContext, area: Rect, panel: ClusterPanel, alpha: float) -> None:
        imgui.set_cursor_screen_pos((area.x, area.y))
        imgui.begin_child("rows", (area.width, area.height))
        height = context.px(ROW)
        self._scroll(panel, height, area.height)
        canvas = Canvas(imgui.get_window_draw_list(), context.type, alpha)
        width = area.width - context.px(8.0)  # the scroll bar's
        pointed = -1
        clipper = imgui.ListClipper()
        clipper.begin(len(panel.rows), height)
        for index, row in enumerate(panel.rows):
            if row.cluster.id == panel.renaming:  # a field that is out of sight keeps what is typed
                clipper.include_item_by_index(index)
        while clipper.step():
            for index in range(clipper.display_start, clipper.display_end):
                place = imgui.get_cursor_screen_pos()
                row = panel.rows[index]
                imgui.push_id(str(row.cluster.id))
                if self._row(context, canvas, Rect(place.x, place.y, width, height), row, panel):
                    pointed = row.cluster.id
                imgui.pop_id()
                imgui.set_cursor_screen_pos((place.x, place.y))
                imgui.dummy((width, height))
        imgui.end_child()
        self._point_at(context, pointed)

    def _scroll(self, panel: ClusterPanel, height: float, room: float) -> None:
        """Bring the row that the keyboard went to into sight."""
        if panel.moved == self._moved:
            return
        self._moved = panel.moved
        at = next((place for place, row in enumerate(panel.rows) if row.cluster.id == panel.cursor), 0)
        top = imgui.get_scroll_y()
        imgui.set_scroll_y(min(max(top, (at + 1) * height - room), at * height))

    def _row(self, context: PanelContext, canvas: Canvas, rect: Rect, row: ClusterRow, panel: ClusterPanel) -> bool:
        """One cluster; whether the pointer is over it."""
        imgui.set_next_item_allow_overlap()
        clicked, _ = context.button("row", rect)
        double = clicked and imgui.get_io().mouse_clicked_last_count[0] == 2  # of the press before
        corner = (rect.right, rect.bottom - 1.0)
        pointed = imgui.is_window_hovered(imgui.HoveredFlags_.allow_when_blocked_by_active_item) and (
            imgui.is_mouse_hovering_rect((rect.x, rect.y), corner)
        )
        at = row.cluster.id == panel.cursor
        if at or pointed:
            ground = rect.inset(context.px(2.0))
            canvas.fill(ground, theme.FILL if not pointed else theme.rgba(255, 255, 255, 0.09), context.px(10.0))
            if at:
                canvas.outline(ground.inset(0.5), theme.faded(theme.ACCENT, 0.55), context.px(10.0))
        inner = rect._replace(x=rect.x + context.px(12.0), width=rect.width - context.px(22.0))
        self._first_line(context, canvas, inner, row, panel, pointed=pointed)
        self._second_line(context, canvas, inner, row)
        self._strip(context, canvas, inner, row)
        if clicked and panel.renaming != row.cluster.id:
            context.requests.append(IsolateCluster(row.cluster.id) if double else VisitCluster(row.cluster.id))
        return pointed

    def _first_line(
        self,
        context: PanelContext,
        canvas: Canvas,
        rect: Rect,
        row: ClusterRow,
        panel: ClusterPanel,
        *,
        pointed: bool,
    ) -> None:
        y, faint = rect.y + context.px(10.0), row.hidden
        colour = theme.rgba(*row.rgb, 0.35 if faint else 1.0)
        canvas.dot((rect.x + context.px(5.0), y + context.px(9.0)), context.px(5.0), colour)
        x, right = rect.x + context.px(18.0), rect.right
        if panel.renaming == row.cluster.id:
            self._rename(context, canvas, Rect(x, y - context.px(4.0), right - x, context.px(26.0)), row)
            return
        if pointed or row.hidden:
            right = self._buttons(context, canvas, right, y + context.px(9.0), row, pointed=pointed)
        size = f"{row.cluster.size:,}"
        canvas.text_right(right, y + context.px(1.0), size, theme.SMALL, theme.INK_FAINT if faint else theme.INK_SOFT)
        room = right - context.type.width(size, theme.SMALL) - context.px(10.0) - x
        name = context.type.fit(row.name, room, theme.BODY, strong=True)
        ink = theme.INK_FAINT if faint or row.pending is not None else theme.INK
        canvas.text(x, y, name, theme.BODY, ink, strong=True)

    def _buttons(
        self, context: PanelContext, canvas: Canvas, right: float, y: float, row: ClusterRow, *, pointed: bool
    ) -> float:
        """What can be done with a row, right to left; where the room for its size ends."""
        side = context.px(26.0)
        cluster = row.cluster.id
        buttons: tuple[tuple[str, str, ClusterRequest], ...] = (
            ("page", "More about it", OpenClusterPage(cluster)),
            ("hide", "Show it" if row.hidden else "Hide it", HideCluster(cluster)),
            ("rename", "Rename it", BeginRename(cluster)),
        )
        for key, does, asked in buttons:
            if (key == "rename" and context.hud.kiosk) or (key != "hide" and not pointed):
                continue
            place = Rect(right - side, y - side / 2.0, side, side)
            clicked, over = context.button(key, place)
            colour = theme.INK if over else theme.INK_SOFT
            if key == "page":
                chevron(canvas, place.centre, colour)
            elif key == "hide":
                eye(canvas, place.centre, colour, struck=row.hidden)
            else:
                pencil(canvas, place.centre, colour)
            if over:
                context.tip(place, does)
            if clicked:
                context.requests.append(asked)
            right = place.x
        return right - context.px(4.0)

    def _rename(self, context: PanelContext, canvas: Canvas, rect: Rect, row: ClusterRow) -> None:
        """The name as a field. Enter or a click elsewhere gives it, Esc leaves the old one."""
        if self._renaming != row.cluster.id:
            self._renaming = row.cluster.id
            self._name.text = row.cluster.name
            self._name.focus()
        canvas.fill(rect, theme.rgba(0, 0, 0, 0.35), context.px(6.0))
        canvas.outline(rect.inset(0.5), theme.ACCENT, context.px(6.0))
        at_px = (rect.x + context.px(8.0), rect.centre[1])
        _, left = self._name.build(context, at_px, rect.width - context.px(16.0), theme.BODY, "its own name again")
        if left:
            self._renaming = -1
            context.requests.append(RenameCluster(row.cluster.id, self._name.text))

    def _second_line(self, context: PanelContext, canvas: Canvas, rect: Rect, row: ClusterRow) -> None:
        """Why it is called so, and who called it so."""
        y, by = rect.y + context.px(32.0), NAMED_BY.get(row.cluster.named_by, "")
        canvas.text_right(rect.right, y, by, theme.CAPTION, theme.INK_FAINT)
        room = rect.width - (context.type.width(by, theme.CAPTION) + context.px(12.0) if by else 0.0)
        why = row.cluster.why.partition(": ")[2] or row.cluster.why  # the words: there is room for no introduction
        text = context.type.fit(why, room, theme.CAPTION) if why else ""
        canvas.text(rect.x, y, text, theme.CAPTION, theme.INK_FAINT if row.hidden else theme.INK_SOFT)

    def _strip(self, context: PanelContext, canvas: Canvas, rect: Rect, row: ClusterRow) -> None:
        """Its exemplars; a click on one flies to the image."""
        gap = context.px(GAP)
        width = (rect.width - gap * (EXEMPLARS - 1)) / EXEMPLARS
        for column, id_ in enumerate(row.cluster.exemplars[:EXEMPLARS]):
            cell = Rect(rect.x + column * (width + gap), rect.y + context.px(54.0), width, context.px(STRIP))
            context.image_button(canvas, cell, id_, dimmed=row.hidden)

    def _point_at(self, context: PanelContext, cluster: int) -> None:
        """Tell which row the pointer rests on, when that changes."""
        if cluster != self._pointed:
            self._pointed = cluster
            context.requests.append(PointAtCluster(cluster))

    # -- the page ----------------------------------------------------------------------------------------------------

    def _build_page(self, context: PanelContext, canvas: Canvas, rect: Rect, panel: ClusterPanel, alpha: float) -> None:
        row = panel.opened
        assert row is not None
        x, y = rect.x + context.px(theme.PAD), rect.y + context.px(14.0)
        right = rect.right - context.px(theme.PAD)
        back = Rect(x - context.px(8.0), y - context.px(2.0), context.px(24.0), context.px(26.0))
        clicked, pointed = context.button("back", back)
        chevron(canvas, back.centre, theme.INK if pointed else theme.INK_SOFT, back=True)
        if clicked:
            context.requests.append(OpenClusterPage(-1))
        self._close(context, canvas, (right - context.px(6.0), y + context.px(10.0)))
        title = Rect(x + context.px(20.0), y, right - context.px(28.0) - x - context.px(20.0), context.px(26.0))
        if panel.renaming == row.cluster.id:
            self._rename(context, canvas, title, row)
        else:
            self._title(context, canvas, title, row)
        top = y + context.px(34.0)
        inside = Rect(rect.x, top, rect.width - context.px(4.0), rect.bottom - top - context.px(6.0))
        if inside.height >= 1.0:
            self._page.build(context, inside, panel, alpha)
        self._point_at(context, row.cluster.id if pointed_in(rect) else -1)

    def _title(self, context: PanelContext, canvas: Canvas, rect: Rect, row: ClusterRow) -> None:
        room = rect.width - (0.0 if context.hud.kiosk else context.px(30.0))
        canvas.dot((rect.x + context.px(5.0), rect.y + context.px(11.0)), context.px(5.0), theme.rgba(*row.rgb))
        name = context.type.fit(row.name, room - context.px(18.0), theme.TITLE, strong=True)
        end = canvas.text(rect.x + context.px(18.0), rect.y, name, theme.TITLE, theme.INK, strong=True)
        if context.hud.kiosk:
            return
        side = context.px(26.0)
        place = Rect(end + context.px(3.0), rect.y - context.px(2.0), side, side)
        clicked, pointed = context.button("rename", place)
        pencil(canvas, place.centre, theme.INK if pointed else theme.INK_FAINT)
        if pointed:
            context.tip(place, "Rename it")
        if clicked:
            context.requests.append(BeginRename(row.cluster.id))

    # -- with the panel closed ---------------------------------------------------------------------------------------

    def _pill(self, context: PanelContext, panel: ClusterPanel) -> None:
        """That not all is drawn, and the way back."""
        many = f"{panel.concealed:,} cluster{'' if panel.concealed == 1 else 's'} hidden"
        margin, height, pad = context.px(theme.MARGIN), context.px(34.0), context.px(14.0)
        button = context.type.width("Show all", theme.SMALL, strong=True) + 2.0 * pad
        room = context.size[0] - 2.0 * margin - button - pad
        if room < context.px(40.0):
            return
        text = context.type.fit(f"Only “{panel.alone}” is shown" if panel.alone else many, room, theme.SMALL)
        rect = Rect(margin, margin, context.type.width(text, theme.SMALL) + pad + button, height)
        for other in context.covered:  # the search console of a narrow window
            if rect.overlaps(other):
                rect = rect._replace(y=other.bottom + margin / 2.0)
        with context.panel("hidden clusters", rect) as canvas:
            canvas.text(rect.x + pad, rect.centre[1] - context.px(theme.SMALL) / 2.0, text, theme.SMALL, theme.INK)
            place = Rect(rect.right - button, rect.y, button, rect.height)
            clicked, pointed = context.button("show all", place)
            canvas.text_in(place, "Show all", theme.SMALL, theme.INK if pointed else theme.ACCENT, strong=True)
            if clicked:
                context.requests.append(ShowAllClusters())


def pointed_in(rect: Rect) -> bool:
    """Whether the pointer is over this part of the current panel."""
    over = imgui.is_window_hovered(imgui.HoveredFlags_.child_windows)
    return over and imgui.is_mouse_hovering_rect((rect.x, rect.y), (rect.right, rect.bottom), False)
