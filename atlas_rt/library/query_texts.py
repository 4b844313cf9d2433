"""What a person searched for, by library, so that it can be had again after a restart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from atlas_rt.library.personal_data import PersonalFile

TEXTS_MAX = 100
"""Of one library; the oldest give way."""
LIBRARIES_MAX = 50
CHARACTERS_MAX = 1000
"""Of a text: longer ones are not kept."""


@dataclass(frozen=True, slots=True)
class LibraryTexts:
    """library: the name of its folder in the cache, which its sources give it. texts: the newest last."""

    library: str
    texts: tuple[str, ...]


class QueryTexts:
    """The file of all libraries' texts. Any number of processes may hold one."""

    def __init__(self, folder: Path) -> None:
        """folder: of all that a person made."""
        self._file = PersonalFile(folder, "searches", read=_read, write=_write)

    @property
    def path(self) -> Path:
        return self._file.path

    def of(self, library: str) -> tuple[str, ...]:
        """Raises MissingError where they may not be read."""
        return _of(self._file.read().entries, library)

    def add(self, library: str, texts: Sequence[str]) -> None:
        """Keep these as the newest. Raises MissingError where they cannot be kept."""
        new = tuple(dict.fromkeys(text for text in reversed(texts) if len(text) <= CHARACTERS_MAX))[::-1]

        def changed(entries: tuple[LibraryTexts, ...]) -> tuple[LibraryTexts, ...]:
            kept = tuple(text for text in _of(entries, library) if text not in new)
            others = tuple(each for each in entries if each.library != library)
            return (*others, LibraryTexts(library, (*kept, *new)[-TEXTS_MAX:]))[-LIBRARIES_MAX:]

        self._file.change(changed)


def _of(entries: Sequence[LibraryTexts], library: str) -> tuple[str, ...]:
    return next((each.texts for each in entries if each.library == library), ())


def _read(facts: object) -> LibraryTexts:
    if not isinstance(facts, dict):
        raise TypeError
    texts = facts["texts"]
    if not isinstance(texts, list):
        raise TypeError
    return LibraryTexts(str(facts["library"]), tuple(str(text) for text in texts))


def _write(entry: LibraryTexts) -> dict[str, object]:
    return {"library": entry.library, "texts": list(entry.texts)}
