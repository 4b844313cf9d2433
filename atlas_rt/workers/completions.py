"""How what is typed may go on: names of fields, and values that the library has, the most common first."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from atlas_rt.core.answers import Completion
from atlas_rt.core.maps import Cluster
from atlas_rt.core.paths import start_of
from atlas_rt.core.scene import Scene
from atlas_rt.core.word_names import unbracketed
from atlas_rt.core.words import folded, pieces_of
from atlas_rt.library.formats import suffix_of
from atlas_rt.search.fields import FIELDS
from atlas_rt.workers.text_search import TextSearch

SHOWN = 6
LEAST_LETTERS = 2
"""Of a field's name, before it is offered: many words begin with one of these letters."""
ALWAYS = {"rating": ("5", ">=4", ">=3", ">=2", ">=1"), "size": (">12mp", ">24mp", "<1mp", ">10mb")}
"""Values that every library may be asked for."""

_VALUE = re.compile(r'(?<!\S)(?P<sign>[+-]?)(?P<field>[^\W\d_]+):(?:"(?P<quoted>[^"]*)|(?P<word>[^\s"]*))$')
_NAME = re.compile(r"(?<!\S)(?P<sign>[+-]?)(?P<name>[^\W\d_]+)$")


class Completer:
    """Completes what is typed over one library. What values there are is read once for each scene."""

    def __init__(self, texts: TextSearch, sources: Sequence[str]) -> None:
        self._texts = texts
        self._roots = sorted((start_of(source) for source in sources), key=len)
        self._scene: Scene | None = None
        self._values: dict[str, tuple[str, ...]] = {}

    def completions(self, text: str, scene: Scene) -> tuple[Completion, ...]:
        """How the end of a text may go on, the best first; nothing where it is no field."""
        if self._scene is not scene:
            self._scene, self._values = scene, {}
        if match := _VALUE.search(text):
            name, typed = match["field"].lower(), match["quoted"] or match["word"] or ""
            begin = f"{text[: match.start()]}{match['sign']}{name}:"
            ends = [_quoted(value) for value in self._fitting(name, typed, scene)]
            return tuple(Completion(f"{name}:{end}", f"{begin}{end} ") for end in ends[:SHOWN])
        if (match := _NAME.search(text)) and len(match["name"]) >= LEAST_LETTERS:
            begin = f"{text[: match.start()]}{match['sign']}"
            names = [name for name in FIELDS if name.startswith(match["name"].lower())]
            return tuple(Completion(f"{name}:", f"{begin}{name}:") for name in names)
        return ()

    def _fitting(self, name: str, typed: str, scene: Scene) -> Iterator[str]:
        """The values of a field of which a word begins as typed, less what is typed whole already."""
        if name not in FIELDS:
            return
        if name not in self._values:
            self._values[name] = tuple(self._read(name, scene))
        told: set[str] = set()  # two labels may be called the same
        pieces = " ".join(pieces_of(typed))
        for value in self._values[name]:
            shown = scene.words.plain(value) if name == "label" else value
            read = value if shown == value else f"{shown} {value}"  # either may be typed
            fits = value.startswith(typed) if name in ALWAYS else f" {pieces}" in f" {' '.join(pieces_of(read))}"
            if fits and shown.lower() != typed.lower() and shown not in told:
                told.add(shown)
                yield shown

    def _read(self, name: str, scene: Scene) -> Iterable[str]:
        match name:
            case "folder":
                return _by_count(folder for path in scene.paths for folder in self._folders(path))
            case "type":
                return _by_count(suffix_of(path)[1:] for path in scene.paths)
            case "cluster":
                largest = sorted(scene.cluster_records, key=lambda each: -each.size)
                return dict.fromkeys(_typed(each) for each in largest)
            case "label" if scene.words.said:  # the person's words first
                said, plain = scene.words.said, scene.words.plain
                return sorted(self._texts.values(name), key=lambda word: (word not in said, folded(plain(word))))
            case "name":
                return ()
        return ALWAYS.get(name) or self._texts.values(name)

    def _folders(self, path: str) -> Iterator[str]:
        """The folder of a file and those around it, below the root of its source."""
        root = next((root for root in self._roots if path.startswith(root)), None)
        if root is None:
            return
        folder = os.path.dirname(path[len(root) :])  # noqa: PTH120  a hundred thousand of them
        while folder.strip("/"):  # a key may begin with slashes, and "/" would be its own folder for ever
            yield folder
            folder = os.path.dirname(folder)  # noqa: PTH120


def _typed(cluster: Cluster) -> str:
    """A cluster's name without the brackets around words that are shown in English."""
    return cluster.name if cluster.stored is None else unbracketed(cluster.name)


def _by_count(values: Iterable[str]) -> list[str]:
    return [value for value, _ in Counter(values).most_common() if value]


def _quoted(value: str) -> str:
    return f'"{value}"' if re.search(r"\s", value) else value
