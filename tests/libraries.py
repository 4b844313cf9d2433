"""Libraries of real pictures, indexed by real engines: what the tests of engine, workers and window share."""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.assets import assets_folder
from atlas_rt.core.images import LibraryPlace
from atlas_rt.core.maps import Map
from atlas_rt.core.reports import IndexReport
from atlas_rt.encoders import registry
from atlas_rt.encoders.registry import Model
from atlas_rt.engine.messages import FromEngine, Job
from atlas_rt.engine.process import EngineProcess
from atlas_rt.library import maps
from atlas_rt.library.cache_layout import place_of
from atlas_rt.library.schema import STEPS
from atlas_rt.library.store import StoreReader

ROOT = Path(__file__).parents[1]
PICTURES = sorted((assets_folder("models") / "demo").glob("*.webp"))
"""The demo's drawings, by name."""
PATIENCE_SECS = 100.0

Listing = dict[str, tuple[int, int, int]]
"""Path -> mode, size, time of change (ns)."""


@dataclass(frozen=True, slots=True)
class Library:
    """An indexed folder, and what its engine told."""

    source: Path
    cache: Path
    place: LibraryPlace
    told: tuple[FromEngine, ...]
    before: Listing

    @property
    def report(self) -> IndexReport:
        return next(message for message in self.told if isinstance(message, IndexReport))

    @property
    def model(self) -> Model:
        return registry.load("starter", self.cache)

    @property
    def model_folder(self) -> Path:
        return self.place.folder / self.model.id

    @property
    def map(self) -> Map:
        return latest_map(self.place)

    def copy(self, folder: Path) -> Library:
        """The same library, in a cache of its own that may be written to."""
        place = LibraryPlace(folder / "libraries" / self.place.folder.name, self.place.sources)
        shutil.copytree(self.place.folder, place.folder)
        shutil.copytree(self.cache / "vocabulary", folder / "vocabulary")
        return Library(self.source, folder, place, self.told, self.before)


def copy_pictures(pictures: Iterable[Path], folder: Path) -> Path:
    """A folder with these pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    for picture in pictures:
        shutil.copy(picture, folder)
    return folder


def job_of(source: Path | LibraryPlace, cache: Path, **changes: Any) -> Job:
    """What an engine works on: two threads, seed 42, a fit at the end, unless told otherwise."""
    place = source if isinstance(source, LibraryPlace) else place_of((str(source),), cache)
    wanted = {"model": "starter", "seed": 42, "threads": 2} | changes
    return Job(place=place, cache=cache, **wanted)


def hear(
    engine: EngineProcess,
    *,
    until: type | tuple[type, ...] = IndexReport,
    each: Callable[[FromEngine], None] = lambda _: None,
) -> list[FromEngine]:
    """What an engine tells, up to a message of this kind or its end. Fails when neither comes."""
    told: list[FromEngine] = []
    deadline = time.monotonic() + PATIENCE_SECS
    while time.monotonic() < deadline:
        for message in engine.messages():
            told.append(message)
            each(message)
            if isinstance(message, until):
                return told
        if engine.ended:
            return told
        time.sleep(0.005)
    raise AssertionError(f"neither {until} nor an end came, but {told[-5:]}")


def run(job: Job, *, each: Callable[[FromEngine], None] = lambda _: None) -> list[FromEngine]:
    """All that an engine tells until it has reported or given up; it has ended then."""
    engine = EngineProcess(job)
    try:
        return hear(engine, each=each)
    finally:
        engine.stop()


def index(job: Job) -> IndexReport:
    """What an engine reports of one round."""
    told = run(job)
    assert isinstance(told[-1], IndexReport), told
    return told[-1]


def latest_map(place: LibraryPlace) -> Map:
    (folder,) = place.folder.glob("starter-*")
    map_ = maps.read_latest(folder)
    assert map_ is not None
    return map_


def listing(folder: Path) -> Listing:
    """Every file and folder below one, itself included, as the file system tells it."""
    found = {str(path): path.lstat() for path in (folder, *folder.rglob("*"))}
    return {path: (status.st_mode, status.st_size, status.st_mtime_ns) for path, status in found.items()}


def as_version_0_1_0_wrote(place: LibraryPlace) -> None:
    """The database in its first form, in which images that were not found were gone."""
    file = place.folder / "library.db"
    with closing(sqlite3.connect(file)) as database:
        database.executescript("PRAGMA journal_mode = DELETE; DROP INDEX images_by_path; DROP INDEX images_missed;")
        _forget_texts(database)
        database.execute("DROP INDEX images_incomplete")
        database.execute("UPDATE images SET state = 'gone' WHERE state = 'away'")
        for table in ("absences", "devices", "metadata"):
            database.execute(f"DROP TABLE {table}")
        for column in ("present", "away_secs", "incomplete"):
            database.execute(f"ALTER TABLE images DROP COLUMN {column}")
        _forget_etags(database)
        database.execute("CREATE UNIQUE INDEX images_by_path ON images (path) WHERE state != 'gone'")
        database.execute(next(each for each in STEPS[0].split(";") if "CREATE TABLE cluster_names" in each))
        database.execute("DELETE FROM settings WHERE key LIKE 'shown%' OR key LIKE 'dimensions%'")
        first = sqlite3.connect(":memory:")
        first.executescript(STEPS[0])
        form = "SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite%' ORDER BY name"
        tidy = [[(name, " ".join(sql.split())) for name, sql in each.execute(form)] for each in (database, first)]
        assert tidy[0] == tidy[1]
        database.execute("PRAGMA user_version = 1")
        database.commit()


def as_written_before_metadata(place: LibraryPlace) -> None:
    """The database as it was before anything but pixels was read of the files."""
    with closing(sqlite3.connect(place.folder / "library.db")) as database, database:
        _forget_texts(database)
        _forget_etags(database)
        database.execute("DROP TABLE metadata")
        database.execute("PRAGMA user_version = 4")


def _forget_texts(database: sqlite3.Connection) -> None:
    """Take the index of words out, which came with a later version than what else is taken out."""
    for (trigger,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        database.execute(f"DROP TRIGGER {trigger}")
    for table in ("texts", "texts_stale", "places", "image_places", "readings"):
        database.execute(f"DROP TABLE {table}")


def _forget_etags(database: sqlite3.Connection) -> None:
    for table in ("images", "failures"):
        database.execute(f"ALTER TABLE {table} DROP COLUMN etag")


def same_bits(one: NDArray[Any], other: NDArray[Any]) -> bool:
    return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()


def lives(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits to be counted does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def children(pid: int) -> dict[int, str]:
    """Processes started by one -> their command lines."""
    found = {}
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == pid:
                found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def wait_for(condition: Callable[[], object], *, secs: float = 20.0, why: str = "") -> Any:
    """What a condition gives once it gives something; fails when that takes too long."""
    deadline = time.monotonic() + secs
    while (found := condition()) is None or (not isinstance(found, np.ndarray) and not found):
        assert time.monotonic() < deadline, f"never came: {why or condition}"
        time.sleep(0.003)
    return found


def id_at(place: LibraryPlace, path: Path) -> int | None:
    """The id of the image that is shown from a path."""
    with StoreReader.open(place.folder) as store:
        catalogue = store.catalogue()
    return dict(zip(catalogue.paths, catalogue.ids.tolist(), strict=True)).get(str(path))


def place_row(map_: Map, id_: int) -> NDArray[np.float32]:
    """Where an image stands."""
    return map_.positions[int(np.searchsorted(map_.ids, id_))]
