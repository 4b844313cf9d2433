"""The picture that is searched by, in the search field before the words."""

from __future__ import annotations

from atlas_rt.core.query_picture import QueryPicture
from atlas_rt.core.requests import FlyTo, ForgetPicture, Select
from atlas_rt.ui import theme
from atlas_rt.ui.panels.canvas import Canvas, Rect
from atlas_rt.ui.panels.icons import cross
from atlas_rt.ui.panels.panel_context import PanelContext

HEIGHT, NAME, CROSS, BEFORE_NAME = 42.0, 118.0, 26.0, 9.0
READING = "reading …"


def build_chip(context: PanelContext, canvas: Canvas, left: float, middle: float, picture: QueryPicture) -> float:
    """Show it around a height. Returns where it ends. A click on an image of the library flies there."""
    side = context.px(HEIGHT)
    told = context.type.fit(_name(picture), context.px(NAME), theme.SMALL, middle=True)
    end = left + side + context.px(BEFORE_NAME) + context.type.width(told, theme.SMALL) + context.px(CROSS)
    chip = Rect(left, middle - side / 2.0, end - left, side)
    canvas.fill(chip, theme.FILL_HOVER, context.px(theme.ROUND_SMALL))
    shown = chip.inset(context.px(3.0))._replace(width=side - context.px(6.0))
    _thumbnail(context, canvas, shown, picture)
    clicked, pointed = context.button("query picture", chip._replace(width=chip.width - context.px(CROSS)))
    if picture.id >= 0 and pointed:
        context.pointed_id = picture.id
        canvas.outline(shown.inset(-0.5), theme.ACCENT, context.px(theme.ROUND_SMALL), 1.5)
    if picture.id >= 0 and clicked:
        context.requests += [FlyTo(picture.id), Select(picture.id)]
    colour = theme.INK if picture.vector is not None else theme.INK_FAINT
    canvas.text(
        shown.right + context.px(BEFORE_NAME), middle - context.px(theme.SMALL) / 2.0, told, theme.SMALL, colour
    )
    _away(context, canvas, Rect(chip.right - context.px(CROSS), chip.y, context.px(CROSS), chip.height))
    return chip.right


def _name(picture: QueryPicture) -> str:
    return READING if picture.vector is None else picture.name


def _thumbnail(context: PanelContext, canvas: Canvas, rect: Rect, picture: QueryPicture) -> None:
    if picture.id >= 0:
        context.image(canvas, rect, picture.id)
        return
    rounding = context.px(theme.ROUND_SMALL - 2.0)
    canvas.fill(rect, theme.PLATE, rounding)
    ref = context.thumbnails.picture_ref("query") if picture.preview is not None else None
    if ref is not None and picture.preview is not None:
        height, width = picture.preview.shape[:2]
        canvas.cropped(rect, ref, width / height, rounding)


def _away(context: PanelContext, canvas: Canvas, rect: Rect) -> None:
    clicked, pointed = context.button("forget picture", rect)
    cross(
        canvas, (rect.centre[0] - context.px(2.0), rect.centre[1]), theme.INK if pointed else theme.INK_SOFT, size=0.8
    )
    if clicked:
        context.requests.append(ForgetPicture())
