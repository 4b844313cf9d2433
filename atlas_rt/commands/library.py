"""`atlas-rt library`: the libraries in the cache."""

from __future__ import annotations

import argparse
import os
from datetime import datetime

from atlas_rt.commands.collection import sources_of, update
from atlas_rt.commands.output import answers_yes, asks, print_json, say, tell
from atlas_rt.core.s3_address import is_s3
from atlas_rt.errors import UsageError
from atlas_rt.library.cache_layout import cache_folder, forget, move, place_of, places, real_sources
from atlas_rt.library.cleaning import Cleaned, clean
from atlas_rt.library.formats import TABLE_SUFFIXES
from atlas_rt.library.relocation import make_way, moved_places
from atlas_rt.library.sources import absolute, path_or_address, resolve
from atlas_rt.library.store import StoreReader
from atlas_rt.library.store_writer import StoreWriter, writing
from atlas_rt.settings import Settings

DOES = ("list", "forget", "clean", "move")


def run(settings: Settings, arguments: argparse.Namespace) -> int:
    if arguments.does not in DOES:
        raise UsageError(f"library {arguments.does!r} is unknown; choose from: {', '.join(DOES)}")
    if arguments.does == "forget":
        return _forget_added(settings, arguments) if arguments.added else _forget(settings, arguments)
    if arguments.does == "clean":
        return _clean(settings, arguments)
    if arguments.does == "move":
        return _move(settings, arguments)
    if arguments.source or arguments.demo:
        raise UsageError("library list shows every library and takes no source")
    return _list(settings)


def _list(settings: Settings) -> int:
    shelved = places(cache_folder(settings.cache_path))
    rows = [
        {
            "sources": list(each.place.sources),
            "images": each.images,
            "bytes": each.size_bytes,
            "opened": each.opened_secs,
            "folder": str(each.place.folder),
            "missing": [source for source in each.place.sources if _is_missing(source)],
        }
        for each in shelved
    ]
    if settings.json:
        print_json(rows)
        return 0
    for each, row in zip(shelved, rows, strict=True):
        opened = f"{datetime.fromtimestamp(each.opened_secs):%Y-%m-%d %H:%M}" if each.opened_secs else "never opened"
        away = "  (not there now)" if row["missing"] else ""
        named = " ".join(each.place.sources)
        tell(f"{each.images:>9,} images  {each.size_bytes / 1e6:>9,.1f} MB  {opened:<16}  {named}{away}")
    if not shelved:
        say(settings, "no libraries yet; `atlas-rt SOURCE` makes one")
    return 0


def _is_missing(source: str) -> bool:
    """Of buckets nobody knows without asking."""
    return not is_s3(source) and not os.path.exists(source)  # noqa: PTH110  says no where pathlib raises


def _forget(settings: Settings, arguments: argparse.Namespace) -> int:
    """Delete a library. Its paths are enough to find it: the source may be gone, and the library damaged."""
    cache = cache_folder(settings.cache_path)
    place = place_of(_wanted(settings, arguments), cache, make=False)
    named = " ".join(place.sources)
    if not place.folder.is_dir():
        known = "\n".join(f"  {' '.join(each.place.sources)}" for each in places(cache))
        there = f"there are:\n{known}" if known else f"there are none in {cache}"
        raise UsageError(f"there is no library of {named}; {there}")
    forget(place, cache)
    say(settings, f"forgotten (no image was touched): {named}")
    if settings.json:
        print_json({"forgotten": [list(place.sources)]})
    return 0


