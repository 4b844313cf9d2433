"""What can be done with files that were dropped on the window."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class DropOffer:
    """paths: what was dropped. why_not: why it cannot be searched by, as a sentence; empty where it can."""

    paths: tuple[str, ...]
    why_not: str = ""

    @property
    def name(self) -> str:
        """What was dropped, in a few words."""
        first = Path(self.paths[0]).name or self.paths[0]
        return first if len(self.paths) == 1 else f"{first} and {len(self.paths) - 1:,} more"
