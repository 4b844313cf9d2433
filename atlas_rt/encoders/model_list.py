"""What is published about the encoders that can be had by name: `models/registry.toml`, as values.

Which of them are here is `registry`'s to say.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from atlas_rt.core.assets import assets_folder
from atlas_rt.errors import AtlasError, UsageError

Triple = tuple[float, float, float]
NEAR = 0.4
"""Share of a name that has to agree for it to be offered as what was meant: "vit-b32" still finds ViT-B-32."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One encoder by name. What could not be looked up is empty or None, and named in `unknown`.

    architecture, pretrained: open_clip's names, "" where it has none. family: "clip", "siglip", "starter".
    source: where the weights lie (a repository on the hub, or a folder of ours), revision: the commit there.
    hub, hub_revision: the repository of a ready ONNX export, "" where none is known, and the commit there.
    commercial_use: None where the licence leaves it open. mean, std: of pixels in 0..1, None: the graph does it.
    resize, interpolation: as in `preprocess.Preprocessing`. tokenizer: "clip", or where its tokenizer.json lies.
    clean: as in `registry.TextTower`. note: what a person should know besides.
    imagenet_accuracy: zero-shot top-1 in percent, published at `accuracy_source`.
    good_for: what it finds, in a few words. memory_mb: of both towers' weights in float32.
    strong, weak, label_temperature: as in `registry.Calibration`.
    """

    name: str
    family: str
    architecture: str = ""
    pretrained: str = ""
    source: str = ""
    hub: str = ""
    hub_revision: str = ""
    revision: str = ""
    licence: str = ""
    commercial_use: bool | None = None
    dim: int = 0
    size_px: int = 0
    mean: Triple | None = None
    std: Triple | None = None
    resize: str = ""
    interpolation: str = ""
    tokenizer: str = ""
    clean: str = ""
    context_length: int = 0
    languages: str = ""
    good_for: str = ""
    imagenet_accuracy: float | None = None
    accuracy_source: str = ""
    memory_mb: int | None = None
    strong: float | None = None
    weak: float | None = None
    label_temperature: float | None = None
    note: str = ""
    unknown: tuple[str, ...] = ()

    def untrained(self) -> Entry:
        """The same without what only its published weights can do; with it, `auto` would take noise for the best."""
        return replace(self, imagenet_accuracy=None, strong=None, weak=None, label_temperature=None)


@cache
def entries() -> tuple[Entry, ...]:
    """Every encoder of the registry, in its order. Raises AtlasError where the installation is damaged."""
    file = assets_folder("models") / "registry.toml"
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
        return tuple(_entry(name, table) for name, table in tables.items())
    except (OSError, ValueError, TypeError) as error:
        raise AtlasError(f"the program's own list of models is damaged ({error}); install it again: {file}") from None


def entry(name: str) -> Entry:
    """The encoder of that name. Raises UsageError with the known names and the nearest."""
    for known in entries():
        if known.name == name:
            return known
    raise UsageError(no_such_model(name, [known.name for known in entries()]))


def no_such_model(name: str, names: Iterable[str]) -> str:
    """The sentence for a name that nobody has: the nearest of the known ones, and all of them."""
    known = list(dict.fromkeys(names))
    folded = {each.casefold(): each for each in reversed(known)}
    near = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=NEAR)
    meant = f" Did you mean {folded[near[0]]}?" if near else ""
    return f'No model is called "{name}".{meant} Known: {", ".join(known)}.'


def how_to_get(known: Entry) -> str:
    """One sentence: the command that brings a model of the registry here."""
    if known.hub:
        return f"Fetch it with: atlas-rt models get {known.name}"
    if known.architecture:
        return f"Export it with: atlas-rt models export {known.name}"
    return f"No ready export of it is known; its weights lie in {known.source}."


def _entry(name: str, table: dict[str, Any]) -> Entry:
    lists = {key: tuple(value) for key, value in table.items() if isinstance(value, list)}
    return Entry(name=name, **(table | lists))
