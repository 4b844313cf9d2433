"""Each set of sources has its one place in the cache, one writer, and an end that never touches an image."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from atlas_rt.core.images import LibraryPlace
from atlas_rt.errors import MissingError, UsageError
from atlas_rt.library import cache_layout
from atlas_rt.library.cache_layout import Lock
from atlas_rt.library.store_writer import StoreWriter

Write = Callable[..., Path]


def test_the_cache_folder_is_the_users_or_the_one_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user"))
    monkeypatch.chdir(tmp_path)
    assert cache_layout.cache_folder(None) == tmp_path / "user/atlas_rt"
    assert cache_layout.cache_folder(Path("here")) == tmp_path / "here"
    assert list(tmp_path.iterdir()) == []


def test_a_library_is_known_by_its_sources_in_any_order(tmp_path: Path) -> None:
    one = cache_layout.place_of(["/a", "/b"], tmp_path)
    assert one == cache_layout.place_of(["/b", "/a", "/b"], tmp_path)
    assert one != cache_layout.place_of(["/a"], tmp_path)
    assert one.folder.parent == tmp_path / "libraries"
    assert len(one.folder.name) == 16
    assert one.sources == ("/a", "/b")
    assert [each.place for each in cache_layout.places(tmp_path)].count(one) == 1


def test_the_users_cache_inside_the_source_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "pictures")
    for folder in ("pictures", "link"):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / folder))
        with pytest.raises(UsageError, match=r"lies inside the source .*--cache DIR"):
            cache_layout.place_of([str(tmp_path / "pictures")], cache_layout.cache_folder(None))
    assert list((tmp_path / "pictures").iterdir()) == []
    cache_layout.place_of([str(tmp_path / "pictures")], tmp_path / "pictures of the cache")


def test_a_cache_that_is_hidden_or_named_may_lie_inside_the_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / ".cache"))
    assert cache_layout.place_of([str(tmp_path)], cache_layout.cache_folder(None)).folder.is_relative_to(
        tmp_path / ".cache"
    )
    assert cache_layout.place_of([str(tmp_path)], tmp_path / "here").folder.is_relative_to(tmp_path / "here")
    with pytest.raises(UsageError, match=r"is the source itself; .*--cache DIR"):
        cache_layout.place_of([str(tmp_path)], tmp_path)


def test_a_link_to_a_folder_is_the_same_library(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "pictures")
    place = cache_layout.place_of([str(tmp_path / "link")], tmp_path / "cache")
    assert place == cache_layout.place_of([str(tmp_path / "pictures")], tmp_path / "cache")
    assert place.sources == (str(tmp_path / "pictures"),)
    assert [each.place for each in cache_layout.places(tmp_path / "cache")] == [place]


def test_a_cache_that_cannot_be_made_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(MissingError, match=r"cannot be written to.*--cache DIR"):
        cache_layout.place_of(["/a"], tmp_path / "cache")


def test_the_last_opened_library_is_remembered(tmp_path: Path) -> None:
    first, second = cache_layout.place_of(["/a"], tmp_path), cache_layout.place_of(["/b"], tmp_path)
    assert cache_layout.last_opened(tmp_path) is None
    cache_layout.remember_opened(tmp_path, second)
    cache_layout.remember_opened(tmp_path, first)
    assert cache_layout.last_opened(tmp_path) == first
    cache_layout.remember_opened(tmp_path, second)
    assert cache_layout.last_opened(tmp_path) == second
    assert [each.place for each in cache_layout.places(tmp_path)] == [second, first]


def test_libraries_are_listed_with_images_and_size(tmp_path: Path) -> None:
    place = cache_layout.place_of(["/a"], tmp_path)
    (cache_layout.place_of(["/b"], tmp_path).folder / "library.db").write_text("damaged beyond recognition" * 50)
    (tmp_path / "libraries/stranger").mkdir()
    with StoreWriter.open(place.folder):
        found = {each.place.sources: each for each in cache_layout.places(tmp_path)}
        assert found.keys() == {("/a",), ("/b",)}
        assert found["/a",].images == found["/b",].images == 0
        assert found["/a",].size_bytes > 10_000
    assert cache_layout.places(tmp_path / "nothing here") == ()


def test_forgetting_deletes_the_library_and_nothing_else(picture: Write, tmp_path: Path) -> None:
    image = picture("1.png")
    place = cache_layout.place_of([str(image.parent)], tmp_path / "cache")
    (place.folder / "way out").symlink_to(image.parent)
    StoreWriter.open(place.folder).close()
    cache_layout.forget(place, tmp_path / "cache")
    cache_layout.forget(place, tmp_path / "cache")
    assert image.exists()
    assert not place.folder.exists()
    assert cache_layout.places(tmp_path / "cache") == ()


def test_only_libraries_are_forgotten(picture: Write, tmp_path: Path) -> None:
    image = picture("1.png")
    with pytest.raises(UsageError, match="not a library of the cache"):
        cache_layout.forget(LibraryPlace(image.parent, (str(image.parent),)), tmp_path / "cache")
    place = cache_layout.place_of(["/a"], tmp_path / "cache")
    moved = tmp_path / "elsewhere"
    place.folder.rename(moved)
    place.folder.symlink_to(moved)
    with pytest.raises(UsageError, match="not a library of the cache"):
        cache_layout.forget(place, tmp_path / "cache")
    assert (moved / "sources.json").exists()
    assert image.exists()


def test_one_writer_at_a_time_and_who_it_is(tmp_path: Path) -> None:
    place = cache_layout.place_of(["/a"], tmp_path)
    lock, other = Lock(place), Lock(place)
    assert lock.holder() == ""
    assert lock.acquire()
    assert lock.acquire()
    assert not other.acquire()
    assert other.holder().startswith(f"process {os.getpid()} on ")
    assert lock.holder() == other.holder()
    with pytest.raises(UsageError, match=f"open in process {os.getpid()} on .*close it first"):
        cache_layout.forget(place, tmp_path)
    lock.release()
    lock.release()
    assert other.holder() == ""
    with other:
        assert other.acquire()
    assert lock.acquire()
    lock.release()


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    place = cache_layout.place_of(["/a"], tmp_path)
    code = (
        "import os, sys; from pathlib import Path; from atlas_rt.core.images import LibraryPlace;"
        "from atlas_rt.library.lock import Lock; lock = Lock(LibraryPlace(Path(sys.argv[1]), ()));"
        "print(lock.acquire(), flush=True); sys.stdin.read()"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", code, str(place.folder)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "True\n"
        lock = Lock(place)
        assert not lock.acquire()
        assert lock.holder().startswith(f"process {process.pid} on ")
        process.kill()
        process.wait()
        assert lock.holder() == ""
        assert lock.acquire()
        lock.release()
