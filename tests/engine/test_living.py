"""A folder that lives: what comes, changes, moves and goes arrives in a running window by itself, and soon."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Iterator
from multiprocessing import Pipe
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from atlas_rt.core.maps import Map
from atlas_rt.core.reports import IndexReport, Progress
from atlas_rt.core.troubles import Trouble
from atlas_rt.engine import engine, fit_in_hand
from atlas_rt.engine.engine import Engine
from atlas_rt.engine.fit_process import FitProcess
from atlas_rt.engine.messages import Published, Refit, Rescan, Stop
from atlas_rt.engine.pending_requests import Stopped
from atlas_rt.engine.process import EngineProcess
from atlas_rt.library import inotify_limits, watching
from atlas_rt.library.file_content import content_hash
from atlas_rt.library.store import StoreReader
from tests.libraries import PATIENCE_SECS, PICTURES, Library, copy_pictures, hear, job_of, latest_map, same_bits

SOON_SECS = 2.0
"""From a complete file to its place on the map."""


class Room:
    """An engine at work on a folder, whose first round is over."""

    def __init__(self, folder: Path, cache: Path, **changes: Any) -> None:
        self.folder, self.job = folder, job_of(folder, cache, stay=True, **changes)
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
        with StoreReader.open(self.job.place.folder) as store:
            return {Path(path).name for path in store.catalogue(latest_map(self.job.place).model).paths}


@pytest.fixture
def room(indexed: Library, tmp_path: Path) -> Iterator[Room]:
    shutil.copytree(indexed.cache / "vocabulary", tmp_path / "cache" / "vocabulary")
    folder = copy_pictures(PICTURES[:7], tmp_path / "pictures")
    room = Room(folder, tmp_path / "cache")
    yield room
    room.engine.stop()


def test_an_image_that_comes_moves_and_goes(room: Room) -> None:
    begun = time.monotonic()
    shutil.copy(PICTURES[20], room.folder / "new.webp")
    report = room.after(begun)
    assert (report.images, report.new, report.unchanged, report.failed) == (8, 1, 7, ())
    after = room.map
    assert len(after.ids) == 8

    begun = time.monotonic()
    (room.folder / "new.webp").rename(room.folder / "renamed.webp")
    report = room.after(begun)
    assert (report.images, report.new, report.away, report.seconds["encode"]) == (8, 0, 0, 0.0)
    assert same_bits(room.map.ids, after.ids)
    assert same_bits(room.map.positions, after.positions)
    assert "renamed.webp" in room.paths()
    assert "new.webp" not in room.paths()

    begun = time.monotonic()
    (room.folder / "renamed.webp").unlink()
    report = room.after(begun)
    assert (report.images, report.away) == (7, 1)
    assert same_bits(room.map.positions, after.positions)
    assert len(room.paths()) == 7


def test_an_empty_folder_gets_its_first_images(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    room = Room(tmp_path / "empty", cache)
    try:
        for number, picture in enumerate(PICTURES[:2], 1):
            begun = time.monotonic()
            shutil.copy(picture, room.folder)
            assert room.after(begun).images == number
        assert len(room.map.ids) == 2
    finally:
        room.engine.stop()


def test_an_image_that_changes_is_read_again(room: Room) -> None:
    victim = room.folder / PICTURES[3].name
    before = room.map
    begun = time.monotonic()
    shutil.copy(PICTURES[30], victim)
    report = room.after(begun)
    assert (report.images, report.changed, report.new) == (7, 1, 0)
    changed = np.flatnonzero(room.map.rows != before.rows)
    assert len(changed) == 1


def stored(room: Room) -> tuple[int, int]:
    """Bytes of vectors and of tiles: more of them were made where it grows."""
    folder = room.job.place.folder
    return tuple(sum(file.stat().st_size for file in folder.rglob(name)) for name in ("vectors.*", "tiles*"))  # type: ignore[return-value]


def test_another_case_and_other_times_are_the_same_images_at_the_same_places(room: Room) -> None:
    """A drive in another time zone shows all times an hour later."""
    before, size = room.map, stored(room)
    assert min(size) > 0
    old = room.folder / PICTURES[2].name
    names = (old.name.upper(), old.stem + ".WEBP", old.name)
    for name in names:
        begun = time.monotonic()
        old = old.rename(room.folder / name)
        report = room.after(begun)
        assert (report.images, report.new, report.changed, report.away) == (7, 0, 0, 0)
        assert name in room.paths()

    for file in room.folder.iterdir():
        os.utime(file, ns=(file.stat().st_atime_ns, file.stat().st_mtime_ns + 3_600_000_000_000))
    room.engine.tell(Rescan())  # times alone cause no event
    report = hear(room.engine)[-1]
    assert isinstance(report, IndexReport)
    assert (report.images, report.new, report.changed, report.unchanged, report.failed) == (7, 0, 0, 7, ())
    assert report.seconds["encode"] < 0.01
    assert stored(room) == size
    assert same_bits(room.map.ids, before.ids)
    assert same_bits(room.map.positions, before.positions)


def test_what_comes_and_goes_at_once_and_what_is_written_over_and_over_ends_as_it_is_last(room: Room) -> None:
    before, victim = room.map, room.folder / PICTURES[3].name
    for number in range(60):
        link = room.folder / f"link {number}.webp"
        (link.symlink_to if number % 2 else link.hardlink_to)(victim)
        if number % 3:
            link.unlink()
    for link in room.folder.glob("link *"):
        link.unlink()
    last = b""
    for number in range(200):
        last = PICTURES[20 + number % 3].read_bytes()
        victim.write_bytes(last)
        time.sleep(0.01)
    begun, reports = time.monotonic(), []
    shutil.copy(PICTURES[40], room.folder / "new.webp")
    while content_of(room, victim) != content_hash(last) or "new.webp" not in room.paths():
        reports.append(hear(room.engine)[-1])
        assert time.monotonic() - begun < 2.0 * SOON_SECS  # as it waits for files to settle first
    assert len(reports) < 10
    assert [report.failed for report in reports if isinstance(report, IndexReport)] == [()] * len(reports)
    assert room.paths() == {picture.name for picture in PICTURES[:7]} | {"new.webp"}
    assert same_bits(room.map.ids[:7], before.ids)


def content_of(room: Room, file: Path) -> bytes:
    """The content that is shown from a path."""
    with StoreReader.open(room.job.place.folder) as store:
        ids = [id_ for id_ in latest_map(room.job.place).ids.tolist() if store.path_of(id_) == str(file)]
        return min(store.content_hashes(ids), default=b"")


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
    assert report.away == 0
    assert report.failed == ()


@pytest.mark.slow
def test_a_folder_that_vanishes_while_it_is_read_is_kept_so_far_and_read_on_when_it_comes_back(
    indexed: Library, cache: Path, tmp_path: Path
) -> None:
    folder, away = shutil.copytree(indexed.source, tmp_path / "pictures"), tmp_path / "away"
    working = EngineProcess(job_of(folder, cache, stay=True, fit=False, threads=1))
    try:
        while not isinstance(told := hear(working, until=(Progress, IndexReport))[-1], Progress) or told.done < 16:
            assert not isinstance(told, IndexReport)
        folder.rename(away)
        report = hear(working)[-1]
        assert isinstance(report, IndexReport)
        assert 16 <= report.images < 138
        assert {failure.reason for failure in report.failed} == {"it is no longer there"}
        assert len(report.failed) == 138 - report.images
        kept = report.images
        report = hear(working)[-1]  # that it vanished has been seen
        assert isinstance(report, IndexReport)
        assert (report.images, report.away) == (kept, kept)
        assert str(folder) in {failure.path for failure in report.failed}
        away.rename(folder)
        while not isinstance(told := hear(working)[-1], IndexReport) or told.images < 138:
            assert isinstance(told, IndexReport)
            assert told.images >= kept
        assert (told.away, told.changed, told.failed) == (0, 0, ())
        assert told.new <= 138 - kept
    finally:
        working.stop()


def test_what_is_excluded_hidden_or_our_own_wakes_no_scan(indexed: Library, tmp_path: Path) -> None:
    shutil.copytree(indexed.cache / "vocabulary", tmp_path / "cache" / "vocabulary")
    folder = copy_pictures(PICTURES[:7], tmp_path / "pictures")
    for name in ("drafts", "@eaDir", ".thumbnails"):
        (folder / name).mkdir()
    room = Room(folder, tmp_path / "cache", exclude=("drafts", "*-edit.webp"))
    try:
        hear(room.engine, until=Progress)  # that it is idle
        for name in ("drafts/a.webp", "b-edit.webp", ".c.webp", "@eaDir/d.webp", ".thumbnails/e.webp", "f.csv"):
            shutil.copy(PICTURES[20], folder / name)
        time.sleep(1.5)
        assert list(room.engine.messages()) == []
        begun = time.monotonic()
        shutil.copy(PICTURES[20], folder / "new.webp")
        report = room.after(begun)
        assert (report.images, report.new, report.skipped) == (
            8,
            1,
            3,
        )  # hidden folders are counted with the next whole scan
    finally:
        room.engine.stop()


def test_folders_within_folders_come_change_and_go(room: Room, tmp_path: Path) -> None:
    """Each round reads only what it must, and still knows everything."""
    inner = room.folder / "summer" / "beach"
    begun = time.monotonic()
    copy_pictures(PICTURES[20:22], inner)
    assert room.after(begun).images == 9
    begun = time.monotonic()
    shutil.copy(PICTURES[30], inner / PICTURES[20].name)
    report = room.after(begun)
    assert (report.images, report.changed, report.unchanged) == (9, 1, 8)
    inner.parent.rename(room.folder / "winter")
    report = hear(room.engine)[-1]
    assert isinstance(report, IndexReport)
    assert (report.images, report.away, report.new, report.seconds["encode"]) == (9, 0, 0, 0.0)
    shutil.rmtree(room.folder / "winter")
    while room.paths() != {picture.name for picture in PICTURES[:7]}:
        hear(room.engine)


def test_an_engine_with_nothing_to_do_lets_the_fitting_process_go_once_it_has_fitted(
    indexed: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library, ended = indexed.copy(tmp_path / "cache"), list[tuple[int, float]]()

    class Watched(FitProcess):
        def close(self) -> None:
            super().close()
            ended.append((latest_map(library.place).fit, time.monotonic()))

    monkeypatch.setattr(engine, "REST_SECS", 0.3)
    monkeypatch.setattr(fit_in_hand, "FitProcess", Watched)
    ours, theirs = Pipe()
    fitted, deadline = list[float](), time.monotonic() + PATIENCE_SECS

    def listen() -> None:
        while time.monotonic() < (ended[0][1] + 0.3 if ended else deadline):
            if ours.poll(0.1) and isinstance(ours.recv(), Published):
                fitted.append(time.monotonic())
        ours.send(Stop())

    listener = threading.Thread(target=listen)
    listener.start()
    with pytest.raises(Stopped):
        Engine(job_of(library.place, library.cache, stay=True, request=Refit()), theirs).work()
    listener.join()
    assert len(fitted) == 1
    ((fit, when),) = ended  # by itself, and not when the engine ended
    assert fit == indexed.map.fit + 1
    assert 0.0 < when - fitted[0] < 3.0


def test_an_engine_tells_as_long_as_changes_are_found_late(
    indexed: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system's watches are used up, until somebody raises the limit."""
    library, full = indexed.copy(tmp_path / "cache"), [inotify_limits.WATCHES]
    limits = [8191]
    monkeypatch.setattr(watching, "used_up", lambda: full[0])
    monkeypatch.setattr(watching, "limit_of", lambda _: limits[0])
    ours, theirs = Pipe()
    told = list[str]()

    def listen() -> None:
        while len(told) < 2 and ours.poll(PATIENCE_SECS):
            message = ours.recv()
            if isinstance(message, Trouble):
                told.append(message.text)
                full[0], limits[0] = "", 524_288
        ours.send(Stop())

    listener = threading.Thread(target=listen)
    listener.start()
    with pytest.raises(Stopped):
        Engine(job_of(library.place, library.cache, stay=True), theirs).work()
    listener.join()
    assert "(fs.inotify.max_user_watches = 8,191)" in told[0]
    assert told[1:] == [""]
