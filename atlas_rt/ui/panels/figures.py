"""The frame figures (F3): how fast it runs, and how evenly."""

from __future__ import annotations

import numpy as np

from atlas_rt.core.hud import FrameFigures
from atlas_rt.ui import theme
from atlas_rt.ui.panels.canvas import Canvas, Rect
from atlas_rt.ui.panels.panel_context import PanelContext

WIDTH, HEIGHT = 248.0, 158.0
BAR_PX = 3.0
DUE_MS = 1000.0 / 60.0


class FiguresPanel:
    """Top left, while `hud.figures` is there; right of the clusters if these are open."""

    def build(self, context: PanelContext, taken_left: float = 0.0) -> None:
        """taken_left: how much of the left side the clusters have."""
        figures, margin = context.hud.figures, context.px(theme.MARGIN)
        if figures is None:
            return
        rect = Rect(taken_left + margin, margin, context.px(WIDTH), context.px(HEIGHT))
        for other in context.covered:  # the search console of a narrow window
            if rect.overlaps(other):
                rect = rect._replace(y=other.bottom + margin / 2.0)
        with context.panel("figures", rect) as canvas:
            inside = rect.inset(context.px(14.0))
            end = canvas.text(inside.x, inside.y, f"{figures.fps:.0f}", theme.LARGE, theme.INK, strong=True)
            canvas.text(end + context.px(6.0), inside.y + context.px(9.0), "fps", theme.SMALL, theme.INK_FAINT)
            late = f"{figures.late * 100.0:.1f} % late"
            colour = theme.WARNING if figures.late > 0.01 else theme.INK_SOFT
            canvas.text_right(inside.right, inside.y + context.px(9.0), late, theme.SMALL, colour)
            times = f"median {figures.median_ms:.1f} ms  ·  p99 {figures.p99_ms:.1f} ms"
            canvas.text(inside.x, inside.y + context.px(33.0), times, theme.SMALL, theme.INK_SOFT)
            graph = Rect(inside.x, inside.y + context.px(58.0), inside.width, context.px(44.0))
            self._graph(context, canvas, graph, figures)
            step = "  ·  ".join(part for part in (figures.step, figures.drawn) if part)
            step = context.type.fit(step, inside.width, theme.CAPTION)
            canvas.text(inside.x, graph.bottom + context.px(9.0), step, theme.CAPTION, theme.INK_FAINT)

    def _graph(self, context: PanelContext, canvas: Canvas, graph: Rect, figures: FrameFigures) -> None:
        """The newest frames as one line, against the time each has."""
        count = int(graph.width / context.px(BAR_PX))
        times_ms = figures.times_ms[-count:]
        highest = max(DUE_MS * 1.25, float(times_ms.max(initial=0.0)))
        due_y = graph.bottom - graph.height * DUE_MS / highest
        canvas.fill(graph, theme.FILL, context.px(4.0))
        canvas.line((graph.x, due_y), (graph.right, due_y), theme.rgba(255, 255, 255, 0.22), context.px(1.0))
        if len(times_ms) < 2:
            return
        xs = graph.right - np.arange(len(times_ms) - 1, -1, -1) * context.px(BAR_PX)
        ys = graph.bottom - graph.height * np.minimum(times_ms / highest, 1.0)
        canvas.curve(list(zip(xs.tolist(), ys.tolist(), strict=True)), theme.ACCENT, context.px(1.4))
