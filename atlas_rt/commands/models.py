"""`atlas-rt models`: list the known encoders, fetch one, export one, remove one."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from atlas_rt.commands.model_removal import remove
from atlas_rt.commands.output import ProgressLine, print_json, say, tell
from atlas_rt.core.progress import duration
from atlas_rt.encoders import model_list, registry
from atlas_rt.encoders.hub import Fetching
from atlas_rt.encoders.model_list import Entry
from atlas_rt.encoders.registry import BrokenModel, Model
from atlas_rt.errors import MissingError, UsageError
from atlas_rt.library.cache_layout import cache_folder
from atlas_rt.library.sources import absolute
from atlas_rt.settings import Settings

HERE, READY, TO_EXPORT, ELSEWHERE, BROKEN = "here", "get", "export", "elsewhere", "broken"
"""A model's state: installed; can be fetched; can be exported; neither; installed but broken."""


def run(settings: Settings, arguments: argparse.Namespace) -> int:
    cache = cache_folder(settings.cache_path)
    words: list[str] = arguments.does or ["list"]
    if words == ["list"]:
        return _list(settings, cache)
    does = {"get": _get, "export": _export, "remove": _remove}.get(words[0])
    if does is None:
        raise UsageError(
            f"models {' '.join(words)!r} is unknown; choose from: list, get NAME, export NAME, remove NAME"
        )
    if len(words) != 2:
        raise UsageError(f"models {words[0]} needs one name; `atlas-rt models list` shows which there are")
    return does(settings, arguments, words[1], cache)


# -- list --------------------------------------------------------------------------------------------------------------


def _list(settings: Settings, cache: Path) -> int:
    models, broken = registry.survey(cache)
    chosen = registry.load(settings.model, cache)
    entries = {entry.name: entry for entry in model_list.entries()}
    rows = [_row(model, chosen, entries.get(model.name)) for model in models]
    rows += [_broken_row(each) for each in broken]
    here = {str(row["name"]) for row in rows}
    rows += [_entry_row(entry) for entry in entries.values() if entry.name not in here]
    if settings.json:
        print_json(rows)
        return 0
    for row in rows:
        tell(_line(row))
    say(
        settings,
        f"* marks the encoder in use ({chosen.name}). For another: "
        "`models get NAME` or `models export NAME`, then --model NAME.",
    )
    return 0


def _line(row: dict[str, object]) -> str:
    mark = "*" if row["chosen"] else " "
    if row["state"] == BROKEN:
        return f"{mark} {row['name']:<22} broken     {row['note']}"
    accuracy = f"{row['imagenet_accuracy']:.1f} %" if row["imagenet_accuracy"] is not None else "-"
    size = f"{row['size_mb']:,} MB" if row["size_mb"] is not None else "-"
    has = (
        f"  also {', '.join(map(str, variants))}" if isinstance(variants := row["variants"], list) and variants else ""
    )
    return (
        f"{mark} {row['name']:<22} {row['state']:<9} ImageNet {accuracy:>6}  {size:>8}  {row['dim']:>4} dimensions  "
        f"{short_licence(str(row['licence']))}{has}"
    )


def short_licence(licence: str) -> str:
    """The licence's name without the remark that follows it."""
    return licence.partition(" (")[0].partition(";")[0]


def _row(model: Model, chosen: Model, entry: Entry | None) -> dict[str, object]:
    files = [each.path for each in model.files]
    return {
        "name": model.name,
        "chosen": model.name == chosen.name.partition(":")[0],
        "state": HERE,
        "dim": model.dim,
        "licence": model.licence,
        "commercial_use": model.commercial_use,
        "folder": str(model.folder),
        "image_sha256": model.image.file.sha256,
        "text_sha256": model.text.file.sha256,
        "imagenet_accuracy": model.imagenet_accuracy,
        "size_mb": round(sum(path.stat().st_size for path in files if path.exists()) / 1e6),
        "variants": list(model.variants),
        "calibrated": model.calibrated,
        "source": model.source or (entry.source if entry else ""),
        "revision": model.revision,
        **_published(entry),
    }


def _entry_row(entry: Entry) -> dict[str, object]:
    return {
        "name": entry.name,
        "chosen": False,
        "state": READY if entry.hub else TO_EXPORT if entry.architecture else ELSEWHERE,
        "dim": entry.dim,
        "licence": entry.licence,
        "commercial_use": entry.commercial_use,
        "folder": None,
        "image_sha256": None,
        "text_sha256": None,
        "imagenet_accuracy": entry.imagenet_accuracy,
        "size_mb": entry.memory_mb,
        "variants": [],
        "calibrated": entry.strong is not None,
        "source": entry.source,
        "revision": entry.revision,
        **_published(entry),
    }


def _published(entry: Entry | None) -> dict[str, object]:
    """What only the registry of known models says; empty for a person's own model."""
    return {
        "hub": entry.hub if entry else "",
        "languages": entry.languages if entry else "",
        "good_for": entry.good_for if entry else "",
        "accuracy_source": entry.accuracy_source if entry else "",
        "note": entry.note if entry else "",
        "unknown": list(entry.unknown) if entry else [],
    }