def _forget_added(settings: Settings, arguments: argparse.Namespace) -> int:
    """Take what was dropped on a window by mistake out of the library again; its images are away then."""
    cache = cache_folder(settings.cache_path)
    place = place_of(_wanted(settings, arguments), cache, make=False)
    paths = [path_or_address(word) for word in arguments.added]
    with StoreReader.open(place.folder) as store:
        extras = store.extras()
    if unknown := [path for path in paths if path not in extras]:
        there = "\n".join(f"  {path}" for path in extras) or "  nothing"
        raise UsageError(f"this was not added to the library: {unknown[0]}\nthere was:\n{there}")
    with writing(place, StoreWriter) as writer:
        writer.remove_extras(paths)
    report = update(settings, place, cache)
    say(settings, f"removed again (no image was touched): {' '.join(paths)}; {report.away:,} images are away")
    if settings.json:
        print_json({"forgotten": paths, "images": report.images, "away": report.away})
    return 0


def _clean(settings: Settings, arguments: argparse.Namespace) -> int:
    """Forget what is away, after a look at what is there now."""
    cache = cache_folder(settings.cache_path)
    paths = sources_of(settings, arguments.source, demo=arguments.demo)
    place = place_of(paths, cache, make=False)
    if not (place.folder / "library.db").exists():
        raise UsageError(f"no library of {' '.join(paths)} yet, so nothing in it is away")
    update(settings, place, cache)
    with StoreReader.open(place.folder) as store:
        ids = store.away_ids()
    away = "1 image is away" if len(ids) == 1 else f"{len(ids):,} images are away"
    cleaned = Cleaned(0, 0)
    if len(ids) and not arguments.yes and not asks(settings):
        _tell_cleaned(settings, len(ids), cleaned)
        raise UsageError(f"{away}; `atlas-rt library clean SOURCE --yes` forgets them for good")
    if len(ids) and (arguments.yes or answers_yes(f"{away}. Forget them for good, with their places on the map?")):
        cleaned = clean(place, ids)
    _tell_cleaned(settings, len(ids) - cleaned.images, cleaned)
    return 0


def _tell_cleaned(settings: Settings, away: int, cleaned: Cleaned) -> None:
    if settings.json:
        print_json({"away": away, "removed": cleaned.images, "bytes_freed": cleaned.bytes_freed})
    elif cleaned.images:
        tell(f"{cleaned.images:,} images forgotten (no file was touched), {cleaned.bytes_freed / 1e6:,.1f} MB freed")
    else:
        tell(f"nothing forgotten, {away:,} images are away")


def _move(settings: Settings, arguments: argparse.Namespace) -> int:
    """Every library that has a source at or below the old path goes along to the new one."""
    if len(arguments.source) != 2 or arguments.demo:
        raise UsageError("name the old and the new path of a source: atlas-rt library move OLD NEW")
    cache = cache_folder(settings.cache_path)
    old = path_or_address(arguments.source[0])
    (new,) = real_sources(_target(arguments.source[1]))
    moved: list[dict[str, list[str]]] = []
    for place, moves in moved_places(old, new, cache):
        target = place_of([moves.get(source, source) for source in place.sources], cache, make=False)
        if list(target.sources) in [each["to"] for each in moved]:
            continue  # another one that was known by a link to the same folder: the one opened last has moved
        if make_way(place, target, cache):
            say(settings, f"the library that was made of {' '.join(target.sources)} meanwhile is replaced")
        move(place, moves, cache)
        moved.append({"from": list(place.sources), "to": list(target.sources)})
        say(settings, f"moved along (no image was touched): {' '.join(place.sources)} -> {' '.join(target.sources)}")
    if settings.json:
        print_json({"moved": moved})
    return 0


def _target(word: str) -> tuple[str, ...]:
    """Where a source goes to; of a library that was imported from a file, this file. Raises UsageError."""
    if not is_s3(word) and (path := absolute(word)).is_file() and path.suffix.lower() in TABLE_SUFFIXES:
        return (str(path),)
    return resolve([word])


def _wanted(settings: Settings, arguments: argparse.Namespace) -> tuple[str, ...]:
    if arguments.demo:
        return sources_of(settings, arguments.source, demo=True)
    if not arguments.source:
        raise UsageError("name the source whose library it is: atlas-rt library forget SOURCE")
    return tuple(path_or_address(word) for word in arguments.source)
