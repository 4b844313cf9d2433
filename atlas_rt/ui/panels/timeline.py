"""The timeline (J) along the bottom: how many images are of which days, and a brush that lets only some through.

Drag to brush, drag the brush to move it, its ends to change it; a click takes one bar, a click on a year that year, a
double-click lets all through. The wheel zooms, the right button moves what is in sight.
"""

from __future__ import annotations

import math

from imgui_bundle import imgui

from atlas_rt.core.requests import BrushDates, Do, SightTimeline
from atlas_rt.core.timeline import Days, Hold, Sight, Timeline, after, dragged, held, panned, ticks, zoomed
from atlas_rt.ui import theme
from atlas_rt.ui.panels.canvas import Canvas, Rect
from atlas_rt.ui.panels.icons import cross
from atlas_rt.ui.panels.panel_context import Fade, PanelContext

HEIGHT, PAD, HEAD, FOOT = 104.0, 14.0, 24.0, 20.0
LEAST_WIDTH = 420.0
"""Where less is left between other panels, it lies above them."""
EDGE, DRAG = 6.0, 4.0
"""How near to an end of the brush it is held, and how far the hand moves before that is no click."""
TICK = 64.0
HINT = "Drag to choose dates; the wheel zooms"


class TimelinePanel:
    """While `hud.filters.timeline` is there."""

    def __init__(self) -> None:
        self._fade = Fade()
        self._hold: Hold | None = None
        self._held_px = 0.0
        self._drags = False
        self._span: Days | None = None
        self._top = math.inf

    @property
    def top(self) -> float:
        """What lies below is taken."""
        return self._top

    def build(self, context: PanelContext) -> None:
        """After the panels in the lower corners, between or above which it lies."""
        seen = context.hud.filters.timeline
        self._top = context.size[1]
        alpha = self._fade.advance(seen is not None, context.hud)
        if seen is None:
            self._let_go(context)
            return
        rect = self._place(context)
        self._top = rect.y
        inside = rect.inset(context.px(PAD))
        top = rect.y + context.px(HEAD + 8.0)
        area = Rect(inside.x, top, max(inside.width, 1.0), rect.bottom - context.px(FOOT + 8.0) - top)
        with context.panel("timeline", rect, alpha=alpha) as canvas:
            self._head(context, canvas, inside, seen)
            self._hear(context, area, seen)
            self._bars(canvas, area, seen)
            self._brushes(context, canvas, area, seen)
            self._ticks(context, canvas, Rect(area.x, area.bottom, area.width, context.px(FOOT)), seen)

    def _place(self, context: PanelContext) -> Rect:
        margin, height = context.px(theme.MARGIN), context.px(HEIGHT)
        bottom = context.size[1] - margin
        left, right = context.free_span(bottom - height, bottom)
        if right - left - 2.0 * margin < context.px(LEAST_WIDTH):
            low = [rect.y for rect in context.covered if rect.y > context.size[1] / 2.0]
            bottom = min(low, default=context.size[1]) - margin / 2.0
            left, right = context.free_span(bottom - height, bottom)
        return Rect(left + margin, bottom - height, max(right - left - 2.0 * margin, 1.0), height)

    # -- what is done ------------------------------------------------------------------------------------------------

    def _hear(self, context: PanelContext, area: Rect, seen: Timeline) -> None:
        context.button("bars", area)
        pointer, io = imgui.get_mouse_pos(), imgui.get_io()
        day = _day_at(area, pointer.x, seen.sight)
        if imgui.is_item_hovered():
            if io.mouse_wheel:
                context.requests.append(SightTimeline(zoomed(seen, day, io.mouse_wheel)))
            across = io.mouse_wheel_h * context.px(40.0) + (io.mouse_delta.x if io.mouse_down[1] else 0.0)
            if across:
                by_days = -across / area.width * (seen.sight[1] - seen.sight[0])
                context.requests.append(SightTimeline(panned(seen, by_days)))
        if imgui.is_item_activated():
            reach = context.px(EDGE) / area.width * (seen.sight[1] - seen.sight[0])
            self._hold, self._held_px, self._drags = held(seen, day, reach=reach), pointer.x, False
            self._span = None
        elif self._hold is not None and imgui.is_item_active():
            self._drags |= abs(pointer.x - self._held_px) > context.px(DRAG)
            span = dragged(self._hold, day, seen.unit) if self._drags else None
            if span is not None and span != self._span:
                self._span = span
                context.requests.append(BrushDates(span, ended=False))
        elif self._hold is not None:
            if not self._drags:
                bar = dragged(Hold((0, 1), day, math.floor(day)), day, seen.unit)
                self._span = None if io.mouse_clicked_last_count[0] >= 2 else bar
            context.requests.append(BrushDates(self._span))
            self._hold = None

    def _let_go(self, context: PanelContext) -> None:
        """The timeline was closed while a hand held it: what was brushed stays."""
        if self._hold is not None and self._span is not None:
            context.requests.append(BrushDates(self._span))
        self._hold = self._span = None

    # -- what is seen ------------------------------------------------------------------------------------------------

    def _head(self, context: PanelContext, canvas: Canvas, inside: Rect, seen: Timeline) -> None:
        y = inside.y - context.px(3.0)
        brushed = [chip.text for chip in context.hud.filters.chips if chip.title == "dates" and chip.wanted]
        told, colour = (" and ".join(brushed), theme.ACCENT) if brushed else (HINT, theme.INK_FAINT)
        x = canvas.text(inside.x, y, "Timeline", theme.SMALL, theme.INK, strong=True) + context.px(12.0)
        right = inside.right - context.px(30.0)
        beyond = _beyond(seen)
        if beyond:
            width = context.type.width(beyond, theme.CAPTION) + context.px(16.0)
            place = Rect(right - width, y - context.px(2.0), width, context.px(22.0))
            clicked, pointed = context.button("beyond", place)
            canvas.text_in(place, beyond, theme.CAPTION, theme.INK if pointed else theme.INK_SOFT)
            right = place.x
            if clicked:
                context.requests.append(SightTimeline((float(seen.whole[0]), float(seen.whole[1]))))
        told = context.type.fit(told, max(right - x - context.px(10.0), 1.0), theme.CAPTION)
        canvas.text(x, y + context.px(1.0), told, theme.CAPTION, colour)
        at_px = (inside.right - context.px(6.0), inside.y + context.px(5.0))
        side = context.px(26.0)
        clicked, pointed = context.button("close", Rect(at_px[0] - side / 2.0, at_px[1] - side / 2.0, side, side))
        cross(canvas, at_px, theme.INK if pointed else theme.INK_FAINT)
        if clicked:
            context.requests.append(Do("timeline"))

    def _bars(self, canvas: Canvas, area: Rect, seen: Timeline) -> None:
        """As high as the root of how many images there are: a single one is seen next to a thousand."""
        canvas.line((area.x, area.bottom), (area.right, area.bottom), theme.RIM)
        most = math.sqrt(max((bar.images for bar in seen.bars), default=1))
        with canvas.clipped(area._replace(y=area.y - 1.0, height=area.height + 1.0)):
            for bar in seen.bars:
                left, right = (_x_of(area, day, seen.sight) for day in bar.days)
                width = max(right - left - min(1.0, (right - left) * 0.25), 1.0)
                for images, colour in ((bar.images, theme.FILL_HOVER), (bar.shown, self._colour(bar.days, seen))):
                    if images:
                        height = max(area.height * math.sqrt(images) / most, 2.0)
                        canvas.fill(Rect(left, area.bottom - height, width, height), colour)

    def _colour(self, days: Days, seen: Timeline) -> theme.Colour:
        inside = any(first < days[1] and days[0] < last for first, last in seen.brushed)
        if inside:
            return theme.ACCENT
        return theme.faded(theme.INK_SOFT, 0.35) if seen.brushed else theme.faded(theme.INK_SOFT, 0.85)

    def _brushes(self, context: PanelContext, canvas: Canvas, area: Rect, seen: Timeline) -> None:
        with canvas.clipped(area.inset(-2.0)):
            for span in seen.brushed:
                left, right = (_x_of(area, day, seen.sight) for day in span)
                rect = Rect(left, area.y, max(right - left, 2.0), area.height)
                canvas.fill(rect, theme.faded(theme.ACCENT, 0.10))
                for x in (rect.x, rect.right):
                    canvas.line((x, area.y), (x, area.bottom), theme.ACCENT, context.px(1.5))
                    grip = Rect(
                        x - context.px(2.0), area.centre[1] - context.px(9.0), context.px(4.0), context.px(18.0)
                    )
                    canvas.fill(grip, theme.ACCENT, context.px(2.0))
        if seen.focused:
            canvas.outline(area.inset(-context.px(3.0)), theme.faded(theme.ACCENT, 0.4), context.px(4.0))

    def _ticks(self, context: PanelContext, canvas: Canvas, row: Rect, seen: Timeline) -> None:
        """Names of years, months or days; a click on one takes it."""
        named = ticks(seen.sight, int(row.width / context.px(TICK)))
        years_only = all(begins for _, _, begins in named)
        for day, name, begins in named:
            x = _x_of(row, day, seen.sight)
            canvas.line((x, row.y), (x, row.y + context.px(4.0)), theme.PILL_RIM)
            width = context.type.width(name, theme.CAPTION)
            if x + width + context.px(4.0) > row.right:
                continue
            place = Rect(x, row.y + context.px(1.0), width + context.px(8.0), row.height - context.px(1.0))
            clicked, pointed = context.button(f"tick {day}", place)
            colour = theme.INK if pointed else theme.INK_SOFT if begins else theme.INK_FAINT
            canvas.text(x + context.px(4.0), row.y + context.px(3.0), name, theme.CAPTION, colour)
            if clicked:
                unit = "year" if begins and (years_only or name.isdecimal()) else "month" if name.isalpha() else "day"
                context.requests.append(BrushDates((day, after(day, unit))))


def _beyond(seen: Timeline) -> str:
    """How many images are not in sight."""
    parts = [f"‹ {seen.earlier:,} earlier" if seen.earlier else "", f"{seen.later:,} later ›" if seen.later else ""]
    return "   ".join(part for part in parts if part)


def _x_of(area: Rect, day: float, sight: Sight) -> float:
    return area.x + (day - sight[0]) / (sight[1] - sight[0]) * area.width


def _day_at(area: Rect, x: float, sight: Sight) -> float:
    share = min(max((x - area.x) / area.width, 0.0), 1.0)
    return sight[0] + share * (sight[1] - sight[0])
