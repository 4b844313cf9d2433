"""The panel of the selected image: the full picture, what is known of it, its nearest neighbours."""

from __future__ import annotations

import math
from dataclasses import dataclass

from imgui_bundle import imgui

from atlas_rt.core.hud import ImageFacts
from atlas_rt.core.requests import Deselect, LookAt
from atlas_rt.ui import theme
from atlas_rt.ui.panels import image_buttons
from atlas_rt.ui.panels.canvas import Canvas, Rect
from atlas_rt.ui.panels.hover import file_name
from atlas_rt.ui.panels.icons import cross
from atlas_rt.ui.panels.image_details import Detail, details_of, draw_details, height_of
from atlas_rt.ui.panels.panel_context import Fade, PanelContext

WIDTH = 348.0
PICTURE_SHARE = 0.42
"""Of the window's height, at most."""
SMALLEST_PICTURE = 120.0
COLUMNS = 4
GAP = 8.0
WORDS, HEADING, CELL_CAPTION = 58.0, 26.0, 19.0
CHIP, CHIP_GAP, CHIP_LINES = 25.0, 6.0, 2


@dataclass(frozen=True, slots=True)
class DetailLayout:
    """Where everything goes in a panel of this height. chips: word, confidence, place relative to the first."""

    picture: float
    words: float
    chips: tuple[tuple[str, float, Rect], ...]
    chips_height: float
    details: tuple[Detail, ...]
    rows: int
    cell: float
    height: float


class DetailPanel:
    """At the right side while an image is selected, as high as what it shows."""

    def __init__(self) -> None:
        self._fade = Fade()
        self._facts: ImageFacts | None = None

    def build(self, context: PanelContext) -> None:
        self._facts = context.hud.selected or self._facts
        alpha = self._fade.advance(context.hud.selected is not None, context.hud)
        if alpha <= 0.0 or self._facts is None:
            self._facts = None
            return
        layout = _layout(context, self._facts)
        rect = Rect(context.size[0] - self.width(context), context.px(theme.MARGIN), context.px(WIDTH), layout.height)
        with context.panel("detail", rect, alpha=alpha) as canvas:
            self._contents(context, canvas, rect, self._facts, layout)

    def width(self, context: PanelContext) -> float:
        """How much of the window's right side is taken; grows while it slides in."""
        slid = 1.0 - (1.0 - self._fade.value) ** 2
        return context.px(WIDTH + theme.MARGIN) * slid

    def _contents(
        self, context: PanelContext, canvas: Canvas, rect: Rect, facts: ImageFacts, layout: DetailLayout
    ) -> None:
        inside = rect.inset(context.px(theme.PAD))
        self._picture(context, canvas, inside._replace(height=layout.picture), facts)
        y = inside.y + layout.picture + context.px(12.0)
        self._words(context, canvas, inside, y, facts)
        y += layout.words
        self._chips(canvas, inside.x, y, layout)
        y += layout.chips_height
        draw_details(context, canvas, inside.x, y, layout.details)
        y += height_of(context, layout.details)
        if layout.rows:
            self._neighbours(context, canvas, inside._replace(y=y), facts, layout)
        height = context.px(image_buttons.height(kiosk=context.hud.kiosk))
        buttons = Rect(inside.x, inside.bottom - height, inside.width, height)
        image_buttons.build(context, canvas, buttons, facts.id)
        self._close(context, canvas, rect)
        context.button("picture", inside._replace(height=layout.picture))  # after the cross, which lies over it
        if imgui.is_item_hovered() and imgui.is_mouse_double_clicked(imgui.MouseButton_.left):
            context.requests.append(LookAt((facts.id,)))

    def _picture(self, context: PanelContext, canvas: Canvas, plate: Rect, facts: ImageFacts) -> None:
        """The full picture, its thumbnail until that is here; never that of another image."""
        aspect, rounding = _aspect(facts), context.px(theme.ROUND_SMALL)
        canvas.fill(plate, theme.PLATE, rounding)
        ref = context.thumbnails.picture_ref("selected") if context.hud.picture_id == facts.id else None
        if ref is None:
            ref, aspect = context.thumbnails.ref(facts.id), context.thumbnails.aspect(facts.id)
        if ref:
            shown = plate.fitted(aspect)
            canvas.picture(shown, ref, rounding if shown.width > plate.width - 1.0 else 0.0)
        if context.hud.picture_error:
            self._error(context, canvas, plate, f"This picture cannot be shown: {context.hud.picture_error}")

    def _error(self, context: PanelContext, canvas: Canvas, plate: Rect, text: str) -> None:
        """A sentence over the lower edge of the plate."""
        pad, line = context.px(10.0), context.px(19.0)
        lines = context.type.lines(text, plate.width - 2.0 * pad, theme.SMALL)
        height = len(lines) * line + pad
        strip = Rect(plate.x, plate.bottom - height, plate.width, height)
        canvas.fill(strip, theme.rgba(10, 12, 20, 0.85), context.px(theme.ROUND_SMALL))
        for number, words in enumerate(lines):
            canvas.text(strip.x + pad, strip.y + pad / 2.0 + number * line, words, theme.SMALL, theme.WARNING)

    def _words(self, context: PanelContext, canvas: Canvas, inside: Rect, y: float, facts: ImageFacts) -> None:
        name = context.type.fit(file_name(facts.path), inside.width, theme.TITLE, strong=True, middle=True)
        canvas.text(inside.x, y, name, theme.TITLE, theme.INK, strong=True)
        told = (f"{facts.width_px:,} × {facts.height_px:,} px", facts.alike_words, facts.cluster)
        line = context.type.fit("  ·  ".join(word for word in told if word), inside.width, theme.SMALL)
        canvas.text(inside.x, y + context.px(26.0), line, theme.SMALL, theme.INK_SOFT)

    def _chips(self, canvas: Canvas, x: float, y: float, layout: DetailLayout) -> None:
        """The labels, the surer the brighter."""
        for word, confidence, place in layout.chips:
            chip = place._replace(x=x + place.x, y=y + place.y)
            canvas.fill(chip, theme.faded(theme.ACCENT, 0.10 + 0.16 * confidence), chip.height / 2.0)
            canvas.text_in(chip, word, theme.CAPTION, theme.faded(theme.ACCENT, 0.75 + 0.25 * confidence))

    def _neighbours(
        self, context: PanelContext, canvas: Canvas, grid: Rect, facts: ImageFacts, layout: DetailLayout
    ) -> None:
        canvas.text(grid.x, grid.y, "Nearest images", theme.SMALL, theme.INK_SOFT, strong=True)
        step, row = layout.cell + context.px(GAP), layout.cell + context.px(CELL_CAPTION + GAP)
        for index, (id_, similarity) in enumerate(facts.neighbours[: layout.rows * COLUMNS]):
            x = grid.x + index % COLUMNS * step
            y = grid.y + context.px(HEADING) + index // COLUMNS * row
            context.image_button(canvas, Rect(x, y, layout.cell, layout.cell), id_)
            caption_y = y + layout.cell + context.px(4.0)
            canvas.text_centred(x + layout.cell / 2.0, caption_y, f"{similarity:.2f}", theme.CAPTION, theme.INK_FAINT)

    def _close(self, context: PanelContext, canvas: Canvas, rect: Rect) -> None:
        """A cross over the picture's corner."""
        side = context.px(28.0)
        place = Rect(rect.right - context.px(theme.PAD + 8.0) - side, rect.y + context.px(theme.PAD + 8.0), side, side)
        clicked, pointed = context.button("close", place)
        canvas.dot(place.centre, side / 2.0, theme.rgba(10, 12, 20, 0.85 if pointed else 0.6))
        cross(canvas, place.centre, theme.INK if pointed else theme.INK_SOFT)
        if clicked:
            context.requests.append(Deselect())


