"""The rules of a kiosk.

Only a chord held for three seconds leaves; when a visitor has gone, the next one finds a fresh start.
"""

from __future__ import annotations

from dataclasses import dataclass

LEAVE_SECS = 3.0
POINTER_SECS = 3.0
"""A pointer that rests this long is hidden; it is hidden at the start too."""


@dataclass(frozen=True, slots=True)
class KioskOrder:
    """What the rules want done in this frame.

    home: return to the start, told once after each visit.
    """

    home: bool
    leave: bool
    pointer_visible: bool


class Kiosk:
    """Follows one kiosk window. Knows no clock: each frame tells how much time has passed."""

    def __init__(self, *, idle_secs: float) -> None:
        self._idle_limit_secs = idle_secs
        self._held_secs = 0.0
        self._resting_secs = POINTER_SECS
        self._visited = True

    def advance(self, dt_secs: float, *, idle_secs: float, pointer_moved: bool, leave_held: bool) -> KioskOrder:
        """One frame. idle_secs: since the last input; leave_held: the exit chord is down."""
        self._held_secs = self._held_secs + dt_secs if leave_held else 0.0
        self._resting_secs = 0.0 if pointer_moved else self._resting_secs + dt_secs
        idle = idle_secs >= self._idle_limit_secs
        home, self._visited = idle and self._visited, not idle
        return KioskOrder(
            home=home,
            leave=self._held_secs >= LEAVE_SECS,
            pointer_visible=self._resting_secs < POINTER_SECS,
        )
