"""How many images a node stands for, at the upper right corner of its card."""

from __future__ import annotations

from atlas_rt.ui import theme
from atlas_rt.ui.panels.canvas import Rect
from atlas_rt.ui.panels.neighbour_ring import card_of
from atlas_rt.ui.panels.panel_context import PanelContext

HEIGHT, SIDES = 18.0, 6.0
SIZE = theme.CAPTION - 1.0


def build_counts(context: PanelContext) -> None:
    """Draw the counts right over the map, below every panel; none over a visited card."""
    canvas, height = context.under(), context.px(HEIGHT)
    visited = card_of(context.hud.visited) if context.hud.visited else None
    for tag in context.hud.count_tags:
        text, (x, y) = f"{tag.count:,}", tag.at_px
        width = max(context.type.width(text, SIZE, strong=True) + 2.0 * context.px(SIDES), height)
        pill = Rect(x - width / 2.0, y - height / 2.0, width, height)
        if visited is not None and pill.overlaps(visited):
            continue
        canvas.fill(pill, theme.faded(theme.GLASS, tag.strength), height / 2.0)
        canvas.outline(pill.inset(0.5), theme.faded(theme.PILL_RIM, tag.strength), height / 2.0)
        canvas.text_in(pill, text, SIZE, theme.faded(theme.INK, tag.strength), strong=True)
