"""What is known of a scene's images as codes: each facet is a line of `KINDS`, with the function that reads it.

100,000 images: 0.5 s, most of it in SQLite, where other threads run.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from atlas_rt.core.arrays import Ints
from atlas_rt.core.rows import rows_of
from atlas_rt.core.scene import Scene
from atlas_rt.core.words import pieces_of
from atlas_rt.library.finding import outermost, type_of
from atlas_rt.library.store import StoreReader
from atlas_rt.search.facets import DAY_SECS, NEVER, Facet, FacetTable, Numbers
from atlas_rt.search.labels import SURE

RATINGS = ("5", "4", "3", "2", "1", "0", "-1")
YEARS = (1, 9999)
"""What a date can be."""


@dataclass(frozen=True, slots=True)
class Known:
    """What facets are made of. taken, rating: (n,) in the scene's rows."""

    scene: Scene
    store: StoreReader
    model_id: str
    taken: Numbers
    rating: Numbers


class Codes(NamedTuple):
    """As in `Facet`."""

    values: tuple[str, ...]
    codes: Ints
    rows: Ints | None = None
    ends: Ints | None = None
    texts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Kind:
    """A facet that there can be. read: its values, and which images have them."""

    field: str
    title: str
    read: Callable[[Known], Codes]


def facet_table(scene: Scene, store: StoreReader, model_id: str) -> FacetTable:
    """What is known of a scene's images now. Raises AtlasError where the library cannot be read."""
    known, none = store.finder.known(), np.zeros(len(scene.ids), np.int64)
    rows, here = rows_of(known.ids, scene.ids)
    numbers = [none.copy() for _ in range(4)]
    for values, told in zip(numbers, (known.taken, known.rating, known.pixels, known.bytes), strict=True):
        values[here] = told[rows[here]]
    taken, rating, pixels, sizes = numbers
    taken[~here] = NEVER
    days, codes = np.unique(np.floor_divide(taken[here], DAY_SECS), return_inverse=True)
    day_codes = np.full(len(scene.ids), -1, np.int32)
    day_codes[here] = codes
    material = Known(scene, store, model_id, taken, rating)
    facets = tuple(_facet(kind, material) for kind in KINDS)
    return FacetTable(scene.ids, facets, taken, rating, pixels, sizes, days, day_codes)


def _facet(kind: Kind, known: Known) -> Facet:
    codes = kind.read(known)
    words = [f" {' '.join(pieces_of(value))}" for value in codes.values]
    if codes.texts:  # found in both languages
        words = [f"{word} {' '.join(pieces_of(text))}" for word, text in zip(words, codes.texts, strict=True)]
    return Facet(kind.field, kind.title, *codes[:4], words=tuple(words), texts=codes.texts)


def _years(known: Known) -> Codes:
    """The newest first."""
    there = known.taken != NEVER
    years = np.where(there, known.taken, 0).astype("M8[s]").astype("M8[Y]").astype(np.int64) + 1970
    there &= (years >= YEARS[0]) & (years <= YEARS[1])
    found, places = np.unique(-years[there], return_inverse=True)
    codes = np.full(len(years), -1, np.int32)
    codes[there] = places
    return Codes(tuple(f"{-year:04}" for year in found.tolist()), codes)


def _ratings(known: Known) -> Codes:
    """The best first; none where nothing was rated."""
    rating = np.clip(known.rating, -1, 5)
    if not rating.any():
        return Codes((), np.full(len(rating), -1, np.int32))
    return _by_value([str(value) for value in rating.tolist()], RATINGS)


def _types(known: Known) -> Codes:
    endings = [path[path.rfind(".") :] for path in known.scene.paths]  # 100,000: 15 ms
    named = {ending: type_of(f"x{ending}") for ending in set(endings) if ending[:1] == "." and os.sep not in ending}
    types = [named.get(ending, "") for ending in endings]
    return _by_value(types, [value for value, _ in Counter(types).most_common() if value])


