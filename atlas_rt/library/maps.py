"""Published maps, one folder each: written under another name, then renamed, so a reader finds a whole map or none.

    <model>/map-7/   ids.npy rows.npy positions.npy edges.npy weights.npy clusters.npy fitted.npy stacks.npy
                     subclusters.npy wall.npy clusters.json subclusters.json projector.onnx manifest.json

The manifest names the size and the hash of every other file: a map that a power cut left half written is passed over.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import os
import re
import shutil
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.maps import Cluster, Map, Subcluster
from atlas_rt.errors import MissingError
from atlas_rt.library import disk_errors

KEPT = 3
"""Generations that stay for slow readers, and fits whose newest generation stays to go back to."""
FIT = "umap"
"""The kind of map that one can go back to."""
NETWORK = "projector.onnx"


@dataclass(frozen=True, slots=True)
class Kept:
    """What the manifest of a kept map tells. made_secs: when it was published, since 1970."""

    generation: int
    fit: int
    kind: str
    images: int
    seed: int
    drift: float
    made_secs: float


_ARRAYS: dict[str, tuple[type[np.generic], tuple[int, ...]]] = {
    "ids": (np.int64, ()),
    "rows": (np.int32, ()),
    "positions": (np.float32, (3,)),
    "edges": (np.int32, (2,)),
    "weights": (np.float32, ()),
    "clusters": (np.int32, ()),
    "fitted": (np.bool_, ()),
    "stacks": (np.int64, ()),
    "subclusters": (np.int32, ()),
    "wall": (np.int32, (2,)),
}
"""Field of Map -> dtype and the shape of one row."""
_LATER = {"stacks", "subclusters", "wall"}
"""Arrays that maps written before lack; they are empty then."""
_MANIFEST = "manifest.json"
_SUBCLUSTERS = "subclusters.json"
"""A file of its own: versions before it read maps that have it."""


def write_map(folder: Path, map_: Map, *, made_as: Path | None = None) -> Path:
    """Publish a map in its model's folder; generations that are not `kept` go. Where it lies now.

    made_as: the folder of a map, at whose time this one counts as made. Raises MissingError on a full disk (nothing is
    published then), ValueError for a generation that is already there.
    """
    target = _place(folder, map_.generation)
    if target.exists():
        raise ValueError(f"generation {map_.generation} is already published: {target}")
    beside = folder / f".tmp-{os.getpid()}-{map_.generation}"
    with disk_errors.writing(folder):
        _sweep(folder)
        try:
            beside.mkdir(parents=True)
            _write_files(beside, map_)
            if made_as is not None:
                made_ns = (made_as / _MANIFEST).stat().st_mtime_ns
                os.utime(beside / _MANIFEST, ns=(made_ns, made_ns))
            beside.rename(target)
        except BaseException:
            shutil.rmtree(beside, ignore_errors=True)
            raise
        disk_errors.sync_folder(folder)
    stay = {each.generation for each in kept(folder)} | set(generations(folder)[-KEPT:])
    for generation in set(generations(folder)) - stay:
        shutil.rmtree(_place(folder, generation), ignore_errors=True)
    return target


def kept(folder: Path) -> list[Kept]:
    """The newest generation of each of the last three fits, the oldest first, without those one went back from."""
    line: list[Kept] = []
    for generation in generations(folder):
        each = _kept(_place(folder, generation))
        if each is not None and each.kind == FIT:
            line = [*(before for before in line if before.fit < each.fit), each]
    return line[-KEPT:]


def read_before(folder: Path, fit: int) -> Map | None:
    """The map of the newest fit before that one that is whole, None where none is kept."""
    for each in reversed(kept(folder)):
        if each.fit < fit:
            try:
                return read_map(folder, each.generation)
            except MissingError:
                continue
    return None


def read_map(folder: Path, generation: int) -> Map:
    """A published map, whole and checked, in memory. Raises MissingError where it is not there or damaged."""
    place = _place(folder, generation)
    try:
        manifest = _manifest(place)
        contents = {name: _checked(place, name, facts) for name, facts in manifest["files"].items()}
        here = [name for name in _ARRAYS if name not in _LATER or f"{name}.npy" in contents]
        arrays = {name: _array(contents[f"{name}.npy"], name) for name in here}
        clusters = tuple(Cluster(**_fields(each)) for each in json.loads(contents["clusters.json"]))
        subclusters = tuple(Subcluster(**_fields(each)) for each in json.loads(contents.get(_SUBCLUSTERS, b"[]")))
        return Map(
            **arrays,
            cluster_records=clusters,
            subcluster_records=subclusters,
            generation=generation,
            kind=str(manifest["kind"]),
            model=str(manifest["model"]),
            seed=int(manifest["seed"]),
            fit=int(manifest.get("fit", 0)),
            scale=float(manifest.get("scale", 0.0)),
            drift=float(manifest.get("drift", 0.0)),
            network=contents.get(NETWORK, b""),
            granularity=str(manifest.get("granularity", "some")),
            clusters_given=int(manifest.get("clusters_given", 0)),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MissingError(
            f"Generation {generation} of the map is not there or damaged; `atlas-rt index SOURCE` mends it: {place}"
        ) from error


def read_latest(folder: Path, *, holding_images: bool = False) -> Map | None:
    """The newest map that is whole; None where there is none. holding_images: pass over empty ones."""
    for generation in reversed(generations(folder)):
        try:
            found = read_map(folder, generation)
        except MissingError:
            continue
        if len(found.ids) or not holding_images:
            return found
    return None


def latest(folder: Path) -> int:
    """The newest generation whose files are all there in full length; 0 for none. Reads only the manifest."""
    return next((each for each in reversed(generations(folder)) if _looks_whole(_place(folder, each))), 0)


def newest(folder: Path) -> Kept | None:
    """What the manifest of the newest map that looks whole tells; None where there is none."""
    return next((kept for each in reversed(generations(folder)) if (kept := _kept(_place(folder, each)))), None)


def generations(folder: Path) -> list[int]:
    """Generations in the folder, ascending, damaged ones included: the next map's number is one more than the last."""
    try:
        names = [entry.name for entry in folder.iterdir()]
    except OSError:
        return []
    return sorted(int(match[1]) for name in names if (match := re.fullmatch(r"map-(\d+)", name)))


