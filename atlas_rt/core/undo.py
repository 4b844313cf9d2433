"""What a person did and can take back: one stack for changes of every kind, and the changes taken back since."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

ENTRIES_MAX = 200

Change = Callable[[], str]
"""Makes a change, or sets it going; returns why it cannot be made, empty where it can."""
Notice = str | Callable[[], str]
"""A sentence, or what gives it once the change is made."""


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True, eq=False)
class Undoable:
    """A change that was made.

    undone, redone: the notice once it is taken back, and once it is made again. undo, redo: how that is done. key: what
    it changed, where the same change is told of a second time once it was made again; None where that cannot happen.
    void: whether nothing is left of what it changed; it is passed over then and forgotten.
    """

    undone: Notice
    redone: Notice
    undo: Change
    redo: Change
    key: object = None
    void: Callable[[], bool] = _never


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an undo or a redo led to. text: the notice; failed: nothing was changed."""

    text: str
    failed: bool = False


class UndoStack:
    """Owned by the main thread. It belongs to the library that is open: another library begins with an empty one."""

    def __init__(self) -> None:
        self._made: list[Undoable] = []
        self._taken_back: list[Undoable] = []

    def add(self, change: Undoable) -> None:
        """Remember a change that was made; what was taken back before it can no longer be made again."""
        if change.key is not None and any(each.key == change.key for each in self._made):
            return
        self._made = [*self._made, change][-ENTRIES_MAX:]
        self._taken_back.clear()

    def undo(self) -> Outcome:
        """Take back the newest change. One that cannot be taken back now stays the newest."""
        _forget_void(self._made)
        if not self._made:
            return Outcome("there is nothing to take back")
        why_not = self._made[-1].undo()
        if why_not:
            return Outcome(f"Nothing was taken back. {why_not}", failed=True)
        self._taken_back.append(self._made.pop())
        return Outcome(_text(self._taken_back[-1].undone))

    def redo(self) -> Outcome:
        """Make the change again that was taken back last."""
        _forget_void(self._taken_back)
        if not self._taken_back:
            return Outcome("there is nothing to do again")
        why_not = self._taken_back[-1].redo()
        if why_not:
            return Outcome(f"Nothing was changed. {why_not}", failed=True)
        self._made.append(self._taken_back.pop())
        return Outcome(_text(self._made[-1].redone))

    def fail(self, change: Undoable) -> None:
        """An undo or redo that was set going has failed: the change goes back to where it was."""
        if change in self._taken_back:
            self._taken_back.remove(change)
            self._made.append(change)
        elif change in self._made:
            self._made.remove(change)
            self._taken_back.append(change)


def _forget_void(changes: list[Undoable]) -> None:
    """Let go of the newest changes of which nothing is left."""
    while changes and changes[-1].void():
        changes.pop()


def _text(notice: Notice) -> str:
    return notice if isinstance(notice, str) else notice()
