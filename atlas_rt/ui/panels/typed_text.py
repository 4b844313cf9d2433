"""What is typed into a text field, drawn right where Dear ImGui could not: shaped, with its caret and selection.

Dear ImGui keeps the text and hears the keys; what it draws of it is made transparent. It would also take clicks to the
places of its own glyphs, so the caret of a click is put where the shaped line has it.
"""

from __future__ import annotations

from imgui_bundle import imgui

from atlas_rt.typesetting.shaping import Line
from atlas_rt.ui import theme
from atlas_rt.ui.fonts import EM
from atlas_rt.ui.panels.canvas import Canvas, Rect
from atlas_rt.ui.panels.panel_context import PanelContext

HIDDEN = (imgui.Col_.text, imgui.Col_.text_selected_bg, imgui.Col_.input_text_cursor)
CARET_PX = 1.5


class TypedText:
    """Of one field: how far its line is scrolled, and where a drag began."""

    def __init__(self) -> None:
        self._scroll_px = 0.0
        self._anchor = 0

    def build(
        self, context: PanelContext, name: str, prompt: str, text: str, box: Rect, size: float, flags: int = 0
    ) -> tuple[bool, str]:
        """A field that fills the box, whose height is that of its line: (what Dear ImGui returns for it, its text)."""
        imgui.push_font(context.type.fonts.regular, size)
        imgui.set_cursor_screen_pos((box.x, box.y))
        imgui.set_next_item_width(box.width)
        line = context.type.shaped.line(text) if text else None
        if line is not None:
            for each in HIDDEN:
                imgui.push_style_color(each, 0)
        told, typed = imgui.input_text_with_hint(name, prompt, text, flags)
        if line is not None:
            imgui.pop_style_color(len(HIDDEN))
        imgui.pop_font()
        line = context.type.shaped.line(typed) if line is not None and typed else None
        if line is None:
            self._scroll_px = 0.0
        else:
            self._draw(context, imgui.get_id(name), typed, line, box, size)
        return told, typed

    def _draw(self, context: PanelContext, id_: int, text: str, line: Line, box: Rect, size: float) -> None:
        em_px = EM * size * context.type.scale
        state = imgui.internal.get_input_text_state(id_) if imgui.is_item_active() else None
        canvas = Canvas(imgui.get_window_draw_list(), context.type)
        with canvas.clipped(box):
            caret_px = 0.0
            if state is not None:
                self._click(state, text, line, em_px, box)
                ends = _index(text, state.get_selection_start()), _index(text, state.get_selection_end())
                caret_px = line.caret(_index(text, state.get_cursor_pos())) * em_px
                self._scroll(caret_px, box.width)
                for left, right in line.spans(min(ends), max(ends)):
                    lit = box._replace(x=box.x - self._scroll_px + left * em_px, width=(right - left) * em_px)
                    canvas.fill(lit, theme.faded(theme.ACCENT, 0.34))
            canvas.text(box.x - self._scroll_px, box.y, text, size, theme.INK)
            if state is not None:
                x = box.x - self._scroll_px + caret_px
                canvas.line((x, box.y), (x, box.bottom), theme.ACCENT, context.px(CARET_PX))

    def _click(self, state: imgui.internal.InputTextState, text: str, line: Line, em_px: float, box: Rect) -> None:
        """Put caret and selection where the pointer is. Dear ImGui keeps what a double click selects."""
        if not imgui.is_mouse_down(0) or imgui.get_mouse_clicked_count(0) > 1:
            return
        index = line.index_at((imgui.get_mouse_pos().x - box.x + self._scroll_px) / em_px)
        if imgui.is_mouse_clicked(0):
            self._anchor = index
        anchor = min(self._anchor, len(text))
        if imgui.is_mouse_clicked(0) or imgui.is_mouse_dragging(0):
            state.set_selection(len(text[:anchor].encode()), len(text[:index].encode()))

    def _scroll(self, caret_px: float, width_px: float) -> None:
        """Keep the caret in sight."""
        self._scroll_px = max(min(self._scroll_px, caret_px), caret_px - width_px + CARET_PX, 0.0)


def _index(text: str, place: int) -> int:
    """A place among the bytes of UTF-8 as one among the characters."""
    return len(text.encode()[:place].decode("utf-8", "ignore"))
