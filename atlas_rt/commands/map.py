"""`atlas-rt map`: the maps that are kept of a library, a new one, the one before."""

from __future__ import annotations

import argparse
from datetime import datetime
from typing import Any

from atlas_rt.commands.collection import open_place, sources_of, update
from atlas_rt.commands.output import print_json, tell
from atlas_rt.encoders import registry
from atlas_rt.engine.messages import Refit, Undo
from atlas_rt.library import maps
from atlas_rt.library.cache_layout import cache_folder
from atlas_rt.library.maps import Kept
from atlas_rt.mapping.fit import SMALLEST_FIT
from atlas_rt.settings import Settings

REQUESTS: dict[str, Refit | Undo] = {"refit": Refit(), "undo": Undo()}
DOES = ("list", *REQUESTS)


def run(settings: Settings, arguments: argparse.Namespace) -> int:
    does, sources = _read(arguments.words)
    paths = sources_of(settings, sources, demo=arguments.demo)
    cache = cache_folder(settings.cache_path)
    model = registry.load(settings.model, cache)
    place = open_place(settings, paths, cache, make=does != "list")
    folder = place.folder / model.id
    if does == "list":
        return _list(settings, maps.kept(folder), maps.latest(folder))
    update(settings, place, cache, request=REQUESTS[does])
    now = maps.kept(folder)[-1]
    if settings.json:
        print_json(_fields(now, now.generation))
    else:
        tell(_line(now, now.generation))
    return 0


def _read(words: list[str]) -> tuple[str, list[str]]:
    """What to do, which stands first or last, and the sources."""
    for place in (-1, 0):
        if words and words[place] in DOES:
            rest = words[:-1] if place else words[1:]
            return words[place], rest
    return "list", words


def _list(settings: Settings, kept: list[Kept], latest: int) -> int:
    if settings.json:
        print_json([_fields(each, latest) for each in kept])
        return 0
    for each in kept:
        tell(_line(each, latest))
    if not kept:
        tell(f"there is no fitted map yet; `atlas-rt index` makes one from {SMALLEST_FIT} images or more")
    return 0


def _fields(each: Kept, latest: int) -> dict[str, Any]:
    return {
        "generation": each.generation,
        "fit": each.fit,
        "images": each.images,
        "seed": each.seed,
        "drift": round(each.drift, 4),
        "made": each.made_secs,
        "shown": each.generation == latest,
    }


def _line(each: Kept, latest: int) -> str:
    made = f"{datetime.fromtimestamp(each.made_secs):%Y-%m-%d %H:%M}"
    drift = f"old images moved by {each.drift:.1%} of its radius" if each.fit > 1 else "the first"
    shown = "  (shown)" if each.generation == latest else ""
    return f"fit {each.fit}  {made}  {each.images:>9,} images  {drift}{shown}"
