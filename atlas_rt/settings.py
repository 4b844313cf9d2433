"""Every setting, its default and its meaning. An option wins over the environment, that over what was set in the
window, that over atlas.toml.

A setting is declared once, as a field of `Settings`: the help of its option, the values it takes and its default are
all read from there. The environment gives `ATLAS_RT_<NAME>`, the file `<config folder>/atlas.toml` `name = value`.
Nothing below this module reads either.
"""

from __future__ import annotations

import contextlib
import difflib
import locale
import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import platformdirs

from atlas_rt.errors import UsageError

if TYPE_CHECKING:
    from atlas_rt.core.runtime import Runtime
    from atlas_rt.core.s3_options import S3Options

RENDERERS = ("auto", "gl", "software")
QUALITIES = ("auto", "low", "normal", "high")
NARRATORS = ("off", "ask", "on")
GRANULARITIES = ("few", "some", "many")
PREFIX = "ATLAS_RT_"
NARRATOR_TABLE = "narrator"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a setting is, for its option's help and for the check of its value."""

    says: str
    metavar: str = ""
    """What the help calls the value."""
    choices: tuple[str, ...] = ()
    """The values it takes besides its default; empty for any."""
    between: tuple[float, float] | None = None
    """The least and the greatest value."""
    alone: str = ""
    """What the option means without a value; empty where it needs one."""


def setting(
    default: T,
    says: str,
    *,
    metavar: str = "",
    choices: tuple[str, ...] = (),
    between: tuple[float, float] | None = None,
    alone: str = "",
) -> T:
    """A field of `Settings`. The type of its default says how a value is read."""
    value: T = field(default=default, metadata={"meaning": Meaning(says, metavar, choices, between, alone)})
    return value