def _place(folder: Path, generation: int) -> Path:
    return folder / f"map-{generation}"


def _write_files(place: Path, map_: Map) -> None:
    contents = {f"{name}.npy": _npy(getattr(map_, name), name) for name in _ARRAYS}
    contents["clusters.json"] = _json(map_.cluster_records)
    contents[_SUBCLUSTERS] = _json(map_.subcluster_records)
    if map_.network:
        contents[NETWORK] = map_.network
    for name, content in contents.items():
        _write_file(place / name, content)
    manifest = {
        "model": map_.model,
        "kind": map_.kind,
        "seed": map_.seed,
        "generation": map_.generation,
        "n": len(map_.ids),
        "fit": map_.fit,
        "scale": map_.scale,
        "drift": map_.drift,
        "granularity": map_.granularity,
        "clusters_given": map_.clusters_given,
        "versions": {package: metadata.version(package) for package in ("umap-learn", "numpy")},
        "files": {name: [len(content), _hash(content)] for name, content in contents.items()},
    }
    _write_file(place / _MANIFEST, json.dumps(manifest, indent=1).encode())


def _npy(values: NDArray[Any], name: str) -> bytes:
    dtype, row = _ARRAYS[name]
    buffer = io.BytesIO()
    np.save(buffer, np.ascontiguousarray(values, dtype).reshape(-1, *row), allow_pickle=False)
    return buffer.getvalue()


def _array(content: bytes, name: str) -> NDArray[Any]:
    dtype, row = _ARRAYS[name]
    values: NDArray[Any] = np.load(io.BytesIO(content), allow_pickle=False)
    if values.dtype != dtype or values.shape[1:] != row:
        raise ValueError(f"{name} is {values.dtype} {values.shape}")
    return values


def _json(records: tuple[Cluster, ...] | tuple[Subcluster, ...]) -> bytes:
    return json.dumps([dataclasses.asdict(each) for each in records], indent=1).encode()


def _fields(record: dict[str, Any]) -> dict[str, Any]:
    """With its lists as tuples."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in record.items()}


def _manifest(place: Path) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((place / _MANIFEST).read_bytes())
    return manifest


def _kept(place: Path) -> Kept | None:
    """What its manifest tells; None for a map that is damaged, or that its writer has just removed."""
    if not _looks_whole(place):
        return None
    try:
        manifest = _manifest(place)
        return Kept(
            generation=int(manifest["generation"]),
            fit=int(manifest.get("fit", 0)),
            kind=str(manifest["kind"]),
            images=int(manifest["n"]),
            seed=int(manifest["seed"]),
            drift=float(manifest.get("drift", 0.0)),
            made_secs=(place / _MANIFEST).stat().st_mtime,
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _checked(place: Path, name: str, facts: list[Any]) -> bytes:
    content = (place / name).read_bytes()
    if [len(content), _hash(content)] != facts:
        raise ValueError(f"{name} is not what was written")
    return content


def _looks_whole(place: Path) -> bool:
    try:
        return all((place / name).stat().st_size == facts[0] for name, facts in _manifest(place)["files"].items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _hash(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def _write_file(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sweep(folder: Path) -> None:
    """Remove what a killed writer left: there is one writer per library, so none of it is in use."""
    for stale in folder.glob(".tmp-*"):
        shutil.rmtree(stale, ignore_errors=True)
