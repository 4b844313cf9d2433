"""What panels draw with: rectangles, type, glass, pictures, all in window pixels that are already scaled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple, Protocol

from imgui_bundle import imgui

from atlas_rt.core.look import TileKey
from atlas_rt.typesetting.shaping import cut_before
from atlas_rt.ui import theme
from atlas_rt.ui.fonts import EM, Fonts
from atlas_rt.ui.shaped_text import ShapedText
from atlas_rt.ui.theme import Colour

TRIED = 1.5
"""As much of a text is tried at most as its share of the width says, times this."""
CUT_ABOVE = 0.2
"""Of what is cut off a picture that is too tall, the share that is cut above."""
SHADOW_UNDER = 8.0
"""How far a panel's shadow reaches under its edge."""
TextureRef = tuple[int, tuple[float, float], tuple[float, float]]
"""OpenGL texture name, texture coordinates of the picture's top left and bottom right corner."""


class Thumbnails(Protocol):
    """Where panels find pictures. Every picture fills its square: who shows it restores the aspect."""

    def ref(self, id_: int, /) -> TextureRef | None:
        """An image's thumbnail, None while there is none."""

    def picture_ref(self, name: str, /) -> TextureRef | None:
        """A single picture: "selected", the full one of the selected image, or "live", the camera's."""

    def tile_ref(self, key: TileKey, /) -> TextureRef | None:
        """A tile of a picture that is looked at whole."""

    def aspect(self, id_: int, /) -> float:
        """Width / height of an image's thumbnail."""


