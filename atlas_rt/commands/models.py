"""`atlas-rt models`: known encoders."""

from __future__ import annotations

import argparse

from atlas_rt.commands.output import print_json, tell
from atlas_rt.errors import UsageError
from atlas_rt.library.shelf import cache_folder
from atlas_rt.ml import registry
from atlas_rt.settings import Settings

LATER = ("get", "export")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("does", nargs="*", metavar="list", help="what to do (list)")


def run(settings: Settings, arguments: argparse.Namespace) -> int:
    cache = cache_folder(settings.cache_path)
    does = arguments.does or ["list"]
    if does[0] in LATER:
        raise UsageError(
            f"models {does[0]} is not in this version yet; a model's own folder goes here: {cache / 'models'}"
        )
    if does != ["list"]:
        raise UsageError(f"models {' '.join(does)!r} is unknown; there is: list")
    chosen = registry.load(settings.model, cache)
    models = registry.known(cache)
    if settings.json:
        print_json([_row(model, chosen) for model in models])
        return 0
    for model in models:
        mark = "*" if model.name == chosen.name else " "
        tell(f"{mark} {model.name:<20} {model.dim:>5} dimensions   {model.licence}")
    return 0


def _row(model: registry.Model, chosen: registry.Model) -> dict[str, object]:
    return {
        "name": model.name,
        "chosen": model.name == chosen.name,
        "dim": model.dim,
        "licence": model.licence,
        "commercial_use": model.commercial_use,
        "folder": str(model.folder),
        "image_sha256": model.image.file.sha256,
        "text_sha256": model.text.file.sha256,
    }
