"""`atlas-rt library`: the libraries in the cache."""

from __future__ import annotations

import argparse
from datetime import datetime
from pathlib import Path

from atlas_rt.commands.collection import sources_of
from atlas_rt.commands.output import print_json, say
from atlas_rt.errors import UsageError
from atlas_rt.library.shelf import cache_folder, forget, places
from atlas_rt.settings import Settings

DOES = ("list", "forget")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("does", nargs="?", default="list", metavar="list|forget", help="what to do (list)")
    parser.add_argument("source", nargs="*", metavar="SOURCE", help="whose library to forget")
    parser.add_argument("--demo", action="store_true", help="the pictures that come with the program")


def run(settings: Settings, arguments: argparse.Namespace) -> int:
    if arguments.does not in DOES:
        raise UsageError(f"library {arguments.does!r} is unknown; there are: {', '.join(DOES)}")
    return _list(settings) if arguments.does == "list" else _forget(settings, arguments)


def _list(settings: Settings) -> int:
    shelved = places(cache_folder(settings.cache_path))
    rows = [
        {
            "sources": list(each.place.sources),
            "images": each.images,
            "bytes": each.size_bytes,
            "opened": each.opened_secs,
            "folder": str(each.place.folder),
        }
        for each in shelved
    ]
    if settings.json:
        print_json(rows)
        return 0
    for each in shelved:
        opened = f"{datetime.fromtimestamp(each.opened_secs):%Y-%m-%d %H:%M}" if each.opened_secs else "never opened"
        print(
            f"{each.images:>9,} images  {each.size_bytes / 1e6:>9,.1f} MB  {opened:<16}  {' '.join(each.place.sources)}"
        )
    if not shelved:
        say(settings, "no libraries yet; `atlas-rt SOURCE` makes one")
    return 0


def _forget(settings: Settings, arguments: argparse.Namespace) -> int:
    """The source itself may be long gone: libraries are matched by the paths they were made from."""
    cache = cache_folder(settings.cache_path)
    wanted = _wanted(arguments)
    found = [each for each in places(cache) if each.place.sources == wanted]
    if not found:
        known = "\n".join(f"  {' '.join(each.place.sources)}" for each in places(cache))
        raise UsageError(
            f"no library of {' '.join(wanted)}" + (f"; there are:\n{known}" if known else "; there are none")
        )
    for each in found:
        forget(each.place, cache)
        say(settings, f"forgotten (no image was touched): {' '.join(each.place.sources)}")
    if settings.json:
        print_json({"forgotten": [list(each.place.sources) for each in found]})
    return 0


def _wanted(arguments: argparse.Namespace) -> tuple[str, ...]:
    if arguments.demo:
        return sources_of((), demo=True)
    if not arguments.source:
        raise UsageError("name the source whose library to forget: atlas-rt library forget SOURCE")
    return tuple(sorted({str(Path(word).expanduser().absolute()) for word in arguments.source}))
