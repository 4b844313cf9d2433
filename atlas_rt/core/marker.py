"""The live marker: it glides to where the newest camera frame belongs."""

from __future__ import annotations

import numpy as np

from atlas_rt.core.answers import LiveFix
from atlas_rt.core.arrays import Floats

MARKER_SECS = 0.25
"""How long it takes for two thirds of the way."""


class Marker:
    """Where the marker stands, and the answer that it goes to."""

    def __init__(self) -> None:
        self.fix: LiveFix | None = None
        self.position: Floats | None = None
        """(3,) in the world, None while there is no marker."""
        self._place: Floats | None = None

    @property
    def neighbours(self) -> tuple[int, ...]:
        """The ids of the images nearest to it, none while there is no marker."""
        return self.fix.neighbours if self.fix and self.position is not None else ()

    def move_to(self, fix: LiveFix | None, place: Floats | None = None) -> None:
        """Go to another place, or away. place: (3,) where it is shown, None for where the fix says."""
        self.fix = fix
        self._place = place if place is not None or fix is None or fix.error else fix.position
        if fix is None:
            self.position = None
        elif self._place is not None and self.position is None:
            self.position = self._place.copy()

    def advance(self, dt_secs: float) -> None:
        """Let time pass."""
        if self.position is not None and self._place is not None:
            share = np.float32(1.0 - np.exp(-dt_secs / MARKER_SECS))
            self.position = self.position + (self._place - self.position) * share
