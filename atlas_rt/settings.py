"""Every setting, its default and its meaning. Flags win over the environment, that over atlas.toml, that over defaults.

The environment gives `ATLAS_RT_<NAME>`, the file `<config folder>/atlas.toml` gives `name = value`. Nothing below this
module reads either.
"""

from __future__ import annotations

import difflib
import math
import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs

from atlas_rt.errors import UsageError

if TYPE_CHECKING:
    from atlas_rt.core.records import Runtime

QUALITIES = ("auto", "low", "normal", "high")
GRANULARITIES = ("few", "some", "many")
PREFIX = "ATLAS_RT_"
RANGES: dict[str, tuple[float, float]] = {
    "seed": (0, 2**32 - 1),
    "fps": (0, 1000),
    "threads": (0, 1024),
    "screen": (-1, 99),
    "kiosk_idle_secs": (1.0, 1e6),
}
"""Setting -> its least and its greatest value."""


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
    hidden: bool = False
    """Take hidden files and folders too."""
    quality: str = "auto"
    """auto, low, normal or high."""
    reduced_motion: bool = False
    """Nothing moves by itself; flights become jumps."""
    fps: int = 60
    """Frames a second to aim at; 0 for as many as there can be."""
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

    labels: str = ""
    """File of your own words for pictures, one a line; empty for labels.txt beside atlas.toml."""
    granularity: str = ""
    """few, some or many clusters; empty for as many as the library's map has, which at first are some."""
    require_gpu: bool = False
    """Fail where no GPU runs the encoders, instead of using the processor."""
    tensorrt: bool = False
    """Try TensorRT before CUDA. The first run of each model then compiles, which may take minutes."""

    @property
    def cache_path(self) -> Path | None:
        return Path(self.cache) if self.cache else None

    @property
    def labels_path(self) -> Path:
        return Path(self.labels) if self.labels else platformdirs.user_config_path("atlas_rt") / "labels.txt"

    def runtime(self, cache: Path | None = None) -> Runtime:
        """On what encoders are to run. cache: the program's cache folder, to keep there what a GPU's compiler makes."""
        from atlas_rt.core.records import Runtime  # numpy, which `--help` need not wait for

        return Runtime(require_gpu=self.require_gpu, tensorrt=self.tensorrt, cache=cache)


def load_settings(flags: Mapping[str, Any], *, environment: Mapping[str, str] | None = None) -> Settings:
    """Settings from what was given on the command line (None: not given), the environment and the file.

    Raises UsageError for a value that is none of its kind, naming where it stands.
    """
    environment = os.environ if environment is None else environment
    path = platformdirs.user_config_path("atlas_rt") / "atlas.toml"
    settings = _apply(Settings(), _file_values(path), lambda name: f"{name} in {path}")
    settings = _apply(settings, _environment_values(environment), lambda name: PREFIX + name.upper())
    given = {name: value for name, value in flags.items() if value is not None}
    return _apply(settings, given, lambda name: f"--{name.replace('_', '-')}")


def _file_values(path: Path) -> dict[str, Any]:
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise UsageError(f"the settings file cannot be read ({error.strerror}): {path}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"the settings file is not valid TOML ({error}): {path}") from error
    known = {field.name for field in fields(Settings)}
    for name in values.keys() - known:
        near = difflib.get_close_matches(name, known, n=1)
        meant = f" (did you mean {near[0]}?)" if near else ""
        raise UsageError(f"unknown setting {name!r}{meant}; known are {', '.join(sorted(known))}: {path}")
    return values


def _environment_values(environment: Mapping[str, str]) -> dict[str, Any]:
    names = {PREFIX + field.name.upper(): field.name for field in fields(Settings)}
    return {names[key]: value for key, value in environment.items() if key in names}


def _apply(settings: Settings, values: Mapping[str, Any], called: Callable[[str], str]) -> Settings:
    """called: what a person calls a setting there."""
    parsed = {name: _parsed(called(name), getattr(settings, name), value) for name, value in values.items()}
    for name, value in parsed.items():
        low, high = RANGES.get(name, (-math.inf, math.inf))
        if name in RANGES and not low <= value <= high:
            raise UsageError(f"{called(name)} is to be from {low:,} to {high:,}, and is {value}")
    if parsed.get("granularity", "") not in ("", *GRANULARITIES):
        names = ", ".join(GRANULARITIES)
        raise UsageError(f"{called('granularity')} is to be one of {names}, and is {parsed['granularity']!r}")
    if parsed.get("quality", "auto") not in QUALITIES:
        raise UsageError(f"{called('quality')} is to be one of {', '.join(QUALITIES)}, and is {parsed['quality']!r}")
    return replace(settings, **parsed)


def _parsed(name: str, default: object, value: Any) -> Any:
    """The value as the default's kind; text from the environment is read as a person writes it."""
    read, kind = _KINDS[type(default)]
    try:
        return read(value)
    except (ValueError, TypeError, OverflowError):
        raise UsageError(f"{name} is to be {kind}, and is {value!r}") from None


def _read_bool(value: Any) -> bool:
    word = str(value).strip().lower() if isinstance(value, bool | str) else "?"
    if word not in _YES | _NO:
        raise ValueError
    return word in _YES


def _read_int(value: Any) -> int:
    if not isinstance(value, int | str) or isinstance(value, bool):
        raise TypeError
    return int(value)


def _read_float(value: Any) -> float:
    if isinstance(value, bool):
        raise TypeError
    return float(value)


def _read_text(value: Any) -> str:
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise TypeError
    return str(value)


def _read_texts(value: Any) -> tuple[str, ...]:
    parts = value.split(os.pathsep) if isinstance(value, str) else value
    if not isinstance(parts, list | tuple) or not all(isinstance(part, str) for part in parts):
        raise TypeError
    return tuple(part for part in parts if part)


_YES, _NO = {"1", "true", "yes", "on"}, {"0", "false", "no", "off", ""}
_KINDS: dict[type, tuple[Callable[[Any], Any], str]] = {
    bool: (_read_bool, "yes or no"),
    int: (_read_int, "a whole number"),
    float: (_read_float, "a number"),
    str: (_read_text, "text"),
    tuple: (_read_texts, "a list of texts"),
}
"""Kind of a default -> how a value of it is read, and what a person calls it."""
