"""The map from above, small, in the lower right corner: where the clusters lie, where one is and looks to."""

from __future__ import annotations

import math

from imgui_bundle import imgui

from atlas_rt.core.minimap import Minimap, Spot
from atlas_rt.core.requests import PointAtCluster, VisitCluster
from atlas_rt.ui import theme
from atlas_rt.ui.panels.canvas import Canvas, Rect
from atlas_rt.ui.panels.panel_context import Fade, PanelContext

SIDE, HEAD, PAD = 196.0, 26.0, 12.0
SPECK, EYE, REACH = 1.5, 4.0, 46.0
"""Half the side of a speck, radius of the eye's dot, length of what it sees; before scaling."""
FULL_STEPS = 64
"""Steps of a circle in which the heading moves: what turns by less is not drawn anew."""


class MinimapPanel:
    """While `hud.minimap` is there; above the camera's panel, left of the detail panel. A click on a cluster flies
    there."""

    def __init__(self) -> None:
        self._fade = Fade()
        self._shown: Minimap | None = None
        self._pointed = -1

    def build(self, context: PanelContext, taken_right: float) -> None:
        """taken_right: how much of the right side the detail panel has."""
        hud = context.hud
        alpha = self._fade.advance(hud.minimap is not None, hud)
        self._shown = hud.minimap or self._shown
        if alpha <= 0.0 or self._shown is None:
            self._point_at(context, -1)
            return
        rect = self._rect(context, taken_right)
        with context.panel("minimap", rect, alpha=alpha) as canvas:
            plan = Rect(rect.x, rect.y + context.px(HEAD), rect.width, rect.width).inset(context.px(PAD))
            self._heading(context, canvas, rect, self._shown)
            self._draw(context, canvas, plan, self._shown)
            clicked, pointed = context.button("minimap", plan)
            spot = _spot_at(self._shown, plan, imgui.get_mouse_pos()) if pointed else None
            self._point_at(context, -1 if spot is None else spot.id)
            if spot is not None:
                self._name(context, plan, spot)
            if clicked and spot is not None:
                context.requests.append(VisitCluster(spot.id))

    def _rect(self, context: PanelContext, taken_right: float) -> Rect:
        margin, side = context.px(theme.MARGIN), context.px(SIDE)
        x = context.size[0] - max(taken_right, 0.0) - margin - side
        rect = Rect(x, context.size[1] - margin - side - context.px(HEAD), side, side + context.px(HEAD))
        for other in context.covered:
            if rect.overlaps(other):
                rect = rect._replace(y=other.y - margin / 2.0 - rect.height)
        return rect

    def _point_at(self, context: PanelContext, cluster: int) -> None:
        if cluster != self._pointed:
            self._pointed = cluster
            context.requests.append(PointAtCluster(cluster))

    def _heading(self, context: PanelContext, canvas: Canvas, rect: Rect, shown: Minimap) -> None:
        here = next((spot for spot in shown.spots if spot.id == shown.here), None)
        name, colour = ("between clusters", theme.INK_FAINT) if here is None else (here.name, theme.INK)
        if shown.outside:
            name = "outside the map"
        x, y, room = rect.x + context.px(14.0), rect.y + context.px(11.0), rect.width - context.px(28.0)
        if here is not None and not shown.outside:
            canvas.dot((x + context.px(4.0), y + context.px(8.0)), context.px(4.0), theme.rgba(*here.rgb))
            x, room = x + context.px(15.0), room - context.px(15.0)
        canvas.text(x, y, context.type.fit(name, room, theme.SMALL, strong=True), theme.SMALL, colour, strong=True)

    def _draw(self, context: PanelContext, canvas: Canvas, plan: Rect, shown: Minimap) -> None:
        canvas.fill(plan, theme.FILL, context.px(theme.ROUND_SMALL))
        canvas.clip(plan)
        for spot in shown.spots:
            strong = spot.id in (shown.here, self._pointed)
            canvas.dot(
                _at(plan, spot.at), spot.radius * plan.width * 0.8, theme.rgba(*spot.rgb, 0.34 if strong else 0.16)
            )
        half = context.px(SPECK)
        for (x, y), rgb in zip(shown.specks.tolist(), shown.speck_rgb.astype(int).tolist(), strict=True):
            left, top = _at(plan, (x, y))
            canvas.fill(Rect(left - half, top - half, 2.0 * half, 2.0 * half), theme.rgba(rgb[0], rgb[1], rgb[2], 0.85))
        if shown.selected is not None:
            canvas.ring(_at(plan, shown.selected), context.px(4.5), theme.ACCENT, context.px(2.0))
        self._eye(context, canvas, plan, shown)
        canvas.unclip()

    def _eye(self, context: PanelContext, canvas: Canvas, plan: Rect, shown: Minimap) -> None:
        """What is seen, as a fan; who looks, as a dot; how high, at the right edge."""
        x, y = (round(each) for each in _at(plan, shown.eye))
        step = 2.0 * math.pi / FULL_STEPS
        heading = round(shown.heading / step) * step
        edges = [(x, y)] + [
            (x + math.sin(angle) * context.px(REACH), y - math.cos(angle) * context.px(REACH))
            for angle in (heading + shown.half_angle * share for share in (-1.0, -0.5, 0.0, 0.5, 1.0))
        ]
        canvas.area(edges, theme.rgba(255, 255, 255, 0.26))
        canvas.dot((x, y), context.px(EYE + 1.5), theme.rgba(0, 0, 0, 0.75))
        canvas.dot((x, y), context.px(EYE), theme.INK)
        bar = Rect(
            plan.right - context.px(4.0), plan.y + context.px(4.0), context.px(2.0), plan.height - context.px(8.0)
        )
        canvas.fill(bar, theme.FILL_HOVER, context.px(1.0))
        level = round(bar.bottom - bar.height * shown.height)
        canvas.dot((bar.centre[0], level), context.px(3.0), theme.INK)

    def _name(self, context: PanelContext, plan: Rect, spot: Spot) -> None:
        """The cluster under the pointer, told above the map."""
        width = min(context.type.width(spot.name, theme.CAPTION) + context.px(16.0), plan.width)
        height, (x, y) = context.px(22.0), _at(plan, spot.at)
        left = min(max(x - width / 2.0, plan.x), plan.right - width)
        pill = Rect(left, max(y - height * 1.4, plan.y), width, height)
        canvas = context.over()
        canvas.fill(pill, theme.GLASS, height / 2.0)
        canvas.outline(pill.inset(0.5), theme.PILL_RIM, height / 2.0)
        canvas.text_in(
            pill, context.type.fit(spot.name, width - context.px(12.0), theme.CAPTION), theme.CAPTION, theme.INK
        )


def _at(plan: Rect, share: tuple[float, float]) -> tuple[float, float]:
    return plan.x + share[0] * plan.width, plan.y + share[1] * plan.height


def _spot_at(shown: Minimap, plan: Rect, pointer: imgui.ImVec2) -> Spot | None:
    """The cluster under the pointer, of several that whose middle is nearest for its size."""

    def depth(spot: Spot) -> float:
        x, y = _at(plan, spot.at)
        return math.hypot(pointer.x - x, pointer.y - y) / (spot.radius * plan.width)

    spot = min(shown.spots, key=depth, default=None)
    return spot if spot is not None and depth(spot) <= 1.0 else None
