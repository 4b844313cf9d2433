"""Hears pyglet's events and tells them as one `Input` a frame.

The method names are pyglet's. Plain characters become actions when their text arrives, not when their key goes down: so
"/" is found wherever a layout keeps it, and a dead key is no action. A key's repeats arrive as text without a press
before them and are no second action.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path

from atlas_rt.core.controls import BY_NAME
from atlas_rt.core.plain_text import JOINERS
from atlas_rt.ui import keys
from atlas_rt.ui.input import Button, Click, Event, Input, KeyStroke, Modifiers, Point, PointerMoved, Typed, Wheel
from atlas_rt.ui.toolkit import mouse

BUTTONS: dict[int, str] = {mouse.LEFT: "left", mouse.RIGHT: "right", mouse.MIDDLE: "middle"}
DRAG_PX = 4.0
"""Farther than this from where a button went down it is a drag, and no click."""
DOUBLE_CLICK_SECS = 0.4
OPENS_TEXT = frozenset({"search", "rename_cluster", "palette", "bookmark"})
"""Actions after which letters are text."""
HANDLED = True
"""What a handler returns to keep pyglet's own from running: that one closes the window at Escape."""


class Listener:
    """Gathers what happens between two frames. Owned by the window; main thread only.

    text_focused: letters are text. Set by the window; an action that opens a text field sets it for the rest of the
    batch. looking: a picture is looked at whole, so that keys mean first what they do there. Set by the window.
    """

    def __init__(
        self,
        *,
        height_px: Callable[[], float],
        keycode: Callable[[], int | None],
        kiosk: bool = False,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._height_px, self._keycode, self._kiosk, self._clock = height_px, keycode, kiosk, clock
        self._text_focused = False
        self.looking = False
        self._held: dict[str, str] = {}  # place of the key -> action
        self._modifiers = Modifiers()
        self._pressed_at: dict[str, Point] = {}
        self._dragged: set[str] = set()
        self._last_click: tuple[str, Point, float] | None = None
        self._pointer: Point | None = None
        self._focused = self._visible = True
        self._fresh_place: str | None = None
        self._active_at = clock()
        self._start_frame()

    def _start_frame(self) -> None:
        self._events: list[Event] = []
        self._actions: list[str] = []
        self._clicks: list[Click] = []
        self._drops: list[str] = []
        self._drag: dict[str, Point] = {}
        self._closed = self._exposed = False

    @property
    def text_focused(self) -> bool:
        return self._text_focused

    @text_focused.setter
    def text_focused(self, focused: bool) -> None:
        if focused and not self._text_focused:
            self._held.clear()
        self._text_focused = focused

    def take(self) -> Input:
        """Everything since the last call."""
        told = Input(
            held=frozenset(self._held.values()),
            actions=tuple(self._actions),
            pointer_px=self._pointer,
            clicks=tuple(self._clicks),
            drag_left_px=self._drag.get("left", (0.0, 0.0)),
            drag_right_px=self._drag.get("right", (0.0, 0.0)),
            wheel=sum(event.up for event in self._events if isinstance(event, Wheel)),
            drops=tuple(self._drops),
            modifiers=self._modifiers,
            closed=self._closed,
            exposed=self._exposed,
            focused=self._focused,
            visible=self._visible,
            idle_secs=self._clock() - self._active_at,
            text_focused=self._text_focused,
            events=tuple(self._events),
        )
        self._start_frame()
        return told

    # -- keyboard ------------------------------------------------------------------------------------------------------

    def on_key_press(self, symbol: int, bits: int) -> bool:
        self._touch()
        name, place = keys.name_of(symbol, self._keycode()), keys.place_of(symbol, self._keycode())
        modifiers = self._with_key(name, keys.modifiers_of(bits), down=True)
        self._events.append(KeyStroke(name, down=True, modifiers=modifiers))
        self._fresh_place = place
        chord = keys.chord_of(name, modifiers)
        if self._looks(chord):
            if len(name) > 1:  # a character comes as text
                self._ask(keys.look_action_of(chord))
        elif chord in keys.MOTION and (modifiers.ctrl or modifiers.alt):
            self._held[place] = keys.MOTION[chord]
        elif place in keys.MOTION and not (modifiers.ctrl or modifiers.alt or self._text_focused):
            self._held[place] = keys.MOTION[place]
        elif len(chord) > 1 and not (self._text_focused and chord in keys.TEXT_CHORDS):
            self._ask(keys.action_of(chord))
        return HANDLED

    def on_key_release(self, symbol: int, bits: int) -> bool:
        self._touch()
        name, place = keys.name_of(symbol, self._keycode()), keys.place_of(symbol, self._keycode())
        self._events.append(
            KeyStroke(name, down=False, modifiers=self._with_key(name, keys.modifiers_of(bits), down=False))
        )
        self._held.pop(place, None)
        if name in {"Ctrl", "Alt"}:  # a chord that is held ends with any of its keys
            self._held = {key: action for key, action in self._held.items() if keys.MOTION.get(key) == action}
        return HANDLED

    def on_text(self, text: str) -> bool:
        self._touch()
        fresh, self._fresh_place = self._fresh_place, None
        if not all(each.isprintable() or each in JOINERS for each in text):
            return HANDLED
        if self._text_focused:
            self._events.append(Typed(text))
        elif fresh is not None and self._looks(chord := self._chord_of(text, fresh)):
            self._ask(keys.look_action_of(chord))
        elif fresh is not None and fresh not in keys.MOTION:
            self._ask(keys.action_of(text.upper() if text.isascii() else fresh))
        return HANDLED

    def _looks(self, chord: str) -> bool:
        return self.looking and not self._text_focused and bool(keys.look_action_of(chord))

    def _chord_of(self, text: str, place: str) -> str:
        """A typed character as a chord, known by its key's place in other scripts: only with letters Shift counts."""
        character = text.upper() if text.isascii() else place
        return f"Shift+{character}" if character.isalpha() and self._modifiers.shift else character

    def _with_key(self, name: str, modifiers: Modifiers, *, down: bool) -> Modifiers:
        """The modifiers after this key: X11 tells those from before it."""
        self._modifiers = Modifiers(
            ctrl=down if name == "Ctrl" else modifiers.ctrl,
            shift=down if name == "Shift" else modifiers.shift,
            alt=down if name == "Alt" else modifiers.alt,
        )
        return self._modifiers

    def _ask(self, action: str) -> None:
        if not action or (self._kiosk and not BY_NAME[action].kiosk):
            return
        self._actions.append(action)
        if action in OPENS_TEXT:
            self.text_focused = True

    # -- mouse ---------------------------------------------------------------------------------------------------------

    def on_mouse_motion(self, x: float, y: float, _dx: float, _dy: float) -> bool:
        self._move_to(x, y)
        return HANDLED

    def on_mouse_enter(self, x: float, y: float) -> bool:
        return self.on_mouse_motion(x, y, 0, 0)

    def on_mouse_leave(self, _x: float, _y: float) -> bool:
        self._pointer = None
        self._events.append(PointerMoved(None))
        return HANDLED

    def on_mouse_press(self, x: float, y: float, button: int, bits: int) -> bool:
        at_px, name = self._move_to(x, y), BUTTONS.get(button)
        if name:
            self._modifiers = keys.modifiers_of(bits)
            self._events.append(Button(name, down=True, at_px=at_px, modifiers=self._modifiers))
            self._pressed_at[name] = at_px
            self._dragged.discard(name)
        return HANDLED

    def on_mouse_drag(self, x: float, y: float, dx: float, dy: float, _buttons: int, _bits: int) -> bool:
        at_px = self._move_to(x, y)
        for name, start_px in self._pressed_at.items():
            if name in self._dragged:
                across, down = self._drag.get(name, (0.0, 0.0))
                self._drag[name] = (across + dx, down - dy)
            elif _distance(at_px, start_px) > DRAG_PX:
                self._dragged.add(name)
        return HANDLED

    def on_mouse_release(self, x: float, y: float, button: int, bits: int) -> bool:
        at_px, name = self._move_to(x, y), BUTTONS.get(button)
        if name:
            modifiers = keys.modifiers_of(bits)
            self._events.append(Button(name, down=False, at_px=at_px, modifiers=modifiers))
            if self._pressed_at.pop(name, None) is not None and name not in self._dragged:
                self._click(name, at_px, modifiers)
        return HANDLED

    def on_mouse_scroll(self, x: float, y: float, across: float, up: float) -> bool:
        self._move_to(x, y)
        self._events.append(Wheel(across, up))
        return HANDLED

    def _click(self, button: str, at_px: Point, modifiers: Modifiers) -> None:
        now, last = self._clock(), self._last_click
        double = (
            last is not None
            and last[0] == button
            and _distance(last[1], at_px) <= DRAG_PX
            and now - last[2] <= DOUBLE_CLICK_SECS
        )
        self._last_click = None if double else (button, at_px, now)
        self._clicks.append(Click(button, at_px, modifiers, count=2 if double else 1))

    def _move_to(self, x: float, y: float) -> Point:
        self._touch()
        at_px = (float(x), float(self._height_px() - 1 - y))
        if at_px != self._pointer:
            self._pointer = at_px
            self._events.append(PointerMoved(at_px))
        return at_px

    # -- window --------------------------------------------------------------------------------------------------------

    def on_file_drop(self, _x: float, _y: float, paths: list[str]) -> bool:
        self._touch()
        self._drops.extend(str(Path(path).absolute()) for path in paths if path and Path(path).exists())
        return HANDLED

    def on_close(self) -> bool:
        self._closed = not self._kiosk
        return HANDLED

    def on_resize(self, _width: int, _height: int) -> bool:
        self._exposed = True
        return HANDLED

    def on_expose(self) -> bool:
        self._exposed = True
        return HANDLED

    def on_activate(self) -> bool:
        self._focused = True
        return HANDLED

    def on_deactivate(self) -> bool:
        """Let every key go: their releases will go to another window."""
        self._focused = False
        self._held.clear()
        self._modifiers = Modifiers()
        return HANDLED

    def on_show(self) -> bool:
        self._visible = self._exposed = True
        return HANDLED

    def on_hide(self) -> bool:
        self._visible = False
        return HANDLED

    def _touch(self) -> None:
        self._active_at = self._clock()


def _distance(a: Point, b: Point) -> float:
    return math.dist(a, b)
