"""What a person permits Claude to be asked, as the settings describe them."""

from __future__ import annotations

from atlas_rt.errors import UsageError
from atlas_rt.narrator.language import checked_language
from atlas_rt.narrator.permission import Permission
from atlas_rt.narrator.spending import Budget
from atlas_rt.settings import Settings
from atlas_rt.spoken import spoken_code


def permission_of(settings: Settings) -> Permission:
    """Raises UsageError for a language that is none."""
    closed = "--offline" if settings.offline else "--narrator off" if settings.narrator == "off" else ""
    return Permission(
        closed=closed,
        consented=settings.narrator == "on",
        model=settings.narrator_model,
        region=settings.narrator_region,
        language=answer_language(settings),
        file_names=settings.narrator_file_names,
        budget=Budget(settings.budget_library, settings.budget_month),
    )


def answer_language(settings: Settings) -> str:
    """The code of the language to answer in: the person's, English where the narrator does not know that one. Raises
    UsageError where the settings name none at all."""
    try:
        return checked_language(spoken_code(settings) if settings.language else settings.spoken)
    except UsageError:
        if settings.language:
            spoken_code(settings)
        return "en"
