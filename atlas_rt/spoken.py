"""The language that a person speaks to the program: for what they type and for the words they are shown."""

from __future__ import annotations

from atlas_rt.errors import UsageError
from atlas_rt.search.dictionary import ENGLISH, code_of, languages
from atlas_rt.settings import Settings


def spoken_code(settings: Settings) -> str:
    """The code of `dictionary.languages`; English where the system's locale names none that is there.

    Raises UsageError where the settings name one that is none.
    """
    if settings.language:
        return checked_code(settings.language)
    return code_of(settings.spoken) or ENGLISH


def checked_code(language: str) -> str:
    """Raises UsageError."""
    if code := code_of(language):
        return code
    raise UsageError(f"--language must be one of {', '.join(languages())}, not {language!r}")
