"""Away is not gone: what a scan does not find keeps its place on the map, and nothing else moves."""

from __future__ import annotations

import dataclasses
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from multiprocessing import Pipe
from pathlib import Path

import numpy as np
import pytest

from atlas_rt.core.reports import IndexReport
from atlas_rt.core.submap import submap
from atlas_rt.engine.engine import Engine
from atlas_rt.engine.map_making import SKETCH, map_to_go_on_from
from atlas_rt.engine.messages import Add, FromEngine, Remove, SourceState
from atlas_rt.engine.placing import ReferenceMap, extended
from atlas_rt.engine.process import EngineProcess
from atlas_rt.library import maps
from atlas_rt.library.cache_layout import place_of
from atlas_rt.library.cleaning import clean
from atlas_rt.library.scanning import scan
from atlas_rt.library.store import StoreReader
from atlas_rt.library.store_writer import StoreWriter, upgrade
from atlas_rt.mapping.clusters import next_id
from atlas_rt.workers.scenes import Arrival, SceneReader
from tests.libraries import (
    PICTURES,
    Library,
    as_version_0_1_0_wrote,
    copy_pictures,
    hear,
    id_at,
    job_of,
    place_row,
    same_bits,
)

NAMES = ("ids", "rows", "positions", "edges", "weights", "clusters", "stacks")
"""Arrays of a map that tell whether anything moved."""


@pytest.fixture
def own(indexed: Library, tmp_path: Path) -> Library:
    """The common library as one of a folder that may be changed."""
    source = shutil.copytree(indexed.source, tmp_path / "photos")
    copied = indexed.copy(tmp_path / "cache")
    place = place_of((str(source),), copied.cache)
    shutil.copytree(copied.place.folder, place.folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("sources*"))
    shutil.rmtree(copied.place.folder)
    with closing(sqlite3.connect(place.folder / "library.db")) as database, database:
        old, new = bytes(indexed.source), bytes(source)
        for table in ("images", "devices"):
            moved = f"UPDATE {table} SET path = CAST(? || substr(path, ?) AS BLOB)"
            database.execute(moved, (new, len(old) + 1))
    return dataclasses.replace(copied, source=source, place=place)


def rounds(library: Library, **changes: object) -> list[FromEngine]:
    """All that an engine tells of one round. It works in this process: to start one takes longer than the round."""
    ours, theirs = Pipe()
    Engine(job_of(library.place, library.cache, **changes), theirs).work()
    theirs.close()
    told: list[FromEngine] = []
    with suppress(EOFError):
        while True:
            told.append(ours.recv())
    ours.close()
    return told


def again(library: Library, **changes: object) -> IndexReport:
    return next(each for each in rounds(library, **changes) if isinstance(each, IndexReport))


def look(library: Library) -> None:
    """The beginning of a round alone: what is there and what is not."""
    with StoreWriter.open(library.place.folder) as store:
        store.reconcile(scan(library.place.sources), library.model.id, library.place.sources)


def arrival_of(library: Library) -> Arrival:
    arrival = SceneReader(library.place, model=library.model.id, dim=library.model.dim).read()
    assert arrival is not None
    return arrival


def counts(report: IndexReport) -> tuple[int, int, int, int]:
    return report.images, report.new, report.unchanged, report.away


def same_map(library: Library, other: Library) -> bool:
    return all(same_bits(getattr(library.map, name), getattr(other.map, name)) for name in NAMES)


def put_aside(library: Library, pattern: str = "*.webp") -> Path:
    """Move pictures out of the source."""
    aside = library.source.with_name("aside")
    aside.mkdir(exist_ok=True)
    for path in sorted(library.source.glob(pattern)):
        path.rename(aside / path.name)
    return aside


def put_back(library: Library, aside: Path) -> None:
    for path in aside.iterdir():
        path.rename(library.source / path.name)


# Some vanish


def test_some_vanish_and_come_back_and_nothing_moves_by_a_bit(own: Library, indexed: Library) -> None:
    aside = put_aside(own, "[a-c]*.webp")
    away = len(list(aside.iterdir()))
    report = again(own)
    assert counts(report) == (138 - away, 0, 138 - away, away)
    assert (report.source_state, report.removed) == ("present", 0)
    assert report.generation > indexed.report.generation  # a window reads anew what is shown
    assert same_map(own, indexed)
    scene = arrival_of(own).scene
    assert len(scene.ids) == len(arrival_of(own).vector_index) == 138 - away
    assert scene.away is None
    assert not [path for path in scene.paths if Path(path).name[0] in "abc"]
    shown = set(scene.ids.tolist())
    assert {id_ for each in scene.cluster_records for id_ in (*each.exemplars, *each.borderline)} <= shown
    assert sum(each.size for each in scene.cluster_records) == (scene.clusters >= 0).sum()
    assert scene.node_size == arrival_of(indexed).scene.node_size
    at = np.searchsorted(indexed.map.ids, scene.ids)
    assert same_bits(scene.hues, arrival_of(indexed).scene.hues[at])
    put_back(own, aside)
    report = again(own)
    assert (counts(report), report.seconds["encode"]) == ((138, 0, 138, 0), 0.0)
    assert same_map(own, indexed)
    assert same_bits(arrival_of(own).scene.ids, indexed.map.ids)
    assert again(own).generation == report.generation  # it is told once


