"""The names of keys: from pyglet's symbols and the hardware's keycodes to the words that `core.controls` uses.

A symbol is what a key means in the person's layout, a keycode where it lies. Motion goes by place (W A S D stay under
the same fingers on every keyboard), everything else by character.
"""

from __future__ import annotations

from atlas_rt.core.controls import ACTIONS, BY_CHORD, WHILE_LOOKING
from atlas_rt.ui.input import Modifiers
from atlas_rt.ui.key_places import places
from atlas_rt.ui.toolkit import key

NAMED: dict[int, str] = {
    key.RETURN: "Enter",
    key.NUM_ENTER: "Enter",
    key.TAB: "Tab",
    key.ESCAPE: "Esc",
    key.BACKSPACE: "Backspace",
    key.DELETE: "Delete",
    key.INSERT: "Insert",
    key.HOME: "Home",
    key.END: "End",
    key.PAGEUP: "PageUp",
    key.PAGEDOWN: "PageDown",
    key.LEFT: "Left",
    key.RIGHT: "Right",
    key.UP: "Up",
    key.DOWN: "Down",
    key.SPACE: "Space",
    key.LSHIFT: "Shift",
    key.RSHIFT: "Shift",
    key.LCTRL: "Ctrl",
    key.RCTRL: "Ctrl",
    key.LALT: "Alt",
    key.RALT: "Alt",
    **{getattr(key, f"F{number}"): f"F{number}" for number in range(1, 13)},
}
"""Keys that give no character, by symbol."""

PLACES = places()
"""The hardware's keycodes on this system to the name of that place on a US keyboard."""

MOTION: dict[str, str] = {chord: action.name for action in ACTIONS if action.held for chord in action.chords}
"""Keys and chords that act as long as they are down."""

TEXT_CHORDS = frozenset(
    {"Ctrl+A", "Ctrl+C", "Ctrl+V", "Ctrl+X", "Ctrl+Y", "Ctrl+Z", "Ctrl+Shift+Z", "Left", "Right", "Up", "Down"}
)
"""What a text field does itself while it has the focus."""


def modifiers_of(bits: int) -> Modifiers:
    """pyglet's modifier bits in words. Command counts as Ctrl, as on a Mac it does."""
    return Modifiers(
        ctrl=bool(bits & (key.MOD_CTRL | key.MOD_COMMAND)),
        shift=bool(bits & key.MOD_SHIFT),
        alt=bool(bits & key.MOD_ALT),
    )


def name_of(symbol: int, keycode: int | None = None) -> str:
    """A key's name: what is printed on it in the person's layout, or its place where that is no Latin letter."""
    if name := NAMED.get(symbol):
        return name
    if 0x20 < symbol < 0x7F:
        return chr(symbol).upper()
    return "" if keycode is None else PLACES.get(keycode, "")


def place_of(symbol: int, keycode: int | None = None) -> str:
    """A key's place, named as on a US keyboard; systems that give no keycode fall back to the name."""
    return name_of(symbol) if keycode is None else PLACES.get(keycode, "")


def chord_of(name: str, modifiers: Modifiers) -> str:
    """The way a person writes it, "Ctrl+Alt+Q". Shift counts with keys that give no character."""
    parts = [word for word, down in (("Ctrl", modifiers.ctrl), ("Alt", modifiers.alt)) if down]
    if modifiers.shift and (parts or len(name) > 1):
        parts.append("Shift")
    return "+".join([*parts, name])


def look_action_of(chord: str) -> str:
    """The action a chord asks for while a picture is looked at whole; empty where it means what it always does."""
    return WHILE_LOOKING[chord].name if chord in WHILE_LOOKING else ""


def action_of(chord: str) -> str:
    """The action a chord asks for, empty for none or for one that acts while it is held."""
    action = BY_CHORD.get(chord)
    return action.name if action and not action.held else ""
