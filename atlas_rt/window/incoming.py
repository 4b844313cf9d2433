"""A scene that has come: it goes to the GPU a little in each frame, while the one before it is still seen."""

from __future__ import annotations

import time
from collections.abc import Iterator

from atlas_rt.workers.scenes import Arrival


class Incoming:
    """An arrival on its way to the screen. Owned by the main thread."""

    def __init__(self, arrival: Arrival, steps: Iterator[None]) -> None:
        """steps: what remains to be uploaded, in steps of about a millisecond."""
        self.arrival = arrival
        self._steps = steps

    def advance(self, *, budget_secs: float) -> bool:
        """Go on for so long; whether all of it is there."""
        deadline = time.perf_counter() + budget_secs
        return all(time.perf_counter() < deadline for _ in self._steps)
