"""The language that a person speaks to the program: for what they type and for the words they are shown."""

from __future__ import annotations

import re

from atlas_rt.errors import MissingError, UsageError
from atlas_rt.search.dictionary import ENGLISH, code_of, languages
from atlas_rt.settings import Settings


def spoken_code(settings: Settings) -> str:
    """The code of `dictionary.languages`; English where the system's locale names none that is there.

    Raises UsageError where the settings name one that is none.
    """
    if settings.language:
        return asked_code(settings.language)
    try:
        return code_of(settings.spoken) or ENGLISH
    except MissingError:
        return _first_part(settings.spoken)


def asked_code(language: str) -> str:
    """`checked_code`; where the dictionary is damaged what was named: whoever needs it says so, and all else goes on.

    Raises UsageError.
    """
    try:
        return checked_code(language)
    except MissingError:
        return _first_part(language)


def checked_code(language: str) -> str:
    """Raises UsageError, MissingError where the dictionary is damaged."""
    if code := code_of(language):
        return code
    raise UsageError(f"--language must be one of {', '.join(languages())}, not {language!r}")


def _first_part(language: str) -> str:
    return re.split(r"[-_.@]", language)[0] or ENGLISH