def _folders(known: Known) -> Codes:
    """As a tree: a folder's value is its path below the source, and all that lies in it comes right behind it."""
    paths = [path[: path.rfind(os.sep)] for path in known.scene.paths]
    roots = outermost(known.store.finder.roots())
    below = {path: _below(path, roots) for path in set(paths)}
    folders = {parts[:depth] for parts in below.values() for depth in range(1, len(parts) + 1)}
    order = sorted(folders, key=lambda parts: [(part.casefold(), part) for part in parts])
    places = {parts: place for place, parts in enumerate(order)}
    codes = {path: places.get(parts, -1) for path, parts in below.items()}
    values = tuple("/".join(parts) for parts in order)
    return Codes(values, np.array([codes[path] for path in paths], np.int32), ends=_ends(order))


def _below(folder: str, roots: Iterable[str]) -> tuple[str, ...]:
    """The names of the folders from a source down to this one; none for the source itself."""
    root = next((root for root in roots if folder.startswith(root)), None)
    return () if root is None else Path(folder[len(root) :]).parts


def _ends(order: Sequence[tuple[str, ...]]) -> Ints:
    """The place behind the last folder that lies in each: they stand behind it, as all are sorted by their names."""
    ends = np.zeros(len(order), np.int32)
    around: list[int] = []
    for place, parts in enumerate(order):
        while around and order[around[-1]] != parts[: len(order[around[-1]])]:
            ends[around.pop()] = place
        around.append(place)
    ends[around] = len(order)
    return ends


def _clusters(known: Known) -> Codes:
    """The largest first, asked for by what they are called in the store; those without a name cannot be asked for."""
    clusters = known.scene.clusters
    named = sorted((each for each in known.scene.cluster_records if each.name), key=lambda each: -each.size)
    table = np.full(max([int(clusters.max(initial=-1)), *(each.id for each in named)]) + 2, -1, np.int32)
    for place, each in enumerate(named):
        table[each.id] = place
    texts = tuple(each.name for each in named)
    return Codes(tuple(each.english[0] for each in named), table[clusters], texts=texts)


def _cameras(known: Known) -> Codes:
    return _one_each(known, "camera")


def _places(known: Known) -> Codes:
    """By city, where GPS is known."""
    return _one_each(known, "near")


def _one_each(known: Known, field: str) -> Codes:
    """Of a field of which an image has one value at most."""
    grouped = _grouped(known, field)
    codes = np.full(len(known.scene.ids), -1, np.int32)
    codes[grouped.rows] = grouped.codes
    return Codes(grouped.values, codes)


def _labels(known: Known) -> Codes:
    found = _grouped(known, "label", known.model_id, SURE)
    return found._replace(texts=known.scene.words.listed(found.values))


def _grouped(known: Known, field: str, *asked: object) -> Codes:
    """What the store groups images by, the commonest first."""
    groups = known.store.finder.groups(field, *asked)
    rows_by_value = {}
    for value, ids in groups.items():
        rows, here = rows_of(known.scene.ids, ids)
        if here.any():
            rows_by_value[value] = rows[here].astype(np.int32)
    values = sorted(rows_by_value, key=lambda value: (-len(rows_by_value[value]), value))
    none = [np.zeros(0, np.int32)]
    codes = np.repeat(np.arange(len(values), dtype=np.int32), [len(rows_by_value[value]) for value in values])
    return Codes(tuple(values), codes, np.concatenate([*none, *(rows_by_value[value] for value in values)]))


def _by_value(told: Sequence[str], order: Sequence[str]) -> Codes:
    """told: the value of each image; order: of the list. Values that no image has are left out."""
    present = set(told)
    values = [value for value in order if value in present]
    places = {value: place for place, value in enumerate(values)}
    return Codes(tuple(values), np.array([places.get(value, -1) for value in told], np.int32))


KINDS = (
    Kind("date", "Year", _years),
    Kind("folder", "Folder", _folders),
    Kind("camera", "Camera", _cameras),
    Kind("type", "Type", _types),
    Kind("rating", "Rating", _ratings),
    Kind("near", "Place", _places),
    Kind("cluster", "Cluster", _clusters),
    Kind("label", "Label", _labels),
)
"""In the order of the list."""
