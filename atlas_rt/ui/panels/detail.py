"""The panel of the selected image: the full picture, what is known of it, its nearest neighbours."""

from __future__ import annotations

from dataclasses import dataclass

from imgui_bundle import imgui

from atlas_rt.core.hud import ImageFacts
from atlas_rt.core.requests import Deselect, LookAt
from atlas_rt.ui import theme
from atlas_rt.ui.panels import image_buttons
from atlas_rt.ui.panels.canvas import Canvas, Rect
from atlas_rt.ui.panels.hover import file_name
from atlas_rt.ui.panels.icons import cross
from atlas_rt.ui.panels.image_sections import BAR, ImageSections
from atlas_rt.ui.panels.panel_context import Fade, PanelContext

WIDTH = 348.0
PICTURE_SHARE = 0.42
"""Of the window's height, at most."""
SMALLEST_PICTURE = 120.0
LEAST_KNOWN = 310.0
"""What is known has so much room, if it needs that and the picture can give it."""
BELOW_PICTURE, WORDS, ABOVE_BUTTONS = 12.0, 56.0, 8.0


@dataclass(frozen=True, slots=True)
class DetailLayout:
    """How high everything is. known: the room for what is known of the image."""

    picture: float
    known: float
    height: float


class DetailPanel:
    """At the right side while an image is selected, as high as what it shows."""

    def __init__(self) -> None:
        self._fade = Fade()
        self._facts: ImageFacts | None = None
        self._sections = ImageSections()

    def build(self, context: PanelContext) -> None:
        self._facts = context.hud.selected or self._facts
        alpha = self._fade.advance(context.hud.selected is not None, context.hud)
        if alpha <= 0.0 or self._facts is None:
            self._facts = None
            return
        layout = _layout(context, self._facts, self._sections.height)
        rect = Rect(context.size[0] - self.width(context), context.px(theme.MARGIN), context.px(WIDTH), layout.height)
        with context.panel("detail", rect, alpha=alpha) as canvas:
            self._contents(context, canvas, rect, self._facts, layout)
            inside = rect.inset(context.px(theme.PAD))
            top = inside.y + layout.picture + context.px(BELOW_PICTURE + WORDS)
            room = Rect(inside.x, top, inside.width + context.px(BAR), layout.known)
            self._sections.build(context, room, self._facts, alpha)

    def width(self, context: PanelContext) -> float:
        """How much of the window's right side is taken; grows while it slides in."""
        slid = 1.0 - (1.0 - self._fade.value) ** 2
        return context.px(WIDTH + theme.MARGIN) * slid

    def _contents(
        self, context: PanelContext, canvas: Canvas, rect: Rect, facts: ImageFacts, layout: DetailLayout
    ) -> None:
        inside = rect.inset(context.px(theme.PAD))
        self._picture(context, canvas, inside._replace(height=layout.picture), facts)
        self._words(context, canvas, inside, inside.y + layout.picture + context.px(BELOW_PICTURE), facts)
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
        told = (f"{facts.width_px:,} × {facts.height_px:,} px", facts.alike_words)
        line = context.type.fit("  ·  ".join(word for word in told if word), inside.width, theme.SMALL)
        canvas.text(inside.x, y + context.px(26.0), line, theme.SMALL, theme.INK_SOFT)

    def _close(self, context: PanelContext, canvas: Canvas, rect: Rect) -> None:
        """A cross over the picture's corner."""
        side = context.px(28.0)
        place = Rect(rect.right - context.px(theme.PAD + 8.0) - side, rect.y + context.px(theme.PAD + 8.0), side, side)
        clicked, pointed = context.button("close", place)
        canvas.dot(place.centre, side / 2.0, theme.rgba(10, 12, 20, 0.85 if pointed else 0.6))
        cross(canvas, place.centre, theme.INK if pointed else theme.INK_SOFT)
        if clicked:
            context.requests.append(Deselect())


def _layout(context: PanelContext, facts: ImageFacts, known: float) -> DetailLayout:
    """Divide the window's height: picture, words, what is known, buttons. known: how high all of that is.

    Where there is little room, the picture gets smaller first, and then what is known scrolls.
    """
    inner = context.px(WIDTH - 2.0 * theme.PAD)
    buttons = context.px(image_buttons.height(kiosk=context.hud.kiosk))
    fixed = context.px(2.0 * theme.PAD + BELOW_PICTURE + WORDS + ABOVE_BUTTONS) + buttons
    room = max(context.size[1] - context.px(2.0 * theme.MARGIN) - fixed, 2.0)
    picture = min(max(inner / _aspect(facts), context.px(96.0)), context.size[1] * PICTURE_SHARE)
    least = max(room - min(known, context.px(LEAST_KNOWN)), min(context.px(SMALLEST_PICTURE), room / 2.0))
    picture = min(picture, least)
    known = min(known, room - picture)
    return DetailLayout(picture, max(known, 1.0), fixed + picture + known)


def _aspect(facts: ImageFacts) -> float:
    return max(facts.width_px / max(facts.height_px, 1), 0.05)
