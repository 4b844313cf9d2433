"""A library opened for reading by a command, brought up to date first."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from atlas_rt.aws.s3_objects import S3Fetch
from atlas_rt.commands.output import ProgressLine, say
from atlas_rt.core.arrays import Floats
from atlas_rt.core.assets import demo_folder
from atlas_rt.core.images import Failure, LibraryPlace
from atlas_rt.core.reports import IndexReport, Progress
from atlas_rt.core.rows import row_of
from atlas_rt.core.runtime import Runtime
from atlas_rt.core.s3_address import is_s3
from atlas_rt.core.scene import Scene
from atlas_rt.encoders import registry
from atlas_rt.encoders.registry import Model
from atlas_rt.engine.messages import Locked, MapRequest, Refused, Said, SourceState
from atlas_rt.engine.process import EngineProcess
from atlas_rt.errors import AtlasError, MissingError, UsageError
from atlas_rt.jobs import job_of
from atlas_rt.library import disk_errors, maps, sources
from atlas_rt.library.cache_layout import cache_folder, may_lie_in, place_of, source_around
from atlas_rt.library.cluster_names import ClusterNames
from atlas_rt.library.explanations import Explanations
from atlas_rt.library.formats import missing_words
from atlas_rt.library.originals import Originals
from atlas_rt.library.personal_data import data_folder
from atlas_rt.library.relocation import settled_place
from atlas_rt.library.resemblance import Resemblance
from atlas_rt.library.tables.remembered_shards import listed_model
from atlas_rt.search.vector_index import VectorIndex
from atlas_rt.search.word_names import words_or_english
from atlas_rt.settings import Settings
from atlas_rt.spoken import spoken_code
from atlas_rt.workers.model_readiness import model_to_show
from atlas_rt.workers.scenes import Arrival, SceneReader

POLL_SECS = 0.02
UNIT_TOLERANCE = 0.05
"""By how much a stored vector's length may differ from one; float16 alone makes it 0.001."""


class BusyError(MissingError):
    """Another process is updating this library."""


@dataclass(frozen=True, slots=True)
class Collection:
    """A library at one moment: its scene, and the vectors in the scene's rows."""

    place: LibraryPlace
    model: Model
    arrival: Arrival
    cache: Path
    runtime: Runtime
    originals: Originals

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
        """The seed its map was made with, which may differ from the setting."""
        return maps.read_map(self.place.folder / self.model.id, self.scene.generation).seed

    def row_of(self, image: str) -> int:
        """The row of an image named by a path as printed, a path from here, or an id. Raises UsageError."""
        path = sources.path_or_address(image)
        for row, known in enumerate(self.scene.paths):
            if known in (image, path):
                return row
        if image.isdecimal() and len(image) < 19:  # what an id may have
            found = row_of(self.scene.ids, int(image))
            if found is not None:
                return found
        for row, known in enumerate(self.scene.paths):  # by another way through links
            if (
                not is_s3(known)
                and Path(known).name == Path(path).name
                and os.path.realpath(known) == os.path.realpath(path)
            ):
                return row
        raise UsageError(
            f"this library has no such image: {image}\nname it by its path, as `search` prints it, or by its id"
        )


def sources_of(settings: Settings, words: Sequence[str], *, demo: bool) -> tuple[str, ...]:
    """Absolute paths of what was named. Raises UsageError when nothing was, or it does not exist and never did: the
    sources of a library may be on a drive that is not connected."""
    if demo and words:
        raise UsageError(f"--demo is itself the source; leave out either --demo or: {' '.join(words)}")
    if demo:
        return (str(demo_folder()),)
    if not words:
        raise UsageError("name a folder of images, or --demo for the pictures that come with the program")
    try:
        return sources.resolve(words)
    except UsageError:
        paths = tuple(sorted({sources.path_or_address(word) for word in words}))
        if _is_known(settings, paths):
            return paths
        raise


def _is_known(settings: Settings, paths: tuple[str, ...]) -> bool:
    """Whether there is a library of these sources."""
    place = place_of(paths, cache_folder(settings.cache_path), make=False)
    return (place.folder / "library.db").exists()


