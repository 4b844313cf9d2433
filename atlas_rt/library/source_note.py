"""The note in a library's folder that says what it is the library of: `sources.json`."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from atlas_rt.library import disk_errors

FILE_NAME = "sources.json"
_DOOMSDAY_SECS = 2.0**36
"""A time of opening beyond this (the year 4147) is no time: the note is damaged."""


@dataclass(frozen=True, slots=True)
class Note:
    """What `sources.json` says. moves, token: of a move that was begun and may not be finished."""

    sources: tuple[str, ...]
    opened_secs: float = 0.0
    moves: Mapping[str, str] = field(default_factory=dict)
    token: str = ""

    @property
    def moved(self) -> tuple[str, ...]:
        """The sources after the move."""
        return tuple(sorted(self.moves.get(source, source) for source in self.sources))


def read_note(folder: Path) -> Note | None:
    """The note in a folder, None where there is none that can be read."""
    try:
        facts = json.loads((folder / FILE_NAME).read_bytes())
        moves = {str(old): str(new) for old, new in dict(facts.get("moves", {})).items()}
        sources, opened_secs = tuple(map(str, facts["sources"])), float(facts["opened"])
        note = Note(sources, opened_secs, moves, str(facts.get("token", "")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return note if 0.0 <= note.opened_secs < _DOOMSDAY_SECS else None


def write_note(folder: Path, note: Note) -> None:
    """Put a note in place of the one that is there. Raises MissingError where the disk refuses."""
    facts: dict[str, object] = {"sources": list(note.sources), "opened": note.opened_secs}
    if note.moves:
        facts |= {"moves": dict(note.moves), "token": note.token}
    beside = folder / f".{FILE_NAME}-{os.getpid()}"
    with disk_errors.writing(folder):
        try:
            beside.write_text(json.dumps(facts, indent=1), encoding="utf-8")
            beside.replace(folder / FILE_NAME)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
