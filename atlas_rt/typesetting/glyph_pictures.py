"""A shaped line as pixels, by HarfBuzz's rasterizer: a mask for what takes the colour of the type, and a picture of
what has colours of its own (emoji)."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import uharfbuzz as hb
from PIL import Image, UnidentifiedImageError

from atlas_rt.core.arrays import Bytes
from atlas_rt.typesetting.shaping import Glyph, Line

WIDEST_PX = 4096
"""Of a picture; a line is cut there."""
BORDER_PX = 1
"""Empty around what is drawn."""
Box = tuple[int, int, int, int]
"""Left, bottom, right and top in pixels from the beginning of the base line, upwards."""


class Pixels(NamedTuple):
    """A picture of a line. rgba: (h, w, 4), the top row first, alpha not multiplied in. left, top: where its top left
    corner stands, from the beginning of the base line, down. tinted: it takes the colour of the type."""

    rgba: Bytes
    left: int
    top: int
    tinted: bool


def draw_line(line: Line, em_px: float, *, strong: bool = False) -> list[Pixels]:
    """Its pictures, at most one of each kind."""
    masked = [glyph for glyph in line.glyphs if not glyph.font.coloured]
    coloured = [glyph for glyph in line.glyphs if glyph.font.coloured]
    return [*_mask(masked, em_px, strong), *_colours(coloured, em_px)]


def _mask(glyphs: Iterable[Glyph], em_px: float, strong: bool) -> Iterable[Pixels]:
    raster = hb.RasterDraw()
    for glyph in glyphs:
        if glyph.x * em_px < WIDEST_PX:
            scale = em_px / glyph.font.upem
            raster.transform = scale, 0.0, 0.0, scale, glyph.x * em_px, glyph.y * em_px
            raster.draw_glyph(glyph.font.emboldened if strong else glyph.font.font, glyph.id)
    image = raster.render()
    if image is None or not image.extents.width or not image.extents.height:
        return
    extents = image.extents
    rows = np.frombuffer(image.buffer, np.uint8).reshape(extents.height, extents.stride)
    rgba = np.full((extents.height + 2 * BORDER_PX, extents.width + 2 * BORDER_PX, 4), 255, np.uint8)
    rgba[..., 3] = 0
    rgba[BORDER_PX:-BORDER_PX, BORDER_PX:-BORDER_PX, 3] = rows[::-1, : extents.width]
    top = -(extents.y_origin + extents.height)
    yield Pixels(rgba[:, :WIDEST_PX], extents.x_origin - BORDER_PX, top - BORDER_PX, tinted=True)


def _colours(glyphs: list[Glyph], em_px: float) -> Iterable[Pixels]:
    boxes = [(glyph, _box(glyph, em_px)) for glyph in glyphs]
    boxes = [(glyph, box) for glyph, box in boxes if box[0] < box[2] <= WIDEST_PX and box[1] < box[3]]
    if not boxes:
        return
    left, bottom = (min(box[place] for _, box in boxes) - BORDER_PX for place in (0, 1))
    right, top = (max(box[place] for _, box in boxes) + BORDER_PX for place in (2, 3))
    sheet = Image.new("RGBA", (right - left, top - bottom))
    for glyph, box in boxes:
        sheet.alpha_composite(_emoji(glyph, box, em_px), (box[0] - left, top - box[3]))
    yield Pixels(np.asarray(sheet), left, -top, tinted=False)


def _box(glyph: Glyph, em_px: float) -> Box:
    extents = glyph.font.font.get_glyph_extents(glyph.id)
    if extents is None:
        return 0, 0, 0, 0
    scale, x, y = em_px / glyph.font.upem, glyph.x * em_px, glyph.y * em_px
    return (
        math.floor(x + extents.x_bearing * scale),
        math.floor(y + (extents.y_bearing + extents.height) * scale),
        math.ceil(x + (extents.x_bearing + extents.width) * scale),
        math.ceil(y + extents.y_bearing * scale),
    )


def _emoji(glyph: Glyph, box: Box, em_px: float) -> Image.Image:
    """One glyph in its colours, from the picture that the font holds or from its painted layers."""
    size_px = box[2] - box[0], box[3] - box[1]
    stored = glyph.font.font.get_glyph_color_png(glyph.id)
    if stored is not None and len(stored):
        try:
            return (
                Image.open(io.BytesIO(stored.data), formats=("PNG",))
                .convert("RGBA")
                .resize(size_px, Image.Resampling.LANCZOS)
            )
        except (UnidentifiedImageError, OSError):
            return Image.new("RGBA", size_px)
    paint, scale = hb.RasterPaint(), em_px / glyph.font.upem
    paint.extents = hb.RasterExtents(box[0], box[1], *size_px, 0)
    paint.foreground = hb.Color(255, 255, 255, 255)
    paint.transform = scale, 0.0, 0.0, scale, glyph.x * em_px, glyph.y * em_px
    paint.paint_glyph(glyph.font.font, glyph.id)
    image = paint.render()
    if image is None:
        return Image.new("RGBA", size_px)
    rows = np.frombuffer(image.buffer, np.uint8).reshape(size_px[1], image.extents.stride // 4, 4)
    blue_first = rows[::-1, : size_px[0]].astype(np.float32)
    alpha = blue_first[..., 3:] / 255.0
    blue_first[..., :3] /= np.maximum(alpha, 1.0 / 255.0)
    return Image.fromarray(blue_first[..., (2, 1, 0, 3)].clip(0.0, 255.0).round().astype(np.uint8))
