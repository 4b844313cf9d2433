"""Taking back what was done last in the open library, and doing it again."""

from __future__ import annotations

from atlas_rt.core.undo import Outcome, Undoable
from atlas_rt.window.parts import Parts
from atlas_rt.window.session import Session, source_name


def undo(parts: Parts) -> None:
    """Ctrl+Z."""
    _say(parts, parts.panel_state.undo.undo())


def redo(parts: Parts) -> None:
    """Ctrl+Shift+Z."""
    _say(parts, parts.panel_state.undo.redo())


def added(session: Session, paths: tuple[str, ...]) -> Undoable:
    """What was added to the library: taken back it is off the map, and its files stay where they are."""

    def take_off() -> str:
        return "" if session.remove(paths) else session.why_not_added

    def add_again() -> str:
        return "" if session.add(paths) else session.why_not_added

    name = source_name(paths)
    return Undoable(
        undone=f"taken off the map again: {name}",
        redone=f"adding {name}",
        undo=take_off,
        redo=add_again,
        key=paths,
    )


def _say(parts: Parts, outcome: Outcome) -> None:
    parts.panel_state.say(outcome.text, "warning" if outcome.failed else "plain")
