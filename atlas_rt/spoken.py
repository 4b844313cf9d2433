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
    try:
        if settings.language:
            return checked_code(settings.language)
        return code_of(settings.spoken) or ENGLISH
    except MissingError:  # whoever needs the dictionary says that it is damaged; the window opens all the same
        return re.split(r"[-_.@]", settings.spoken)[0] or ENGLISH


def checked_code(language: str) -> str:
    """Raises UsageError, MissingError where the dictionary is damaged."""
    if code := code_of(language):
        return code
    raise UsageError(f"--language must be one of {', '.join(languages())}, not {language!r}")