def test_what_comes_back_under_another_name_or_with_other_content(own: Library, indexed: Library) -> None:
    first, second, third = sorted(own.source.glob("*.webp"))[:3]
    ids = [id_at(own.place, path) for path in (first, second, third)]
    aside = put_aside(own, "[a-c]*.webp")
    look(own)
    (aside / first.name).rename(own.source / "renamed.webp")
    shutil.copy(PICTURES[-1], own.source / second.name)
    report = again(own, fit=False)
    assert (report.new, report.changed) == (1, 0)
    assert id_at(own.place, own.source / "renamed.webp") == ids[0]
    assert same_bits(place_row(own.map, ids[0] or 0), place_row(indexed.map, ids[0] or 0))
    assert id_at(own.place, second) not in (*ids, None)  # the picture that it was is still away
    (aside / second.name).rename(own.source / "as it was.webp")
    again(own, fit=False)
    assert id_at(own.place, own.source / "as it was.webp") == ids[1]


# A root that is absent


def test_an_emptied_root_stays_on_the_map_and_a_missing_one_too(own: Library, indexed: Library) -> None:
    (own.source / "notes.txt").unlink()
    aside = put_aside(own)
    for state in ("empty", "missing"):
        if state == "missing":
            own.source.rmdir()
        told = rounds(own)
        (report,) = [each for each in told if isinstance(each, IndexReport)]
        assert (counts(report), report.source_state) == ((138, 0, 0, 138), state)
        text = f"{own.source} is {state}: is the drive connected? Showing what was known"
        assert SourceState(state, text) in told
        arrival = arrival_of(own)
        assert (arrival.absence, arrival.scene.away is not None and arrival.scene.away.all()) == (text, True)
        assert same_bits(arrival.scene.positions, indexed.map.positions)
    own.source.mkdir()
    put_back(own, aside)
    told = rounds(own)
    (report,) = [each for each in told if isinstance(each, IndexReport)]
    assert (counts(report), report.seconds["encode"]) == ((138, 0, 138, 0), 0.0)
    assert not [message for message in told if isinstance(message, SourceState)]
    assert same_map(own, indexed)
    assert arrival_of(own).scene.away is None


def test_what_was_deleted_just_before_a_drive_went_does_not_keep_it_away(own: Library) -> None:
    """It is shown again while the drive is away, and was then missed for ever: the drive seemed to be another one."""
    (own.source / "notes.txt").unlink()
    deleted = put_aside(own, "[a-p]*.webp").rename(own.source.with_name("deleted"))
    look(own)
    aside = put_aside(own)
    assert counts(again(own))[0] == 138
    put_back(own, aside)
    left, gone = len(list(own.source.iterdir())), len(list(deleted.iterdir()))
    assert left < gone
    report = again(own)
    assert (counts(report), report.source_state) == ((left, 0, left, gone), "present")


def test_other_images_in_the_place_of_a_deleted_folder_are_the_library_now(own: Library, newcomers: list[Path]) -> None:
    """Nothing says that a drive is missing: the device is the same, and nobody saw the folder absent."""
    own.source.rename(own.source.with_name("aside"))
    own.source.mkdir()
    copy_pictures(newcomers[:2], own.source)
    report = again(own)
    assert (counts(report), report.source_state) == ((2, 2, 0, 138), "present")
    assert len(arrival_of(own).scene.ids) == 2


# Forgetting


def test_what_was_forgotten_and_comes_back_is_a_new_image(own: Library, indexed: Library) -> None:
    aside = put_aside(own, "[a-c]*.webp")
    look(own)
    with StoreReader.open(own.place.folder) as store:
        doomed = store.away_ids()
    assert clean(own.place, doomed).images == len(doomed)
    report = again(own)
    assert (report.away, report.generation) == (0, own.map.generation)
    kept = ~np.isin(indexed.map.ids, doomed)
    assert same_bits(own.map.ids, indexed.map.ids[kept])
    assert same_bits(own.map.positions, indexed.map.positions[kept])
    name = next(aside.iterdir()).name
    (aside / name).rename(own.source / name)
    assert again(own, fit=False).new == 1
    assert (id_at(own.place, own.source / name) or 0) > 138


# Libraries of version 0.1.0


def empty_map_of(library: Library) -> None:
    """What version 0.1.0 published when a folder was empty for one start: a fitted map without an image."""
    none, rows = np.zeros(0, np.int64), np.zeros(0, np.int32)
    nothing = ReferenceMap(library.map, lambda _: np.zeros((0, library.model.dim), np.float32))
    emptied = extended(library.map, none, rows, reference=nothing, vectors_at=nothing._vectors_at)
    maps.write_map(library.model_folder, dataclasses.replace(emptied, generation=library.map.generation + 1))


