"""What is known of an image, below its name in the panel: sections that fold, in a room that scrolls."""

from __future__ import annotations

from collections.abc import Callable

from imgui_bundle import imgui

from atlas_rt.core.hud import ImageFacts
from atlas_rt.core.requests import FilterBy, MoreLike, VisitCluster
from atlas_rt.ui import theme
from atlas_rt.ui.panels.canvas import Canvas, Rect
from atlas_rt.ui.panels.icons import chevron
from atlas_rt.ui.panels.image_details import LINE, NAMES, details_of, draw_details, height_of
from atlas_rt.ui.panels.panel_context import PanelContext

COLUMNS, GAP, CELL_CAPTION = 4, 8.0, 19.0
HEADING, BELOW = 30.0, 6.0
CHIP, CHIP_GAP, CHIP_LINES = 25.0, 6.0, 2
BAR = 10.0
"""What the scroll bar takes of the room at the right."""
COPIES_SHOWN = 8
PAGE = 0.8
"""Of its room, by which it scrolls at a key."""
WHY_LINES, SENTENCE_LINES = 2, 6
FILE, NEAREST, COPIES, WHY = "File", "Nearest images", "Near-duplicates", "Why here"
MORE = "more like this"

Draw = Callable[[Rect], float]
"""Draws what is in a section from a rectangle's top on. Returns where it ends."""


class ImageSections:
    """Remembers what is folded, and for which image it is scrolled. height: of all of it, as last drawn, in pixels."""

    def __init__(self) -> None:
        self.height = 0.0
        self._folded: set[str] = set()
        self._shown = -1

    def build(self, context: PanelContext, area: Rect, facts: ImageFacts, alpha: float) -> None:
        imgui.set_cursor_screen_pos((area.x, area.y))
        imgui.begin_child("known", (area.width, area.height))
        if self._shown != facts.id:
            self._shown = facts.id
            imgui.set_scroll_y(0.0)
        for key, way in ((imgui.Key.page_down, 1.0), (imgui.Key.page_up, -1.0)):
            if imgui.is_key_pressed(key):
                imgui.set_scroll_y(imgui.get_scroll_y() + way * PAGE * area.height)
        canvas, begin = Canvas(imgui.get_window_draw_list(), context.type, alpha), imgui.get_cursor_screen_pos()
        inside = Rect(begin.x, begin.y, area.width - context.px(BAR), 0.0)
        bottom = self._contents(context, canvas, inside, facts)
        self.height = bottom - begin.y
        imgui.set_cursor_screen_pos((begin.x, begin.y))
        imgui.dummy((inside.width, self.height))
        imgui.end_child()

    def _contents(self, context: PanelContext, canvas: Canvas, inside: Rect, facts: ImageFacts) -> float:
        """Everything from top to bottom; where it ends."""
        y = _chips(context, canvas, inside, facts)
        y = _cluster(context, canvas, inside._replace(y=y), facts)
        details = details_of(context, facts, inside.width)

        def file(room: Rect) -> float:
            folder = _as_filter(facts.folder) if facts.folder and not context.hud.kiosk else ""
            if draw_details(context, canvas, room.x, room.y, details, link="Folder" if folder else ""):
                context.requests.append(FilterBy(folder))
            return room.y + height_of(context, details)

        def why(room: Rect) -> float:
            end = _sentence(context, canvas, room, facts.why_here.sentence) if facts.why_here else room.y
            return _grid(context, canvas, room._replace(y=end), facts.why_here.images if facts.why_here else ())

        sections: list[tuple[str, object, Draw]] = [
            (FILE, details, file),
            (NEAREST, facts.neighbours, lambda room: _grid(context, canvas, room, facts.neighbours)),
            (COPIES, facts.copies, lambda room: _grid(context, canvas, room, facts.copies[:COPIES_SHOWN])),
            (WHY, facts.why_here, why),
        ]
        for title, told, draw in sections:
            if told:
                y = self._section(context, canvas, inside._replace(y=y), title, facts, draw)
        return y

    def _section(
        self, context: PanelContext, canvas: Canvas, inside: Rect, title: str, facts: ImageFacts, draw: Draw
    ) -> float:
        """Its heading, and below it what is in it unless it is folded."""
        row = inside._replace(height=context.px(HEADING))
        link = _more(context, canvas, row, facts) if title == NEAREST else 0.0
        clicked, pointed = context.button(title, row._replace(width=max(row.width - link, 1.0)))
        if clicked:
            self._folded ^= {title}
        colour, middle = theme.INK if pointed else theme.INK_SOFT, row.y + context.px(11.0)
        chevron(canvas, (row.x + context.px(5.0), middle), colour, down=title not in self._folded, size=0.75)
        count = f"  {facts.alike[1] - 1:,}" if title == COPIES else ""
        canvas.text(row.x + context.px(18.0), row.y + context.px(3.0), title + count, theme.SMALL, colour, strong=True)
        if title in self._folded:
            return row.bottom
        imgui.push_id(title)
        end = draw(inside._replace(y=row.bottom - context.px(2.0)))
        imgui.pop_id()
        return end + context.px(BELOW)


