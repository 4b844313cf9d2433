"""To what a person has agreed: that images of a library are sent to a model in a region."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from atlas_rt.library.personal_data import PersonalFile


@dataclass(frozen=True, slots=True)
class Consent:
    """library: the name of its folder in the cache. file_names: they may be told too."""

    library: str
    model: str
    region: str
    file_names: bool


class Consents:
    """The file of all of them."""

    def __init__(self, folder: Path) -> None:
        """folder: of all that a person made."""
        self._file = PersonalFile(folder, "consents", read=_read, write=_write)

    def holds(self, consent: Consent) -> bool:
        """Whether the person has agreed to this, or to more. Raises MissingError where the file may not be read."""
        given = self._file.read().entries
        return consent in given or replace(consent, file_names=True) in given

    def give(self, consent: Consent) -> None:
        """Raises MissingError where it cannot be kept."""
        self._file.change(lambda given: given if consent in given else (*given, consent))


def _read(facts: object) -> Consent:
    if not isinstance(facts, dict):
        raise TypeError
    library, model, region = (str(facts[name]) for name in ("library", "model", "region"))
    return Consent(library, model, region, bool(facts["file_names"]))


def _write(consent: Consent) -> dict[str, object]:
    return {name: getattr(consent, name) for name in ("library", "model", "region", "file_names")}
