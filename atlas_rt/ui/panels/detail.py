"""The panel of the selected image: the full picture, what is known of it, its nearest neighbours."""

from __future__ import annotations

import math
from dataclasses import dataclass

from atlas_rt.core.hud import ImageFacts
from atlas_rt.core.wishes import CopyPath, Deselect, FlyTo
from atlas_rt.ui import theme
from atlas_rt.ui.panels.canvas import Canvas, Rect
from atlas_rt.ui.panels.hover import file_name
from atlas_rt.ui.panels.stage import Fade, Stage

WIDTH = 348.0
PICTURE_SHARE = 0.42
"""Of the window's height, at most."""
SMALLEST_PICTURE = 120.0
COLUMNS = 4
GAP = 8.0
HEADING, CELL_CAPTION, BUTTON = 26.0, 19.0, 36.0
CHIP, CHIP_GAP, CHIP_LINES = 25.0, 6.0, 2


@dataclass(frozen=True, slots=True)
class Plan:
    """Where everything goes in a panel of this height. chips: word, confidence, place relative to the first."""

    picture: float
    words: float
    chips: tuple[tuple[str, float, Rect], ...]
    chips_height: float
    rows: int
    cell: float
    height: float


class DetailPanel:
    """At the right side while an image is selected, as high as what it shows."""

    def __init__(self) -> None:
        self._fade = Fade()
        self._facts: ImageFacts | None = None

    def build(self, stage: Stage) -> None:
        self._facts = stage.hud.selected or self._facts
        alpha = self._fade.advance(stage.hud.selected is not None, stage.hud)
        if alpha <= 0.0 or self._facts is None:
            self._facts = None
            return
        plan = _plan(stage, self._facts)
        rect = Rect(stage.size[0] - self.width(stage), stage.px(theme.MARGIN), stage.px(WIDTH), plan.height)
        with stage.panel("detail", rect, alpha=alpha) as canvas:
            self._contents(stage, canvas, rect, self._facts, plan)

    def width(self, stage: Stage) -> float:
        """How much of the window's right side is taken; grows while it slides in."""
        slid = 1.0 - (1.0 - self._fade.value) ** 2
        return stage.px(WIDTH + theme.MARGIN) * slid

    def _contents(self, stage: Stage, canvas: Canvas, rect: Rect, facts: ImageFacts, plan: Plan) -> None:
        inside = rect.inset(stage.px(theme.PAD))
        self._picture(stage, canvas, inside._replace(height=plan.picture), facts)
        y = inside.y + plan.picture + stage.px(12.0)
        self._words(stage, canvas, inside, y, facts)
        y += plan.words
        self._chips(canvas, inside.x, y, plan)
        y += plan.chips_height
        if plan.rows:
            self._neighbours(stage, canvas, inside._replace(y=y), facts, plan)
        height = stage.px(BUTTON)
        self._buttons(stage, canvas, Rect(inside.x, inside.bottom - height, inside.width, height), facts)
        self._close(stage, canvas, rect)

    def _picture(self, stage: Stage, canvas: Canvas, plate: Rect, facts: ImageFacts) -> None:
        """The full picture, its thumbnail until that is here."""
        aspect, rounding = _aspect(facts), stage.px(theme.ROUND_SMALL)
        canvas.fill(plate, theme.PLATE, rounding)
        ref = stage.thumbnails.picture_ref("selected")
        if ref is None:
            ref, aspect = stage.thumbnails.ref(facts.id), stage.thumbnails.aspect(facts.id)
        if ref:
            shown = plate.fitted(aspect)
            canvas.picture(shown, ref, rounding if shown.width > plate.width - 1.0 else 0.0)
        if stage.hud.picture_error:
            self._error(stage, canvas, plate, f"This picture cannot be shown: {stage.hud.picture_error}")

    def _error(self, stage: Stage, canvas: Canvas, plate: Rect, text: str) -> None:
        """A sentence over the lower edge of the plate."""
        pad, line = stage.px(10.0), stage.px(19.0)
        lines = stage.type.lines(text, plate.width - 2.0 * pad, theme.SMALL)
        height = len(lines) * line + pad
        strip = Rect(plate.x, plate.bottom - height, plate.width, height)
        canvas.fill(strip, theme.rgba(10, 12, 20, 0.85), stage.px(theme.ROUND_SMALL))
        for number, words in enumerate(lines):
            canvas.text(strip.x + pad, strip.y + pad / 2.0 + number * line, words, theme.SMALL, theme.WARNING)

    def _words(self, stage: Stage, canvas: Canvas, inside: Rect, y: float, facts: ImageFacts) -> None:
        name = stage.type.fit(file_name(facts.path), inside.width, theme.TITLE, strong=True, middle=True)
        canvas.text(inside.x, y, name, theme.TITLE, theme.INK, strong=True)
        told = (f"{facts.width_px:,} × {facts.height_px:,} px", facts.alike_words, facts.cluster)
        line = stage.type.fit("  ·  ".join(word for word in told if word), inside.width, theme.SMALL)
        canvas.text(inside.x, y + stage.px(26.0), line, theme.SMALL, theme.INK_SOFT)
        if not stage.hud.kiosk:
            folder = facts.path.replace("\\", "/").rpartition("/")[0]
            folder = stage.type.fit(folder, inside.width, theme.CAPTION, middle=True)
            canvas.text(inside.x, y + stage.px(46.0), folder, theme.CAPTION, theme.INK_FAINT)

    def _chips(self, canvas: Canvas, x: float, y: float, plan: Plan) -> None:
        """The labels, the surer the brighter."""
        for word, confidence, place in plan.chips:
            chip = place._replace(x=x + place.x, y=y + place.y)
            canvas.fill(chip, theme.faded(theme.ACCENT, 0.10 + 0.16 * confidence), chip.height / 2.0)
            canvas.text_in(chip, word, theme.CAPTION, theme.faded(theme.ACCENT, 0.75 + 0.25 * confidence))

    def _neighbours(self, stage: Stage, canvas: Canvas, grid: Rect, facts: ImageFacts, plan: Plan) -> None:
        canvas.text(grid.x, grid.y, "Nearest images", theme.SMALL, theme.INK_SOFT, strong=True)
        step, row = plan.cell + stage.px(GAP), plan.cell + stage.px(CELL_CAPTION + GAP)
        for index, (id_, similarity) in enumerate(facts.neighbours[: plan.rows * COLUMNS]):
            x = grid.x + index % COLUMNS * step
            y = grid.y + stage.px(HEADING) + index // COLUMNS * row
            stage.image_button(canvas, Rect(x, y, plan.cell, plan.cell), id_)
            caption_y = y + plan.cell + stage.px(4.0)
            canvas.text_centred(x + plan.cell / 2.0, caption_y, f"{similarity:.2f}", theme.CAPTION, theme.INK_FAINT)

    def _buttons(self, stage: Stage, canvas: Canvas, rect: Rect, facts: ImageFacts) -> None:
        half = (rect.width - stage.px(GAP)) / 2.0
        fly = rect if stage.hud.kiosk else rect._replace(width=half)
        if stage.labelled_button(canvas, fly, "Fly there", accent=True):
            stage.wishes.append(FlyTo(facts.id))
        copy = rect._replace(x=rect.right - half, width=half)
        if not stage.hud.kiosk and stage.labelled_button(canvas, copy, "Copy path"):
            stage.wishes.append(CopyPath(facts.id))

    def _close(self, stage: Stage, canvas: Canvas, rect: Rect) -> None:
        """A cross over the picture's corner."""
        side = stage.px(28.0)
        place = Rect(rect.right - stage.px(theme.PAD + 8.0) - side, rect.y + stage.px(theme.PAD + 8.0), side, side)
        clicked, pointed = stage.button("close", place)
        canvas.dot(place.centre, side / 2.0, theme.rgba(10, 12, 20, 0.85 if pointed else 0.6))
        x, y, arm = *place.centre, stage.px(5.0)
        colour = theme.INK if pointed else theme.INK_SOFT
        canvas.line((x - arm, y - arm), (x + arm, y + arm), colour, stage.px(1.6))
        canvas.line((x - arm, y + arm), (x + arm, y - arm), colour, stage.px(1.6))
        if clicked:
            stage.wishes.append(Deselect())


