"""What does not work at the moment: a sentence that stays on screen until it is cured."""

from __future__ import annotations

from dataclasses import dataclass

from atlas_rt.errors import AtlasError

MAP, WATCHING = "map", "watching"
"""Parts whose trouble the engine tells: that no map can be fitted, and that changes are found late."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that does not work now.

    part: what has the trouble; one part has one trouble at a time. text: what no longer works and why; empty once the
    part works again. retry: the person may ask for another try.
    """

    part: str
    text: str
    retry: bool = True


def lasting(troubles: tuple[Trouble, ...], *, absence: str) -> tuple[Trouble, ...]:
    """What to show as long as it lasts: troubles, and what to know of sources that are absent (empty for nothing)."""
    return (*troubles, Trouble("sources", absence, retry=False)) if absence else troubles


def reason_of(error: BaseException) -> str:
    """Why something failed, in one line: our own errors are sentences, of others the kind is told too."""
    lines = str(error).strip().splitlines()
    text = lines[0] if lines else ""
    if isinstance(error, AtlasError):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
