"""How often something that failed is tried again: after growing pauses, and not for ever."""

from __future__ import annotations

PAUSES_SECS = (0.5, 2.0, 8.0)
"""Before each further try. What fails at each start would otherwise be started dozens of times a second."""


class Retries:
    """Counts failures in a row. One thread at a time."""

    def __init__(self) -> None:
        self.failures = 0

    def failed(self) -> float | None:
        """Note a failure: seconds to pause before the next try, None when that was the last."""
        self.failures += 1
        return PAUSES_SECS[self.failures - 1] if self.failures <= len(PAUSES_SECS) else None

    def went_well(self) -> None:
        """Something lasting was done: earlier failures no longer count."""
        self.failures = 0
