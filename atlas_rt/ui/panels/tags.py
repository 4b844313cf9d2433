"""The names of the clusters and, from near, of their parts, floating at their centres on plates that make them legible
over any picture. Where two would touch, the larger one's stays."""

from __future__ import annotations

from atlas_rt.core.hud import NameTag
from atlas_rt.ui import theme
from atlas_rt.ui.panels.canvas import Rect
from atlas_rt.ui.panels.panel_context import PanelContext

MOST = 28
FAINTEST = 0.12
FADE_SECS = 0.25
SMALLEST, LARGEST, PART = 15.0, 23.0, 14.5
GAP = 10.0
PLATE = theme.rgba(9, 11, 19, 0.84)
"""Over a white card it leaves the names a contrast of at least 4.5 (WCAG 2.2, 1.4.3)."""
LEAST, FULL = 0.88, 0.45
"""How strong a name is that just shows, and the strength of a tag from which it has all of it: a name that cannot be
read is left out instead of shown faintly."""
NameKey = tuple[str, bool, tuple[int, int, int]]
"""What a name is known by from frame to frame: parts of two clusters may have the same."""


class NameTags:
    """Draws names right over the map. Each fades in and out by itself, so that none flickers while one flies."""

    def __init__(self) -> None:
        self._strengths: dict[NameKey, float] = {}

    def build(self, context: PanelContext, covered: list[Rect]) -> None:
        """covered: where panels lie; no name is drawn under one."""
        hud = context.hud
        largest = max((tag.size for tag in hud.name_tags), default=1)
        shown: dict[NameKey, float] = {}
        taken = [(rect.x, rect.y, rect.right, rect.bottom) for rect in covered]
        for tag in sorted(hud.name_tags, key=self._rank, reverse=True)[: 2 * MOST]:
            size = PART if tag.part else SMALLEST + (LARGEST - SMALLEST) * (tag.size / largest) ** 0.5
            rect = self._place(context, tag, size)
            free = len(shown) < MOST and tag.strength > FAINTEST and not _touches(rect, taken)
            strength = self._strength(_key(tag), free, 1.0 if hud.reduced_motion else hud.dt_secs / FADE_SECS)
            if free:
                taken.append((rect.x, rect.y, rect.right, rect.bottom))
            if strength > 0.0:
                shown[_key(tag)] = strength
                self._draw(context, tag, rect, size, strength)
        self._strengths = shown

    def _rank(self, tag: NameTag) -> tuple[bool, float]:
        """Clusters before parts. A name that is seen keeps its place against one that is a little larger."""
        return not tag.part, tag.size * (1.25 if self._strengths.get(_key(tag), 0.0) > 0.5 else 1.0)

    def _strength(self, key: NameKey, free: bool, step: float) -> float:
        now = self._strengths.get(key, 0.0)
        return min(now + step, 1.0) if free else max(now - step, 0.0)

    def _place(self, context: PanelContext, tag: NameTag, size: float) -> Rect:
        width, height = context.type.width(tag.text, size, strong=True), context.px(size)
        gap = context.px(GAP)
        x, y = tag.at_px
        return Rect(x - width / 2.0 - gap, y - height / 2.0 - gap / 2.0, width + 2.0 * gap, height + gap)

    def _draw(self, context: PanelContext, tag: NameTag, rect: Rect, size: float, strength: float) -> None:
        alpha = strength * (LEAST + (1.0 - LEAST) * min(tag.strength / FULL, 1.0))
        canvas, gap = context.under(), context.px(GAP)
        rounding = rect.height / 2.0
        canvas.fill(rect, theme.faded(PLATE, alpha), rounding)
        canvas.outline(rect.inset(0.5), theme.rgba(*tag.rgb, 0.55 * alpha), rounding)
        colour = theme.rgba(*theme.mixed(tag.rgb, (255, 255, 255), 0.72), alpha)
        canvas.text(rect.x + gap, rect.y + gap / 2.0, tag.text, size, colour, strong=True)


def _key(tag: NameTag) -> NameKey:
    return tag.text, tag.part, tag.rgb


def _touches(rect: Rect, taken: list[tuple[float, float, float, float]]) -> bool:
    """Whether it overlaps any of the rectangles (left, top, right, bottom): plain numbers, as this runs often."""
    x, y, right, bottom = rect.x, rect.y, rect.right, rect.bottom
    return any(left_ < right and x < right_ and top_ < bottom and y < bottom_ for left_, top_, right_, bottom_ in taken)
