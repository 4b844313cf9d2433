"""What a round took in so far. A round has one part, or several where buckets are listed meanwhile (`buckets`)."""

from __future__ import annotations

import time
from collections.abc import Iterable

from atlas_rt.core.images import Failure
from atlas_rt.engine.pipeline import Tally
from atlas_rt.library.changes import Changes, Todo
from atlas_rt.library.scanning import Scan


class Intake:
    """Of one round. Owned by the engine's main thread."""

    def __init__(self) -> None:
        self.tally = Tally()
        self.found = Scan((), 0, ())
        self.total = 0
        """Files that were to be done, in all parts."""
        self.marked = 0
        """As in Changes, in all parts."""
        self.archived = 0
        self.scan_secs = 0.0
        self.headway_secs = time.monotonic()
        """When something was last listed or brought in."""
        self._unchanged, self._moves = 0, False
        self._known: tuple[Failure, ...] = ()
        self._told: dict[str, Failure] = {}
        self._tried: set[int] = set()

    @property
    def changed(self) -> bool:
        """Whether anything came, changed, went or is back. What failed again or lies in an archive has not."""
        return self._moves or self.tally.images > 0

    @property
    def failures(self) -> tuple[Failure, ...]:
        """By path: what failed now, failed before, or could not be looked at in the end."""
        every = {each.path: each for each in (*self._known, *self.found.unreadable)} | self._told
        return tuple(every[path] for path in sorted(every))

    @property
    def unchanged(self) -> int:
        """Images that were there already: those of the last part but what earlier parts brought in."""
        return max(self._unchanged, 0) + self.tally.unchanged

    def part(self, found: Scan, changes: Changes) -> tuple[Todo, ...]:
        """A part begins; what is to be done of it.

        Left out are what an earlier part of the round has tried, and what lies in an archive: such an image stays as it
        is, if it was read before.
        """
        self.found, self._known = found, changes.failed
        self._unchanged = changes.unchanged - self.tally.images
        self.marked += changes.marked
        self.archived = sum(each.path in found.archived for each in changes.todo)
        todo = [each for each in changes.todo if each.path not in found.archived and each.id not in self._tried]
        self._moves = self._moves or bool(changes.hidden or changes.returned)
        self.total += len(todo)
        self._tried.update(each.id for each in todo)
        return tuple(todo)

    def fail(self, failures: Iterable[Failure]) -> None:
        """These files could not become images."""
        self._told |= {each.path: each for each in failures}

    def try_again(self) -> None:
        """Reading was interrupted: what could not be read is tried once more in the next part."""
        self._tried.clear()
        self.tally.left.clear()
        self.total = self.tally.done
