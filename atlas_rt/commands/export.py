"""`atlas-rt export`: ids, paths, vectors, positions and clusters as a file, the library as a shard, or the map as JSON
files in a folder."""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy

from atlas_rt.commands.collection import Collection, open_collection, sources_of
from atlas_rt.commands.json_files import output_folder, write_folder
from atlas_rt.commands.output import output_path, print_json, say, write_whole
from atlas_rt.core.word_names import IN_ENGLISH
from atlas_rt.distributed.image_worker import maker_of
from atlas_rt.errors import UsageError
from atlas_rt.library.store import LABELS, StoreReader
from atlas_rt.library.tables.arrow import parquet
from atlas_rt.library.tables.library_rows import rows_of
from atlas_rt.library.tables.shard import SUFFIX, write_to
from atlas_rt.search.vector_index import VectorIndex
from atlas_rt.settings import Settings


def run(settings: Settings, arguments: argparse.Namespace) -> int:
    if arguments.format:
        return _export_folder(settings, arguments)
    path = output_path(arguments.output, tuple(WRITERS))
    if path.suffix.lower() == SUFFIX:
        parquet()  # what is missing is said before slow work begins
    collection, meta = _opened(settings, arguments)
    write = WRITERS[path.suffix.lower()]
    write_whole(path, lambda temporary: write(collection, temporary, meta))
    return _told(settings, path, collection, meta)


def _export_folder(settings: Settings, arguments: argparse.Namespace) -> int:
    if arguments.format != "json":
        raise UsageError(
            f"--format must be json; .npz, .csv and .parquet go by the file's name, not {arguments.format!r}"
        )
    folder = output_folder(arguments.output)
    collection, meta = _opened(settings, arguments)
    write_folder(folder, collection.scene, meta)
    return _told(settings, folder, collection, meta)


def _opened(settings: Settings, arguments: argparse.Namespace) -> tuple[Collection, dict[str, object]]:
    """The library to export, and what every format says of it."""
    collection = open_collection(
        settings, sources_of(settings, arguments.source, demo=arguments.demo), no_update=arguments.no_update
    )
    return collection, {
        "model": collection.model.name,
        "generation": collection.scene.generation,
        "seed": collection.seed,
        "label_language": collection.scene.words.code,
    }


def _told(settings: Settings, path: Path, collection: Collection, meta: dict[str, object]) -> int:
    if settings.json:
        print_json({"path": str(path), "images": len(collection.scene.ids)} | meta)
    else:
        say(settings, f"{len(collection.scene.ids):,} images written: {path}")
    return 0


def write_npz(collection: Collection, path: Path, meta: dict[str, object]) -> None:
    """Arrays ids, paths, vectors, positions, clusters, and meta as JSON text; no pickle inside.

    It is the format of `np.savez`, which would hold all vectors in memory: 600 MB at 300,000 images x 512.
    """
    scene = collection.scene
    arrays = {
        "ids": scene.ids,
        "paths": np.array(scene.paths, np.str_),
        "positions": scene.positions,
        "clusters": scene.clusters,
        "meta": np.array(json.dumps(meta)),
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                npy.write_array(file, array, allow_pickle=False)
        with archive.open("vectors.npy", "w", force_zip64=True) as file:
            _write_vectors(collection.vector_index, file)


def _write_vectors(vector_index: VectorIndex, file: IO[bytes]) -> None:
    """All vectors as one .npy array (n, dim) float32, read block by block."""
    header = {"descr": "<f4", "fortran_order": False, "shape": (len(vector_index), vector_index.dim)}
    npy.write_array_header_1_0(file, header)
    for block in vector_index.blocks():
        file.write(block.astype("<f4").tobytes())


def write_csv(collection: Collection, path: Path, meta: dict[str, object]) -> None:
    """One row an image; the vector's components are the last columns, but for the cluster's name in another language
    than English."""
    del meta  # a table has no place for it
    scene, names = collection.scene, {record.id: record for record in collection.scene.cluster_records}
    columns = (f"v{number}" for number in range(collection.vector_index.dim))
    vectors = itertools.chain.from_iterable(collection.vector_index.blocks())
    spoken = scene.words is not IN_ENGLISH
    more = [f"cluster_name_{scene.words.code}"] if spoken else []
    with path.open("w", newline="", encoding="utf-8", errors="surrogateescape") as file:
        table = csv.writer(file)
        table.writerow(["id", "path", "x", "y", "z", "cluster", "cluster_name", *columns, *more])
        for row, (id_, vector) in enumerate(zip(scene.ids.tolist(), vectors, strict=True)):
            cluster = int(scene.clusters[row])
            position = [f"{value:.6f}" for value in scene.positions[row].tolist()]
            components = [f"{value:.6f}" for value in vector.tolist()]
            record = names.get(cluster)
            english, shown = (record.english[0], record.name) if record else ("", "")
            told = [shown] if spoken else []
            table.writerow([id_, scene.paths[row], *position, cluster, english, *components, *told])


def write_parquet(collection: Collection, path: Path, meta: dict[str, object]) -> None:
    """The library as a shard, which `import` reads back to the bit: every image that is shown with its place on the
    map, and every file that failed."""
    del meta  # a shard says of itself what made it
    scene, model, folder = collection.scene, collection.model, collection.place.folder
    places = dict(zip(scene.paths, map(tuple, scene.positions.tolist()), strict=True))
    with StoreReader.open(folder) as store, path.open("wb") as file:
        maker = maker_of(model, store.setting(LABELS.format(model=model.id)) or "")
        rows = rows_of(store, folder, model_id=model.id, dim=model.dim)
        write_to(file, rows, maker, place_of=lambda row: places.get(row.item.uri))
        file.flush()
        os.fsync(file.fileno())


WRITERS: dict[str, Callable[[Collection, Path, dict[str, object]], None]] = {
    ".npz": write_npz,
    ".csv": write_csv,
    SUFFIX: write_parquet,
}
"""Ending of the file -> what writes it."""
