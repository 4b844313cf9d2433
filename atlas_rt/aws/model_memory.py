"""What is remembered of models from one request to the next: which way of asking a model takes, and quotas of a day
that are used up.

With a file it is remembered for all windows and commands. The file lies in the cache and not with what a person made:
all of it can be found again for a few requests that Bedrock refuses, and those cost nothing. For the same reason it has
no lock and no copies: where two processes write at once, one of them may find its part again. A file that is broken or
cannot be written stops nothing; this process then remembers by itself.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

NAME = "claude.json"
"""The file in the cache."""
FORMAT = 1
WAY_DAYS = 30
"""A model is asked in the strictest way again after so many days: it may have learned it meanwhile."""


@dataclass(frozen=True, slots=True)
class Note:
    """Something that was found out. day: 2026-11-28. text: the way, or the sentence about the quota."""

    day: str
    text: str


class ModelMemory:
    """May be used by several threads."""

    def __init__(self, file: Path | None = None, *, today: Callable[[], date] = date.today) -> None:
        """file: None to remember in this process alone. Its folder must be there."""
        self._file, self._today = file, today
        self._ways: dict[str, Note] = {}  # with a file: what could not be written
        self._quotas: dict[str, Note] = {}
        self._lock = threading.Lock()

    @classmethod
    def of_cache(cls, cache: Path) -> ModelMemory:
        """The memory that all processes with this cache share."""
        return cls(cache / NAME)

    def way_of(self, model_id: str) -> str:
        """The way of asking that the model took last, empty where none is known."""
        with self._lock:
            note = self._ways.get(model_id) or self._read("ways").get(model_id)
        return note.text if note and self._age_days(note) in range(WAY_DAYS + 1) else ""

    def remember_way(self, model_id: str, way: str) -> None:
        """Only what was answered: a request that is refused in every way says nothing of the model."""
        if way == self.way_of(model_id):
            return
        with self._lock:
            self._remember("ways", self._ways, model_id, way)

    def used_up(self, quota: str) -> str:
        """The sentence that told today that a quota is used up, empty while it is not. quota: any name for it."""
        with self._lock:
            own, note = self._quotas.get(quota), self._read("quotas").get(quota)
        if own and self._age_days(own) == 0:
            return own.text
        if note and self._age_days(note) == 0:
            return f"{note.text} Bedrock told so earlier today; to try again before, remove {NAME} from the cache."
        return ""

    def remember_used_up(self, quota: str, sentence: str) -> None:
        """For today."""
        with self._lock:
            self._remember("quotas", self._quotas, quota, sentence)

    def _age_days(self, note: Note) -> int:
        """Whole days since a note, -1 for one of no day."""
        try:
            return (self._today() - date.fromisoformat(note.day)).days
        except ValueError:
            return -1

    def _remember(self, kind: str, own: dict[str, Note], key: str, text: str) -> None:
        """In the file, or where it cannot be written here."""
        note = Note(self._today().isoformat(), text)
        own[key] = note
        if self._file is None:
            return
        notes = {"ways": self._read("ways"), "quotas": self._read("quotas")}
        notes["quotas"] = {name: each for name, each in notes["quotas"].items() if self._age_days(each) == 0}
        notes[kind][key] = note
        if self._wrote(self._file, notes):
            del own[key]

    @staticmethod
    def _wrote(file: Path, notes: dict[str, dict[str, Note]]) -> bool:
        facts = {kind: {key: asdict(note) for key, note in notes[kind].items()} for kind in notes}
        beside = file.with_name(f".{file.name}-{os.getpid()}")
        try:
            beside.write_text(json.dumps({"format": FORMAT, **facts}, indent=1))
            beside.replace(file)
        except OSError:
            with contextlib.suppress(OSError):
                beside.unlink(missing_ok=True)
            return False
        return True

    def _read(self, kind: str) -> dict[str, Note]:
        """What the file holds of a kind: nothing where it cannot be read."""
        if self._file is None:
            return {}
        try:
            facts: Any = json.loads(self._file.read_bytes())
            if facts["format"] != FORMAT:
                return {}
            return {str(key): Note(str(each["day"]), str(each["text"])) for key, each in facts[kind].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return {}
