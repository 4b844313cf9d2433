"""Bottom left: the source, the engine's progress, the files that could not be read."""

from __future__ import annotations

from imgui_bundle import imgui

from atlas_rt.core.hud import Hud
from atlas_rt.core.images import Failure
from atlas_rt.core.money import money
from atlas_rt.core.progress import STAGES, pace
from atlas_rt.core.reports import Progress
from atlas_rt.core.requests import Do, StopFetching
from atlas_rt.ui import theme
from atlas_rt.ui.panels.canvas import Canvas, Rect
from atlas_rt.ui.panels.icons import funnel, menu
from atlas_rt.ui.panels.panel_context import PanelContext
from atlas_rt.ui.panels.troubles import build_troubles, troubles_height

MAPS = {
    "": "no map yet",
    "principal axes": "preview of the map",
    "umap so far": "UMAP map of the images so far",
    "umap": "UMAP map",
}
WIDTH = 400.0
LIST_WIDTH, LIST_HEIGHT = 460.0, 300.0
ROW = 22.0
MENU = 34.0
"""How much of the first line the way to the palette takes."""
SIGN = 28.0
STOP = "Stop"


class StatusPanel:
    """Quiet while nothing happens: one line that says what is open, one that says with what."""

    def __init__(self) -> None:
        self._listing = False

    def build(self, context: PanelContext) -> None:
        hud = context.hud
        self._listing = self._listing and bool(hud.failures)
        working = hud.progress is not None and hud.progress.stage in STAGES
        rows = 2 + (1.45 if working else 0) + bool(hud.failures) + bool(spent_line(hud))
        rows += bool(hud.bucket.fetching) + bool(hud.bucket.asked)
        width = min(self._width(context, working), context.size[0] - context.px(2 * theme.MARGIN))
        height = context.px(rows * ROW + 18.0) + troubles_height(context, width - context.px(2 * theme.PAD))
        rect = Rect(context.px(theme.MARGIN), context.size[1] - context.px(theme.MARGIN) - height, width, height)
        with context.panel("status", rect) as canvas:
            self._rows(context, canvas, rect, working)
            self._filter_button(context, canvas, rect)
        if self._listing:
            self._list_failures(context, rect)

    def _width(self, context: PanelContext, working: bool) -> float:
        """As wide as its longest line: work in progress gets the full width, so that it does not jump about, and so do
        whole sentences."""
        if working or context.hud.troubles or context.hud.bucket.fetching:
            return context.px(WIDTH)
        hud, type_ = context.hud, context.type
        first = type_.width(hud.source, theme.BODY, strong=True) + type_.width(counted(hud), theme.SMALL)
        first += context.px(10 + MENU + SIGN)
        lines = [first, type_.width(engine_line(hud), theme.CAPTION)]
        lines.append(type_.width(failures_line(hud), theme.SMALL) if hud.failures else 0.0)
        lines += [type_.width(spent_line(hud), theme.CAPTION), type_.width(hud.bucket.asked, theme.CAPTION)]
        return min(max(lines) + context.px(2 * theme.PAD), context.px(WIDTH * 1.3))

    def _filter_button(self, context: PanelContext, canvas: Canvas, rect: Rect) -> None:
        """At the right end: the list of filters, lit while some are on."""
        place = Rect(
            rect.right - context.px(SIGN + MENU + 8.0), rect.y + context.px(6.0), context.px(SIGN), context.px(SIGN)
        )
        clicked, pointed = context.button("filters", place)
        on = bool(context.hud.filters.chips) or context.hud.filters.open
        funnel(canvas, place.centre, theme.INK if pointed else theme.ACCENT if on else theme.INK_FAINT)
        if pointed:
            context.tip(place, "Filter (Ctrl+Shift+F)")
        if clicked:
            context.requests.append(Do("filters"))

    def _rows(self, context: PanelContext, canvas: Canvas, rect: Rect, working: bool) -> None:
        hud, row = context.hud, context.px(ROW)
        x, y, inner = rect.x + context.px(theme.PAD), rect.y + context.px(10.0), rect.width - context.px(2 * theme.PAD)
        count = counted(hud)
        room = inner - context.type.width(count, theme.SMALL) - context.px(10.0 + MENU + SIGN)
        self._menu(context, canvas, Rect(x + inner - context.px(MENU - 8.0), y, context.px(MENU), row))
        end = canvas.text(
            x, y, context.type.fit(hud.source, room, theme.BODY, strong=True), theme.BODY, theme.INK, strong=True
        )
        canvas.text(end + context.px(10.0), y + context.px(1.0), count, theme.SMALL, theme.INK_SOFT)
        y += row
        if working and hud.progress:
            self._progress(context, canvas, Rect(x, y, inner, row * 1.45), hud.progress)
            y += row * 1.45
        if hud.failures:
            line = Rect(x, y, context.type.width(failures_line(hud), theme.SMALL), row)
            clicked, pointed = context.button("failures", line)
            self._listing ^= clicked
            canvas.text(x, y + context.px(1.0), failures_line(hud), theme.SMALL, theme.WARNING)
            if pointed or self._listing:
                canvas.line(
                    (x, y + context.px(17.0)), (line.right, y + context.px(17.0)), theme.WARNING, context.px(1.0)
                )
            y += row
        told = troubles_height(context, inner)
        build_troubles(context, canvas, Rect(x, y, inner, told))
        y += told
        if hud.bucket.fetching:
            self._fetching(context, canvas, Rect(x, y, inner, row), hud.bucket.fetching)
            y += row
        for cost in filter(None, (spent_line(hud), hud.bucket.asked)):
            text = context.type.fit(cost, inner, theme.CAPTION)
            canvas.text(x, y + context.px(2.0), text, theme.CAPTION, theme.INK_SOFT)
            y += row
        text = context.type.fit(engine_line(hud), inner, theme.CAPTION)
        canvas.text(x, y + context.px(2.0), text, theme.CAPTION, theme.INK_FAINT)

    def _fetching(self, context: PanelContext, canvas: Canvas, rect: Rect, line: str) -> None:
        """What comes from S3, and a way to stop it."""
        width = context.type.width(STOP, theme.SMALL)
        place = Rect(rect.right - width, rect.y, width, rect.height)
        clicked, pointed = context.button("stop fetching", place)
        room = rect.width - width - context.px(12.0)
        text = context.type.fit(line, room, theme.SMALL, middle=True)
        canvas.text(rect.x, rect.y + context.px(1.0), text, theme.SMALL, theme.INK_SOFT)
        ink = theme.INK if pointed else theme.INK_SOFT
        canvas.text(place.x, place.y + context.px(1.0), STOP, theme.SMALL, ink, strong=pointed)
        canvas.line(
            (place.x, place.y + context.px(17.0)), (place.right, place.y + context.px(17.0)), ink, context.px(1.0)
        )
        if clicked:
            context.requests.append(StopFetching())

    def _menu(self, context: PanelContext, canvas: Canvas, rect: Rect) -> None:
        """The way to everything by the mouse alone."""
        clicked, pointed = context.button("menu", rect)
        menu(canvas, rect.centre, theme.INK if pointed else theme.INK_FAINT)
        if clicked:
            context.requests.append(Do("palette"))

    def _progress(self, context: PanelContext, canvas: Canvas, rect: Rect, progress: Progress) -> None:
        end = canvas.text(rect.x, rect.y, STAGES[progress.stage].capitalize(), theme.SMALL, theme.INK_SOFT)
        canvas.text_right(rect.right, rect.y, pace(progress), theme.SMALL, theme.INK_SOFT)
        if progress.total:
            amount = f"{progress.done:,} of {progress.total:,}"
            canvas.text(end + context.px(10.0), rect.y, amount, theme.SMALL, theme.INK)
        bar = Rect(rect.x, rect.y + context.px(23.0), rect.width, context.px(3.0))
        canvas.fill(bar, theme.FILL_HOVER, context.px(1.5))
        if progress.total:
            share = min(progress.done / progress.total, 1.0)
            canvas.fill(bar._replace(width=max(bar.width * share, bar.height)), theme.ACCENT, context.px(1.5))

    def _list_failures(self, context: PanelContext, below: Rect) -> None:
        failures, row = context.hud.failures, context.px(44.0)
        width = context.px(LIST_WIDTH)
        height = min(
            context.px(20.0) + row * len(failures), context.px(LIST_HEIGHT), below.y - context.px(2 * theme.MARGIN)
        )
        rect = Rect(below.x, below.y - context.px(10.0) - height, width, height)
        with context.panel("failures list", rect):
            inside = rect.inset(context.px(10.0))
            imgui.set_cursor_screen_pos((inside.x, inside.y))
            imgui.begin_child("rows", (inside.width, inside.height))
            canvas = Canvas(imgui.get_window_draw_list(), context.type)
            clipper = imgui.ListClipper()
            clipper.begin(len(failures), row)
            while clipper.step():
                for index in range(clipper.display_start, clipper.display_end):
                    place = imgui.get_cursor_screen_pos()
                    self._failure(context, canvas, Rect(place.x, place.y, inside.width, row), failures[index])
                    imgui.dummy((inside.width, row))
            imgui.end_child()

    def _failure(self, context: PanelContext, canvas: Canvas, rect: Rect, failure: Failure) -> None:
        x, room = rect.x + context.px(6.0), rect.width - context.px(20.0)
        path = context.type.fit(failure.path, room, theme.SMALL, middle=True)
        canvas.text(x, rect.y + context.px(2.0), path, theme.SMALL, theme.INK)
        reason = context.type.fit(failure.reason, room, theme.CAPTION)
        canvas.text(x, rect.y + context.px(20.0), reason, theme.CAPTION, theme.WARNING)


def counted(hud: Hud) -> str:
    return f"{hud.images:,} image{'' if hud.images == 1 else 's'}"


def failures_line(hud: Hud) -> str:
    count = len(hud.failures)
    return f"{count:,} file{'' if count == 1 else 's'} could not be read"


def spent_line(hud: Hud) -> str:
    """What Claude has cost; empty where it has cost nothing."""
    spent = hud.narrator.spent
    if spent is None or not (spent.month or spent.library):
        return ""
    here = f"Claude: {money(spent.library)} of {money(spent.library_budget)} spent here"
    return f"{here}  ·  {money(spent.month)} of {money(spent.month_budget)} this month"


def engine_line(hud: Hud) -> str:
    """The map, the encoder and the renderer, in short."""
    renderer = hud.renderer.split(" (")[0].split("/PCIe")[0]
    return "  ·  ".join(
        part for part in (MAPS.get(hud.map_kind, hud.map_kind), hud.model, hud.provider, renderer) if part
    )