def _layout(context: PanelContext, facts: ImageFacts) -> DetailLayout:
    """Divide the window's height: picture, words, chips, details, then as many whole rows of neighbours as fit.

    Where there is little room, the picture gets smaller, and the last details are left out.
    """
    inner, gap = context.px(WIDTH - 2.0 * theme.PAD), context.px(GAP)
    picture = min(max(inner / _aspect(facts), context.px(96.0)), context.size[1] * PICTURE_SHARE)
    words = context.px(WORDS)
    chips, chips_height = _place_chips(context, facts, inner)
    cell = (inner - gap * (COLUMNS - 1)) / COLUMNS
    row = cell + context.px(CELL_CAPTION) + gap
    buttons = image_buttons.height(kiosk=context.hud.kiosk)
    fixed = context.px(2.0 * theme.PAD + 12.0 + buttons) + picture + words + chips_height
    room = context.size[1] - context.px(2.0 * theme.MARGIN + HEADING) - fixed
    spare = room + max(picture - context.px(SMALLEST_PICTURE), 0.0) - (row if facts.neighbours else 0.0)
    details = details_of(context, facts, inner, spare)
    fixed, room = fixed + height_of(context, details), room - height_of(context, details)
    if facts.neighbours and room < row:  # a smaller picture for one row of them
        spared = min(row - room, max(picture - context.px(SMALLEST_PICTURE), 0.0))
        picture, fixed, room = picture - spared, fixed - spared, room + spared + 0.5
    rows = min(max(int(room / row), 0), math.ceil(len(facts.neighbours) / COLUMNS))
    height = fixed + (context.px(HEADING + 6.0) + rows * row if rows else 0.0)
    return DetailLayout(picture, words, chips, chips_height, details, rows, cell, height)


def _place_chips(
    context: PanelContext, facts: ImageFacts, inner: float
) -> tuple[tuple[tuple[str, float, Rect], ...], float]:
    """Labels in lines, those that need a third line left out; and how high that is, with the space below."""
    chips: list[tuple[str, float, Rect]] = []
    x = y = 0.0
    height, gap = context.px(CHIP), context.px(CHIP_GAP)
    for word, confidence in facts.labels:
        width = context.type.width(word, theme.CAPTION) + context.px(18.0)
        if x and x + width > inner:
            x, y = 0.0, y + height + gap
        if y > (height + gap) * (CHIP_LINES - 1):
            break
        chips.append((word, confidence, Rect(x, y, min(width, inner), height)))
        x += width + gap
    return tuple(chips), (chips[-1][2].bottom + context.px(14.0)) if chips else 0.0


def _aspect(facts: ImageFacts) -> float:
    return max(facts.width_px / max(facts.height_px, 1), 0.05)
