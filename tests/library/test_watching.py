"""Changes in folders are told of once they are over, and nothing else is."""

from __future__ import annotations

import errno
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from watchdog.observers.api import BaseObserver, EventEmitter, ObservedWatch

from atlas_rt.library import inotify_limits, polling, watching
from atlas_rt.library.drives import is_remote
from atlas_rt.library.polling import Poller
from atlas_rt.library.scanning import Scan
from atlas_rt.library.watching import QUIET_SECS, ROOTS_EVERY_SECS, Watcher
from tests.libraries import wait_for

PATIENCE_SECS = 5.0


@pytest.fixture
def watcher() -> Iterator[Watcher]:
    watcher = Watcher()
    yield watcher
    watcher.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    (folder / "holidays").mkdir(parents=True)
    (folder / "old.png").write_bytes(b"old")
    return folder


def told(watcher: Watcher, *, within_secs: float = PATIENCE_SECS) -> bool:
    deadline = time.monotonic() + within_secs
    while time.monotonic() < deadline:
        if watcher.due():
            return True
        time.sleep(0.02)
    return False


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody tells that a file was closed")
def test_a_file_is_told_of_soon_once_it_is_closed(
    watcher: Watcher, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "QUIET_SECS", 30.0)
    monkeypatch.setattr(watching, "LONGEST_SECS", 30.0)
    watcher.watch([str(folder)])
    watcher.take_paths()
    (folder / "whole.png").write_bytes(b"new")
    assert told(watcher)
    assert watcher.take_paths() == {str(folder / "whole.png")} == watcher.closed
    with (folder / "half.png").open("wb") as half:
        half.write(b"half")
        half.flush()
        assert not told(watcher, within_secs=0.4)
    (folder / "old.png").unlink()  # it may come back in a moment, as another file
    assert not told(watcher, within_secs=0.4)
    watcher.take_paths()
    assert watcher.closed == {str(folder / "half.png")}


def test_files_that_come_change_move_and_go_are_told_of(watcher: Watcher, folder: Path) -> None:
    watcher.watch([str(folder)])
    assert not told(watcher, within_secs=0.4)
    (folder / "new.png").write_bytes(b"new")
    assert told(watcher)
    assert not told(watcher, within_secs=0.8)
    (folder / "old.png").write_bytes(b"changed")
    assert told(watcher)
    (folder / "old.png").rename(folder / "holidays" / "other.png")
    assert told(watcher)
    (folder / "holidays" / "other.png").unlink()
    assert told(watcher)
    (folder / "later").mkdir()
    (folder / "later" / "deep.jpg").write_bytes(b"deep")
    assert told(watcher)
    told(watcher, within_secs=ROOTS_EVERY_SECS + QUIET_SECS + 0.2)  # perhaps again: nobody watched the folder at first
    assert not told(watcher, within_secs=0.8)
    (folder / "later" / "deeper.jpg").write_bytes(b"in a folder that came after")
    assert told(watcher)


def test_what_is_no_image_hidden_or_only_read_is_not(watcher: Watcher, folder: Path) -> None:
    for name in ("@eaDir", ".thumbnails"):
        (folder / name).mkdir()
    watcher.watch([str(folder)])
    (folder / "notes.txt").write_text("no image")
    (folder / ".hidden.png").write_bytes(b"hidden")
    (folder / "@eaDir" / "thumb.jpg").write_bytes(b"another program's")
    (folder / ".thumbnails" / "thumb.png").write_bytes(b"another program's")
    (folder / "old.png").read_bytes()
    assert not told(watcher, within_secs=1.2)


def test_what_is_hidden_is_told_of_when_asked_for(folder: Path) -> None:
    for name in (".private", "$RECYCLE.BIN"):
        (folder / name).mkdir()
    watcher = Watcher(hidden=True)
    try:
        watcher.watch([str(folder)])
        (folder / "$RECYCLE.BIN" / "thrown.png").write_bytes(b"away")
        assert not told(watcher, within_secs=0.8)
        (folder / ".private" / "new.png").write_bytes(b"new")
        assert told(watcher)
        new = str(folder / ".private" / "new.png")
        assert new in (watcher.take_paths() or {new})
    finally:
        watcher.close()


def test_what_is_excluded_is_not_told_of(folder: Path) -> None:
    """By its name, its path, or a folder that it lies in; as a scan has it."""
    (folder / "drafts" / "deep").mkdir(parents=True)
    watcher = Watcher(("drafts/", "*-edit.png", "holidays/a*"))
    try:
        watcher.watch([str(folder)])
        (folder / "drafts" / "new.png").write_bytes(b"x")
        (folder / "drafts" / "deep" / "new.png").write_bytes(b"x")
        (folder / "drafts" / "deeper").mkdir()
        (folder / "old-edit.png").write_bytes(b"x")
        (folder / "holidays" / "abroad.png").write_bytes(b"x")
        assert not told(watcher, within_secs=1.2)
        assert not watcher.stirs
        (folder / "drafts" / "new.png").rename(folder / "holidays" / "new.png")  # out of what is excluded
        assert told(watcher)
    finally:
        watcher.close()


