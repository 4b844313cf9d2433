"""The palette: every action in a list, found by words; and the line in which a view gets its name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from atlas_rt.core.command_list import Command, commands_of, found, keeping
from atlas_rt.core.hud import PaletteView
from atlas_rt.core.requests import Request
from atlas_rt.core.scene import Scene


@dataclass(slots=True)
class PaletteState:
    """Plain state of the main thread. naming: a view is being kept. text: what is looked for, or its name. cursor:
    place of the line the person is at. more: what can be done only now."""

    open: bool = False
    naming: bool = False
    text: str = ""
    cursor: int = 0
    more: tuple[Command, ...] = ()

    def view(self, scene: Scene, views: Sequence[str]) -> PaletteView | None:
        """What is shown of it; None while it is closed. views: names of those that were kept."""
        if not self.open:
            return None
        lines = self._lines(scene, views)
        return PaletteView(self.text, lines, min(self.cursor, max(len(lines) - 1, 0)), self.naming)

    def toggle(self, *, naming: bool = False, more: tuple[Command, ...] = ()) -> None:
        """Open it at its beginning, or close it. naming: for the name of a view."""
        self.more = more
        self.open, self.naming, self.text, self.cursor = not self.open or naming != self.naming, naming, "", 0

    def look_for(self, text: str) -> None:
        self.text, self.cursor = text, 0

    def move(self, step: int, scene: Scene, views: Sequence[str]) -> None:
        """To another line; beyond the last comes the first."""
        count = len(self._lines(scene, views))
        self.cursor = (min(self.cursor, count - 1) + step) % count if count else 0

    def choose(self, place: int, scene: Scene, views: Sequence[str]) -> Request | None:
        """Close it; what the line there asks for, None where there is none."""
        lines = self._lines(scene, views)
        self.open = False
        return lines[place].request if 0 <= place < len(lines) else None

    def _lines(self, scene: Scene, views: Sequence[str]) -> tuple[Command, ...]:
        if self.naming:
            return keeping(views, self.text)
        return found((*commands_of(scene.cluster_records, views), *self.more), self.text)
