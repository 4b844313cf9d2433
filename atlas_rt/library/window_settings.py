"""What a person set in the window, and which hints they have learnt: kept for all their libraries."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from atlas_rt.core.preferences import BY_NAME, Value
from atlas_rt.errors import MissingError
from atlas_rt.library.personal_data import PersonalFile

LEARNT = "learnt "
"""Begins the name of an entry that stands for a hint."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """values: setting -> value. learnt: names of hints. remark: a sentence where the file could not be read as it
    should, empty else."""

    values: dict[str, Value]
    learnt: frozenset[str] = frozenset()
    remark: str = ""


class WindowSettings:
    """The file of all of them. Any number of windows may hold one; a change of one thing leaves the others alone."""

    def __init__(self, folder: Path) -> None:
        """folder: of all that a person made."""
        self._file = PersonalFile(folder, "window_settings", read=_read, write=_write)

    @property
    def folder(self) -> Path:
        return self._file.path.parent

    def read(self) -> Remembered:
        """What the file holds; nothing, with a remark, where it may not be read: a window opens all the same."""
        try:
            kept = self._file.read()
        except MissingError as error:
            return Remembered({}, remark=str(error))
        entries = dict(kept.entries)
        learnt = frozenset(name.removeprefix(LEARNT) for name in entries if name.startswith(LEARNT))
        return Remembered({name: entries[name] for name in entries if name in BY_NAME}, learnt, kept.remark)

    def keep(self, name: str, value: Value) -> None:
        """Raises MissingError where that cannot be written."""
        self._file.change(lambda kept: (*(each for each in kept if each[0] != name), (name, value)))

    def learn(self, hint: str) -> None:
        """Raises MissingError where that cannot be written."""
        self.keep(LEARNT + hint, True)

    def forget_hints(self) -> None:
        """Show all of them again. Raises MissingError where that cannot be written."""
        self._file.change(lambda kept: tuple(each for each in kept if not each[0].startswith(LEARNT)))


def _read(facts: object) -> tuple[str, Value]:
    if not isinstance(facts, dict) or not isinstance(value := facts["value"], str | float | int):
        raise TypeError
    return str(facts["name"]), value


def _write(entry: tuple[str, Value]) -> dict[str, object]:
    return {"name": entry[0], "value": entry[1]}
