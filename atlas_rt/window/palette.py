"""The palette: every action in a list, found by words."""

from __future__ import annotations

from dataclasses import dataclass

from atlas_rt.core.command_list import Command, commands_of, found
from atlas_rt.core.hud import PaletteView
from atlas_rt.core.requests import Request
from atlas_rt.core.scene import Scene


@dataclass(slots=True)
class PaletteState:
    """Plain state of the main thread. text: what is looked for. cursor: place of the line the person is at."""

    open: bool = False
    text: str = ""
    cursor: int = 0

    def view(self, scene: Scene) -> PaletteView | None:
        """What is shown of it; None while it is closed."""
        if not self.open:
            return None
        lines = self._lines(scene)
        return PaletteView(self.text, lines, min(self.cursor, max(len(lines) - 1, 0)))

    def toggle(self) -> None:
        """Open it at its beginning, or close it."""
        self.open, self.text, self.cursor = not self.open, "", 0

    def look_for(self, text: str) -> None:
        self.text, self.cursor = text, 0

    def move(self, step: int, scene: Scene) -> None:
        """To another line; beyond the last comes the first."""
        count = len(self._lines(scene))
        self.cursor = (min(self.cursor, count - 1) + step) % count if count else 0

    def choose(self, place: int, scene: Scene) -> Request | None:
        """Close it; what the line there asks for, None where there is none."""
        lines = self._lines(scene)
        self.open = False
        return lines[place].request if 0 <= place < len(lines) else None

    def _lines(self, scene: Scene) -> tuple[Command, ...]:
        return found(commands_of(scene.cluster_records), self.text)