def open_place(settings: Settings, paths: Sequence[str], cache: Path, *, make: bool = True) -> LibraryPlace:
    """Where the library of these sources lies; one whose sources were moved here has come along, which is said.

    Raises what `settled_place` raises.
    """
    place = settled_place(
        paths,
        cache,
        exclude=settings.exclude,
        ask=lambda found: _asked(settings, found),
        tell=lambda text: say(settings, text),
        make=make,
    )
    around = source_around(cache, paths)
    if around and not may_lie_in(cache, around, named=False):
        say(settings, f"the cache lies inside the source and is passed over: {cache}")
    return place


def _asked(settings: Settings, found: Resemblance) -> bool:
    """Whether a person at a terminal says that a library moved here."""
    if settings.json or settings.quiet or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    old, new = (" ".join(paths) for paths in (found.moves.keys(), found.moves.values()))
    print(
        f"{found.found:,} of the {found.images:,} images of {old}, which is gone, seem to be in {new}.", file=sys.stderr
    )
    print("Was it moved here? Its map and labels come along then. [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def update(settings: Settings, place: LibraryPlace, cache: Path, *, request: MapRequest | None = None) -> IndexReport:
    """Bring a library up to date and show the progress. request: what to do with its map afterwards.

    Raises AtlasError with the reason if that fails.
    """
    line = ProgressLine(settings)
    engine = EngineProcess(replace(job_of(settings, place, cache), request=request))
    report: IndexReport | None = None
    try:
        while report is None:
            for message in engine.messages():
                match message:
                    case Progress():
                        line.show(message)
                    case IndexReport():
                        report = message
                    case Said(text) | SourceState(text=text):
                        line.clear()
                        say(settings, text)
                    case Refused(text, code):
                        raise _error(code)(text)
                    case Locked(holder):
                        raise BusyError(
                            f"another process is updating this library ({holder}); wait for it, or close it"
                        )
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


def tell_missing_formats(settings: Settings, report: IndexReport) -> None:
    """Name the package that would read the files that were skipped."""
    for name, count in report.missing_formats.items():
        say(settings, missing_words(name, count))


def told_by_themselves(report: IndexReport, paths: Sequence[str]) -> list[Failure]:
    """What failed, without sources in S3 where nothing is shown: `refuse_empty` ends with their reasons."""
    return [each for each in report.failed if report.images or not (each.path in paths and is_s3(each.path))]


def tell_left_out(settings: Settings, report: IndexReport) -> None:
    """Say which objects in S3 were not read, though nothing is wrong with them."""
    if report.archived:
        objects = "1 object lies" if report.archived == 1 else f"{report.archived:,} objects lie"
        say(settings, f"{objects} in an archive of S3; what is restored there is read by the next index")
    if report.left:
        objects = "1 object" if report.left == 1 else f"{report.left:,} objects"
        say(settings, f"{objects} changed meanwhile or could not be read now; the next index reads what is left")


def open_collection(settings: Settings, paths: tuple[str, ...], *, no_update: bool = False) -> Collection:
    """The library of these sources, brought up to date unless told otherwise.

    One that another process updates is read as it is now. Raises UsageError if it has no image, MissingError if it
    cannot be read.
    """
    cache = cache_folder(settings.cache_path)
    place = open_place(settings, paths, cache, make=not no_update)
    listed = listed_model(place.folder) if settings.model == registry.AUTO else ""
    model = registry.load(listed or settings.model, cache)
    if no_update:
        return read_collection(settings, place, _with_map(settings, place, model, cache), cache)
    try:
        report = update(settings, place, cache)
    except BusyError as busy:
        return _read_as_it_is(settings, place, _with_map(settings, place, model, cache), cache, busy)
    tell_failures(settings, told_by_themselves(report, paths))
    tell_left_out(settings, report)
    if not report.images:
        tell_missing_formats(settings, report)
    refuse_empty(paths, report)
    return read_collection(settings, place, model, cache)


def _with_map(settings: Settings, place: LibraryPlace, model: Model, cache: Path) -> Model:
    """The model to read a library with as it is: while a chosen one still encodes, the one whose map is there. A person
    who named a model gets that one or none."""
    shown = model_to_show(place, model, cache) if settings.model == registry.AUTO else model
    if shown is not model:
        say(settings, f"{model.name} has no map of this library yet; it is read with {shown.name}")
    return shown


def read_collection(settings: Settings, place: LibraryPlace, model: Model, cache: Path) -> Collection:
    """What the library holds now. Raises UsageError for an empty one, MissingError for a damaged one."""
    data = data_folder(settings.data_path)
    names, explanations = ClusterNames(data), Explanations(data)
    words, trouble = words_or_english(spoken_code(settings))
    if trouble:
        say(settings, trouble)
    arrival = SceneReader(
        place, model=model.id, dim=model.dim, names=names, explanations=explanations, words=words
    ).read()
    if arrival is not None and arrival.remark:
        say(settings, arrival.remark)
    if arrival is not None and arrival.hidden and not len(arrival.scene.ids):
        raise UsageError(f"nothing is shown: {all_away(arrival.hidden)}: {' '.join(place.sources)}")
    if arrival is None or not len(arrival.scene.ids):
        raise UsageError(f"nothing is indexed yet; run `atlas-rt index` first: {' '.join(place.sources)}")
    for block in arrival.vector_index.blocks():
        with np.errstate(all="ignore"):
            lengths = np.linalg.norm(block, axis=1)
        if not np.all(np.abs(lengths - 1.0) < UNIT_TOLERANCE):  # refuses NaN too
            raise disk_errors.damaged(place.folder)
    return Collection(place, model, arrival, cache, settings.runtime(cache), originals_of(settings, cache))


def originals_of(settings: Settings, cache: Path) -> Originals:
    """The files of images for a command: what lies in S3 is fetched, unless an option forbids it."""
    fetch = None if settings.offline else S3Fetch(settings.s3)
    return Originals(cache, limit_bytes=int(settings.originals_gb * 1e9), fetch=fetch)


def refuse_empty(paths: Sequence[str], report: IndexReport) -> None:
    """Raise UsageError where nothing is known that could be shown, saying why."""
    if report.images or (report.away and not report.failed):
        return
    where = " ".join(paths)
    if unlisted := [each for each in report.failed if each.path in paths and is_s3(each.path)]:
        kind = UsageError if report.source_state == "missing" else MissingError
        raise kind("\n".join(f"{each.path} has no images that could be listed: {each.reason}" for each in unlisted))
    if report.left:
        objects = "the one object" if report.left == 1 else f"none of the {report.left:,} objects"
        raise MissingError(f"{objects} could {'not ' if report.left == 1 else ''}be read now: {where}")
    if report.failed:
        first, count = report.failed[0], len(report.failed)
        which = "the one image file" if count == 1 else f"none of the {count:,} image files"
        verb = "could not be read" if count == 1 else "could be read"
        raise UsageError(f"{which} {verb} ({Path(first.path).name}: {first.reason}): {where}")
    raise UsageError(no_images(where, report.skipped))


def all_away(count: int) -> str:
    """What to say where every known image is away, and its folder is not."""
    return "the only known image is away" if count == 1 else f"all {count:,} known images are away"


def no_images(where: str, skipped: int) -> str:
    """The sentence about a source without images."""
    others = f", only {skipped:,} other {'file' if skipped == 1 else 'files'}" if skipped else ""
    return f"there are no images here{others}; name a folder that holds some: {where}"


def _read_as_it_is(settings: Settings, place: LibraryPlace, model: Model, cache: Path, busy: BusyError) -> Collection:
    try:
        collection = read_collection(settings, place, model, cache)
    except UsageError:  # nothing yet: the other process has only begun
        raise busy from None
    say(settings, f"reading the library as it is now: {str(busy).partition(';')[0]}")
    return collection


def _error(code: int) -> type[AtlasError]:
    return {2: UsageError, 3: MissingError}.get(code, AtlasError)
