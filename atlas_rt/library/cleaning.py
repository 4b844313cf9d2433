"""Forgetting images for good: their rows, vectors, tiles and places on the maps leave the disk.

The flat files only ever grow, so what stays is written to a folder `.cleaning`, packed, together with the maps in the
new numbers. Then one transaction deletes the rows, renumbers the others and leaves a note. Only then are the new files
moved over the old ones. A crash before the transaction leaves the library as it was; after it the note tells whoever
writes the library next to move on (`finish_cleaning`). Readers wait as long as the note is there. Files are replaced
and never shortened, so what another process has mapped stays valid.
"""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from atlas_rt.core.arrays import Ids, Ints
from atlas_rt.core.images import LibraryPlace
from atlas_rt.core.maps import Map
from atlas_rt.core.submap import submap
from atlas_rt.errors import MissingError
from atlas_rt.library import disk_errors, maps
from atlas_rt.library.record_file import copy_records
from atlas_rt.library.store import CLEANING
from atlas_rt.library.store_cleaner import Renumbering, StoreCleaner
from atlas_rt.library.store_writer import StoreWriter, writing
from atlas_rt.library.tile_files import RECORD_BYTES as TILE_BYTES
from atlas_rt.library.vectors import FILE_NAME as VECTORS
from atlas_rt.library.vectors import record_bytes

BESIDE = ".cleaning"


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What was forgotten. bytes_freed: by how much the library is smaller on the disk."""

    images: int
    bytes_freed: int


def clean(place: LibraryPlace, ids: Ids) -> Cleaned:
    """Forget those of these images that are away. Their ids are never given again.

    Raises UsageError while another process writes the library, MissingError where the disk refuses; nothing is
    forgotten then.
    """
    folder = place.folder
    before = _size(folder)
    with writing(place, StoreCleaner) as store, disk_errors.writing(folder):
        finish_cleaning(folder, store)
        doomed = np.intersect1d(ids, store.away_ids())
        if len(doomed):
            _prepare(folder, store, doomed)
            finish_cleaning(folder, store)
    return Cleaned(len(doomed), max(before - _size(folder), 0))


def finish_cleaning(folder: Path, store: StoreWriter) -> bool:
    """Bring a cleaning that was noted to its end, sweep away one that was not; whether anything was moved.

    May be interrupted and called again at any point. Raises MissingError where the disk refuses.
    """
    beside = folder / BESIDE
    note = store.cleaning
    if note:
        with disk_errors.writing(folder):
            for name in TILE_BYTES:
                _move(beside / name, folder / name)
            for model, first in json.loads(note).items():
                _renew_model(beside / model, folder / model, first)
            disk_errors.sync_folder(folder)
        store.database.shrink()
        store.set_setting(CLEANING, "")
    shutil.rmtree(beside, ignore_errors=True)
    return bool(note)


def _prepare(folder: Path, store: StoreCleaner, doomed: Ids) -> None:
    """Write what stays to another folder, then let the one transaction happen; if that fails, nothing is left of it."""
    try:
        _write_beside(folder, store, doomed)
    except BaseException:
        if not store.cleaning:
            shutil.rmtree(folder / BESIDE, ignore_errors=True)
        raise


def _write_beside(folder: Path, store: StoreCleaner, doomed: Ids) -> None:
    beside = folder / BESIDE
    beside.mkdir()
    tiles = store.tiles_without(doomed)
    for name, size in TILE_BYTES.items():
        copy_records(folder / name, beside / name, size, tiles)
    rows, first = dict[str, Ints](), dict[str, int]()
    for model in store.models():
        dim = store.dim_of(model)
        used = store.rows_without(doomed, model)
        (beside / model).mkdir()
        if dim:
            rows[model] = used
            copy_records(folder / model / VECTORS, beside / model / VECTORS, record_bytes(dim), used)
        first[model] = _write_maps(folder / model, beside / model, doomed, used, renumbered=bool(dim))
    disk_errors.sync_folder(beside)
    store.forget(Renumbering(doomed, tiles, rows), note=json.dumps(first))


def _write_maps(folder: Path, beside: Path, doomed: Ids, used: Ints, *, renumbered: bool) -> int:
    """The maps that one can go back to and the newest, without the doomed images, as generations after all others.

    The first one's number.
    """
    numbers = maps.generations(folder)
    first = numbers[-1] + 1 if numbers else 1
    newest = maps.latest(folder)
    generation = first
    for each in sorted({kept.generation for kept in maps.kept(folder)} | ({newest} if newest else set())):
        try:
            map_ = _packed(maps.read_map(folder, each), doomed, used, renumbered=renumbered)
        except MissingError:  # damaged
            continue
        if len(map_.ids) or each == newest:
            maps.write_map(beside, replace(map_, generation=generation), made_as=folder / f"map-{each}")
            generation += 1
    return first


def _packed(map_: Map, doomed: Ids, used: Ints, *, renumbered: bool) -> Map:
    """A map without the doomed images, and without those whose vectors were replaced since."""
    kept = submap(map_, ~np.isin(map_.ids, doomed) & np.isin(map_.rows, used))
    return replace(kept, rows=np.searchsorted(used, kept.rows).astype(np.int32)) if renumbered else kept


def _renew_model(beside: Path, folder: Path, first: int) -> None:
    """Move a model's new files in; all that was made of the old numbers goes."""
    for entry in folder.iterdir():
        generation = re.fullmatch(r"map-(\d+)", entry.name)
        if entry.name != VECTORS and not (generation and int(generation[1]) >= first):
            shutil.rmtree(entry, ignore_errors=True) if entry.is_dir() else entry.unlink(missing_ok=True)
    for entry in sorted(beside.iterdir()) if beside.is_dir() else ():
        _move(entry, folder / entry.name)
    disk_errors.sync_folder(folder)


def _move(source: Path, target: Path) -> None:
    if source.exists():
        source.replace(target)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