class Rect(NamedTuple):
    """A rectangle: its top left corner and its size."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height

    @property
    def centre(self) -> tuple[float, float]:
        return self.x + self.width / 2.0, self.y + self.height / 2.0

    def inset(self, by: float) -> Rect:
        return Rect(self.x + by, self.y + by, self.width - 2.0 * by, self.height - 2.0 * by)

    def overlaps(self, other: Rect) -> bool:
        return self.x < other.right and other.x < self.right and self.y < other.bottom and other.y < self.bottom

    def fitted(self, aspect: float) -> Rect:
        """The largest rectangle of this aspect within, centred."""
        width = min(self.width, self.height * aspect)
        height = width / aspect
        return Rect(self.x + (self.width - width) / 2.0, self.y + (self.height - height) / 2.0, width, height)


class Type:
    """Measures type at one scale. Remembers what it measured: most words are the same in every frame.

    scale: of everything drawn. shrunk: how much of the context's own scale that is, for what would not fit otherwise.
    shaped: what measures and draws text that is not simple.
    """

    REMEMBERED = 4096

    def __init__(self, fonts: Fonts, scale: float, shaped: ShapedText, *, shrunk: float = 1.0) -> None:
        self.fonts, self.scale, self.shaped, self._shrunk = fonts, scale * shrunk, shaped, shrunk
        self._widths: dict[tuple[str, float, bool], float] = {}
        self._fitted: dict[tuple[str, float, float, bool, bool], str] = {}

    def width(self, text: str, size: float, *, strong: bool = False) -> float:
        """How wide a line is. size: before scaling."""
        known = self._widths.get((text, size, strong))
        if known is not None:
            return known
        line = self.shaped.line(text, strong=strong)
        width = self._simple_width(text, size, strong) if line is None else line.width * EM * size * self.scale
        if len(self._widths) >= self.REMEMBERED:
            self._widths.clear()
        self._widths[text, size, strong] = width
        return width

    def _simple_width(self, text: str, size: float, strong: bool) -> float:
        imgui.push_font(self.fonts.strong if strong else self.fonts.regular, size * self._shrunk)
        width = float(imgui.calc_text_size(text).x)
        imgui.pop_font()
        return width

    def _width_of(self, words: Sequence[str], size: float, strong: bool) -> float:
        """How wide words are in one line. Where some have to be shaped each is measured alone: they come again."""
        joined = " ".join(words)
        if self.shaped.is_simple(joined):
            return self.width(joined, size, strong=strong)
        spaces = (len(words) - 1) * self.width(" ", size, strong=strong)
        return spaces + sum(self.width(word, size, strong=strong) for word in words)

    def fit(self, text: str, width: float, size: float, *, strong: bool = False, middle: bool = False) -> str:
        """The text, or as much of it as fits, with an ellipsis at its end or in its middle (for paths)."""
        key = (text, round(width), size, strong, middle)
        known = self._fitted.get(key)
        if known is None:
            if len(self._fitted) >= self.REMEMBERED:
                self._fitted.clear()
            known = self._fitted[key] = self._shortened(text, width, size, strong, middle)
        return known

    def _shortened(self, text: str, width: float, size: float, strong: bool, middle: bool) -> str:
        whole = self.width(text, size, strong=strong)
        if whole <= width:
            return text
        low, high = 0, len(text)  # how many characters stay
        if not self.shaped.is_simple(text):  # each try is shaped: begin near the end
            high = min(high, int(TRIED * len(text) * width / whole) + 1)
        while low < high:
            kept = (low + high + 1) // 2
            low, high = (
                (kept, high)
                if self.width(_elided(text, kept, middle), size, strong=strong) <= width
                else (low, kept - 1)
            )
        return _elided(text, low, middle)

    def lines(self, text: str, width: float, size: float, *, strong: bool = False, most: int = 3) -> list[str]:
        """The text in lines of whole words, the last one shortened if there would be more than `most`."""
        lines: list[str] = []
        rest = text.split()
        while rest and len(lines) < most:
            taken = 1
            while taken < len(rest) and self._width_of(rest[: taken + 1], size, strong) <= width:
                taken += 1
            last = len(lines) == most - 1
            line, rest = " ".join(rest if last else rest[:taken]), rest[len(rest) if last else taken :]
            lines.append(self.fit(line, width, size, strong=strong))
        return lines


def _elided(text: str, kept: int, middle: bool) -> str:
    if not middle:
        return text[: cut_before(text, kept)].rstrip() + "…"
    tail = (kept * 2) // 3  # the end of a path says more than its beginning
    return text[: cut_before(text, kept - tail)] + "…" + text[cut_before(text, len(text) - tail) :]


class Canvas:
    """Draws into one of Dear ImGui's draw lists. alpha: of everything drawn."""

    def __init__(self, draw_list: imgui.ImDrawList, type_: Type, alpha: float = 1.0) -> None:
        self._list, self.type, self.alpha = draw_list, type_, alpha

    def px(self, length: float) -> float:
        """A length in scaled pixels."""
        return length * self.type.scale

    def text(self, x: float, y: float, text: str, size: float, colour: Colour, *, strong: bool = False) -> float:
        """One line with its top left corner there. Returns where it ends."""
        self._add_text(x, y, text, size * self.type.scale, self._ink(colour), strong)
        return x + self.type.width(text, size, strong=strong)

    def text_right(self, right: float, y: float, text: str, size: float, colour: Colour) -> None:
        """One line that ends at `right`."""
        self.text(right - self.type.width(text, size), y, text, size, colour)

    def text_centred(
        self, centre: float, y: float, text: str, size: float, colour: Colour, *, strong: bool = False
    ) -> None:
        """One line around a vertical axis."""
        self.text(centre - self.type.width(text, size, strong=strong) / 2.0, y, text, size, colour, strong=strong)

    def text_in(self, rect: Rect, text: str, size: float, colour: Colour, *, strong: bool = False) -> None:
        """One line in the middle of a rectangle."""
        self.text_centred(
            rect.centre[0], rect.centre[1] - size * self.type.scale / 2.0, text, size, colour, strong=strong
        )

    def shadowed(
        self, x: float, y: float, text: str, size: float, colour: Colour, *, strong: bool = False, depth: float = 0.62
    ) -> None:
        """One line over the open map, with a soft dark edge so that it reads on white cards too."""
        edge = self.px(1.25)
        dark = theme.faded(theme.SHADOW, depth * (colour >> 24) / 255.0)
        size_px, dark = size * self.type.scale, self._ink(dark)
        for across, down in ((-edge, 0.0), (edge, 0.0), (0.0, -edge), (0.0, edge * 1.6)):
            self._add_text(x + across, y + down, text, size_px, dark, strong)
        self._add_text(x, y, text, size_px, self._ink(colour), strong)

    def _add_text(self, x: float, y: float, text: str, size_px: float, ink: Colour, strong: bool) -> None:
        line = self.type.shaped.line(text, strong=strong)
        if line is not None:
            self.type.shaped.draw(self._list, (x, y), text, line, size_px, ink, strong=strong)
            return
        fonts = self.type.fonts
        self._list.add_text(fonts.strong if strong else fonts.regular, size_px, (x, y), ink, text)

    def fill(self, rect: Rect, colour: Colour, rounding: float = 0.0) -> None:
        self._list.add_rect_filled((rect.x, rect.y), (rect.right, rect.bottom), self._ink(colour), rounding)

    def outline(self, rect: Rect, colour: Colour, rounding: float = 0.0, thickness: float = 1.0) -> None:
        """thickness: before scaling."""
        self._list.add_rect(
            (rect.x, rect.y), (rect.right, rect.bottom), self._ink(colour), rounding, thickness * self.type.scale
        )

    def line(self, a: tuple[float, float], b: tuple[float, float], colour: Colour, thickness: float = 1.0) -> None:
        self._list.add_line(a, b, self._ink(colour), thickness)

    def curve(self, points: Sequence[tuple[float, float]], colour: Colour, thickness: float) -> None:
        self._list.add_polyline(list(points), self._ink(colour), thickness, 0)

    def area(self, corners: Sequence[tuple[float, float]], colour: Colour) -> None:
        """A convex area."""
        self._list.add_convex_poly_filled(list(corners), self._ink(colour))

    def clip(self, rect: Rect) -> None:
        """Draw nothing outside of a rectangle, until `unclip`."""
        self._list.push_clip_rect((rect.x, rect.y), (rect.right, rect.bottom), True)

    def unclip(self) -> None:
        self._list.pop_clip_rect()

    def dot(self, centre: tuple[float, float], radius: float, colour: Colour) -> None:
        self._list.add_circle_filled(centre, radius, self._ink(colour))

    def ring(self, centre: tuple[float, float], radius: float, colour: Colour, thickness: float) -> None:
        self._list.add_circle(centre, radius, self._ink(colour), 0, thickness)

    def glass(self, rect: Rect, rounding: float = theme.ROUND) -> None:
        """A panel's ground: a wide soft shadow, dark glass, a thin rim."""
        rounding = self.px(rounding)
        for spread, alpha in ((10.0, 0.10), (5.0, 0.14), (2.0, 0.18)):
            # Bands instead of whole rectangles: three more layers under the glass cost software OpenGL a millisecond.
            grown, wide = self.px(spread), self.px(spread + SHADOW_UNDER)
            band = rect.inset(wide / 2.0 - grown)._replace(y=rect.y - grown * 0.6 + wide / 2.0)
            self.outline(band, theme.faded(theme.SHADOW, alpha), max(rounding + grown - wide / 2.0, 0.0), wide)
        self.fill(rect, theme.GLASS, rounding)
        self.outline(rect.inset(0.5), theme.RIM, rounding)

    def picture(self, rect: Rect, ref: TextureRef, rounding: float, *, alpha: float = 1.0) -> None:
        """A picture stretched into the rectangle."""
        texture, uv0, uv1 = ref
        self._list.add_image_rounded(
            imgui.ImTextureRef(texture),
            (rect.x, rect.y),
            (rect.right, rect.bottom),
            uv0,
            uv1,
            self._ink(theme.faded(0xFFFFFFFF, alpha)),
            rounding,
        )

    def quad(self, corners: Sequence[tuple[float, float]], ref: TextureRef) -> None:
        """A picture whose top left, top right, bottom right and bottom left corner stand there."""
        texture, (left, top), (right, bottom) = ref
        first, second, third, fourth = corners
        self._list.add_image_quad(
            imgui.ImTextureRef(texture), first, second, third, fourth,
            (left, top), (right, top), (right, bottom), (left, bottom), self._ink(0xFFFFFFFF),
        )  # fmt: skip

    @contextmanager
    def clipped(self, rect: Rect) -> Iterator[None]:
        """Draw only inside a rectangle meanwhile."""
        self._list.push_clip_rect((rect.x, rect.y), (rect.right, rect.bottom), intersect_with_current_clip_rect=True)
        yield
        self._list.pop_clip_rect()

    def cropped(self, rect: Rect, ref: TextureRef, aspect: float, rounding: float, *, alpha: float = 1.0) -> None:
        """A picture that covers the rectangle in its own aspect, cut at two sides: of a tall one mostly below, since
        heads are at the top."""
        texture, (left, top), (right, bottom) = ref
        wanted = rect.width / rect.height
        across, down = min(wanted / aspect, 1.0), min(aspect / wanted, 1.0)  # shares that are shown
        cut_x, cut_y = (right - left) * (1.0 - across) / 2.0, (bottom - top) * (1.0 - down)
        corners = (left + cut_x, top + cut_y * CUT_ABOVE), (right - cut_x, bottom - cut_y * (1.0 - CUT_ABOVE))
        self.picture(rect, (texture, *corners), rounding, alpha=alpha)

    def key_cap(self, x: float, y: float, text: str, size: float = theme.CAPTION) -> float:
        """A key as it lies on a keyboard. Returns where it ends."""
        width = max(self.type.width(text, size) + self.px(14.0), self.px(24.0))
        cap = Rect(x, y, width, self.px(size + 7.0))
        self.fill(cap._replace(y=y + self.px(1.5)), theme.rgba(0, 0, 0, 0.55), self.px(5.0))
        self.fill(cap, theme.rgba(48, 54, 72), self.px(5.0))
        self.outline(cap.inset(0.5), theme.rgba(255, 255, 255, 0.14), self.px(5.0))
        self.text_in(cap, text, size, theme.INK)
        return cap.right

    def _ink(self, colour: Colour) -> Colour:
        return colour if self.alpha >= 1.0 else theme.faded(colour, self.alpha)
