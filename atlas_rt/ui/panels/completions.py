"""How what is typed may go on, as a line of buttons below the search field. Tab takes the first."""

from __future__ import annotations

from collections.abc import Sequence

from atlas_rt.core.answers import Completion
from atlas_rt.core.requests import Search
from atlas_rt.ui import theme
from atlas_rt.ui.panels.canvas import Rect
from atlas_rt.ui.panels.panel_context import PanelContext

LONGEST = 220.0
"""Width of a button at most; a longer folder is shortened in its middle."""


def build_completions(context: PanelContext, row: Rect, completions: Sequence[Completion], alpha: float) -> Rect:
    """As many as the row has room for. Returns the row."""
    with context.panel("completions", row, alpha=alpha) as canvas:
        x = canvas.key_cap(row.x + context.px(12.0), row.y + context.px(7.5), "Tab") + context.px(10.0)
        for place, each in enumerate(completions):
            label = context.type.fit(each.shown, context.px(LONGEST), theme.SMALL, strong=True, middle=True)
            width = context.type.width(label, theme.SMALL, strong=True) + context.px(18.0)
            if x + width > row.right - context.px(8.0):
                break
            button = Rect(x, row.y + context.px(5.0), width, row.height - context.px(10.0))
            clicked, pointed = context.button(f"completion {place}", button)
            if place == 0 or pointed:
                canvas.fill(button, theme.FILL_HOVER if pointed else theme.FILL, context.px(theme.ROUND_SMALL))
            ink = theme.INK if place == 0 or pointed else theme.INK_SOFT
            canvas.text_in(button, label, theme.SMALL, ink, strong=True)
            if clicked:
                context.requests.append(Search(each.query))
            x += width + context.px(4.0)
    return row
