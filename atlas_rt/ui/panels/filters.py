"""The filters: the facets of the library with their values and counts, in a list at the left side."""

from __future__ import annotations

from imgui_bundle import imgui

from atlas_rt.core.filter_panel import FACET, MORE, FacetLine, FilterPanel
from atlas_rt.core.requests import Do, FindFacets, HideFiltered, ToggleFilter, UnfoldFacet
from atlas_rt.ui import theme
from atlas_rt.ui.panels import detail
from atlas_rt.ui.panels.canvas import Canvas, Rect
from atlas_rt.ui.panels.icons import check, chevron, chevron_down, cross, magnifier, minus
from atlas_rt.ui.panels.panel_context import Fade, PanelContext
from atlas_rt.ui.panels.text_field import TextField

WIDTH, LEAST_HEIGHT = 320.0, 120.0
HEAD, FIELD_HEIGHT, TAB_HEIGHT = 122.0, 32.0, 26.0
ROW, INDENT, BOX = 28.0, 16.0, 15.0
LEAST_BETWEEN = 220.0
"""So much of the map must stay between this panel and that of a selected image, or this one gives way."""


class FiltersPanel:
    """Open while `hud.filters.open`."""

    def __init__(self) -> None:
        self._fade = Fade()
        self._find = TextField("find facets")
        self._moved = 0
        self._yields = False

    @property
    def wants_text(self) -> bool:
        """Its field has the focus, or is about to."""
        return self._find.wants_text

    def width(self, context: PanelContext) -> float:
        """How much of the window's left side is taken; grows while it slides in."""
        slid = 1.0 - (1.0 - self._fade.value) ** 2
        return (self._panel_width(context) + context.px(theme.MARGIN)) * slid

    def taken(self, context: PanelContext) -> float:
        """The same once it has come to rest."""
        shown = context.hud.filters.open and not self._yields
        return self._panel_width(context) + context.px(theme.MARGIN) if shown else 0.0

    def build(self, context: PanelContext) -> None:
        """After the status panel, above which it ends."""
        panel = context.hud.filters
        between = context.size[0] - self._panel_width(context) - context.px(detail.WIDTH + 2.0 * theme.MARGIN)
        self._yields = context.hud.selected is not None and between < context.px(LEAST_BETWEEN)
        shown = panel.open and not self._yields
        alpha = self._fade.advance(shown, context.hud)
        if not shown:
            self._find.leave(panel.wanted)
            return
        rect = self._place(context)
        with context.panel("filters", rect, alpha=alpha) as canvas:
            self._head(context, canvas, rect, panel)
            top, bottom = rect.y + context.px(HEAD), rect.bottom - context.px(8.0)
            area = Rect(rect.x + context.px(6.0), top, rect.width - context.px(10.0), bottom - top)
            if area.height >= 1.0:
                self._lines(context, canvas, area, panel, alpha)

    # -- places ------------------------------------------------------------------------------------------------------

    def _panel_width(self, context: PanelContext) -> float:
        return max(min(context.px(WIDTH), context.size[0] - context.px(2.0 * theme.MARGIN)), 1.0)

    def _place(self, context: PanelContext) -> Rect:
        """From the top down to what lies in the lower left corner."""
        margin, width = context.px(theme.MARGIN), self._panel_width(context)
        below = [rect.y for rect in context.covered if rect.x < margin + width and rect.y > context.size[1] / 3.0]
        bottom = min(below, default=context.size[1]) - margin * (0.625 if below else 1.0)
        least = min(context.px(LEAST_HEIGHT), context.size[1] - 2.0 * margin)
        return Rect(margin, margin, width, max(bottom - margin, least, 1.0))

    # -- the head ----------------------------------------------------------------------------------------------------

    def _head(self, context: PanelContext, canvas: Canvas, rect: Rect, panel: FilterPanel) -> None:
        x, y = rect.x + context.px(theme.PAD), rect.y + context.px(14.0)
        right, side = rect.right - context.px(theme.PAD), context.px(26.0)
        end = canvas.text(x, y, "Filter", theme.TITLE, theme.INK, strong=True)
        told = f"{panel.total:,} images" if not panel.chips else counted(panel)
        canvas.text(end + context.px(9.0), y + context.px(3.5), told, theme.SMALL, theme.INK_SOFT)
        at_px = (right - context.px(6.0), y + context.px(10.0))
        clicked, pointed = context.button("close", Rect(at_px[0] - side / 2.0, at_px[1] - side / 2.0, side, side))
        cross(canvas, at_px, theme.INK if pointed else theme.INK_FAINT)
        if clicked:
            context.requests.append(Do("filters"))
        field = Rect(x, rect.y + context.px(46.0), right - x, context.px(FIELD_HEIGHT))
        self._field(context, canvas, field, panel)
        self._tabs(context, canvas, Rect(x, field.bottom + context.px(9.0), right - x, context.px(TAB_HEIGHT)), panel)

    def _field(self, context: PanelContext, canvas: Canvas, rect: Rect, panel: FilterPanel) -> None:
        """Where values are looked for, or fields typed. Arrows move through the list meanwhile."""
        self._find.adopt(panel.wanted)
        canvas.fill(rect, theme.FILL, context.px(theme.ROUND_SMALL))
        canvas.outline(rect.inset(0.5), theme.RIM, context.px(theme.ROUND_SMALL))
        magnifier(canvas, (rect.x + context.px(17.0), rect.centre[1]), self._find.colour, size=0.66)
        x = rect.x + context.px(32.0)
        prompt = "Find a value, or type date:2023"
        changed, _ = self._find.build(
            context, (x, rect.centre[1]), rect.right - context.px(8.0) - x, theme.BODY, prompt
        )
        if changed:
            context.requests.append(FindFacets(self._find.text))
        if self._find.wants_text:
            for key, action in ((imgui.Key.down_arrow, "neighbour_down"), (imgui.Key.up_arrow, "neighbour_up")):
                if imgui.is_key_pressed(key):
                    context.requests.append(Do(action))

    def _tabs(self, context: PanelContext, canvas: Canvas, rect: Rect, panel: FilterPanel) -> None:
        """What else is done with filters: the timeline, and what becomes of the rest."""
        x = self._tab(context, canvas, rect, "Timeline", chosen=panel.timeline is not None, request=Do("timeline"))
        rest = rect._replace(x=x)
        self._tab(context, canvas, rest, "Hide the rest", chosen=panel.hides, request=HideFiltered(not panel.hides))
        if context.hud.query and context.hud.answer is not None:
            y = rect.centre[1] - context.px(theme.CAPTION) / 2.0
            canvas.text_right(rect.right, y, "counts: what is found", theme.CAPTION, theme.INK_FAINT)

    def _tab(
        self, context: PanelContext, canvas: Canvas, rect: Rect, label: str, *, chosen: bool, request: Do | HideFiltered
    ) -> float:
        """A switch; where the next one begins."""
        tab = rect._replace(width=context.type.width(label, theme.CAPTION) + context.px(18.0))
        clicked, pointed = context.button(label, tab)
        if chosen or pointed:
            canvas.fill(tab, theme.FILL_HOVER if chosen else theme.FILL, tab.height / 2.0)
        canvas.text_in(tab, label, theme.CAPTION, theme.INK if chosen else theme.INK_SOFT)
        if clicked:
            context.requests.append(request)
        return tab.right + context.px(2.0)

    # -- the list ----------------------------------------------------------------------------------------------------

    def _lines(self, context: PanelContext, canvas: Canvas, area: Rect, panel: FilterPanel, alpha: float) -> None:
        if not panel.lines:
            self._nothing(context, canvas, area, panel)
            return
        imgui.set_cursor_screen_pos((area.x, area.y))
        imgui.begin_child("lines", (area.width, area.height))
        height, width = context.px(ROW), area.width - context.px(8.0)  # the scroll bar's
        self._scroll(panel, height, area.height)
        canvas = Canvas(imgui.get_window_draw_list(), context.type, alpha)
        clipper = imgui.ListClipper()
        clipper.begin(len(panel.lines), height)
        while clipper.step():
            for index in range(clipper.display_start, clipper.display_end):
                place, line = imgui.get_cursor_screen_pos(), panel.lines[index]
                imgui.push_id(hash((line.kind, line.field, line.value)) & 0x7FFFFFFF)  # a folder's name may be no text
                self._line(context, canvas, Rect(place.x, place.y, width, height), line, at=index == panel.cursor)
                imgui.pop_id()
                imgui.set_cursor_screen_pos((place.x, place.y))
                imgui.dummy((width, height))
        imgui.end_child()

    def _scroll(self, panel: FilterPanel, height: float, room: float) -> None:
        """Bring the line that the keyboard went to into sight."""
        if panel.moved == self._moved:
            return
        self._moved = panel.moved
        top, bottom = max(panel.cursor, 0) * height, (max(panel.cursor, 0) + 1) * height
        if top < imgui.get_scroll_y():
            imgui.set_scroll_y(top)
        elif bottom > imgui.get_scroll_y() + room:
            imgui.set_scroll_y(bottom - room)

    def _nothing(self, context: PanelContext, canvas: Canvas, area: Rect, panel: FilterPanel) -> None:
        if panel.wanted.strip():
            text = "No value begins so. A field such as camera:contax becomes a filter with Enter."
        elif panel.total:
            text = "Reading what is known of the images …"
        else:
            text = "No images yet."
        for number, line in enumerate(context.type.lines(text, area.width - context.px(24.0), theme.SMALL)):
            y = area.y + context.px(16.0 + 20.0 * number)
            canvas.text(area.x + context.px(10.0), y, line, theme.SMALL, theme.INK_SOFT)

    def _line(self, context: PanelContext, canvas: Canvas, rect: Rect, line: FacetLine, *, at: bool) -> None:
        imgui.set_next_item_allow_overlap()
        clicked, pointed = context.button("line", rect)
        pointed = pointed or imgui.is_mouse_hovering_rect((rect.x, rect.y), (rect.right, rect.bottom))
        if pointed or at:
            canvas.fill(rect, theme.FILL, context.px(6.0))
        if at:
            canvas.outline(rect.inset(0.5), theme.faded(theme.ACCENT, 0.55), context.px(6.0))
        if line.kind == FACET:
            self._facet(context, canvas, rect, line)
            if clicked:
                context.requests.append(UnfoldFacet(line.field))
        elif line.kind == MORE:
            x, y = rect.x + context.px(36.0), rect.centre[1] - context.px(theme.CAPTION) / 2.0
            canvas.text(x, y, line.text, theme.CAPTION, theme.ACCENT if pointed else theme.INK_SOFT)
            if clicked:
                context.requests.append(UnfoldFacet(line.field, more=True))
        elif not self._value(context, canvas, rect, line, pointed=pointed) and clicked:
            context.requests.append(ToggleFilter(line.field, line.value))

    def _facet(self, context: PanelContext, canvas: Canvas, rect: Rect, line: FacetLine) -> None:
        x, y = rect.x + context.px(10.0), rect.centre[1] - context.px(theme.SMALL) / 2.0 + context.px(2.0)
        sign = chevron_down if line.unfolded else chevron
        sign(canvas, (x + context.px(5.0), y + context.px(8.0)), theme.INK_FAINT)
        canvas.text(x + context.px(18.0), y, line.text, theme.SMALL, theme.INK, strong=True)
        canvas.text_right(rect.right - context.px(10.0), y, f"{line.count:,}", theme.CAPTION, theme.INK_FAINT)

    def _value(self, context: PanelContext, canvas: Canvas, rect: Rect, line: FacetLine, *, pointed: bool) -> bool:
        """A value; whether one of its own signs was clicked."""
        x, middle = rect.x + context.px(10.0 + INDENT * line.depth), rect.centre[1]
        hit = False
        if line.unfolded is not None:
            place = Rect(x - context.px(4.0), rect.y, context.px(18.0), rect.height)
            hit, over = context.button("unfold", place)
            sign = chevron_down if line.unfolded else chevron
            sign(canvas, place.centre, theme.INK if over else theme.INK_FAINT)
            if hit:
                context.requests.append(UnfoldFacet(line.field, line.value))
        x += context.px(18.0)
        self._box(context, canvas, Rect(x, middle - context.px(BOX) / 2.0, context.px(BOX), context.px(BOX)), line)
        right = rect.right - context.px(10.0)
        if pointed or line.excluded:
            side = context.px(24.0)
            place = Rect(right - side + context.px(6.0), middle - side / 2.0, side, side)
            left_out, over = context.button("leave out", place)
            minus(canvas, place.centre, theme.WARNING if over or line.excluded else theme.INK_SOFT)
            if over:
                context.tip(place, "Show it again" if line.excluded else "Leave these out")
            if left_out:
                context.requests.append(ToggleFilter(line.field, line.value, wanted=False))
            hit, right = hit or left_out, place.x - context.px(4.0)
        self._words(context, canvas, x + context.px(BOX + 9.0), right, middle, line)
        return hit

    def _words(
        self, context: PanelContext, canvas: Canvas, x: float, right: float, middle: float, line: FacetLine
    ) -> None:
        """What it is called, how many there are, and under both a line as long as they are many."""
        faint = line.excluded or (not line.count and not line.chosen)
        count, colour = f"{line.count:,}", theme.INK_FAINT if faint else theme.INK_SOFT
        y = middle - context.px(theme.SMALL) / 2.0 - context.px(1.0)
        canvas.text_right(right, y + context.px(1.0), count, theme.CAPTION, colour)
        room = right - context.type.width(count, theme.CAPTION) - context.px(10.0) - x
        text = context.type.fit(line.text, room, theme.SMALL, middle=line.field == "folder")
        canvas.text(x, y, text, theme.SMALL, theme.INK_FAINT if faint else theme.INK)
        if line.count:
            length = max((right - x) * line.share, context.px(2.0))
            colour = theme.faded(theme.ACCENT, 0.55) if line.chosen else theme.FILL_HOVER
            canvas.fill(Rect(x, middle + context.px(10.0), length, context.px(1.5)), colour)

    def _box(self, context: PanelContext, canvas: Canvas, box: Rect, line: FacetLine) -> None:
        """Whether it is on."""
        rounding = context.px(4.0)
        if line.chosen:
            canvas.fill(box, theme.ACCENT, rounding)
            check(canvas, box.centre, theme.ACCENT_INK)
        elif line.excluded:
            canvas.outline(box.inset(0.5), theme.WARNING, rounding)
            cross(canvas, box.centre, theme.WARNING)
        else:
            canvas.outline(box.inset(0.5), theme.PILL_RIM, rounding)


def counted(panel: FilterPanel) -> str:
    """How many images the filters let through."""
    return "…" if panel.shown < 0 else f"{panel.shown:,} of {panel.total:,}"
