"""The colours and measures of everything that floats over the map: dark glass, quiet type, one warm accent.

Colours are packed as Dear ImGui wants them, alpha in the top byte. Lengths are pixels before scaling.
"""

from __future__ import annotations

from imgui_bundle import ImVec2, ImVec4, imgui

from atlas_rt.ui.fonts import SIZE_PX

Colour = int


def rgba(red: int, green: int, blue: int, alpha: float = 1.0) -> Colour:
    """A packed colour from sRGB bytes and an alpha of 0..1."""
    return round(alpha * 255) << 24 | blue << 16 | green << 8 | red


def faded(colour: Colour, alpha: float) -> Colour:
    """The colour with its alpha times `alpha`."""
    return (colour & 0x00FFFFFF) | round((colour >> 24) * min(max(alpha, 0.0), 1.0)) << 24


def mixed(rgb: tuple[int, int, int], other: tuple[int, int, int], share: float) -> tuple[int, int, int]:
    """`share` of the other colour in the first."""
    return (
        round(rgb[0] + (other[0] - rgb[0]) * share),
        round(rgb[1] + (other[1] - rgb[1]) * share),
        round(rgb[2] + (other[2] - rgb[2]) * share),
    )


ACCENT = rgba(255, 205, 132)
ACCENT_INK = rgba(34, 24, 8)
"""Writing on the accent."""
INK = rgba(238, 241, 248)
INK_SOFT = rgba(174, 183, 203)
INK_FAINT = rgba(126, 136, 160)
GOOD = rgba(140, 222, 182)
WARNING = rgba(255, 158, 128)
GLASS = rgba(12, 15, 25, 0.91)
"""Dense enough that small type stays legible over a white card."""
RIM = rgba(255, 255, 255, 0.09)
PILL_RIM = rgba(255, 255, 255, 0.2)
FILL = rgba(255, 255, 255, 0.06)
FILL_HOVER = rgba(255, 255, 255, 0.12)
PLATE = rgba(24, 28, 40)
"""Behind pictures, as on the cards."""
SHADOW = rgba(0, 0, 4, 1.0)
SCRIM = rgba(3, 4, 9, 0.62)

MARGIN = 16.0
"""Between panels and the window's edge."""
PAD = 16.0
ROUND = 14.0
ROUND_SMALL = 8.0

CAPTION, SMALL, BODY, TITLE, LARGE, HUGE = 14.0, 15.5, SIZE_PX, 20.0, 27.0, 44.0
"""Sizes of type, as heights of a line: 1.21 of the em."""


def apply_theme() -> None:
    """Dress the few widgets of Dear ImGui that show themselves: text fields and scroll bars."""
    style = imgui.get_style()
    imgui.style_colors_dark()
    style.font_size_base = SIZE_PX
    style.window_padding = ImVec2(0.0, 0.0)
    style.window_border_size = style.frame_border_size = style.child_border_size = 0.0
    style.window_min_size = ImVec2(1.0, 1.0)
    style.frame_padding = ImVec2(0.0, 0.0)
    style.item_spacing = ImVec2(0.0, 0.0)
    style.scrollbar_rounding = 4.0
    style.input_text_cursor_size = 1.5
    clear = ImVec4(0.0, 0.0, 0.0, 0.0)
    for place in (
        imgui.Col_.window_bg,
        imgui.Col_.child_bg,
        imgui.Col_.frame_bg,
        imgui.Col_.frame_bg_hovered,
        imgui.Col_.frame_bg_active,
        imgui.Col_.scrollbar_bg,
        imgui.Col_.nav_cursor,
    ):
        style.set_color_(place, clear)
    style.set_color_(imgui.Col_.text, _vector(INK))
    style.set_color_(imgui.Col_.text_disabled, _vector(INK_FAINT))
    style.set_color_(imgui.Col_.text_selected_bg, _vector(faded(ACCENT, 0.34)))
    style.set_color_(imgui.Col_.input_text_cursor, _vector(ACCENT))
    style.set_color_(imgui.Col_.scrollbar_grab, _vector(FILL_HOVER))


def scale_theme(scale: float) -> None:
    """Set how large everything is drawn; canvases read it back from the same place."""
    style = imgui.get_style()
    style.font_scale_dpi = scale
    style.scrollbar_size = 8.0 * scale


def _vector(colour: Colour) -> ImVec4:
    return ImVec4(*(((colour >> shift) & 0xFF) / 255.0 for shift in (0, 8, 16, 24)))
