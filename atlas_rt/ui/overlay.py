"""Dear ImGui over the map: hears the window's input, shows the panels through its native OpenGL back end.

    overlay.hear(told)                                    # what the person did
    overlay.begin(window.size_px, scale=..., dt_secs=...)
    requests = panels.build(hud)
    overlay.draw(framebuffer)

It needs a current OpenGL context, of a window or headless alike, and leaves OpenGL's state as it found it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from imgui_bundle import ImVec2, imgui
from imgui_bundle.imgui import backends

from atlas_rt.errors import MissingError
from atlas_rt.ui.fonts import load_fonts
from atlas_rt.ui.input import Button, Event, Input, KeyStroke, PointerMoved, Typed, Wheel
from atlas_rt.ui.panel_drawing import Layer, PanelDrawing, Usable
from atlas_rt.ui.theme import apply_theme, scale_theme

AWAY = -3.4e38
"""Dear ImGui's coordinate of a pointer that is elsewhere."""
BUTTONS = {"left": 0, "right": 1, "middle": 2}
KEYS: dict[str, imgui.Key] = {
    "Enter": imgui.Key.enter,
    "Backspace": imgui.Key.backspace,
    "Delete": imgui.Key.delete,
    "Insert": imgui.Key.insert,
    "Home": imgui.Key.home,
    "End": imgui.Key.end,
    "PageUp": imgui.Key.page_up,
    "PageDown": imgui.Key.page_down,
    "Left": imgui.Key.left_arrow,
    "Right": imgui.Key.right_arrow,
    "Up": imgui.Key.up_arrow,
    "Down": imgui.Key.down_arrow,
    **{letter: getattr(imgui.Key, letter.lower()) for letter in "ACVXYZ"},
}
"""What a text field does with keys. Esc and Tab are ours: Dear ImGui would undo the typing at Esc."""
DESIGN_PX = (1920.0, 1080.0)
"""Windows larger than this are taken to be looked at from farther away."""


def scale_for(size_px: tuple[int, int], dpi_scale: float = 1.0) -> float:
    """How large to draw the panels, in quarters: as the desktop wants it, or by the window's size."""
    fitting = min(size_px[0] / DESIGN_PX[0], size_px[1] / DESIGN_PX[1])
    return max(round(max(dpi_scale, fitting) * 4.0) / 4.0, 1.0)


class Overlay:
    """Owns one Dear ImGui context and its OpenGL objects. Main thread, context current.

    read_clipboard, write_clipboard: those of the window; without them Dear ImGui keeps a clipboard to itself.
    layer: where panels that do not change are kept as drawn; without one all are drawn in each frame.

    Raises MissingError where the back end does not start.
    """

    def __init__(
        self,
        *,
        read_clipboard: Callable[[], str] | None = None,
        write_clipboard: Callable[[str], None] | None = None,
        layer: Layer[Any] | None = None,
    ) -> None:
        self._context = imgui.create_context()
        imgui.set_current_context(self._context)
        self._io = imgui.get_io()
        self._io.set_ini_filename("")
        self._io.set_log_filename("")
        self._io.config_input_text_cursor_blink = False  # or an open field would have everything drawn for ever
        if not backends.opengl3_init("#version 330"):
            raise MissingError("the panels could not be set up in this OpenGL context: update the graphics driver")
        load_fonts()
        apply_theme()
        self._bridge_clipboard(read_clipboard, write_clipboard)
        self._waiting: list[Event] = []
        self._drawing = None if layer is None else PanelDrawing(layer)

    @property
    def wants_mouse(self) -> bool:
        """The pointer is over a panel, or drags something there. Fresh after `begin`."""
        return bool(self._io.want_capture_mouse)

    @property
    def wants_text(self) -> bool:
        """A text field has the focus. Late by up to two frames: see `Panels.wants_text`."""
        return bool(self._io.want_text_input)

    def hear(self, told: Input, *, text_focused: bool = False) -> None:
        """Pass on a frame's input.

        text_focused: a text field has the focus or is about to, as far as the window does not know it. Dear ImGui gives
        it two frames later and drops what is typed until then, so keys and text wait here meanwhile.
        """
        self._io.add_focus_event(told.focused)
        waits = (text_focused or told.text_focused) and not self._io.want_text_input
        for event in told.events:
            if isinstance(event, KeyStroke | Typed):
                self._waiting.append(event)
            else:
                self._pass_pointer(event)
        if waits:
            return
        for event in self._waiting:
            self._pass_key(event)
        self._waiting.clear()

    def begin(
        self, size_px: tuple[int, int], *, scale: float, dt_secs: float, framebuffer_px: tuple[int, int] | None = None
    ) -> None:
        """Start a frame of panels. size_px: window pixels; scale: see `scale_for`."""
        imgui.set_current_context(self._context)
        ratio = (framebuffer_px or size_px)[0] / size_px[0]
        self._io.display_size = ImVec2(*size_px)
        self._io.display_framebuffer_scale = ImVec2(ratio, ratio)
        self._io.delta_time = max(dt_secs, 1e-4)
        scale_theme(scale)
        backends.opengl3_new_frame()
        imgui.new_frame()

    def draw(self, target: Usable, *, pictures: int = 0) -> None:
        """End the frame and draw it over what the target holds. pictures: another number whenever the contents of a
        texture that panels show changed."""
        imgui.render()
        if self._drawing is not None:
            self._drawing.draw(imgui.get_draw_data(), target, pictures=pictures)
            return
        target.use()
        backends.opengl3_render_draw_data(imgui.get_draw_data())

    def release(self) -> None:
        """Let the OpenGL objects and the context go."""
        imgui.set_current_context(self._context)
        if self._drawing is not None:
            self._drawing.release()
        backends.opengl3_shutdown()
        imgui.destroy_context(self._context)

    def _bridge_clipboard(self, read: Callable[[], str] | None, write: Callable[[str], None] | None) -> None:
        platform = imgui.get_platform_io()
        if read:
            platform.platform_get_clipboard_text_fn = lambda _context: read()
        if write:
            platform.platform_set_clipboard_text_fn = lambda _context, text: write(text)

    def _pass_pointer(self, event: Event) -> None:
        if isinstance(event, PointerMoved):
            self._io.add_mouse_pos_event(*(event.at_px or (AWAY, AWAY)))
        elif isinstance(event, Button):
            self._io.add_mouse_pos_event(*event.at_px)
            self._io.add_mouse_button_event(BUTTONS[event.button], event.down)
        elif isinstance(event, Wheel):
            self._io.add_mouse_wheel_event(event.across, event.up)

    def _pass_key(self, event: Event) -> None:
        if isinstance(event, Typed):
            self._io.add_input_characters_utf8(event.text)
        elif isinstance(event, KeyStroke):
            self._io.add_key_event(imgui.Key.mod_ctrl, event.modifiers.ctrl)
            self._io.add_key_event(imgui.Key.mod_shift, event.modifiers.shift)
            self._io.add_key_event(imgui.Key.mod_alt, event.modifiers.alt)
            key = KEYS.get(event.key)
            # Dear ImGui takes one key and one character a frame where they alternate: plain letters are text enough.
            if key and (len(event.key) > 1 or event.modifiers.ctrl or not event.down):
                self._io.add_key_event(key, event.down)
