"""Which of the installed encoders "auto" means: the one that a person chose in the window, or the best one.

The choice is one line in `<cache>/models/chosen`. It lies next to the models it speaks of, so that whoever deletes the
cache deletes both; every command reads it, and `--model NAME` asks for another one without changing it.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from atlas_rt.errors import MissingError

FILE_NAME = "chosen"


def chosen_name(cache: Path) -> str:
    """The model that was chosen; empty where none was, or where nobody can tell."""
    try:
        return (cache / "models" / FILE_NAME).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def choose(name: str, cache: Path) -> None:
    """Let "auto" mean this model from now on, in every process. Raises MissingError where that cannot be written."""
    place = cache / "models" / FILE_NAME
    beside = place.with_name(f".{FILE_NAME}-{os.getpid()}")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(f"{name}\n", encoding="utf-8")
        beside.replace(place)
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise MissingError(f"Your choice of a model cannot be kept ({error.strerror or error}). {place}") from None


def forget_choice(name: str, cache: Path) -> None:
    """Let "auto" mean the best model again, if it means this one."""
    if chosen_name(cache) == name:
        with contextlib.suppress(OSError):
            (cache / "models" / FILE_NAME).unlink()
