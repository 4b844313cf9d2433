"""`atlas-rt export`: ids, paths, vectors, positions and clusters as a file."""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from atlas_rt.commands.collection import Collection, open_collection, sources_of
from atlas_rt.commands.output import output_path, print_json, say, write_whole
from atlas_rt.errors import UsageError
from atlas_rt.settings import Settings


def run(settings: Settings, arguments: argparse.Namespace) -> int:
    if arguments.output.lower().endswith(".parquet"):
        raise UsageError(
            f".parquet is not in this version yet; name a file that ends in .npz or .csv: {arguments.output}"
        )
    path = output_path(arguments.output, tuple(WRITERS))
    collection = open_collection(
        settings, sources_of(settings, arguments.source, demo=arguments.demo), no_update=arguments.no_update
    )
    meta = {"model": collection.model.name, "generation": collection.scene.generation, "seed": collection.seed}
    write = WRITERS[path.suffix.lower()]
    write_whole(path, lambda temporary: write(collection, temporary, meta))
    if settings.json:
        print_json({"path": str(path), "images": len(collection.scene.ids)} | meta)
    else:
        say(settings, f"{len(collection.scene.ids):,} images written: {path}")
    return 0


def write_npz(collection: Collection, path: Path, meta: dict[str, object]) -> None:
    """Arrays ids, paths, vectors, positions, clusters, and meta as JSON text; no pickle inside."""
    scene = collection.scene
    with path.open("wb") as file:
        np.savez(
            file,
            ids=scene.ids,
            paths=np.array(scene.paths, np.str_),
            vectors=collection.vectors,
            positions=scene.positions,
            clusters=scene.clusters,
            meta=np.array(json.dumps(meta)),
        )


def write_csv(collection: Collection, path: Path, meta: dict[str, object]) -> None:
    """One row an image; the vector's components are the last columns."""
    del meta  # a table has no place for it
    scene, names = collection.scene, {record.id: record.name for record in collection.scene.cluster_records}
    with path.open("w", newline="", encoding="utf-8", errors="surrogateescape") as file:
        table = csv.writer(file)
        table.writerow(
            [
                "id",
                "path",
                "x",
                "y",
                "z",
                "cluster",
                "cluster_name",
                *(f"v{i}" for i in range(collection.vectors.shape[1])),
            ]
        )
        for row, id_ in enumerate(scene.ids.tolist()):
            cluster = int(scene.clusters[row])
            position = [f"{value:.6f}" for value in scene.positions[row].tolist()]
            vector = [f"{value:.6f}" for value in collection.vectors[row].tolist()]
            table.writerow([id_, scene.paths[row], *position, cluster, names.get(cluster, ""), *vector])


WRITERS: dict[str, Callable[[Collection, Path, dict[str, object]], None]] = {".npz": write_npz, ".csv": write_csv}
"""Ending of the file -> what writes it."""
