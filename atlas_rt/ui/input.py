"""What a person did since the last frame, frozen: the window makes it, the app and the overlay read it.

Positions are window pixels from the top left corner.
"""

from __future__ import annotations

from dataclasses import dataclass

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Modifiers:
    """The modifier keys that were down."""

    ctrl: bool = False
    shift: bool = False
    alt: bool = False


@dataclass(frozen=True, slots=True)
class KeyStroke:
    """A key went down or up. key: its name as in `keys`, "A", "F1", "Backspace"."""

    key: str
    down: bool
    modifiers: Modifiers


@dataclass(frozen=True, slots=True)
class Typed:
    """Characters were committed, by a key, a dead key or an input method."""

    text: str


@dataclass(frozen=True, slots=True)
class PointerMoved:
    """The pointer is here; None: it left the window."""

    at_px: Point | None


@dataclass(frozen=True, slots=True)
class Button:
    """A mouse button went down or up. button: "left", "right" or "middle"."""

    button: str
    down: bool
    at_px: Point
    modifiers: Modifiers


@dataclass(frozen=True, slots=True)
class Wheel:
    """The wheel turned, in notches; up and right are positive."""

    across: float
    up: float


Event = KeyStroke | Typed | PointerMoved | Button | Wheel


@dataclass(frozen=True, slots=True)
class Click:
    """A button went down and up again without a drag between. count: 2 for the second click of a double-click."""

    button: str
    at_px: Point
    modifiers: Modifiers
    count: int


@dataclass(frozen=True, slots=True)
class Input:
    """One frame's input.

    held: actions whose key is down ("forward", "leave_kiosk"). actions: actions asked for, in their order, by name.
    pointer_px: None outside the window. drag_left_px, drag_right_px: how far the pointer was dragged this frame, to the
    right and down.
    wheel: notches, up is positive. drops: absolute paths of files and folders. idle_secs: since the last input.
    exposed: the window was resized, uncovered or shown again, so what it showed is lost.
    visible: False while the window is minimised. text_focused: letters were text, at least at the end. events: all of
    it in order, for the overlay.
    """

    held: frozenset[str] = frozenset()
    actions: tuple[str, ...] = ()
    pointer_px: Point | None = None
    clicks: tuple[Click, ...] = ()
    drag_left_px: Point = (0.0, 0.0)
    drag_right_px: Point = (0.0, 0.0)
    wheel: float = 0.0
    drops: tuple[str, ...] = ()
    modifiers: Modifiers = Modifiers()
    closed: bool = False
    exposed: bool = False
    focused: bool = True
    visible: bool = True
    idle_secs: float = 0.0
    text_focused: bool = False
    events: tuple[Event, ...] = ()
