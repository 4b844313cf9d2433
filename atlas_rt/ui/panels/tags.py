"""The names of the clusters, floating at their centres. Where two would touch, the larger cluster's stays."""

from __future__ import annotations

from atlas_rt.core.hud import NameTag
from atlas_rt.ui import theme
from atlas_rt.ui.panels.canvas import Rect
from atlas_rt.ui.panels.panel_context import PanelContext

MOST = 28
FAINTEST = 0.05
FADE_SECS = 0.25
SMALLEST, LARGEST = 15.0, 23.0
GAP = 10.0


class NameTags:
    """Draws names right over the map. Each fades in and out by itself, so that none flickers while one flies."""

    def __init__(self) -> None:
        self._strengths: dict[str, float] = {}

    def build(self, context: PanelContext, covered: list[Rect]) -> None:
        """covered: where panels lie; no name is drawn under one."""
        hud = context.hud
        largest = max((tag.size for tag in hud.name_tags), default=1)
        shown: dict[str, float] = {}
        taken = [(rect.x, rect.y, rect.right, rect.bottom) for rect in covered]
        for tag in sorted(hud.name_tags, key=lambda tag: tag.size * self._bonus(tag), reverse=True)[: 2 * MOST]:
            size = SMALLEST + (LARGEST - SMALLEST) * (tag.size / largest) ** 0.5
            rect = self._place(context, tag, size)
            free = len(shown) < MOST and tag.strength > FAINTEST and not _touches(rect, taken)
            strength = self._strength(tag.text, free, 1.0 if hud.reduced_motion else hud.dt_secs / FADE_SECS)
            if free:
                taken.append((rect.x, rect.y, rect.right, rect.bottom))
            if strength > 0.0:
                shown[tag.text] = strength
                self._draw(context, tag, rect, size, strength)
        self._strengths = shown

    def _bonus(self, tag: NameTag) -> float:
        """A name that is seen keeps its place against one that is a little larger."""
        return 1.25 if self._strengths.get(tag.text, 0.0) > 0.5 else 1.0

    def _strength(self, text: str, free: bool, step: float) -> float:
        now = self._strengths.get(text, 0.0)
        return min(now + step, 1.0) if free else max(now - step, 0.0)

    def _place(self, context: PanelContext, tag: NameTag, size: float) -> Rect:
        width, height = context.type.width(tag.text, size, strong=True), context.px(size)
        gap = context.px(GAP)
        x, y = tag.at_px
        return Rect(x - width / 2.0 - gap, y - height / 2.0 - gap / 2.0, width + 2.0 * gap, height + gap)

    def _draw(self, context: PanelContext, tag: NameTag, rect: Rect, size: float, strength: float) -> None:
        gap = context.px(GAP)
        colour = theme.rgba(*theme.mixed(tag.rgb, (255, 255, 255), 0.72), min(tag.strength * 1.15, 1.0) * strength)
        context.under().shadowed(rect.x + gap, rect.y + gap / 2.0, tag.text, size, colour, strong=True)


def _touches(rect: Rect, taken: list[tuple[float, float, float, float]]) -> bool:
    """Whether it overlaps any of the rectangles (left, top, right, bottom): plain numbers, as this runs often."""
    x, y, right, bottom = rect.x, rect.y, rect.right, rect.bottom
    return any(left_ < right and x < right_ and top_ < bottom and y < bottom_ for left_, top_, right_, bottom_ in taken)
