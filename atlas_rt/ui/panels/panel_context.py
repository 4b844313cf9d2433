"""What the panels of one frame share: what is shown, how large, and what the person asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from imgui_bundle import imgui

from atlas_rt.core.hud import Hud
from atlas_rt.core.requests import FlyTo, MoreLike, Request, Select
from atlas_rt.ui import theme
from atlas_rt.ui.panels.canvas import Canvas, Rect, Thumbnails, Type

WINDOW_FLAGS = (
    imgui.WindowFlags_.no_decoration
    | imgui.WindowFlags_.no_background
    | imgui.WindowFlags_.no_move
    | imgui.WindowFlags_.no_saved_settings
    | imgui.WindowFlags_.no_focus_on_appearing
    | imgui.WindowFlags_.no_scroll_with_mouse
)


@dataclass(slots=True)
class PanelContext:
    """One frame.

    requests: what it led to. covered: where panels lie. pointed_id: the image under the pointer in one of them;
    pointed_beside: what is told of it stands beside this, None: beside its card on the map.
    """

    hud: Hud
    type: Type
    thumbnails: Thumbnails
    requests: list[Request] = field(default_factory=list)
    covered: list[Rect] = field(default_factory=list)
    pointed_id: int = -1
    pointed_beside: Rect | None = None

    @property
    def size(self) -> tuple[float, float]:
        """Of the window, in pixels."""
        return float(self.hud.size_px[0]), float(self.hud.size_px[1])

    def px(self, length: float) -> float:
        """A length in scaled pixels."""
        return length * self.type.scale

    @contextmanager
    def panel(
        self,
        name: str,
        rect: Rect,
        *,
        alpha: float = 1.0,
        glass: bool = True,
        raised: bool = False,
        covers: bool = True,
    ) -> Iterator[Canvas]:
        """A panel at its place; the pointer over it is the panel's, not the map's. raised: put it above the others.
        covers: what it covers is not free for the map, nor for other panels."""
        if raised:
            imgui.set_next_window_focus()
        imgui.set_next_window_pos((rect.x, rect.y))
        imgui.set_next_window_size((rect.width, rect.height))
        imgui.begin(name, None, WINDOW_FLAGS)
        draw_list = imgui.get_window_draw_list()
        draw_list.push_clip_rect_full_screen()  # the shadow lies outside
        canvas = Canvas(draw_list, self.type, alpha)
        if glass:
            canvas.glass(rect)
        if covers:
            self.covered.append(rect)
        yield canvas
        draw_list.pop_clip_rect()
        imgui.end()

    def free_span(self, top: float, bottom: float) -> tuple[float, float]:
        """Left and right end of what no panel covers between two heights, around the window's middle."""
        left, right = 0.0, self.size[0]
        for rect in self.covered:
            if rect.y < bottom and top < rect.bottom:
                if rect.centre[0] < self.size[0] / 2.0:
                    left = max(left, rect.right)
                else:
                    right = min(right, rect.x)
        return left, right

    def under(self) -> Canvas:
        """The canvas below every panel, right over the map."""
        return Canvas(imgui.get_background_draw_list(), self.type)

    def over(self, alpha: float = 1.0) -> Canvas:
        """The canvas above every panel."""
        return Canvas(imgui.get_foreground_draw_list(), self.type, alpha)

    def button(self, key: str, rect: Rect) -> tuple[bool, bool]:
        """An invisible button: (clicked, pointed at)."""
        imgui.set_cursor_screen_pos((rect.x, rect.y))
        clicked = imgui.invisible_button(key, (rect.width, rect.height))
        return clicked, imgui.is_item_hovered()

    def tip(self, place: Rect, text: str) -> None:
        """What a sign does, above it, while the pointer rests on it."""
        canvas, width = self.over(), self.type.width(text, theme.CAPTION) + self.px(16.0)
        x = min(max(place.centre[0] - width / 2.0, 0.0), self.size[0] - width)
        rect = Rect(x, place.y - self.px(24.0), width, self.px(24.0))
        canvas.fill(rect, theme.rgba(34, 39, 54, 0.98), self.px(6.0))
        canvas.text_in(rect, text, theme.CAPTION, theme.INK)

    def labelled_button(self, canvas: Canvas, rect: Rect, label: str, *, accent: bool = False) -> bool:
        """A button with its label. accent: the one that is meant."""
        clicked, pointed = self.button(label, rect)
        rounding = self.px(theme.ROUND_SMALL)
        if accent:
            canvas.fill(rect, theme.faded(theme.ACCENT, 1.0 if pointed else 0.9), rounding)
        else:
            canvas.fill(rect, theme.FILL_HOVER if pointed else theme.FILL, rounding)
            canvas.outline(rect.inset(0.5), theme.RIM, rounding)
        canvas.text_in(rect, label, theme.SMALL, theme.ACCENT_INK if accent else theme.INK, strong=True)
        return clicked

    def image(self, canvas: Canvas, rect: Rect, id_: int, *, dimmed: bool = False) -> None:
        """An image's thumbnail covering a rectangle, or its empty plate."""
        rounding = self.px(theme.ROUND_SMALL)
        ref = self.thumbnails.ref(id_)
        canvas.fill(rect, theme.PLATE, rounding)
        if ref:
            canvas.cropped(rect, ref, self.thumbnails.aspect(id_), rounding, alpha=0.4 if dimmed else 1.0)

    def image_button(self, canvas: Canvas, rect: Rect, id_: int, *, chosen: bool = False, dimmed: bool = False) -> None:
        """A thumbnail that rings its node while the pointer rests on it and flies there at a click. The right button
        finds more like it."""
        clicked, pointed = self.button(f"image {id_}", rect)
        self.image(canvas, rect, id_, dimmed=dimmed and not pointed)
        rounding = self.px(theme.ROUND_SMALL)
        if chosen or pointed:
            canvas.outline(rect.inset(self.px(-1.0)), theme.ACCENT, rounding + self.px(1.0), 2.0)
        else:
            canvas.outline(rect.inset(0.5), theme.RIM, rounding)
        if pointed:
            self.pointed_id = id_
        if clicked:
            self.requests += [FlyTo(id_), Select(id_)]
        elif pointed and imgui.is_mouse_clicked(imgui.MouseButton_.right):
            self.requests.append(MoreLike(id_))


class Fade:
    """A value between 0 and 1 that goes to where it should be in some tenths of a second."""

    def __init__(self, secs: float = 0.14) -> None:
        self.value, self._secs = 0.0, secs

    def advance(self, shown: bool, hud: Hud) -> float:
        """One frame towards 1 if shown, 0 if not; at once with reduced motion."""
        step = 1.0 if hud.reduced_motion else hud.dt_secs / self._secs
        self.value = min(self.value + step, 1.0) if shown else max(self.value - step, 0.0)
        return self.value
