"""The lock of a library where there are no locks, and when the library goes with it."""

from __future__ import annotations

import errno
import fcntl
import os
import threading
from pathlib import Path

import pytest

from atlas_rt.core.images import LibraryPlace
from atlas_rt.errors import MissingError, UsageError
from atlas_rt.library import cache_layout
from atlas_rt.library import lock as lock_module
from atlas_rt.library.lock import Lock


@pytest.fixture
def place(tmp_path: Path) -> LibraryPlace:
    """A library with a file and a folder in it."""
    made = cache_layout.place_of(["/a"], tmp_path)
    (made.folder / "library.db").write_text("rows")
    (made.folder / "starter" / "map-1").mkdir(parents=True)
    return made


@pytest.mark.parametrize("reason", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_no_locks_is_said_and_nobody_is_blamed(
    place: LibraryPlace, monkeypatch: pytest.MonkeyPatch, reason: int
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(reason, os.strerror(reason))

    monkeypatch.setattr(fcntl, "flock", refuse)
    open_before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        with pytest.raises(MissingError, match=rf"has no locks \({os.strerror(reason)}\).*--cache DIR: {place.folder}"):
            Lock(place).acquire()
        assert Lock(place).holder() == ""
    assert len(list(Path("/proc/self/fd").iterdir())) == open_before


def test_a_library_goes_with_its_lock_where_open_files_cannot_be_deleted(
    place: LibraryPlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Windows: no file is deleted that a lock holds open."""
    held: list[Lock] = []
    acquire, unlink = Lock.acquire, Path.unlink

    def remember(lock: Lock) -> bool:
        held.append(lock)
        return acquire(lock)

    def refuse(path: Path, *, missing_ok: bool = False) -> None:
        if path.name == "lock" and any(lock._file is not None for lock in held):
            raise PermissionError(errno.EACCES, "The process cannot access the file", str(path))
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(lock_module, "DELETES_OPEN_FILES", False)
    monkeypatch.setattr(Lock, "acquire", remember)
    monkeypatch.setattr(Path, "unlink", refuse)
    cache_layout.forget(place, tmp_path)
    assert not place.folder.exists()
    assert len(held) == 1


def test_a_library_that_another_program_reads_is_not_deleted_on_windows(
    place: LibraryPlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, **_: object) -> None:
        raise PermissionError(errno.EACCES, "The process cannot access the file", str(path))

    monkeypatch.setattr(lock_module, "DELETES_OPEN_FILES", False)
    with monkeypatch.context() as windows:
        windows.setattr(Path, "unlink", refuse)
        with pytest.raises(UsageError, match="open in another program; close it first"):
            cache_layout.forget(place, tmp_path)
    assert Lock(place).holder() == ""  # it can be tried again
    cache_layout.forget(place, tmp_path)
    assert not place.folder.exists()


def test_who_waited_for_a_lock_that_was_deleted_takes_the_new_one(
    place: LibraryPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two writers at once otherwise: one holds the file that was deleted, the other the one made after it."""
    first, second, third = Lock(place), Lock(place), Lock(place)
    assert first.acquire()
    opened, deleted = threading.Event(), threading.Event()
    lock_soon = Lock._lock_soon

    def wait(lock: Lock, file: int) -> bool:
        opened.set()
        assert deleted.wait(10)
        return lock_soon(lock, file)

    taken: list[bool] = []
    with monkeypatch.context() as slow:
        slow.setattr(Lock, "_lock_soon", wait)
        waiting = threading.Thread(target=lambda: taken.append(second.acquire()))
        waiting.start()
        assert opened.wait(10)
        first.delete_folder()
        place.folder.mkdir()
        deleted.set()
        waiting.join(10)
    assert taken == [True]
    assert not third.acquire()
    second.release()
    assert third.acquire()
    third.release()


def test_a_linked_folder_is_not_followed(place: LibraryPlace, tmp_path: Path) -> None:
    (tmp_path / "photographs").mkdir()
    (tmp_path / "photographs" / "a.jpg").write_text("mine")
    (place.folder / "linked").symlink_to(tmp_path / "photographs")
    cache_layout.forget(place, tmp_path)
    assert not place.folder.exists()
    assert (tmp_path / "photographs" / "a.jpg").exists()