def test_a_library_of_version_0_1_0_opens_and_nothing_moves_for_what_was_gone(own: Library, indexed: Library) -> None:
    """Its maps lack what was gone, however much that is: it gets a place when it comes back."""
    aside = put_aside(own, "[a-m]*.webp")
    away = len(list(aside.iterdir()))
    assert away > 0.2 * 138  # so many new images make a refit due
    look(own)
    with StoreReader.open(own.place.folder) as store:
        left = submap(own.map, ~np.isin(own.map.ids, store.away_ids()))
    maps.write_map(own.model_folder, dataclasses.replace(left, generation=own.map.generation + 1))
    as_version_0_1_0_wrote(own.place)
    upgrade(own.place)  # as a window does, before anything is read
    assert len(arrival_of(own).scene.ids) == 138 - away
    report = again(own)
    assert (counts(report), report.seconds["fit"]) == ((138 - away, 0, 138 - away, away), 0.0)
    assert all(same_bits(getattr(own.map, name), getattr(left, name)) for name in NAMES)
    for path in sorted(aside.iterdir())[:5]:
        path.rename(own.source / path.name)
    assert counts(again(own)) == (143 - away, 0, 143 - away, away - 5)
    assert len(own.map.ids) == 143 - away
    assert same_bits(own.map.positions[np.isin(own.map.ids, left.ids)], left.positions)


@pytest.mark.parametrize("back", [True, False])
def test_a_library_that_version_0_1_0_broke_opens_and_stands_as_it_stood(
    own: Library, indexed: Library, back: bool
) -> None:
    """Whether the pictures are there again or not."""
    (own.source / "notes.txt").unlink()
    empty_map_of(own)
    with closing(sqlite3.connect(own.place.folder / "library.db")) as database, database:
        database.execute("UPDATE images SET state = 'away', present = 0")
    as_version_0_1_0_wrote(own.place)
    assert len(own.map.ids) == 0
    if not back:
        put_aside(own)
    report = again(own)
    assert report.seconds["fit"] == 0.0
    assert counts(report) == ((138, 0, 138, 0) if back else (138, 0, 0, 138))
    assert report.generation == own.map.generation == indexed.map.generation + 2
    assert same_map(own, indexed)
    assert len(arrival_of(own).scene.ids) == 138


def test_a_broken_library_of_which_no_older_map_is_left_begins_anew(own: Library, indexed: Library) -> None:
    empty_map_of(own)
    for generation in maps.generations(own.model_folder)[:-1]:
        shutil.rmtree(own.model_folder / f"map-{generation}")
    begun = map_to_go_on_from(own.model_folder)
    assert begun is not None
    assert (begun.kind, len(begun.ids)) == (SKETCH, 0)  # from which a first fit follows
    assert next_id(begun) == next_id(indexed.map)  # no cluster gets the id of one that was


# While a window is open


@pytest.fixture
def working(own: Library) -> Iterator[EngineProcess]:
    """An engine that stays, whose first round is over."""
    (own.source / "notes.txt").unlink()
    engine = EngineProcess(job_of(own.place, own.cache, stay=True))
    hear(engine)
    yield engine
    engine.stop()


def report_of(engine: EngineProcess) -> IndexReport:
    report = hear(engine)[-1]
    assert isinstance(report, IndexReport)
    return report


def state_of(working: EngineProcess) -> str:
    """The next state that is told; a round in which it does not change may come before."""
    while not (states := [message.state for message in hear(working) if isinstance(message, SourceState)]):
        pass
    return states[-1]


def test_a_drive_is_unplugged_and_plugged_in_again_while_a_window_is_open(
    working: EngineProcess, own: Library, indexed: Library
) -> None:
    aside = put_aside(own)  # as a mount point without its drive
    report = report_of(working)
    while report.source_state != "empty":  # a scan may have come in between
        report = report_of(working)
    assert counts(report) == (138, 0, 0, 138)
    put_back(own, aside)
    while (report := report_of(working)).away:
        assert report.images == 138
    assert (counts(report), report.source_state) == ((138, 0, 138, 0), "present")
    own.source.rename(own.source.with_name("unplugged"))
    assert state_of(working) == "missing"
    assert arrival_of(own).absence.startswith(f"{own.source} is missing")
    own.source.with_name("unplugged").rename(own.source)
    assert state_of(working) == "present"
    assert same_map(own, indexed)
    assert (arrival_of(own).absence, arrival_of(own).scene.away) == ("", None)


def test_what_was_dropped_by_mistake_is_removed_and_dropped_again(
    working: EngineProcess, own: Library, tmp_path: Path
) -> None:
    dropped = tmp_path / "dropped.webp"
    shutil.copy(PICTURES[1], dropped)
    working.tell(Add((str(dropped),)))
    assert counts(report_of(working)) == (139, 1, 138, 0)
    id_ = id_at(own.place, dropped)
    stood = place_row(own.map, id_ or 0)
    working.tell(Remove((str(dropped),)))
    assert counts(report_of(working)) == (138, 0, 138, 1)
    assert len(arrival_of(own).scene.ids) == 138
    working.tell(Add((str(dropped),)))
    assert counts(report_of(working)) == (139, 0, 139, 0)
    assert id_at(own.place, dropped) == id_
    assert same_bits(place_row(own.map, id_ or 0), stood)
