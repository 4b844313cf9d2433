"""Lines of text that Dear ImGui cannot draw by itself: right to left, joined, stacked, in colour.

Nearly all text is simple: our own font has it, one glyph for each character, and Dear ImGui draws it. All else is
shaped and drawn once (`typesetting`), 0.6 ms a line, and its picture is kept in Dear ImGui's own texture, so that it
costs one or two rectangles a frame. No texture of ours has to be uploaded, and panels at rest stay in their layer.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

from imgui_bundle import imgui

from atlas_rt.typesetting.glyph_pictures import Pixels, draw_line
from atlas_rt.typesetting.shaping import Line, Shaper
from atlas_rt.typesetting.system_fonts import SystemFonts, open_own_font
from atlas_rt.ui.fonts import EM, REGULAR, STRONG

KEPT_PIXELS = 1 << 20
"""Of pictures of lines, 4 MB: some 500 lines, the least recently drawn giving way."""
WHITE = 0x00FFFFFF
Key = tuple[str, bool, float]
"""Text, whether it is strong, pixels of an em."""


class Kept(NamedTuple):
    """A picture in the texture. rect: its number there, -1 where it had no room."""

    rect: int
    pixels: Pixels


class ShapedText:
    """Shapes and draws the lines of one Dear ImGui context. Main thread.

    system: where fonts come from; another one may look for them on a thread.
    """

    REMEMBERED = 2048

    def __init__(self, system: SystemFonts | None = None) -> None:
        self._system = system or SystemFonts()
        self._shapers = {
            strong: Shaper(open_own_font(path), self._system) for strong, path in ((False, REGULAR), (True, STRONG))
        }
        self._lines: dict[tuple[str, bool], Line | None] = {}
        self._kept: OrderedDict[Key, tuple[Kept, ...]] = OrderedDict()
        self._kept_pixels = 0
        self._changes = self._system.changes

    def is_simple(self, text: str) -> bool:
        """Whether Dear ImGui draws it."""
        return text.isascii() or self._shapers[False].is_simple(text)

    def line(self, text: str, *, strong: bool = False) -> Line | None:
        """The text shaped; None where it is simple."""
        key = (text, strong)
        if key not in self._lines:
            if len(self._lines) >= self.REMEMBERED:
                self._lines.clear()
            shaper = self._shapers[strong]
            self._lines[key] = None if shaper.is_simple(text) else shaper.shape(text)
        return self._lines[key]

    def refresh(self) -> bool:
        """Before a frame: whether fonts were found since the last one, so that all is to be measured again."""
        if self._changes == self._system.changes:
            return False
        self._changes = self._system.changes
        self._lines = {key: line for key, line in self._lines.items() if line is None or line.complete}
        return True

    def draw(
        self,
        target: imgui.ImDrawList,
        at_px: tuple[float, float],
        text: str,
        line: Line,
        height_px: float,
        colour: int,
        *,
        strong: bool = False,
    ) -> None:
        """at_px: the top left corner of the line; height_px: of the line, as Dear ImGui counts."""
        if not line.complete:
            return
        density = imgui.get_io().display_framebuffer_scale.x
        fonts = imgui.get_io().fonts
        base = fonts.fonts[1 if strong else 0].get_font_baked(height_px).ascent
        x, y = float(int(at_px[0])), float(int(at_px[1])) + base
        rect = imgui.ImFontAtlasRect()
        for kept in self._pictures((text, strong, round(EM * height_px * density, 2)), line):
            if kept.rect < 0 or not fonts.get_custom_rect(kept.rect, rect):
                continue
            pixels = kept.pixels
            left, top = x + pixels.left / density, y + pixels.top / density
            ends = left + rect.w / density, top + rect.h / density
            tint = colour if pixels.tinted else colour | WHITE
            texture = fonts.tex_data.get_tex_ref()
            target.add_image(texture, (left, top), ends, rect.uv0, rect.uv1, tint)

    def _pictures(self, key: Key, line: Line) -> tuple[Kept, ...]:
        known = self._kept.get(key)
        if known is not None:
            self._kept.move_to_end(key)
            return known
        made = tuple(Kept(_put(pixels), pixels) for pixels in draw_line(line, key[2], strong=key[1]))
        self._kept[key] = made
        self._kept_pixels += _size(made)
        while self._kept_pixels > KEPT_PIXELS and len(self._kept) > 1:
            _, dropped = self._kept.popitem(last=False)
            self._kept_pixels -= _size(dropped)
            for each in dropped:
                if each.rect >= 0:
                    imgui.get_io().fonts.remove_custom_rect(each.rect)
        return made


def _put(pixels: Pixels) -> int:
    """Copy a picture into the texture. Returns its number there, -1 where it has no room."""
    height, width = pixels.rgba.shape[:2]
    fonts, rect = imgui.get_io().fonts, imgui.ImFontAtlasRect()
    number: int = fonts.add_custom_rect(width, height, rect)
    if number >= 0:
        data = fonts.tex_data
        texels = data.get_pixels_array().reshape(data.height, data.width, data.bytes_per_pixel)
        texels[rect.y : rect.y + height, rect.x : rect.x + width] = pixels.rgba
        imgui.internal.im_texture_data_queue_upload(data, rect.x, rect.y, width, height)
    return number


def _size(pictures: tuple[Kept, ...]) -> int:
    return sum(each.pixels.rgba.shape[0] * each.pixels.rgba.shape[1] for each in pictures)