@dataclass(frozen=True, slots=True)
class Settings:
    """What a person can set, for every command."""

    model: str = setting(
        "auto", "encoder to use (default: the one chosen in the window, else the best one installed)", metavar="NAME"
    )
    cache: str = setting("", "folder of the libraries (default: the user's cache folder)", metavar="DIR")
    data: str = setting("", "folder of what you made, such as names (default: the user's data folder)", metavar="DIR")
    offline: bool = setting(False, "never open an internet socket")
    json: bool = setting(False, "print one JSON document on standard output")
    quiet: bool = setting(False, "print no progress and no messages on standard error")
    seed: int = setting(42, "seed of the map (default: 42)", metavar="N", between=(0, 2**32 - 1))
    exclude: tuple[str, ...] = setting(
        (), "leave out files whose name or path matches; may be given several times", metavar="PATTERN"
    )
    hidden: bool = setting(False, "read hidden files and folders too")
    ocr: bool = setting(True, "do not read the text that stands in images")
    quality: str = setting(
        "auto", "picture quality: auto, low, normal or high (default: auto)", metavar="LEVEL", choices=QUALITIES
    )
    renderer: str = setting(
        "auto",
        "what draws the map: gl (OpenGL), software (atlas_rt's own rasterizer) or auto, which is software where OpenGL "
        "has no graphics card (default: auto)",
        metavar="auto|gl|software",
        choices=RENDERERS,
    )
    reduced_motion: bool = setting(False, "nothing moves by itself, and flights become jumps")
    flying_speed: float = setting(
        1.0, "times the usual flying speed (default: 1)", metavar="TIMES", between=(0.1, 10.0)
    )
    field_of_view: float = setting(
        55.0,
        "degrees that the picture shows from top to bottom (default: 55)",
        metavar="DEGREES",
        between=(20.0, 110.0),
    )
    invert_look: bool = setting(False, "dragging turns the gaze instead of the picture")
    ui_scale: float = setting(
        0.0, "size of type and panels (default: 0, as the screen wants it)", metavar="TIMES", between=(0.0, 4.0)
    )
    hints: bool = setting(True, "show hints to who has not flown here yet (default: yes)")
    fps: int = setting(60, "frames a second to aim at, 0 for no limit (default: 60)", metavar="N", between=(0, 1000))
    fullscreen: bool = setting(False, "cover the whole screen")
    kiosk: bool = setting(False, "full screen without a pointer; only Ctrl+Alt+Q, held for three seconds, leaves")
    kiosk_idle_secs: float = setting(
        90.0, "seconds without input after which the kiosk flies home (default: 90)", between=(1.0, 1e6)
    )
    screen: int = setting(
        -1, "number of the screen to use (default: the system's choice)", metavar="N", between=(-1, 99)
    )
    webcam: str = setting(
        "", "camera to switch on at the start (its number, default: 0), or a film to play", metavar="N|FILE", alone="0"
    )
    trace: str = setting("", "file to which the window writes when each step of its start was done, for measurements")
    threads: int = setting(0, "threads that decode images (default: 0, one for each core)", between=(0, 1024))
    labels: str = setting(
        "", "file with your own words for images, one on each line (default: labels.txt next to atlas.toml)"
    )
    granularity: str = setting(
        "",
        "how many clusters (default: as the map has now; some for a new map)",
        metavar="few|some|many",
        choices=GRANULARITIES,
    )
    language: str = setting(
        "",
        "your language, such as en or de: what you type is read in it too, labels and the narrator's answers are in it "
        "(default: the system's)",
        metavar="L",
    )
    narrator: str = setting(
        "ask",
        "whether Claude may be asked through Amazon Bedrock, which costs money: off, ask or on (default: ask)",
        metavar="off|ask|on",
        choices=NARRATORS,
    )
    narrator_model: str = setting(
        "", "model or inference profile of Bedrock (default: Claude Haiku, by region)", metavar="ID"
    )
    narrator_region: str = setting("", "AWS region to use (default: that of your AWS settings)", metavar="REGION")
    narrator_file_names: bool = setting(False, "let the narrator send the names of your files too")
    budget_library: float = setting(
        1.0, "dollars that the narrator may spend on one library (default: 1)", metavar="USD", between=(0.0, 1e6)
    )
    budget_month: float = setting(
        5.0, "dollars that it may spend on all libraries in a month (default: 5)", metavar="USD", between=(0.0, 1e6)
    )
    endpoint_url: str = setting(
        "", "address of a service that speaks S3, such as http://nas:9000 (default: Amazon's)", metavar="URL"
    )
    profile: str = setting("", "profile of your AWS settings to use for S3 (default: AWS_PROFILE)", metavar="NAME")
    region: str = setting("", "AWS region of the bucket (default: that of your AWS settings)", metavar="REGION")
    no_sign_request: bool = setting(False, "read a public bucket without keys")
    request_payer: bool = setting(False, "pay for the requests yourself, as some buckets demand")
    originals_gb: float = setting(
        2.0,
        "room that copies of images in S3 may take in the cache, in GB (default: 2)",
        metavar="GB",
        between=(0.0, 1e6),
    )
    poll_secs: float = setting(
        60.0,
        "seconds after which a window lists its buckets again; more while nothing changes (default: 60)",
        metavar="SECS",
        between=(60.0, 1e6),
    )
    require_gpu: bool = setting(False, "stop if no GPU can run the encoders, instead of using the processor")
    tensorrt: bool = setting(False, "try TensorRT before CUDA; the first run of each model may compile for minutes")

    @property
    def cache_path(self) -> Path | None:
        return Path(self.cache) if self.cache else None

    @property
    def data_path(self) -> Path | None:
        return Path(self.data) if self.data else None

    @property
    def spoken(self) -> str:
        """The person's language, as it was given or as the system's locale has it."""
        return self.language or _locale()

    @property
    def labels_path(self) -> Path:
        return Path(self.labels) if self.labels else platformdirs.user_config_path("atlas_rt") / "labels.txt"

    @property
    def s3(self) -> S3Options:
        """How S3 is reached."""
        from atlas_rt.core.s3_options import S3Options

        return S3Options(self.endpoint_url, self.profile, self.region, self.no_sign_request, self.request_payer)

    def runtime(self, cache: Path | None = None) -> Runtime:
        """Where encoders run. cache: the program's cache folder, which keeps what a GPU's compiler makes."""
        from atlas_rt.core.runtime import Runtime

        return Runtime(require_gpu=self.require_gpu, tensorrt=self.tensorrt, cache=cache)