def _plan(stage: Stage, facts: ImageFacts) -> Plan:
    """Divide the window's height: picture, words, chips, then as many whole rows of neighbours as there is room for."""
    inner, gap = stage.px(WIDTH - 2.0 * theme.PAD), stage.px(GAP)
    picture = min(max(inner / _aspect(facts), stage.px(96.0)), stage.size[1] * PICTURE_SHARE)
    words = stage.px(58.0 if stage.hud.kiosk else 76.0)
    chips, chips_height = _place_chips(stage, facts, inner)
    cell = (inner - gap * (COLUMNS - 1)) / COLUMNS
    row = cell + stage.px(CELL_CAPTION) + gap
    fixed = stage.px(2.0 * theme.PAD + 12.0 + BUTTON) + picture + words + chips_height
    room = stage.size[1] - stage.px(2.0 * theme.MARGIN + HEADING) - fixed
    if facts.neighbours and room < row:  # a smaller picture for one row of them
        spared = min(row - room, max(picture - stage.px(SMALLEST_PICTURE), 0.0))
        picture, fixed, room = picture - spared, fixed - spared, room + spared + 0.5
    rows = min(max(int(room / row), 0), math.ceil(len(facts.neighbours) / COLUMNS))
    height = fixed + (stage.px(HEADING + 6.0) + rows * row if rows else 0.0)
    return Plan(picture, words, chips, chips_height, rows, cell, height)


def _place_chips(stage: Stage, facts: ImageFacts, inner: float) -> tuple[tuple[tuple[str, float, Rect], ...], float]:
    """Labels in lines, those that need a third line left out; and how high that is, with the space below."""
    chips: list[tuple[str, float, Rect]] = []
    x = y = 0.0
    height, gap = stage.px(CHIP), stage.px(CHIP_GAP)
    for word, confidence in facts.labels:
        width = stage.type.width(word, theme.CAPTION) + stage.px(18.0)
        if x and x + width > inner:
            x, y = 0.0, y + height + gap
        if y > (height + gap) * (CHIP_LINES - 1):
            break
        chips.append((word, confidence, Rect(x, y, min(width, inner), height)))
        x += width + gap
    return tuple(chips), (chips[-1][2].bottom + stage.px(14.0)) if chips else 0.0


def _aspect(facts: ImageFacts) -> float:
    return max(facts.width_px / max(facts.height_px, 1), 0.05)
