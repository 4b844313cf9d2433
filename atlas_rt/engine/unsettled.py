"""Files that are still being written, for which there will be another round."""

from __future__ import annotations

import dataclasses
import time

from atlas_rt.library.changes import Changes

SETTLE_SECS = 0.5
"""A file that was written to so recently may not be whole."""


class Unsettled:
    """What a round left out because it was written to a moment ago."""

    def __init__(self) -> None:
        self.files: frozenset[str] = frozenset()
        """Their paths; looked at again in the next round, told of or not."""
        self._settled_secs = 0.0

    @property
    def due(self) -> bool:
        """Whether what was left out has come to rest."""
        return 0.0 < self._settled_secs < time.monotonic()

    def begin(self) -> None:
        """A round begins, which will look at everything that was left out."""
        self._settled_secs = 0.0

    def leave_out(self, changes: Changes, *, closed: frozenset[str] = frozenset()) -> Changes:
        """The plan without files that are still being written. closed: files that whoever wrote them has closed; those
        of them that are new are whole, but one that is empty is about to be opened again, and one that is written over
        may be written over once more."""
        now_ns = time.time_ns()
        fresh = {
            each.id
            for each in changes.todo
            if not each.etag  # an object is whole or not there
            and 0 <= now_ns - each.mtime_ns < SETTLE_SECS * 1e9
            and not (each.kind == "new" and each.size and each.path in closed)
        }
        self.files = frozenset(each.path for each in changes.todo if each.id in fresh)
        if fresh:
            self._settled_secs = time.monotonic() + SETTLE_SECS
        return dataclasses.replace(changes, todo=tuple(each for each in changes.todo if each.id not in fresh))
