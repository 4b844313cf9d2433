"""The card next to the image under the pointer: what it is, without a click."""

from __future__ import annotations

from atlas_rt.core.hud import ImageFacts
from atlas_rt.ui import theme
from atlas_rt.ui.panels.canvas import Rect
from atlas_rt.ui.panels.panel_context import PanelContext

DELAY_SECS = 0.125
GRACE_SECS = 0.26
FADE_SECS = 0.1
WIDTH, PICTURE_HEIGHT = 220.0, 180.0
AWAY = 14.0


class HoverCard:
    """Appears when the pointer rests on an image, lasts a moment longer than it, never lies over its node."""

    def __init__(self) -> None:
        self._facts: ImageFacts | None = None
        self._at_px = (0.0, 0.0, 0.0)
        self._rested_secs = self._left_secs = 0.0

    def build(self, context: PanelContext, taken_right: float, taken_left: float, bottom: float) -> None:
        """taken_right, taken_left: how much of either side the detail panel and the clusters have. The former shows its
        own image better than a card. bottom: what lies below is taken."""
        hud = context.hud
        if hud.hovered is not None and hud.selected is not None and hud.hovered.id == hud.selected.id:
            self._facts, self._rested_secs = None, 0.0
            return
        if hud.hovered is not None:
            changed = self._facts is None or hud.hovered.id != self._facts.id
            if changed and not self._visible:
                self._rested_secs = 0.0
            at_px = hud.hovered_at_px if context.pointed_beside is None else _around(context.pointed_beside)
            self._facts, self._at_px, self._left_secs = hud.hovered, at_px, 0.0
            self._rested_secs += hud.dt_secs
        elif self._facts is not None:
            self._left_secs += hud.dt_secs
            if self._left_secs > GRACE_SECS or not self._visible:
                self._facts, self._rested_secs = None, 0.0
        if self._facts is not None and self._visible:
            span = taken_left, context.size[0] - taken_right
            self._draw(context, self._facts, self._opacity(hud.reduced_motion), span, bottom)

    @property
    def _visible(self) -> bool:
        return self._rested_secs >= DELAY_SECS

    def _opacity(self, reduced_motion: bool) -> float:
        if reduced_motion:
            return 1.0
        appearing = min((self._rested_secs - DELAY_SECS) / FADE_SECS + 0.2, 1.0)
        return appearing * min((GRACE_SECS - self._left_secs) / FADE_SECS, 1.0)

    def _draw(
        self, context: PanelContext, facts: ImageFacts, alpha: float, span: tuple[float, float], bottom: float
    ) -> None:
        """span, bottom: the left, right and lower end of what no panel has."""
        canvas, pad = context.over(alpha), context.px(10.0)
        width = context.px(WIDTH)
        inner = width - 2.0 * pad
        ref = context.thumbnails.ref(facts.id)
        aspect = context.thumbnails.aspect(facts.id)
        picture_height = min(inner / aspect, context.px(PICTURE_HEIGHT)) if ref else 0.0
        words = "  ·  ".join(context.hud.words.listed([word for word, _ in facts.labels[:3]]))
        lines = [context.type.fit(line, inner, theme.CAPTION) for line in (words, facts.alike_words) if line]
        text_height = context.px(20.0 + 18.0 * len(lines))
        height = picture_height + (context.px(8.0) if ref else 0.0) + text_height + 2.0 * pad
        (left, right), (x, y, radius) = span, self._at_px
        free = (right - left, max(bottom, height))
        node = (x - left, y, radius)
        rect = beside(node, (width, height), free, context.px(AWAY), context.px(theme.MARGIN / 2.0))
        rect = rect._replace(x=rect.x + left)
        canvas.glass(rect)
        y = rect.y + pad
        if ref:
            plate = Rect(rect.x + pad, y, inner, picture_height)
            canvas.fill(plate, theme.PLATE, context.px(theme.ROUND_SMALL))
            canvas.picture(plate.fitted(aspect), ref, context.px(theme.ROUND_SMALL) if plate.width == inner else 0.0)
            y += picture_height + context.px(8.0)
        name = context.type.fit(file_name(facts.path), inner, theme.SMALL, strong=True, middle=True)
        canvas.text(rect.x + pad, y, name, theme.SMALL, theme.INK, strong=True)
        for number, line in enumerate(lines):
            canvas.text(rect.x + pad, y + context.px(20.0 + 18.0 * number), line, theme.CAPTION, theme.INK_SOFT)


def beside(
    node_px: tuple[float, float, float],
    size: tuple[float, float],
    window: tuple[float, float],
    away: float,
    margin: float,
) -> Rect:
    """Where a card goes: right of the node, else left, below, above; kept in the window, never over the node.

    node_px: centre and radius. A node that fills the window leaves no place: the corner farthest from it then.
    """
    x, y, radius = node_px
    width, height = size
    level = min(max(y - height / 2.0, margin), window[1] - margin - height)
    plumb = min(max(x - width / 2.0, margin), window[0] - margin - width)
    choices = (
        Rect(x + radius + away, level, width, height),
        Rect(x - radius - away - width, level, width, height),
        Rect(plumb, y + radius + away, width, height),
        Rect(plumb, y - radius - away - height, width, height),
    )
    for rect in choices:
        if (
            rect.x >= margin
            and rect.y >= margin
            and rect.right <= window[0] - margin
            and rect.bottom <= window[1] - margin
        ):
            return rect
    return Rect(
        margin if x > window[0] / 2.0 else window[0] - margin - width,
        margin if y > window[1] / 2.0 else window[1] - margin - height,
        width,
        height,
    )


def _around(rect: Rect) -> tuple[float, float, float]:
    """Centre and radius of what keeps a card clear of a rectangle and of what stands around it."""
    return *rect.centre, max(rect.width, rect.height) / 2.0 + min(rect.width, rect.height) / 3.0


def file_name(path: str) -> str:
    return path.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
