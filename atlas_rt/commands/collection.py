"""A library opened for reading by a command, brought up to date first."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from atlas_rt.commands.output import ProgressLine, say
from atlas_rt.core.assets import assets_folder
from atlas_rt.core.records import Failure, Floats, IndexReport, LibraryPlace, Progress, Runtime, Scene
from atlas_rt.core.rows import row_of
from atlas_rt.encoders import registry
from atlas_rt.encoders.registry import Model
from atlas_rt.engine.messages import Job, Locked, Refit, Refused, Said, Undo
from atlas_rt.engine.process import EngineProcess
from atlas_rt.errors import AtlasError, MissingError, UsageError
from atlas_rt.library import disk_errors, maps, sources
from atlas_rt.library.cache_layout import cache_folder, place_of
from atlas_rt.search.vector_index import VectorIndex
from atlas_rt.settings import Settings
from atlas_rt.workers.scenes import Arrival, SceneReader

POLL_SECS = 0.02
DEMO = "demo"
UNIT_TOLERANCE = 0.05
"""By how much a stored vector's length may differ from one; float16 alone makes it 0.001."""


class BusyError(MissingError):
    """Another process writes this library, and brings it up to date."""


@dataclass(frozen=True, slots=True)
class Collection:
    """A library at one moment: its scene, and the vectors in the scene's rows."""

    place: LibraryPlace
    model: Model
    arrival: Arrival
    cache: Path
    runtime: Runtime

    @property
    def scene(self) -> Scene:
        return self.arrival.scene

    @property
    def vector_index(self) -> VectorIndex:
        return self.arrival.vector_index

    @property
    def vectors(self) -> Floats:
        """(n, dim) float32 of all."""
        return self.vector_index.whole()

    @property
    def seed(self) -> int:
        """The seed its map was made with, which may be another than the one now asked for."""
        return maps.read_map(self.place.folder / self.model.id, self.scene.generation).seed

    def row_of(self, image: str) -> int:
        """The row of an image named by a path as printed, a path from here, or an id. Raises UsageError."""
        path = sources.absolute(image)
        for row, known in enumerate(self.scene.paths):
            if known in (image, str(path)):
                return row
        if image.isdecimal() and len(image) < 19:  # what an id may have
            found = row_of(self.scene.ids, int(image))
            if found is not None:
                return found
        for row, known in enumerate(self.scene.paths):  # by another way through links
            if Path(known).name == path.name and os.path.realpath(known) == os.path.realpath(path):
                return row
        raise UsageError(f"no image of this library: {image}\nname one by a path as `search` prints it, or by its id")


def add_source(parser: argparse.ArgumentParser, *, more: bool = True) -> None:
    """The words that name a library. more: any number of sources."""
    parser.add_argument("source", nargs="*" if more else "?", metavar="SOURCE", help="folder or file")
    parser.add_argument("--demo", action="store_true", help="the pictures that come with the program")


def add_top(parser: argparse.ArgumentParser, default: int, *, what: str) -> None:
    parser.add_argument("--top", type=_count, default=default, metavar="N", help=f"{what} ({default})")


def add_no_update(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--no-update", action="store_true", help="use the library as it is, without looking for changes"
    )


def sources_of(words: Sequence[str], *, demo: bool) -> tuple[str, ...]:
    """Absolute paths of what was named. Raises UsageError when nothing was, or it does not exist."""
    if demo and words:
        raise UsageError(f"--demo is a source of its own; leave it out, or this: {' '.join(words)}")
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
        runtime=settings.runtime(cache),
        own_labels=settings.labels_path,
        granularity=settings.granularity,
    )


def update(settings: Settings, place: LibraryPlace, cache: Path, *, request: Refit | Undo | None = None) -> IndexReport:
    """Bring a library up to date, telling how far it is. request: what to do with its map then.

    Raises AtlasError with what stood in the way.
    """
    line = ProgressLine(settings)
    engine = EngineProcess(replace(job_for(settings, place, cache), request=request))
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
                        raise BusyError(f"another process writes this library ({holder}); wait for it, or close it")
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


def tell_missing_formats(settings: Settings, place: LibraryPlace, report: IndexReport) -> None:
    """Name what would read the files that were skipped for want of a package."""
    if report.skipped:
        for name, count in sources.scan(place.sources, exclude=settings.exclude).missing_formats.items():
            say(settings, f"{count:,} {name} files were skipped; `pip install atlas_rt[formats]` reads them")


def open_collection(settings: Settings, paths: tuple[str, ...], *, no_update: bool = False) -> Collection:
    """The library of these sources, brought up to date unless told otherwise.

    One that another process writes is read as it is now: that process keeps it up to date. Raises UsageError where it
    holds no image, MissingError where it cannot be read.
    """
    cache = cache_folder(settings.cache_path)
    model = registry.load(settings.model, cache)
    place = place_of(paths, cache, make=not no_update)
    if no_update:
        return read_collection(settings, place, model, cache)
    try:
        report = update(settings, place, cache)
    except BusyError as busy:
        return _read_beside(settings, place, model, cache, busy)
    tell_failures(settings, report.failed)
    if not report.images:
        tell_missing_formats(settings, place, report)
    refuse_empty(paths, report)
    return read_collection(settings, place, model, cache)


def read_collection(settings: Settings, place: LibraryPlace, model: Model, cache: Path) -> Collection:
    """What the library holds now. Raises UsageError for an empty one, MissingError for a damaged one."""
    arrival = SceneReader(place, model=model.id, dim=model.dim).read()
    if arrival is None or not len(arrival.scene.ids):
        raise UsageError(f"nothing is indexed yet; `atlas-rt index` does it first: {' '.join(place.sources)}")
    for block in arrival.vector_index.blocks():
        with np.errstate(all="ignore"):
            lengths = np.linalg.norm(block, axis=1)
        if not np.all(np.abs(lengths - 1.0) < UNIT_TOLERANCE):  # what is no number is not less either
            raise disk_errors.damaged(place.folder)
    return Collection(place, model, arrival, cache, settings.runtime(cache))


def refuse_empty(paths: Sequence[str], report: IndexReport) -> None:
    """Raise UsageError where there is nothing to show, saying why."""
    if report.images:
        return
    where = " ".join(paths)
    if report.failed:
        first, count = report.failed[0], len(report.failed)
        which = "the one image file" if count == 1 else f"none of the {count:,} image files"
        verb = "could not be read" if count == 1 else "could be read"
        raise UsageError(f"{which} {verb} ({Path(first.path).name}: {first.reason}): {where}")
    raise UsageError(no_images(where, report.skipped))


def no_images(where: str, skipped: int) -> str:
    """What to say of a source without images."""
    others = f", only {skipped:,} other {'file' if skipped == 1 else 'files'}" if skipped else ""
    return f"there are no images here{others}; name a folder that holds some: {where}"


def _read_beside(settings: Settings, place: LibraryPlace, model: Model, cache: Path, busy: BusyError) -> Collection:
    try:
        collection = read_collection(settings, place, model, cache)
    except UsageError:  # nothing yet: whoever writes it has only begun
        raise busy from None
    say(settings, f"used as it is now: {str(busy).partition(';')[0]}")
    return collection


def _count(text: str) -> int:
    """A number from 1 up, of an option."""
    if not (text.isdecimal() and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of images; write one from 1 up")
    return int(text)


def _error(code: int) -> type[AtlasError]:
    return {2: UsageError, 3: MissingError}.get(code, AtlasError)
