"""A library opened for reading by a command, brought up to date first."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from atlas_rt.commands.output import ProgressLine, say
from atlas_rt.core.assets import assets_folder
from atlas_rt.core.records import Failure, Floats, IndexReport, LibraryPlace, Progress, Scene
from atlas_rt.core.world import rows_of
from atlas_rt.engine.messages import Locked, Refused, Said
from atlas_rt.engine.process import EngineProcess, Job
from atlas_rt.errors import AtlasError, MissingError, UsageError
from atlas_rt.library import sources
from atlas_rt.library.shelf import cache_folder, place_of
from atlas_rt.ml import registry
from atlas_rt.ml.registry import Model
from atlas_rt.services.scenes import Arrival, SceneReader
from atlas_rt.settings import Settings

POLL_SECS = 0.02
DEMO = "demo"


@dataclass(frozen=True, slots=True)
class Collection:
    """A library at one moment: its scene, and the vectors in the scene's rows."""

    place: LibraryPlace
    model: Model
    arrival: Arrival
    cache: Path

    @property
    def scene(self) -> Scene:
        return self.arrival.scene

    @property
    def vectors(self) -> Floats:
        return self.arrival.vectors

    def row_of(self, image: str) -> int:
        """The row of an image named by a path as printed, a path from here, or an id. Raises UsageError."""
        for path in (image, str(Path(image).expanduser().absolute())):
            if path in self.scene.paths:
                return self.scene.paths.index(path)
        if image.isdigit():
            rows, known = rows_of(self.scene.ids, np.array([int(image)], np.int64))
            if known[0]:
                return int(rows[0])
        raise UsageError(f"no image of this library: {image}\nname one by a path as `search` prints it, or by its id")


def add_source(parser: argparse.ArgumentParser, *, more: bool = True) -> None:
    """The words that name a library. more: any number of sources."""
    parser.add_argument("source", nargs="*" if more else "?", metavar="SOURCE", help="folder or file")
    parser.add_argument("--demo", action="store_true", help="the pictures that come with the program")


def add_no_update(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--no-update", action="store_true", help="use the library as it is, without looking for changes"
    )


def sources_of(words: Sequence[str], *, demo: bool) -> tuple[str, ...]:
    """Absolute paths of what was named. Raises UsageError when nothing was, or it does not exist."""
    if demo:
        return (str(assets_folder("models") / DEMO),)
    if not words:
        raise UsageError("name a folder of images, or --demo for the pictures that come with the program")
    return sources.resolve(words)


def job_for(settings: Settings, place: LibraryPlace, cache: Path) -> Job:
    """What an engine without a window works on."""
    return Job(
        place=place,
        cache=cache,
        model=settings.model,
        seed=settings.seed,
        threads=settings.threads,
        exclude=settings.exclude,
    )


def update(settings: Settings, place: LibraryPlace, cache: Path) -> IndexReport:
    """Bring a library up to date, telling how far it is. Raises AtlasError with what stood in the way."""
    line = ProgressLine(settings)
    engine = EngineProcess(job_for(settings, place, cache))
    report: IndexReport | None = None
    try:
        while report is None:
            for message in engine.messages():
                match message:
                    case Progress():
                        line.show(message)
                    case IndexReport():
                        report = message
                    case Said(text):
                        line.clear()
                        say(settings, text)
                    case Refused(text, code):
                        raise _error(code)(text)
                    case Locked(holder):
                        raise MissingError(f"another process writes this library ({holder}); wait for it, or close it")
                    case _:
                        pass
            time.sleep(POLL_SECS)
    finally:
        line.clear()
        engine.stop()
    return report


def tell_failures(settings: Settings, failures: Sequence[Failure]) -> None:
    """List files that could not become images."""
    for failure in failures:
        say(settings, f"failed: {failure.path}: {failure.reason}")


def open_collection(settings: Settings, paths: tuple[str, ...], *, no_update: bool = False) -> Collection:
    """The library of these sources, brought up to date unless told otherwise.

    Raises UsageError where it holds no image, MissingError where it cannot be read.
    """
    cache = cache_folder(settings.cache_path)
    model = registry.load(settings.model, cache)
    place = place_of(paths, cache)
    if not no_update:
        report = update(settings, place, cache)
        tell_failures(settings, report.failed)
        refuse_empty(paths, report)
    return read_collection(place, model, cache)


def read_collection(place: LibraryPlace, model: Model, cache: Path) -> Collection:
    """What the library holds now. Raises UsageError for an empty one."""
    arrival = SceneReader(place, model=model.id, dim=model.dim).read()
    if arrival is None or not len(arrival.scene.ids):
        raise UsageError(f"nothing is indexed yet; `atlas-rt index` does it first: {' '.join(place.sources)}")
    return Collection(place, model, arrival, cache)


def refuse_empty(paths: Sequence[str], report: IndexReport) -> None:
    """Raise UsageError where there is nothing to show, saying why."""
    if report.images:
        return
    where = " ".join(paths)
    if report.failed:
        raise UsageError(f"none of the {len(report.failed)} image files could be read (listed above): {where}")
    if report.skipped:
        raise UsageError(f"there are no images here, only {report.skipped} other files: {where}")
    raise UsageError(f"there are no images here: {where}")


def _error(code: int) -> type[AtlasError]:
    return {2: UsageError, 3: MissingError}.get(code, AtlasError)
