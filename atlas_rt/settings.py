"""Every setting, its default and its meaning. Flags win over the environment, that over atlas.toml, that over defaults.

The environment gives `ATLAS_RT_<NAME>`, the file `<config folder>/atlas.toml` gives `name = value`. Nothing below this
module reads either.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import platformdirs

from atlas_rt.errors import UsageError

QUALITIES = ("auto", "low", "normal", "high")


@dataclass(frozen=True, slots=True)
class Settings:
    """What a person can set, for every command."""

    model: str = "auto"
    """The encoder's name; auto takes the best that is here."""
    cache: str = ""
    """Folder of the libraries; empty for the user's cache folder."""
    offline: bool = False
    """Never open an internet socket."""
    json: bool = False
    """Print one JSON document on standard output."""
    quiet: bool = False
    """No progress on standard error."""
    seed: int = 42
    """Seed of the map."""
    exclude: tuple[str, ...] = ()
    """File name or path patterns that are left out."""
    quality: str = "auto"
    """auto, low, normal or high."""
    reduced_motion: bool = False
    """Nothing moves by itself; flights become jumps."""
    fps: int = 60
    """Frames a second to aim at."""
    fullscreen: bool = False
    kiosk: bool = False
    """Full screen, pointer hidden, only the exit chord leaves, returns home when idle."""
    kiosk_idle_secs: float = 90.0
    """Seconds without input after which the kiosk returns home and starts the tour."""
    screen: int = -1
    """Number of the screen to use, -1 for the window system's choice."""
    webcam: str = ""
    """Camera to switch on at the start: a number or a film's file name; empty for none."""
    trace: str = ""
    """File to which the window writes the moments of its start, for measurements; empty for none."""
    threads: int = 0
    """Threads that decode; 0 for one per core."""

    @property
    def cache_path(self) -> Path | None:
        return Path(self.cache).expanduser() if self.cache else None


def load_settings(flags: Mapping[str, Any], *, environment: Mapping[str, str] | None = None) -> Settings:
    """Settings from what was given on the command line (None: not given), the environment and the file.

    Raises UsageError for a value that is none of its kind, naming where it stands.
    """
    environment = os.environ if environment is None else environment
    settings = _apply(Settings(), _file_values(), "atlas.toml")
    settings = _apply(settings, _environment_values(environment), "the environment")
    return _apply(settings, {name: value for name, value in flags.items() if value is not None}, "the command line")


def _file_values() -> dict[str, Any]:
    path = platformdirs.user_config_path("atlas_rt") / "atlas.toml"
    if not path.is_file():
        return {}
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"the settings file is not valid TOML ({error}): {path}") from error


def _environment_values(environment: Mapping[str, str]) -> dict[str, Any]:
    names = {f"ATLAS_RT_{field.name.upper()}": field.name for field in fields(Settings)}
    return {names[key]: value for key, value in environment.items() if key in names}


def _apply(settings: Settings, values: Mapping[str, Any], where: str) -> Settings:
    known = {field.name for field in fields(Settings)}
    for name, value in values.items():
        if name not in known:
            raise UsageError(f"unknown setting {name!r} in {where}; known are: {', '.join(sorted(known))}")
        settings = replace(settings, **{name: _parsed(name, getattr(settings, name), value, where)})
    if settings.quality not in QUALITIES:
        raise UsageError(f"quality {settings.quality!r} is none of: {', '.join(QUALITIES)} (in {where})")
    return settings


def _parsed(name: str, default: object, value: Any, where: str) -> Any:
    """The value as the default's kind; text from the environment is read as a person writes it."""
    if isinstance(default, bool):
        if isinstance(value, bool):
            return value
        word = str(value).lower()
        if word in {"1", "true", "yes", "on"} or word in {"0", "false", "no", "off", ""}:
            return word in {"1", "true", "yes", "on"}
    elif isinstance(default, tuple):
        return tuple(value.split(os.pathsep)) if isinstance(value, str) else tuple(str(part) for part in value)
    elif isinstance(default, str):
        return str(value)
    else:
        try:
            return type(default)(value)  # type: ignore[call-arg]
        except ValueError:
            pass
    raise UsageError(f"{name} = {value!r} in {where} is no {type(default).__name__}")
