"""`atlas-rt models remove`: what goes and what stays, consent, the deletion."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from atlas_rt.commands.output import answers_yes, asks, print_json, say, tell
from atlas_rt.core.images import LibraryPlace
from atlas_rt.encoders import model_list, registry
from atlas_rt.encoders.model_choice import forget_choice
from atlas_rt.errors import MissingError, UsageError
from atlas_rt.library import disk_errors
from atlas_rt.library.cache_layout import known_places
from atlas_rt.library.lock import Lock
from atlas_rt.settings import Settings


@dataclass(frozen=True, slots=True)
class Removal:
    """folders: what would be deleted, a download that is not complete included. libraries: the sources of those whose
    vectors were made by the model."""

    name: str
    folders: tuple[Path, ...]
    size_bytes: int
    libraries: tuple[str, ...]


def remove(settings: Settings, name: str, cache: Path, *, yes: bool) -> int:
    """Delete a model that was fetched or exported, once the person agrees."""
    removal = _removal(name, cache)
    _tell_before(settings, removal)
    if not yes and not asks(settings):
        if settings.json:
            print_json(_document(removal, removed=False))
        raise UsageError(f"nothing was removed; add --yes to remove {name}")
    if not (yes or answers_yes(f"Remove {name}?")):
        tell("nothing was removed")
        return 0
    _delete(removal, cache)
    if settings.json:
        print_json(_document(removal, removed=True))
    else:
        tell(f"{name} is removed; {removal.size_bytes / 1e6:,.0f} MB are free again")
    return 0


def _removal(name: str, cache: Path) -> Removal:
    """Raises UsageError where nothing of that name can be removed."""
    if set(name) & set(":/\\") or name.startswith("."):
        raise UsageError(f'A model\'s name must not contain a slash or a colon, nor begin with a dot: "{name}"')
    models = cache / "models"
    folders = tuple(folder for folder in (models / name, models / f".{name}.part") if folder.is_dir())
    if folders:
        size_bytes = sum(file.stat().st_size for folder in folders for file in folder.rglob("*") if file.is_file())
        return Removal(name, folders, size_bytes, _libraries_of(name, cache))
    if any(model.name == name for model in registry.known(cache)):
        raise UsageError(f"{name} comes with the program and stays; only what was fetched or exported can be removed.")
    here = sorted(model.name for model in registry.known(cache) if model.folder.parent == models)
    if name in {entry.name for entry in model_list.entries()}:
        raise UsageError(f"{name} is not installed, so there is nothing to remove. Installed: {_listed(here)}.")
    raise UsageError(model_list.no_such_model(name, here) if here else f'No model called "{name}" is installed.')


def _libraries_of(name: str, cache: Path) -> tuple[str, ...]:
    """By the folders of vectors: `NAME-HASH`, and `NAME-VARIANT-HASH`."""
    try:
        model = registry.read_model(cache / "models" / name / "model.toml")
    except MissingError:
        return ()
    hashes = [model.image.file.sha256, *(variant.image.sha256 for variant in model.variants.values())]
    ids = [f"{name}-{hashes[0][:8]}"]
    ids += [f"{name}-{variant}-{hash_[:8]}" for variant, hash_ in zip(model.variants, hashes[1:], strict=True)]
    used = [place for place in known_places(cache) if any((place.folder / each).is_dir() for each in ids)]
    return tuple(" ".join(place.sources) for place in used)


def _tell_before(settings: Settings, removal: Removal) -> None:
    say(settings, f"{removal.name} takes {removal.size_bytes / 1e6:,.0f} MB: {removal.folders[0]}")
    if removal.libraries:
        count = len(removal.libraries)
        used = "1 library was" if count == 1 else f"{count:,} libraries were"
        say(settings, f"{used} made with it; without it they are encoded again by another model when they are opened:")
        for library in removal.libraries:
            say(settings, f"  {library}")


def _delete(removal: Removal, cache: Path) -> None:
    """Out of sight by a rename, then gone: nobody ever finds half a model."""
    models = cache / "models"
    with disk_errors.writing(models), Lock(LibraryPlace(models, ())) as lock:
        if not lock.acquire():
            raise UsageError(f"A model is being fetched by {lock.holder()}; wait for it, or stop it, then try again")
        try:
            for folder in removal.folders:
                hidden = folder.with_name(f".{folder.name.lstrip('.')}.old-{os.getpid()}")
                folder.rename(hidden)
                shutil.rmtree(hidden)
        except OSError as error:
            raise MissingError(f"The model cannot be removed ({error.strerror or error}). {models}") from None
    forget_choice(removal.name, cache)


def _document(removal: Removal, *, removed: bool) -> dict[str, object]:
    return {
        "name": removal.name,
        "removed": removed,
        "size_mb": round(removal.size_bytes / 1e6),
        "folder": str(removal.folders[0]),
        "libraries": list(removal.libraries),
    }


def _listed(names: list[str]) -> str:
    return ", ".join(names) or "none"
