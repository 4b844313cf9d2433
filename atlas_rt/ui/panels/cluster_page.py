"""The page of one cluster: its images, what sets it apart, its labels, when its files were made."""

from __future__ import annotations

from imgui_bundle import imgui

from atlas_rt.core.hud import ClusterPage, ClusterPanel, ClusterRow
from atlas_rt.core.narration import Topic
from atlas_rt.core.requests import OpenClusterPage, OpenQuestion
from atlas_rt.ui import theme
from atlas_rt.ui.panels.canvas import Canvas, Rect
from atlas_rt.ui.panels.explanation import build_ask, build_asking, build_claims, build_text, source_of
from atlas_rt.ui.panels.panel_context import PanelContext
from atlas_rt.ui.panels.subclusters import SubclusterList

COLUMNS, GAP, CELL = 4, 6.0, 62.0
HEADING, SECTION = 26.0, 16.0
LABEL_ROW, BAR = 23.0, 6.0
DATES_HEIGHT = 54.0
MONTHS_MAX = 36
"""Beyond so many months the dates are told by years."""
HOW = "how they differ"
NAMED_BY = {
    "vocabulary": "named by the vocabulary",
    "claude": "named by Claude",
    "exemplar": "named after an image",
    "user": "",
}


class ClusterPageView:
    """Scrolls below the cluster's name. Remembers for which cluster it is scrolled."""

    def __init__(self) -> None:
        self._shown = -1
        self._subclusters = SubclusterList()

    def leave(self, context: PanelContext) -> None:
        """The page is not shown any more."""
        self._subclusters.leave(context)

    def build(self, context: PanelContext, area: Rect, panel: ClusterPanel, alpha: float) -> None:
        """area: below the name."""
        row, page = panel.opened, panel.page
        assert row is not None
        imgui.set_cursor_screen_pos((area.x, area.y))
        imgui.begin_child("page", (area.width, area.height))
        if self._shown != row.cluster.id:
            self._shown = row.cluster.id
            imgui.set_scroll_y(0.0)
        canvas = Canvas(imgui.get_window_draw_list(), context.type, alpha)
        begin = imgui.get_cursor_screen_pos()
        pad = context.px(theme.PAD)
        inside = Rect(begin.x + pad, begin.y, area.width - 2.0 * pad - context.px(4.0), 0.0)
        bottom = self._contents(context, canvas, inside, row, page, panel.nearest)
        imgui.set_cursor_screen_pos((begin.x, begin.y))
        imgui.dummy((area.width - context.px(8.0), bottom - begin.y + context.px(8.0)))
        imgui.end_child()

    def _contents(
        self,
        context: PanelContext,
        canvas: Canvas,
        inside: Rect,
        row: ClusterRow,
        page: ClusterPage | None,
        nearest: ClusterRow | None,
    ) -> float:
        """Everything from top to bottom; where it ends."""
        page = page or ClusterPage(row.cluster.id)
        y = self._words(context, canvas, inside, row)
        y = self._claude(context, canvas, inside._replace(y=y), row, page)
        y = self._images(context, canvas, inside._replace(y=y), "Most typical", page.typical or row.cluster.exemplars)
        borderline = page.borderline or row.cluster.borderline
        y = self._images(context, canvas, inside._replace(y=y), "At its edge", borderline)
        y = self._within(context, canvas, inside._replace(y=y), row, page)
        if nearest is not None and page.apart:
            y = self._apart(context, canvas, inside._replace(y=y), page, row, nearest)
        if page.labels:
            y = self._labels(context, canvas, inside._replace(y=y), page, nearest)
        if page.months:
            y = self._dates(context, canvas, inside._replace(y=y), page)
        for line in context.type.lines(page.remark, inside.width, theme.SMALL, most=4):
            canvas.text(inside.x, y, line, theme.SMALL, theme.WARNING)
            y += context.px(20.0)
        return y

    def _words(self, context: PanelContext, canvas: Canvas, inside: Rect, row: ClusterRow) -> float:
        """How many images, who named it and why."""
        y, cluster = inside.y, row.cluster
        images = f"{cluster.size:,} image{'' if cluster.size == 1 else 's'}"
        told = "  ·  ".join(word for word in (images, NAMED_BY.get(cluster.named_by, "")) if word)
        canvas.text(inside.x, y, told, theme.SMALL, theme.INK_SOFT)
        y += context.px(22.0)
        for line in context.type.lines(cluster.why, inside.width, theme.SMALL, most=4):
            canvas.text(inside.x, y, line, theme.SMALL, theme.INK_SOFT)
            y += context.px(19.0)
        return y + context.px(SECTION * 0.75)

    def _claude(self, context: PanelContext, canvas: Canvas, inside: Rect, row: ClusterRow, page: ClusterPage) -> float:
        """What Claude said, says, or could be asked; where it ends."""
        narrator, said, y = context.hud.narrator, page.said, inside.y
        topic = Topic("cluster", clusters=(row.cluster.id,), names=(row.name,))
        asking = narrator.asking
        if asking is not None and asking.topic.clusters == topic.clusters and asking.topic.kind == topic.kind:
            return build_asking(context, canvas, inside, asking) + context.px(SECTION * 0.5)
        if said is not None:
            if row.cluster.named_by != "claude":
                told = f"Claude calls it “{said.name}”. {said.why}" if said.name else said.why
                y = build_text(context, canvas, inside._replace(y=y), told, theme.INK_SOFT) + context.px(6.0)
            y = build_claims(context, canvas, inside._replace(y=y), said.claims)
            text = context.type.fit(source_of(said), inside.width, theme.CAPTION)
            canvas.text(inside.x, y, text, theme.CAPTION, theme.INK_FAINT)
            y += context.px(20.0)
        if narrator.trouble:
            y = build_text(context, canvas, inside._replace(y=y), narrator.trouble, theme.WARNING, most=12)
            y += context.px(8.0)
        if said is None:
            y = build_ask(context, canvas, inside._replace(y=y), topic, narrator.offer.usd)
        return y + (context.px(SECTION) if y > inside.y else 0.0)

    def _images(self, context: PanelContext, canvas: Canvas, inside: Rect, title: str, ids: tuple[int, ...]) -> float:
        if not ids:
            return inside.y
        y = self._heading(context, canvas, inside, title)
        return self._grid(context, canvas, inside._replace(y=y), title, ids) + context.px(SECTION)

    def _heading(self, context: PanelContext, canvas: Canvas, inside: Rect, title: str) -> float:
        text = context.type.fit(title, inside.width, theme.SMALL, strong=True)
        canvas.text(inside.x, inside.y, text, theme.SMALL, theme.INK, strong=True)
        return inside.y + context.px(HEADING)

    def _grid(self, context: PanelContext, canvas: Canvas, inside: Rect, key: str, ids: tuple[int, ...]) -> float:
        """Images in lines of COLUMNS; where they end."""
        gap, height = context.px(GAP), context.px(CELL)
        width = (inside.width - gap * (COLUMNS - 1)) / COLUMNS
        imgui.push_id(key)
        for place, id_ in enumerate(ids):
            down, across = divmod(place, COLUMNS)
            cell = Rect(inside.x + across * (width + gap), inside.y + down * (height + gap), width, height)
            context.image_button(canvas, cell, id_)
        imgui.pop_id()
        lines = -(-len(ids) // COLUMNS)
        return inside.y + lines * (height + gap) - gap

    def _within(self, context: PanelContext, canvas: Canvas, inside: Rect, row: ClusterRow, page: ClusterPage) -> float:
        """What it divides into."""
        if not page.subclusters:
            self._subclusters.leave(context)
            return inside.y
        y = self._heading(context, canvas, inside, "Within it")
        free = row.cluster.size - sum(each.size for each in page.subclusters)
        below = inside._replace(y=y - context.px(4.0))
        return self._subclusters.build(context, canvas, below, page.subclusters, free) + context.px(SECTION)

    def _apart(
        self,
        context: PanelContext,
        canvas: Canvas,
        inside: Rect,
        page: ClusterPage,
        row: ClusterRow,
        nearest: ClusterRow,
    ) -> float:
        """The nearest cluster, and the images that show best how the two differ."""
        y = self._heading(context, canvas, inside, "What sets it apart")
        y = self._grid(context, canvas, inside._replace(y=y), "apart", page.apart) + context.px(8.0)
        self._ask_how(context, canvas, inside._replace(y=y), row, nearest)
        lead = "rather than "
        end = canvas.text(inside.x, y, lead, theme.CAPTION, theme.INK_FAINT)
        canvas.dot((end + context.px(5.0), y + context.px(7.5)), context.px(4.0), theme.rgba(*nearest.rgb))
        x = end + context.px(14.0)
        room = inside.right - x - context.type.width(HOW, theme.CAPTION) - context.px(12.0)
        name = context.type.fit(nearest.name, room, theme.CAPTION, strong=True)
        width = context.type.width(name, theme.CAPTION, strong=True)
        clicked, pointed = context.button("nearest", Rect(x, y - context.px(2.0), width, context.px(20.0)))
        canvas.text(x, y, name, theme.CAPTION, theme.INK if pointed else theme.INK_SOFT, strong=True)
        if clicked:
            context.requests.append(OpenClusterPage(nearest.cluster.id))
        y += context.px(22.0)
        return self._grid(context, canvas, inside._replace(y=y), "theirs", page.theirs) + context.px(SECTION)

    def _ask_how(
        self, context: PanelContext, canvas: Canvas, inside: Rect, row: ClusterRow, nearest: ClusterRow
    ) -> None:
        """At the right: have the difference told in words."""
        width = context.type.width(HOW, theme.CAPTION)
        place = Rect(inside.right - width, inside.y - context.px(2.0), width, context.px(20.0))
        clicked, pointed = context.button("how", place)
        canvas.text(place.x, inside.y, HOW, theme.CAPTION, theme.INK if pointed else theme.ACCENT)
        if clicked:
            clusters, names = (row.cluster.id, nearest.cluster.id), (row.name, nearest.name)
            context.requests.append(OpenQuestion(Topic("difference", clusters=clusters, names=names)))

    def _labels(
        self, context: PanelContext, canvas: Canvas, inside: Rect, page: ClusterPage, nearest: ClusterRow | None
    ) -> float:
        """The commonest labels, the share of images that carry each, and a mark at the nearest cluster's share."""
        y = self._heading(context, canvas, inside, "Labels")
        left, figure = context.px(104.0), context.px(40.0)
        names = context.hud.words.listed([word for word, _, _ in page.labels])
        for name, (_, share, theirs) in zip(names, page.labels, strict=True):
            text = context.type.fit(name, left - context.px(8.0), theme.CAPTION)
            canvas.text(inside.x, y, text, theme.CAPTION, theme.INK_SOFT)
            height = context.px(BAR)
            bar = Rect(inside.x + left, y + context.px(5.0), inside.width - left - figure, height)
            canvas.fill(bar, theme.FILL, height / 2.0)
            canvas.fill(bar._replace(width=max(bar.width * share, height)), theme.ACCENT, height / 2.0)
            if nearest is not None:
                x = bar.x + bar.width * theirs
                mark = theme.rgba(*nearest.rgb)
                canvas.line((x, bar.y - context.px(3.0)), (x, bar.bottom + context.px(3.0)), mark, context.px(2.0))
            canvas.text_right(inside.right, y, f"{share:.0%}", theme.CAPTION, theme.INK_SOFT)
            y += context.px(LABEL_ROW)
        if nearest is not None:
            told = context.type.fit(f"the mark: in {nearest.name}", inside.width - left, theme.CAPTION)
            canvas.text(inside.x + left, y, told, theme.CAPTION, theme.INK_FAINT)
            y += context.px(20.0)
        return y + context.px(SECTION * 0.6)

    def _dates(self, context: PanelContext, canvas: Canvas, inside: Rect, page: ClusterPage) -> float:
        """How many files were last changed in each month or year."""
        y = self._heading(context, canvas, inside, "Dates of the files")
        first, last, counts = spans(page.months)
        if len(counts) == 1:
            canvas.text(inside.x, y, f"all in {first}", theme.SMALL, theme.INK_SOFT)
            return y + context.px(20.0 + SECTION)
        most, height = max(counts), context.px(DATES_HEIGHT)
        step = inside.width / len(counts)
        for place, count in enumerate(counts):
            tall = max(height * count / most, context.px(2.0)) if count else context.px(1.0)
            width = max(step - context.px(2.0), 1.0)
            bar = Rect(inside.x + place * step, y + height - tall, width, tall)
            canvas.fill(bar, theme.ACCENT if count else theme.FILL_HOVER, min(context.px(2.0), width / 2.0))
        y += height + context.px(5.0)
        canvas.text(inside.x, y, first, theme.CAPTION, theme.INK_FAINT)
        canvas.text_right(inside.right, y, last, theme.CAPTION, theme.INK_FAINT)
        return y + context.px(20.0 + SECTION)


def spans(months: tuple[tuple[int, int, int], ...]) -> tuple[str, str, list[int]]:
    """The first and last month or year in words, and how many images each in between has. months: at least one."""
    (year, month, _), (last_year, last_month, _) = months[0], months[-1]
    whole = (last_year - year) * 12 + last_month - month + 1
    if whole > MONTHS_MAX:
        years = [0] * (last_year - year + 1)
        for at, _, count in months:
            years[at - year] += count
        return str(year), str(last_year), years
    counts = [0] * whole
    for at, which, count in months:
        counts[(at - year) * 12 + which - month] += count
    return _month(year, month), _month(last_year, last_month), counts


def _month(year: int, month: int) -> str:
    names = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    return f"{names[month - 1]} {year}"
