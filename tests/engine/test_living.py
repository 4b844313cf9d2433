"""A folder that lives: what comes, changes, moves and goes arrives in a running window by itself, and soon."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from atlas_rt.core.records import IndexReport, Map
from atlas_rt.engine.messages import Published
from atlas_rt.engine.process import EngineProcess
from atlas_rt.library.store import Store
from tests.libraries import PICTURES, Library, copy_pictures, hear, job_of, latest_map, same_bits

SOON_SECS = 2.0
"""From a complete file to its place on the map."""


class Room:
    """An engine at work on a folder, whose first round is over."""

    def __init__(self, folder: Path, cache: Path) -> None:
        self.folder, self.job = folder, job_of(folder, cache, stay=True)
        self.engine = EngineProcess(self.job)
        self.first = hear(self.engine)[-1]

    @property
    def map(self) -> Map:
        return latest_map(self.job.place)

    def after(self, begun: float) -> IndexReport:
        """The report of the round that published what changed at `begun`, soon after."""
        hear(self.engine, until=Published)
        assert time.monotonic() - begun < SOON_SECS
        report = hear(self.engine)[-1]
        assert isinstance(report, IndexReport)
        return report

    def paths(self) -> set[str]:
        with Store.open(self.job.place.folder, writable=False) as store:
            return {Path(path).name for path in store.catalogue(latest_map(self.job.place).model).paths}


@pytest.fixture
def room(indexed: Library, tmp_path: Path) -> Iterator[Room]:
    shutil.copytree(indexed.cache / "vocabulary", tmp_path / "cache" / "vocabulary")
    folder = copy_pictures(PICTURES[:7], tmp_path / "pictures")
    room = Room(folder, tmp_path / "cache")
    yield room
    room.engine.stop()


def test_an_image_that_comes_moves_and_goes(room: Room) -> None:
    before = room.map
    begun = time.monotonic()
    shutil.copy(PICTURES[20], room.folder / "new.webp")
    report = room.after(begun)
    assert (report.images, report.new, report.unchanged, report.failed) == (8, 1, 7, ())
    after = room.map
    assert len(after.ids) == 8

    begun = time.monotonic()
    (room.folder / "new.webp").rename(room.folder / "renamed.webp")
    report = room.after(begun)
    assert (report.images, report.new, report.removed, report.seconds["encode"]) == (8, 0, 0, 0.0)
    assert same_bits(room.map.ids, after.ids)
    assert same_bits(room.map.positions, after.positions)
    assert "renamed.webp" in room.paths()
    assert "new.webp" not in room.paths()

    begun = time.monotonic()
    (room.folder / "renamed.webp").unlink()
    report = room.after(begun)
    assert (report.images, report.removed) == (7, 1)
    assert same_bits(room.map.ids, before.ids)


def test_an_image_that_changes_is_read_again(room: Room) -> None:
    victim = room.folder / PICTURES[3].name
    before = room.map
    begun = time.monotonic()
    shutil.copy(PICTURES[30], victim)
    report = room.after(begun)
    assert (report.images, report.changed, report.new) == (7, 1, 0)
    changed = np.flatnonzero(room.map.rows != before.rows)
    assert len(changed) == 1


def test_a_file_that_is_still_being_written_is_waited_for(room: Room) -> None:
    """Its first half alone would be a broken picture."""
    content, file = PICTURES[40].read_bytes(), room.folder / "slow.webp"
    with file.open("wb") as slow:
        for start in range(0, len(content), len(content) // 6 + 1):
            slow.write(content[start : start + len(content) // 6 + 1])
            slow.flush()
            time.sleep(0.3)
    begun, report = time.monotonic(), None
    while report is None or report.images < 8:
        found = hear(room.engine)[-1]
        assert isinstance(found, IndexReport)
        assert found.failed == ()
        report = found
        assert time.monotonic() - begun < SOON_SECS
    assert report.new == 1


def test_a_folder_that_vanishes_is_kept_and_goes_on_when_it_comes_back(room: Room) -> None:
    before, away = room.map, room.folder.with_name("away")
    room.folder.rename(away)
    told = hear(room.engine)[-1]
    assert isinstance(told, IndexReport)
    assert [failure.path for failure in told.failed] == [str(room.folder)]
    assert told.images == 7
    assert same_bits(room.map.positions, before.positions)
    shutil.copy(PICTURES[20], away / "new.webp")
    away.rename(room.folder)
    report = hear(room.engine)[-1]
    assert isinstance(report, IndexReport)
    while report.images != 8:
        report = hear(room.engine)[-1]
        assert isinstance(report, IndexReport)
    assert report.removed == 0
    assert report.failed == ()