def test_it_is_told_of_which_files_and_in_which_folders(
    watcher: Watcher, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watcher.watch([str(folder)])
    assert watcher.take_paths() is None  # nobody has looked yet
    assert watcher.take_paths() == frozenset()
    (folder / "holidays" / "new.png").write_bytes(b"x")
    assert told(watcher)
    assert watcher.take_paths() == {str(folder / "holidays" / "new.png")}
    (folder / "holidays" / "new.png").rename(folder / "new.png")
    assert told(watcher)
    assert watcher.take_paths() == {str(folder / "new.png"), str(folder / "holidays" / "new.png")}
    (folder / "holidays" / "deep").mkdir()
    assert told(watcher)
    assert str(folder / "holidays") in (watcher.take_paths() or {str(folder / "holidays")})
    monkeypatch.setattr(watching, "ANYWAY_SECS", 0.0)
    assert told(watcher)
    assert watcher.take_paths() is None


def test_a_burst_is_told_of_once_and_an_endless_one_now_and_then(watcher: Watcher, folder: Path) -> None:
    watcher.watch([str(folder)])
    begun, count, numbers = time.monotonic(), 0, iter(range(10_000))
    while time.monotonic() - begun < 2.6:
        (folder / f"{next(numbers)}.png").write_bytes(b"x")
        count += watcher.due()
        time.sleep(0.02)
    assert 2 <= count + told(watcher) <= 4


def test_a_single_file_is_watched_alone(watcher: Watcher, folder: Path) -> None:
    watcher.watch([str(folder / "old.png")])
    (folder / "beside.png").write_bytes(b"x")
    assert not told(watcher, within_secs=0.9)
    (folder / "old.png").write_bytes(b"y")
    assert told(watcher)


def test_what_comes_into_a_folder_that_was_moved_in_is_told_of(
    watcher: Watcher, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "ROOTS_EVERY_SECS", 0.1)
    watcher.watch([str(folder)])
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere").rename(folder / "moved")
    while told(watcher, within_secs=1.2):
        pass
    (folder / "moved" / "new.png").write_bytes(b"x")
    assert told(watcher)


def test_single_files_of_one_folder_are_watched_together(watcher: Watcher, folder: Path) -> None:
    one, other = folder / "old.png", folder / "other.png"
    other.write_bytes(b"x")
    watcher.watch([str(one), str(other)])
    assert len(watcher._watched) == 1
    watcher.watch([str(other)])
    one.write_bytes(b"y")
    assert not told(watcher, within_secs=0.9)
    other.write_bytes(b"y")
    assert told(watcher)


def test_it_is_time_to_look_now_and_then_whatever_happens(watcher: Watcher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "ANYWAY_SECS", 0.3)
    assert told(watcher)


def test_a_folder_that_vanishes_and_comes_back_is_watched_again(
    watcher: Watcher, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "ROOTS_EVERY_SECS", 0.1)
    watcher.watch([str(folder)])
    shutil.rmtree(folder)
    assert told(watcher)
    while watcher.due():
        pass
    folder.mkdir()
    assert told(watcher)
    while told(watcher, within_secs=0.8):
        pass
    (folder / "again.png").write_bytes(b"x")
    assert told(watcher)


def test_a_folder_that_is_back_before_anyone_looked_is_news_where_a_scan_missed_it(
    watcher: Watcher, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A window said for ten minutes that the folder was missing: it was the same at both looks."""
    monkeypatch.setattr(watching, "ROOTS_EVERY_SECS", 0.1)
    watcher.watch([str(folder)])
    while told(watcher, within_secs=0.3):
        pass
    watcher.doubt([str(folder), "/not/watched"])
    assert told(watcher)
    while told(watcher, within_secs=0.3):
        pass
    (folder / "again.png").write_bytes(b"x")
    assert told(watcher)


def polled(watcher: Watcher) -> bool:
    """Whether it polls, and has looked once."""
    return all(isinstance(watch, Poller) and watch._files for watch in watcher._watched.values())


def told_of_all(watcher: Watcher) -> None:
    """Hear of everything until now."""
    while told(watcher, within_secs=0.3):
        pass
    watcher.take_paths()


def test_a_folder_is_polled_where_no_events_come(
    watcher: Watcher, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "is_remote", lambda _source: True)
    monkeypatch.setattr(polling, "POLL_SECS", 0.1)
    monkeypatch.setattr(watching, "QUIET_SECS", 0.1)
    watcher.watch([str(folder)])
    wait_for(lambda: polled(watcher))
    assert watcher.trouble == ""
    told_of_all(watcher)  # what is new may have come while it first looked
    (folder / "new.png").write_bytes(b"new")
    assert told(watcher)
    assert watcher.take_paths() == {str(folder)}
    (folder / "old.png").write_bytes(b"written over")  # which the folder's own time does not show
    assert told(watcher)
    watcher.watch([])
    (folder / "new.png").unlink()
    assert not told(watcher, within_secs=0.4)


class FullObserver(BaseObserver):
    """Watchdog's where no watch is left, not even for the source itself."""

    def __init__(self) -> None:
        super().__init__(EventEmitter)

    def schedule(self, *_: Any, **__: Any) -> ObservedWatch:
        raise OSError(errno.EMFILE, "inotify instance limit reached")


@pytest.mark.parametrize("limit", [inotify_limits.WATCHES, inotify_limits.INSTANCES])
def test_a_folder_is_polled_while_the_systems_watches_are_used_up(
    watcher: Watcher, folder: Path, limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Watchdog says nothing where it gets no watch for a folder below the source."""
    allowed = {inotify_limits.WATCHES: 8191, inotify_limits.INSTANCES: 127}
    monkeypatch.setattr(watching, "QUIET_SECS", 0.1)
    with monkeypatch.context() as full:
        full.setattr(polling, "POLL_SECS", 0.1)
        for module in (watching, inotify_limits):
            full.setattr(module, "limit_of", allowed.get)
        if limit == inotify_limits.WATCHES:
            full.setattr(watching, "used_up", lambda: limit)
        else:
            full.setattr(watching, "Observer", FullObserver)
        watcher.watch([str(folder)])
        wait_for(lambda: polled(watcher))
        assert f"({limit} = {allowed[limit]:,})" in watcher.trouble
        assert watcher.trouble.endswith(f"sudo sysctl {limit}={inotify_limits.ENOUGH[limit]}")
        told_of_all(watcher)
        (folder / "holidays" / "new.png").write_bytes(b"new")
        assert told(watcher)
        assert watcher.take_paths() == {str(folder / "holidays")}
        watcher._observer = None
    # It was raised: the system tells of changes again.
    wait_for(lambda: [watcher.due()] and not watcher.trouble)
    assert not polled(watcher)
    told_of_all(watcher)
    (folder / "holidays" / "newer.png").write_bytes(b"newer")
    assert told(watcher)


def test_looking_costs_a_twentieth_of_a_core_however_long_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds: list[bool] = []

    class SlowScanner:
        def scan(self, _sources: object, *, changed: object) -> Scan:
            kinds.append(changed is None)
            time.sleep(0.02 if changed is None else 0.002)
            return Scan((), 0, ())

    monkeypatch.setattr(polling, "POLL_SECS", 0.01)
    poller = Poller((), SlowScanner(), lambda _folders: None)  # type: ignore[arg-type]
    time.sleep(1.2)
    poller.stop()
    assert poller.error is None
    thorough, quick = kinds.count(True), kinds.count(False)
    assert 2 <= thorough <= 3
    assert thorough * 2 < quick <= 26


def test_a_poller_that_fails_is_heard_of(watcher: Watcher, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> Scan:
        raise RuntimeError("a defect")

    monkeypatch.setattr(watching, "is_remote", lambda _source: True)
    monkeypatch.setattr(polling.Scanner, "scan", fails)
    monkeypatch.setattr(watching, "ROOTS_EVERY_SECS", 0.0)
    watcher.watch([str(folder)])
    with pytest.raises(RuntimeError, match="a defect"):
        wait_for(watcher.due)


def test_what_is_no_longer_a_source_is_left_alone(watcher: Watcher, folder: Path) -> None:
    watcher.watch([str(folder)])
    watcher.watch([])
    (folder / "new.png").write_bytes(b"new")
    assert not told(watcher, within_secs=0.9)


def test_a_mount_is_known_by_its_file_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_remote(str(tmp_path))
    table = "/dev/sda / ext4 rw 0 0\nnas:/x /mnt/Urlaub\\040über nfs4 rw 0 0\n".encode() + b"d /mnt/\xff ext4 rw 0 0\n"
    monkeypatch.setattr(Path, "read_bytes", lambda _self: table)
    assert is_remote("/mnt/Urlaub über/2026")
    assert not is_remote("/mnt/Urlaub")
    assert not is_remote("/home/me")


def test_the_cache_in_a_source_is_nothing_to_tell_of(folder: Path) -> None:
    (folder / "holidays/cache").mkdir()
    watcher = Watcher(cache=folder / "holidays/cache")
    watcher.watch([str(folder)])
    (folder / "holidays/cache/atlas.png").write_bytes(b"ours")
    assert not told(watcher, within_secs=0.9)
    (folder / "holidays/cache.png").write_bytes(b"theirs")
    assert told(watcher)
    watcher.close()


def test_a_source_in_the_cache_is_watched(folder: Path) -> None:
    watcher = Watcher(cache=folder.parent)
    watcher.watch([str(folder)])
    (folder / "new.png").write_bytes(b"new")
    assert told(watcher)
    watcher.close()
