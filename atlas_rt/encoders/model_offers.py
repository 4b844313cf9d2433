"""Which stronger encoders a person may be offered, best for whom."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from atlas_rt.core.upgrade import ModelOffer
from atlas_rt.encoders import registry
from atlas_rt.encoders.model_list import Entry, entries
from atlas_rt.encoders.registry import Model
from atlas_rt.errors import AtlasError

STARTER = "starter"


def offers(cache: Path, *, used: Model, offline: bool) -> tuple[ModelOffer, ...]:
    """What would search better than the model in use: those that are installed, or where only the starter is, one to
    fetch for each set of languages. begun_mb is left for who fetches. offline: nothing to fetch is offered."""
    try:
        here = [model for model in registry.known(cache) if model.name != used.name.partition(":")[0]]
        known = {entry.name: entry for entry in entries()}
    except AtlasError:
        return ()
    better = [model for model in here if (model.imagenet_accuracy or 0.0) > (used.imagenet_accuracy or 0.0)]
    if better or used.name != STARTER or here or offline:
        return tuple(_installed(model, known.get(model.name)) for model in better)
    return tuple(_to_fetch(entry) for entry in _best_of_each_language(known.values()))


def _best_of_each_language(known: Iterable[Entry]) -> Iterator[Entry]:
    """The smallest choice first: it is what most people want."""
    ready = [entry for entry in known if entry.hub and entry.good_for and entry.memory_mb]
    best = {entry.languages: entry for entry in sorted(ready, key=lambda each: each.imagenet_accuracy or 0.0)}
    yield from sorted(best.values(), key=lambda entry: entry.memory_mb or 0)


def _to_fetch(entry: Entry) -> ModelOffer:
    return ModelOffer(entry.name, entry.memory_mb or 0, entry.good_for, entry.imagenet_accuracy)


def _installed(model: Model, entry: Entry | None) -> ModelOffer:
    size = sum(file.path.stat().st_size for file in model.files if file.path.exists())
    good_for = entry.good_for if entry else ""
    return ModelOffer(model.name, round(size / 1e6), good_for, model.imagenet_accuracy, here=True)