def _broken_row(each: BrokenModel) -> dict[str, object]:
    return {"name": each.name, "chosen": False, "state": BROKEN, "note": each.reason}


def _remove(settings: Settings, arguments: argparse.Namespace, name: str, cache: Path) -> int:
    return remove(settings, name, cache, yes=arguments.yes)


# -- get ---------------------------------------------------------------------------------------------------------------


def _get(settings: Settings, arguments: argparse.Namespace, name: str, cache: Path) -> int:
    from atlas_rt.encoders import hub_import

    entry = _entry(name, arguments.repo)
    repository = arguments.repo or entry.hub
    if entry.family == "starter":
        raise UsageError("The starter comes with the program; there is nothing to fetch.")
    if not repository:
        raise MissingError(f"No ready export of {name} is known. {model_list.how_to_get(entry)}")
    if not arguments.revision and (here := registry.usable(cache / "models" / name)):
        return _told(settings, here, "is already installed")
    if settings.offline:
        raise UsageError("--offline forbids `models get` to use the network; leave it out to fetch the model.")
    line = ProgressLine(settings)
    revision = arguments.revision or ("" if arguments.repo else entry.hub_revision)
    say(settings, f"fetching {name} from {repository} (licence: {entry.licence or 'see there'})")
    try:
        model = hub_import.get(
            entry, cache, repository=repository, revision=revision, tell=lambda state: line.write(described(state))
        )
    finally:
        line.clear()
    return _told(settings, model, "is installed now")


def _entry(name: str, repository: str | None) -> Entry:
    """What is published about a model; only its name if it is unknown and a repository is given."""
    if set(name) & set(":/\\") or name.startswith("."):
        raise UsageError(f'A model\'s name must not contain a slash or a colon, nor begin with a dot: "{name}"')
    if repository and name not in {entry.name for entry in model_list.entries()}:
        return Entry(name=name, family="clip")
    return model_list.entry(name)


def described(state: Fetching) -> str:
    """A fetch as a person reads it: "fetching 12 of 605 MB · 3.1 MB a second · 3 min 11 s left"."""
    parts = [f"fetching {state.done / 1e6:,.0f} of {state.total / 1e6:,.0f} MB"]
    if state.rate > 0:
        parts.append(f"{state.rate / 1e6:.1f} MB a second")
    if state.left_secs is not None:
        parts.append(f"{duration(state.left_secs)} left")
    return " · ".join(parts)


def _told(settings: Settings, model: Model, how: str) -> int:
    if settings.json:
        entries = {entry.name: entry for entry in model_list.entries()}
        print_json(
            _row(model, registry.load(settings.model, cache_folder(settings.cache_path)), entries.get(model.name))
        )
    else:
        tell(f"{model.name} {how}: {model.folder}")
    return 0


# -- export ------------------------------------------------------------------------------------------------------------


def _export(settings: Settings, arguments: argparse.Namespace, name: str, cache: Path) -> int:
    from atlas_rt.encoders.export import export

    entry = _of_open_clip(name, arguments.pretrained) if arguments.pretrained else _entry(name, None)
    if entry.family == "starter":
        raise UsageError("The starter comes with the program; there is nothing to export.")
    report = export(
        entry,
        cache / "models" / entry.name,
        checkpoint=_file(arguments.checkpoint),
        random_weights=arguments.random_weights,
        tokenizer=_file(arguments.tokenizer),
        config=_file(arguments.config),
        seed=settings.seed,
        offline=settings.offline,
        progress=_saying(settings),
    )
    if settings.json:
        from dataclasses import asdict

        print_json(asdict(report) | {"folder": str(report.folder)})
        return 0
    for each in report.variants:
        tell(
            f"{entry.name}:{each.name}  cosine {each.cosine_image:.7f} (pictures), {each.cosine_text:.7f} (phrases)  "
            f"{each.images_per_second:.1f} pictures a second"
        )
    tell(f"{entry.name} is installed now: {report.folder}")
    return 0


def _of_open_clip(architecture: str, tag: str) -> Entry:
    """A model that open_clip knows and the registry may not: then its licence and accuracy are unknown."""
    for entry in model_list.entries():
        if (entry.architecture, entry.pretrained) == (architecture, tag):
            return entry
    family = "siglip" if "siglip" in architecture.lower() else "clip"
    name = _entry(f"{architecture}-{tag}", repository=architecture).name
    return Entry(name=name, family=family, architecture=architecture, pretrained=tag)


def _file(word: str | None) -> Path | None:
    if word is None:
        return None
    path = absolute(word)
    if not path.is_file():
        raise UsageError(f"there is no such file: {path}")
    return path


def _saying(settings: Settings) -> Callable[[str], None]:
    return lambda text: say(settings, text)
