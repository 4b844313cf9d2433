"""`atlas-rt import`: takes in what was embedded elsewhere, without reading, decoding or encoding it again."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

from atlas_rt.commands.collection import (
    BusyError,
    open_place,
    refuse_empty,
    sources_of,
    tell_failures,
    update,
)
from atlas_rt.commands.import_files import ForeignFiles, Merge, fetched, usable_shards
from atlas_rt.commands.output import print_json, say, tell
from atlas_rt.core.images import LibraryPlace
from atlas_rt.core.reports import IndexReport
from atlas_rt.core.s3_address import is_s3
from atlas_rt.encoders import registry
from atlas_rt.encoders.registry import Model
from atlas_rt.engine.messages import PlaceAsGiven
from atlas_rt.library.cache_layout import cache_folder, place_of
from atlas_rt.library.sources import absolute
from atlas_rt.library.store import StoreReader
from atlas_rt.library.tables.remembered_shards import ShardShelf, drop_served, listed_model, note_listed_model
from atlas_rt.library.tables.table_files import files_of
from atlas_rt.settings import Settings


def run(settings: Settings, arguments: argparse.Namespace) -> int:
    cache = cache_folder(settings.cache_path)
    model = registry.load(settings.model, cache)
    addresses = [word for word in arguments.sources if is_s3(word)]
    paths = [word for word in arguments.sources if not is_s3(word)]
    files = files_of(paths)
    listed = not arguments.into
    if listed:
        sources = tuple(sorted({*map(str, map(absolute, paths)), *addresses}))
    else:
        sources = sources_of(settings, arguments.into, demo=False)
    merge = Merge()
    with TemporaryDirectory(prefix="atlas-import-") as folder:
        foreign = ForeignFiles(settings, model, cache, Path(folder))
        addressed = fetched(settings, addresses, Path(folder))
        if settings.model == registry.AUTO:
            if before := listed_model(place_of(sources, cache, make=False).folder):
                # the images that it lists already would all be away with another one
                foreign.model = registry.load(before, cache)
            elif listed:
                foreign.settle_model([*files, *addressed])
        model = foreign.model
        usable = usable_shards(settings, [*files, *addressed], foreign, merge, names=addressed)
        place = open_place(settings, sources, cache)
        known = _contents_of(place, model)
        if listed:
            note_listed_model(place.folder, model.name)  # before the shards, which mean nothing without it
        shelf = ShardShelf(place.folder, listed=listed)
        for path in usable:
            merge.already += not shelf.put(path)
            merge.shards += 1
    report = _updated(settings, place, cache, with_map=arguments.map)
    _tell(settings, merge, report, place, model, known)
    if report is not None:
        refuse_empty(sources, report)
    return 0


def _contents_of(place: LibraryPlace, model: Model) -> frozenset[bytes]:
    """What the library knows already."""
    if not (place.folder / "library.db").exists():
        return frozenset()
    with StoreReader.open_older(place.folder) as store:
        return store.hashes(model.id)


def _updated(settings: Settings, place: LibraryPlace, cache: Path, *, with_map: bool) -> IndexReport | None:
    """What bringing the library up to date came to; None where the process that has it open does that."""
    try:
        return update(settings, place, cache, request=PlaceAsGiven() if with_map else None)
    except BusyError as busy:
        if with_map:
            raise
        say(settings, f"handed over: {str(busy).partition(';')[0]}; it takes this in, or the next one does")
        return None


def _tell(
    settings: Settings,
    merge: Merge,
    report: IndexReport | None,
    place: LibraryPlace,
    model: Model,
    before: frozenset[bytes],
) -> None:
    now = _contents_of(place, model)
    if report is not None:
        drop_served(place.folder, now, model_id=model.id)
    imported, known = len((merge.hashes & now) - before), len(merge.hashes & before)
    waiting = len(merge.hashes - now - before)
    if report is not None:
        tell_failures(settings, report.failed)
    if merge.unusable:
        say(settings, f"{merge.unusable:,} rows hold no proper vector or tile, and are left out")
    if settings.json:
        document = {
            "imported": imported,
            "known": known,
            "waiting": waiting,
            "failed": merge.failures,
            "unusable": merge.unusable,
            "shards": merge.shards,
            "shards_known": merge.already,
            "refused": [asdict(each) for each in merge.refused],
            "sources": list(place.sources),
            "handed_over": report is None,
            "report": asdict(report) if report is not None else None,
        }
        print_json(document)
        return
    until = "the other process takes them in" if report is None else "their image is in the library"
    waits = f", {waiting:,} wait until {until}" if waiting else ""
    counts = f"{imported:,} different images imported, {known:,} known before{waits}"
    tell(f"{counts}; {merge.failures:,} failures in the shards")
    if report is not None:
        tell(f"{report.images:,} images in the library of {' '.join(place.sources)}")