def _locale() -> str:
    """The language of the system's messages, such as "de_AT"; "en" where it has none."""
    given = (os.environ.get(name, "") for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    found = next((value for value in given if value), "") or locale.getlocale()[0] or ""
    return found if len(found) > 1 and not found.startswith(("C.", "POSIX")) else "en"


def pictures_folder() -> Path | None:
    """The user's folder of pictures; None where there is none, or this user may not know."""
    try:
        folder = Path(platformdirs.user_pictures_dir())  # reads a file in ~/.config
        return folder if folder.is_dir() else None
    except OSError:
        return None


DEFAULTS = Settings()
MEANINGS: dict[str, Meaning] = {each.name: each.metadata["meaning"] for each in fields(Settings)}
"""Setting -> what it is."""


def load_settings(
    flags: Mapping[str, Any], *, environment: Mapping[str, str] | None = None, kept: Mapping[str, Any] | None = None
) -> Settings:
    """Settings from the command line (None: not given), the environment and the file.

    kept: what a person set in the window, newer than what they wrote into the file; a value that cannot be is passed
    over, since that file is ours. Raises UsageError for a wrong value, and says where it was set.
    """
    environment = os.environ if environment is None else environment
    path = platformdirs.user_config_path("atlas_rt") / "atlas.toml"
    settings = _apply(Settings(), _file_values(path), lambda name: f"{name} in {path}")
    for name, value in (kept or {}).items():
        with contextlib.suppress(UsageError):
            settings = _apply(settings, {name: value}, str)
    settings = _apply(settings, _environment_values(environment), lambda name: PREFIX + name.upper())
    given = {name: value for name, value in flags.items() if value is not None}
    return _apply(settings, given, option_of)


def with_value(settings: Settings, name: str, value: Any) -> Settings:
    """The settings with another value of one. Raises UsageError where it cannot have that."""
    return _apply(settings, {name: value}, str)


def option_of(name: str) -> str:
    """The option that sets a setting, or takes off what is on by default."""
    return f"--{'no-' if getattr(DEFAULTS, name) is True else ''}{name.replace('_', '-')}"


def _file_values(path: Path) -> dict[str, Any]:
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        if not os.path.lexists(path):  # in a folder this user may not look into, as after `su`
            return {}
        raise UsageError(
            f"the settings file cannot be read ({error.strerror}); allow it, or move the file away: {path}"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"the settings file is not valid TOML ({error}): {path}") from error
    values = _flat(values)
    for name in values.keys() - MEANINGS.keys():
        near = difflib.get_close_matches(name, MEANINGS, n=1)
        meant = f" (did you mean {near[0]}?)" if near else ""
        raise UsageError(f"unknown setting {name!r}{meant}; known are {', '.join(sorted(MEANINGS))}: {path}")
    return values


def _flat(values: dict[str, Any]) -> dict[str, Any]:
    """The table [narrator] as settings: `model` in it is `narrator_model`, `mode` is `narrator`."""
    table = values.get(NARRATOR_TABLE)
    if not isinstance(table, dict):
        return values
    named = {NARRATOR_TABLE if name == "mode" else f"{NARRATOR_TABLE}_{name}": each for name, each in table.items()}
    return {name: each for name, each in values.items() if name != NARRATOR_TABLE} | named


def _environment_values(environment: Mapping[str, str]) -> dict[str, Any]:
    names = {PREFIX + name.upper(): name for name in MEANINGS}
    return {names[key]: value for key, value in environment.items() if key in names}


def _apply(settings: Settings, values: Mapping[str, Any], called: Callable[[str], str]) -> Settings:
    """The settings with these values. called: the name a person knows a setting by in that place."""
    return replace(settings, **{name: _checked(name, value, called(name)) for name, value in values.items()})


def _checked(name: str, value: Any, called: str) -> Any:
    """The value as the type of its default; text from the environment is read as a person writes it."""
    default, meaning = getattr(DEFAULTS, name), MEANINGS[name]
    read, kind = _KINDS[type(default)]
    try:
        parsed = read(value)
    except (ValueError, TypeError, OverflowError):
        raise UsageError(f"{called} must be {kind}, not {value!r}") from None
    if meaning.choices and parsed not in (default, *meaning.choices):
        raise UsageError(f"{called} must be one of {', '.join(meaning.choices)}, not {parsed!r}")
    if meaning.between and not meaning.between[0] <= parsed <= meaning.between[1]:
        low, high = meaning.between
        raise UsageError(f"{called} must be from {low:,} to {high:,}, not {parsed}")
    return parsed


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
"""Type of a default -> how such a value is read, and what a message calls it."""
