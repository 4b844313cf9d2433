"""What tells one's way right over the map: the cluster one flies into, and where the selected image is."""

from __future__ import annotations

from atlas_rt.core.requests import FlyTo
from atlas_rt.ui import theme
from atlas_rt.ui.panels.canvas import Rect
from atlas_rt.ui.panels.panel_context import PanelContext

TOP, HEIGHT = 20.0, 34.0
RADIUS, POINT = 24.0, 9.0


def build_place(context: PanelContext) -> None:
    """ "you are in birds", at the top of what panels leave free."""
    place = context.hud.place
    if place is None or place.alpha <= 0.0:
        return
    margin, height = context.px(TOP), context.px(HEIGHT)
    left, right = context.free_span(margin, margin + height)
    before, strong = "you are in ", True
    lead = context.type.width(before, theme.BODY)
    name = context.type.fit(place.name, max(right - left - lead - context.px(80.0), 1.0), theme.BODY, strong=strong)
    width = lead + context.type.width(name, theme.BODY, strong=strong) + context.px(36.0)
    y = margin
    rect = Rect((left + right - width) / 2.0, y, width, height)
    for other in context.covered:  # the search console, in the middle
        if rect.overlaps(other):
            rect = rect._replace(y=other.bottom + context.px(10.0))
    canvas = context.over(place.alpha)
    canvas.fill(rect, theme.GLASS, height / 2.0)
    canvas.outline(rect.inset(0.5), theme.rgba(*place.rgb, 0.6), height / 2.0)
    x, y = rect.x + context.px(18.0), rect.y + (height - context.px(theme.BODY)) / 2.0
    canvas.text(x, y, before, theme.BODY, theme.INK_SOFT)
    colour = theme.rgba(*theme.mixed(place.rgb, (255, 255, 255), 0.6))
    canvas.text(x + lead, y, name, theme.BODY, colour, strong=strong)


def build_compass(context: PanelContext) -> None:
    """The selected image in a round window that points to where it is; a click flies there."""
    compass = context.hud.compass
    if compass is None:
        return
    x, y = compass.at_px
    radius, point = context.px(RADIUS), context.px(POINT)
    rect = _free(context, Rect(x - radius, y - radius, 2.0 * radius, 2.0 * radius), compass.towards[1] >= 0.0)
    x, y = rect.centre
    with context.panel("compass", rect, glass=False, covers=False) as canvas:
        clicked, pointed = context.button("compass", rect)
        right, down = compass.towards
        tip = x + right * (radius + point), y + down * (radius + point)
        side = 0.45 * radius
        foot = x + right * (radius - 1.0), y + down * (radius - 1.0)
        corners = [
            tip,
            (foot[0] - down * side, foot[1] + right * side),
            (foot[0] + down * side, foot[1] - right * side),
        ]
        canvas.dot((x, y), radius + context.px(2.5), theme.GLASS)
        canvas.area(corners, theme.ACCENT)
        ref = context.thumbnails.ref(compass.id)
        if ref is None:
            canvas.dot((x, y), radius, theme.PLATE)
        else:
            canvas.cropped(rect, ref, context.thumbnails.aspect(compass.id), radius)
        canvas.ring((x, y), radius, theme.INK if pointed else theme.ACCENT, context.px(2.0))
        if pointed:
            context.pointed_id = compass.id
        if clicked:
            context.requests.append(FlyTo(compass.id))


def _free(context: PanelContext, rect: Rect, low: bool) -> Rect:
    """The place itself, or the nearest above (`low`) or below what lies there."""
    gap = context.px(POINT + 6.0)
    for other in context.covered:
        if rect.overlaps(other):
            rect = rect._replace(y=other.y - gap - rect.height if low else other.bottom + gap)
    return rect
