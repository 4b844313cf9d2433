"""A map as four JSON files in a folder: `coords.json`, `graph.json`, `clusters.json` and `meta.json`.

Every file is written next to its place first, entry by entry, so a very large map needs no more memory than a small
one. When all four are whole they are renamed into place, `meta.json` last: whoever waits for a new generation in it
finds the other three already there.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

from atlas_rt.core.scene import Scene
from atlas_rt.errors import MissingError, UsageError
from atlas_rt.library.sources import absolute

COORDS, GRAPH, CLUSTERS, META = "coords.json", "graph.json", "clusters.json", "meta.json"
FILES = (COORDS, GRAPH, CLUSTERS, META)
"""In the order in which they are renamed into place."""
FORMAT = 1
"""Grows when a field changes its meaning."""


def output_folder(word: str) -> Path:
    """The folder named with `-o`, checked before slow work begins. Raises UsageError or MissingError."""
    folder = absolute(word)
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"a file already has this name, and --format json writes into a folder: {folder}")
    if not folder.parent.is_dir():
        raise UsageError(f"this folder does not exist: {folder.parent}")
    if taken := [name for name in FILES if (folder / name).is_dir()]:
        raise UsageError(f"a folder has the name of a file to be written: {folder / taken[0]}")
    standing = folder if folder.is_dir() else folder.parent
    if not os.access(standing, os.W_OK | os.X_OK):
        raise MissingError(f"this folder cannot be written to; choose another with -o: {standing}")
    return folder


def write_folder(folder: Path, scene: Scene, meta: dict[str, object]) -> None:
    """Write the four files, all of them or none. Raises MissingError if the disk refuses."""
    made = not folder.exists()
    temporary = {name: folder / f".{name}-{os.getpid()}" for name in FILES}
    try:
        try:
            folder.mkdir(exist_ok=True)
            _write_list(temporary[COORDS], _coordinates(scene))
            _write_graph(temporary[GRAPH], scene)
            _write_list(temporary[CLUSTERS], _clusters(scene))
            temporary[META].write_text(json.dumps(_meta(scene, meta), indent=1) + "\n", "utf-8")
            for name, file in temporary.items():
                file.replace(folder / name)
        finally:
            for file in temporary.values():
                file.unlink(missing_ok=True)
            if made and folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
    except OSError as error:
        raise MissingError(f"the files could not be written ({error.strerror or error}): {folder}") from error


def _coordinates(scene: Scene) -> Iterator[dict[str, Any]]:
    rows = zip(scene.ids.tolist(), scene.paths, scene.positions, scene.clusters.tolist(), strict=True)
    for id_, path, position, cluster in rows:
        x, y, z = (round(value, 6) for value in position.tolist())
        yield {"id": id_, "path": path, "x": x, "y": y, "z": z, "cluster": cluster}


def _edges(scene: Scene) -> Iterator[dict[str, Any]]:
    for (one, other), weight in zip(scene.edges, scene.weights.tolist(), strict=True):
        yield {"source": int(scene.ids[one]), "target": int(scene.ids[other]), "weight": round(weight, 6)}


def _clusters(scene: Scene) -> Iterator[dict[str, Any]]:
    for cluster, hue in zip(scene.cluster_records, scene.cluster_hues.tolist(), strict=True):
        yield {
            "id": cluster.id,
            "name": cluster.name,
            "why": cluster.why,
            "name_english": cluster.english[0],
            "why_english": cluster.english[1],
            "named_by": cluster.named_by,
            "size": cluster.size,
            "color": "#{:02x}{:02x}{:02x}".format(*hue),
            "centre": [round(value, 6) for value in cluster.centre],
            "exemplars": cluster.exemplars,
            "borderline": cluster.borderline,
        }


def _meta(scene: Scene, meta: dict[str, object]) -> dict[str, object]:
    counts = {
        "images": len(scene.ids),
        "edges": len(scene.edges),
        "clusters": len(scene.cluster_records),
    }
    return {"format": FORMAT} | meta | {"kind": scene.kind} | counts


def _write_graph(path: Path, scene: Scene) -> None:
    with path.open("w", encoding="ascii") as file:
        file.write('{"nodes": [')
        _write_entries(file, scene.ids.tolist())
        file.write('], "edges": [')
        _write_entries(file, _edges(scene))
        file.write("]}\n")


def _write_list(path: Path, entries: Iterable[object]) -> None:
    with path.open("w", encoding="ascii") as file:
        file.write("[")
        _write_entries(file, entries)
        file.write("]\n")


def _write_entries(file: TextIO, entries: Iterable[object]) -> None:
    """One entry a line. In ASCII, in which JSON can also write file names that are no text."""
    between = "\n"
    for entry in entries:
        file.write(between + json.dumps(entry))
        between = ",\n"
