"""One line of text that is typed in a panel."""

from __future__ import annotations

from imgui_bundle import imgui

from atlas_rt.ui import theme
from atlas_rt.ui.panels.canvas import Rect
from atlas_rt.ui.panels.panel_context import PanelContext
from atlas_rt.ui.panels.typed_text import TypedText


class TextField:
    """A field whose text and the app's are one unless the app changes its own.

    text: what it holds.
    """

    def __init__(self, name: str) -> None:
        self._name = f"##{name}"
        self.text = self._told = ""
        self._asking = self._active = self._to_end = False
        self._asked_frames = 0
        self._id = 0
        self._typed = TypedText()

    @property
    def wants_text(self) -> bool:
        """It has the focus, or is about to."""
        return self._asking or self._active

    @property
    def active(self) -> bool:
        """It has the focus."""
        return self._active

    def focus(self, *, to_end: bool = False) -> None:
        """Give it the focus (again), with all of its text selected, or with the caret at its end."""
        self._asking, self._asked_frames, self._to_end = True, 2, to_end

    def leave(self, text: str) -> None:
        """It is not shown in this frame; this is the app's text."""
        self._asking = self._active = False
        self.text = self._told = text

    def adopt(self, text: str) -> None:
        """Take over a text that the app has set: it cleared it at Esc, or searched from elsewhere."""
        if text not in (self._told, self.text):
            self.text = text
            state = imgui.internal.get_input_text_state(self._id) if self._active else None
            if state:
                state.reload_user_buf_and_move_to_end()
        self._told = text

    def build(
        self, context: PanelContext, at_px: tuple[float, float], width: float, size: float, prompt: str = ""
    ) -> tuple[bool, bool]:
        """Show it with its left end's middle at a place: (changed, left).

        left: Enter was pressed in it, or a click elsewhere took the focus.
        """
        if self._asking and self._asked_frames >= 2:  # a second request would select what has been typed meanwhile
            imgui.set_keyboard_focus_here()
            self._asked_frames = 0
        self._asked_frames += 1
        self._id = imgui.get_id(self._name)
        shown = self.text.encode("utf-8", "replace").decode()  # bytes of a command line that are no text
        box = Rect(at_px[0], at_px[1] - context.px(size) / 2.0, width, context.px(size))
        changed, text = self._typed.build(context, self._name, prompt, shown, box, size)
        self._active = imgui.is_item_active()
        left = imgui.is_item_deactivated()
        self._asking &= not self._active
        if self._active and self._to_end:
            imgui.internal.get_input_text_state(self._id).reload_user_buf_and_move_to_end()
            self._to_end = False
        changed &= text != self.text
        if changed:
            self.text = text
        return changed, left

    @property
    def colour(self) -> theme.Colour:
        """Of what stands next to it, such as a magnifier."""
        return theme.ACCENT if self.wants_text else theme.INK_SOFT
