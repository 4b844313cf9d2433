"""A ready ONNX export on the hub -> a model of ours: fetched, compared with what was recorded, proven, put in place.

The layout is immich's: `visual/model.onnx`, `textual/model.onnx`, a `tokenizer.json` in the same folder or
the one above, the picture's preprocessing in `preprocess_cfg.json`, open_clip's model configuration in `config.json`.
Everything is put together in a folder of another name, which is renamed once both towers have run.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from atlas_rt.encoders import hub
from atlas_rt.encoders.model_list import Entry
from atlas_rt.encoders.model_toml import (
    CONFIGURATIONS,
    IMAGE,
    NETWORK,
    PICTURES,
    TEXT,
    TOKENIZER,
    TOKENS_SAID,
    describe,
    prove,
    sha256,
)
from atlas_rt.encoders.registry import Model, read_model
from atlas_rt.errors import MissingError

LAYOUT: dict[str, tuple[str, ...]] = {
    IMAGE: ("visual/model.onnx",),
    TEXT: ("textual/model.onnx",),
    TOKENIZER: ("textual/tokenizer.json", "tokenizer.json"),
    PICTURES: ("visual/preprocess_cfg.json", "preprocess_cfg.json"),
    NETWORK: ("config.json",),
    TOKENS_SAID: ("textual/tokenizer_config.json", "tokenizer_config.json"),
}
"""Name of ours -> where it may lie in a repository, the first that is there."""
OPTIONAL = {NETWORK, TOKENS_SAID}
BRANCH = "main"


def get(
    entry: Entry, cache: Path, *, repository: str, revision: str, tell: hub.Tell, endpoint: str | None = None
) -> Model:
    """Fetch the export that `repository` holds at `revision` ("" for the recorded one, or else the main branch) and
    make it the model `entry.name` of the cache.

    Files whose hashes were recorded at the same commit before must have them still. Raises MissingError where anything
    is refused; what was fetched stays for the next attempt, unless the export itself is of no use.
    """
    place = cache / "models" / entry.name
    before = recorded(place)
    if not revision and before and before.source == repository:
        revision = before.revision
    found = hub.look_up(repository, revision or BRANCH, endpoint=endpoint)
    wanted = _wanted(found)
    if before and (before.source, before.revision) == (repository, found.commit):
        _compare(before, {name: found.files[path].sha256 for name, path in wanted.items()})
    beside = place.with_name(f".{entry.name}.part")
    with _disk(beside):
        beside.mkdir(parents=True, exist_ok=True)
        hub.fetch(found, {path: beside / name for name, path in wanted.items()}, tell=tell)
        hashes = {name: sha256(beside / name) for name in (IMAGE, TEXT, TOKENIZER)}
        if before and (before.source, before.revision) == (repository, found.commit):
            _compare(before, hashes)
        try:
            describe(beside, entry, repository=found.name, revision=found.commit)
            prove(read_model(beside / "model.toml"))
        except MissingError:
            shutil.rmtree(beside, ignore_errors=True)
            raise
        _put(beside, place)
    return read_model(place / "model.toml")


def recorded(place: Path) -> Model | None:
    """The model that lies there, None where none does or its description cannot be read."""
    try:
        return read_model(place / "model.toml")
    except MissingError:
        return None


def _wanted(found: hub.Repository) -> dict[str, str]:
    """Name of ours -> path in the repository. Raises MissingError that names what the repository lacks."""
    wanted, missing = {}, []
    for name, paths in LAYOUT.items():
        here = [path for path in paths if path in found.files]
        if here:
            wanted[name] = here[0]
        elif name not in OPTIONAL:
            missing.append(" or ".join(paths))
    if missing:
        raise MissingError(f"{found.name} holds no ready export: it has no {', no '.join(missing)}. {found.endpoint}")
    return wanted


def _compare(before: Model, hashes: dict[str, str]) -> None:
    """Raises MissingError where a file is not the one that was recorded at first sight. "" says nothing."""
    files = {IMAGE: before.image.file, TEXT: before.text.file, TOKENIZER: before.text.tokenizer}
    for name, file in files.items():
        if hashes.get(name) and hashes[name] != file.sha256:
            raise MissingError(
                f"{name} of {before.name} is another file than the one that was recorded at first sight, though its "
                f"revision is the same, and is not used: its SHA-256 is {hashes[name]}, recorded is {file.sha256}. "
                f"Where you trust the new one, delete the model's folder and fetch it again. {before.folder}"
            )


@contextlib.contextmanager
def _disk(place: Path) -> Iterator[None]:
    """What the disk refuses, as a sentence."""
    try:
        yield
    except OSError as error:
        raise MissingError(f"The model cannot be written ({error.strerror or error}). {place}") from None


def _put(beside: Path, place: Path) -> None:
    """Rename the finished folder into place; what stood there goes once the new one stands."""
    for name in CONFIGURATIONS:
        (beside / name).unlink(missing_ok=True)
    for part in beside.glob("*.part"):
        part.unlink()
    old = place.with_name(f".{place.name}.old-{os.getpid()}")
    if place.exists():
        place.rename(old)
    beside.rename(place)
    shutil.rmtree(old, ignore_errors=True)