def _more(context: PanelContext, canvas: Canvas, row: Rect, facts: ImageFacts) -> float:
    """At the right of a heading: search by this image. Returns the room it takes."""
    width = context.type.width(MORE, theme.CAPTION) + context.px(8.0)
    clicked, pointed = context.button("more", Rect(row.right - width, row.y, width, row.height - context.px(6.0)))
    colour = theme.INK if pointed else theme.ACCENT
    canvas.text_right(row.right, row.y + context.px(4.0), MORE, theme.CAPTION, colour)
    if clicked:
        context.requests.append(MoreLike(facts.id))
    return width


def _chips(context: PanelContext, canvas: Canvas, inside: Rect, facts: ImageFacts) -> float:
    """The labels with how sure they are, the surer the brighter; those that need a third line are left out."""
    x, y, height, gap = inside.x, inside.y, context.px(CHIP), context.px(CHIP_GAP)
    last = inside.y + (CHIP_LINES - 1) * (height + gap)
    names = context.hud.words.listed([word for word, _ in facts.labels])
    for shown, (_, confidence) in zip(names, facts.labels, strict=True):
        sure = f"{confidence:.0%}"
        figure = context.type.width(sure, theme.CAPTION)
        name = context.type.fit(shown, inside.width - figure - context.px(26.0), theme.CAPTION)
        width = context.type.width(name, theme.CAPTION) + figure + context.px(26.0)
        if x > inside.x and x + width > inside.right:
            x, y = inside.x, y + height + gap
        if y > last + 1.0:
            return last + height + context.px(10.0)
        chip = Rect(x, y, width, height)
        canvas.fill(chip, theme.faded(theme.ACCENT, 0.10 + 0.16 * confidence), height / 2.0)
        at, ink = chip.centre[1] - context.px(theme.CAPTION) / 2.0, theme.faded(theme.ACCENT, 0.75 + 0.25 * confidence)
        end = canvas.text(x + context.px(10.0), at, name, theme.CAPTION, ink)
        canvas.text(end + context.px(6.0), at, sure, theme.CAPTION, theme.faded(theme.ACCENT, 0.55))
        x += width + gap
    return y + height + context.px(10.0) if facts.labels else y


def _cluster(context: PanelContext, canvas: Canvas, inside: Rect, facts: ImageFacts) -> float:
    """Which cluster it is in, where a click leads, and what the images there have in common."""
    if facts.cluster_id < 0 or not facts.cluster:
        return inside.y
    x, y = inside.x + context.px(NAMES), inside.y
    canvas.text(inside.x, y, "Cluster", theme.CAPTION, theme.INK_FAINT)
    name = context.type.fit(facts.cluster, inside.right - x - context.px(14.0), theme.CAPTION, strong=True)
    width = context.type.width(name, theme.CAPTION, strong=True) + context.px(16.0)
    clicked, pointed = context.button("cluster", Rect(x, y - context.px(2.0), width, context.px(LINE + 2.0)))
    colour = theme.ACCENT if pointed else theme.INK
    end = canvas.text(x, y, name, theme.CAPTION, colour, strong=True)
    chevron(canvas, (end + context.px(8.0), y + context.px(7.5)), colour, size=0.6)
    if clicked:
        context.requests.append(VisitCluster(facts.cluster_id))
    y += context.px(LINE)
    for line in context.type.lines(facts.cluster_why, inside.right - x, theme.CAPTION, most=WHY_LINES):
        canvas.text(x, y, line, theme.CAPTION, theme.INK_FAINT)
        y += context.px(LINE)
    return y + context.px(8.0)


def _sentence(context: PanelContext, canvas: Canvas, inside: Rect, text: str) -> float:
    y = inside.y
    for line in context.type.lines(text, inside.width, theme.CAPTION, most=SENTENCE_LINES):
        canvas.text(inside.x, y, line, theme.CAPTION, theme.INK_SOFT)
        y += context.px(LINE)
    return y + context.px(6.0)


def _grid(context: PanelContext, canvas: Canvas, inside: Rect, images: tuple[tuple[int, float], ...]) -> float:
    """Thumbnails in lines of COLUMNS, each with its similarity."""
    gap = context.px(GAP)
    side = (inside.width - gap * (COLUMNS - 1)) / COLUMNS
    row = side + context.px(CELL_CAPTION) + gap
    for place, (id_, similarity) in enumerate(images):
        down, across = divmod(place, COLUMNS)
        cell = Rect(inside.x + across * (side + gap), inside.y + down * row, side, side)
        context.image_button(canvas, cell, id_)
        below = cell.bottom + context.px(4.0)
        canvas.text_centred(cell.centre[0], below, f"{similarity:.2f}", theme.CAPTION, theme.INK_FAINT)
    return inside.y - (-len(images) // COLUMNS) * row


def _as_filter(folder: str) -> str:
    """The field that lets only this folder through; empty for one that no field can name."""
    if '"' in folder:
        return ""
    return f'folder:"{folder}"' if any(letter.isspace() for letter in folder) else f"folder:{folder}"
