"""A library goes along with its sources: renamed, moved, linked, swapped, in any order; real files, a real database."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from atlas_rt.core.images import LibraryPlace
from atlas_rt.errors import UsageError
from atlas_rt.library import cache_layout, resemblance, source_note
from atlas_rt.library.cache_layout import Lock
from atlas_rt.library.database import migrate
from atlas_rt.library.file_content import content_hash
from atlas_rt.library.relocation import make_way, moved_places, settled_place
from atlas_rt.library.resemblance import Resemblance
from atlas_rt.library.scanning import scan
from atlas_rt.library.schema import STEPS
from atlas_rt.library.store import StoreReader
from atlas_rt.library.store_writer import Ready, StoreWriter

MODEL = "starter"


class Owner:
    """Opens libraries and brings them up to date, as the engine does but for the encoding."""

    def __init__(self, cache: Path, *, answer: bool = False) -> None:
        self.cache, self._answer = cache, answer
        self.asked: list[Resemblance] = []
        self.told: list[str] = []

    def open(self, *sources: Path) -> LibraryPlace:
        def ask(found: Resemblance) -> bool:
            self.asked.append(found)
            return self._answer

        self.asked.clear()
        self.told.clear()
        place = settled_place([str(source) for source in sources], self.cache, ask=ask, tell=self.told.append)
        with StoreWriter.open(place.folder) as store:
            for todo in store.reconcile(scan(place.sources), MODEL).todo:
                facts = (content_hash(Path(todo.path).read_bytes()), 640, 480, (9, 9, 9), 1.5, todo.id, todo.id)
                store.commit(MODEL, [Ready(todo.id, todo.path, todo.size, todo.mtime_ns, *facts)])
        return place


def ids(place: LibraryPlace) -> dict[str, int]:
    """Path below its source -> id, of every image."""
    with StoreReader.open(place.folder) as store:
        catalogue = store.catalogue()
    bare = [os.path.relpath(path, os.path.commonpath(place.sources)) for path in catalogue.paths]
    return dict(zip(bare, catalogue.ids.tolist(), strict=True))


@pytest.fixture
def owner(tmp_path: Path) -> Owner:
    return Owner(tmp_path / "cache")


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Path]:
    """A folder with ten files of its own below it, one in a subfolder, whose contents tell `of`."""

    def made(name: str, of: str = "") -> Path:
        folder = tmp_path / name
        (folder / "deeper").mkdir(parents=True)
        for i in range(9):
            (folder / f"{i}.png").write_bytes(f"{of or name} {i}".encode() * (i + 1))
        (folder / "deeper/9.png").write_bytes(f"{of or name} deep".encode())
        return folder

    return made


def libraries(owner: Owner) -> list[tuple[str, ...]]:
    return [place.sources for place in cache_layout.known_places(owner.cache)]


def test_a_renamed_root_takes_its_library_along_twice_and_back(owner: Owner, make: Callable[..., Path]) -> None:
    first = make("a")
    before = ids(owner.open(first))
    for name in ("b", "c", "a"):
        first = first.rename(first.with_name(name))
        place = owner.open(first)
        assert ids(place) == before
        assert libraries(owner) == [(str(first),)]
        assert "has moved along: 10 of its 10 images are here" in owner.told[0]
        assert not owner.asked


def test_a_root_renamed_twice_unseen_is_found(owner: Owner, make: Callable[..., Path], tmp_path: Path) -> None:
    before = ids(owner.open(make("a")))
    (tmp_path / "a").rename(tmp_path / "b").rename(tmp_path / "far").rename(tmp_path / "c")
    assert ids(owner.open(tmp_path / "c")) == before


def test_an_empty_folder_in_its_old_place_does_not_hold_a_library(
    owner: Owner, make: Callable[..., Path], tmp_path: Path
) -> None:
    before = ids(owner.open(make("a")))
    (tmp_path / "a").rename(tmp_path / "b")
    (tmp_path / "a/empty").mkdir(parents=True)
    (tmp_path / "a/notes.txt").write_text("no image")
    assert ids(owner.open(tmp_path / "b")) == before
    assert ids(owner.open(tmp_path / "a")) == {}
    assert ids(owner.open(tmp_path / "b")) == before


def test_some_files_may_have_changed_on_the_way(owner: Owner, make: Callable[..., Path], tmp_path: Path) -> None:
    before = ids(owner.open(make("a")))
    moved = (tmp_path / "a").rename(tmp_path / "b")
    (moved / "1.png").write_bytes(b"other")
    (moved / "2.png").unlink()
    (moved / "new.png").write_bytes(b"new")
    after = ids(owner.open(moved))
    assert {name: id_ for name, id_ in after.items() if name != "new.png"} == {
        name: id_ for name, id_ in before.items() if name != "2.png"
    }


def test_files_that_lie_elsewhere_in_it_are_known_by_their_contents(
    owner: Owner, make: Callable[..., Path], tmp_path: Path
) -> None:
    before = ids(owner.open(make("a")))
    moved = (tmp_path / "a").rename(tmp_path / "b")
    (moved / "2024").mkdir()
    for file in moved.glob("*.png"):
        file.rename(moved / "2024" / f"new {file.name}")
    assert sorted(ids(owner.open(moved)).values()) == sorted(before.values())
    assert libraries(owner) == [(str(moved),)]


def test_equal_names_and_sizes_alone_are_no_proof(owner: Owner, make: Callable[..., Path], tmp_path: Path) -> None:
    owner.open(make("a"))
    shutil.rmtree(tmp_path / "a")
    other = make("b", of="z")  # as long as "a"
    owner.open(other)
    assert len(libraries(owner)) == 2
    assert not owner.told


def test_what_is_still_there_is_not_moved(owner: Owner, make: Callable[..., Path], tmp_path: Path) -> None:
    owner.open(make("a"))
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    owner.open(tmp_path / "b")
    assert libraries(owner) == [(str(tmp_path / "a"),), (str(tmp_path / "b"),)]


@pytest.mark.parametrize("answer", [True, False])
def test_where_it_is_not_sure_it_asks(make: Callable[..., Path], tmp_path: Path, answer: bool) -> None:
    owner = Owner(tmp_path / "cache", answer=answer)
    owner.open(make("a"))
    moved = (tmp_path / "a").rename(tmp_path / "b")
    for i in range(6):
        (moved / f"{i}.png").unlink()
    owner.open(moved)
    (asked,) = owner.asked
    assert (asked.found, asked.images, asked.moves) == (4, 10, {str(tmp_path / "a"): str(moved)})
    assert ((str(tmp_path / "a"),) in libraries(owner)) is not answer
    if not answer:
        assert owner.told[0].endswith(f"atlas-rt library move {tmp_path}/a {moved}")


def test_a_drive_that_may_only_be_unplugged_is_asked_about(
    make: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resemblance, "DRIVES", (f"{tmp_path}/media/",))
    owner = Owner(tmp_path / "cache")
    owner.open(make("media/stick"))
    shutil.copytree(tmp_path / "media/stick", tmp_path / "backup")
    (tmp_path / "media/stick").rename(tmp_path / "media/stick1")
    owner.open(tmp_path / "backup")
    assert [each.found for each in owner.asked] == [10]
    owner.open(tmp_path / "media/stick1")  # the same drive under another name
    assert (libraries(owner), owner.asked) == ([(str(tmp_path / "backup"),), (str(tmp_path / "media/stick1"),)], [])


def test_two_that_look_alike_are_asked_about(owner: Owner, make: Callable[..., Path], tmp_path: Path) -> None:
    owner.open(make("a", of="same"))
    owner.open(make("b", of="same"))
    moved = (tmp_path / "a").rename(tmp_path / "c")
    shutil.rmtree(tmp_path / "b")
    owner.open(moved)
    assert len(owner.asked) == 1


def test_of_several_sources_each_goes_its_way(owner: Owner, make: Callable[..., Path], tmp_path: Path) -> None:
    before = ids(owner.open(make("m"), make("p"), make("z")))
    one = (tmp_path / "m").rename(tmp_path / "y")  # the order of names is another now
    two = (tmp_path / "z").rename(tmp_path / "b")
    after = ids(owner.open(one, tmp_path / "p", two))
    names = {"m": "y", "z": "b", "p": "p"}
    assert after == {f"{names[path[0]]}{path[1:]}": id_ for path, id_ in before.items()}
    assert len(libraries(owner)) == 1


def test_two_libraries_that_swap_names_show_what_is_there(
    owner: Owner, make: Callable[..., Path], tmp_path: Path
) -> None:
    for name in ("a", "b"):
        owner.open(make(name))
    (tmp_path / "a").rename(tmp_path / "x")
    (tmp_path / "b").rename(tmp_path / "a")
    (tmp_path / "x").rename(tmp_path / "b")
    for name in ("a", "b", "a"):
        place = owner.open(tmp_path / name)
        with StoreReader.open(place.folder) as store:
            found = {content.path: content.hash for content in store.contents()}
        assert found == {str(file): content_hash(file.read_bytes()) for file in (tmp_path / name).rglob("*.png")}


def test_a_library_of_the_first_version_is_known_by_a_link_and_by_its_target(
    owner: Owner, make: Callable[..., Path], tmp_path: Path
) -> None:
    """Version 0.1.0 knew it by the path as it was typed."""
    target, link = make("a"), tmp_path / "link"
    link.symlink_to(target)
    old = LibraryPlace(cache_layout._folder((str(link),), owner.cache), (str(link),))
    old.folder.mkdir(parents=True)
    source_note.write_note(old.folder, source_note.Note(old.sources))
    write_first_version(old, sorted(link.rglob("*.png")))
    assert cache_layout.place_of([str(target)], owner.cache, make=False) == old
    with Lock(old) as lock:  # it is open elsewhere: used as it is
        assert lock.acquire()
        assert settled_place([str(target)], owner.cache) == old
    for source in (link, target):
        assert sorted(ids(owner.open(source)).values()) == list(range(1, 11))
        assert libraries(owner) == [(str(target),)]


def write_first_version(place: LibraryPlace, files: list[Path]) -> None:
    connection = sqlite3.connect(place.folder / "library.db", isolation_level=None)
    migrate(connection, STEPS[:1])
    facts = [(file, file.stat(), content_hash(file.read_bytes())) for file in files]
    connection.executemany(
        "INSERT INTO images VALUES (NULL, ?, 'ready', ?, ?, ?, 640, 480, 1, 1.5, 0)",
        [(os.fsencode(file), status.st_size, status.st_mtime_ns, hash_) for file, status, hash_ in facts],
    )
    connection.execute("INSERT INTO vectors SELECT ?, id, id FROM images", (MODEL,))
    connection.close()


def test_a_library_that_is_open_elsewhere_is_not_moved(owner: Owner, make: Callable[..., Path], tmp_path: Path) -> None:
    place = owner.open(make("a"))
    moved = (tmp_path / "a").rename(tmp_path / "b")
    with Lock(place) as lock:
        assert lock.acquire()
        with pytest.raises(UsageError, match=f"The library of {tmp_path}/a is open in process .*; close it first"):
            owner.open(moved)
    assert len(ids(owner.open(moved))) == 10
    assert libraries(owner) == [(str(moved),)]


@pytest.mark.parametrize("step", ["rename", "paths", "note"])
def test_a_move_that_was_interrupted_is_finished(
    owner: Owner, make: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    before = ids(owner.open(make("a")))
    moved = (tmp_path / "a").rename(tmp_path / "b")

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        if step == "rename":
            broken.setattr(Path, "rename", die)
        elif step == "paths":
            broken.setattr(StoreWriter, "move_paths", die)
        else:
            write = source_note.write_note
            broken.setattr(
                cache_layout, "write_note", lambda folder, note: write(folder, note) if note.moves else die()
            )
        with pytest.raises(KeyboardInterrupt):
            owner.open(moved)
    assert len(libraries(owner)) == 1
    assert ids(owner.open(moved)) == before
    assert libraries(owner) == [(str(moved),)]
    assert ids(owner.open(moved)) == before


def test_a_root_that_moves_into_its_own_old_place(owner: Owner, make: Callable[..., Path], tmp_path: Path) -> None:
    """Paths go where others have not left yet: b/1.png goes to b/b/1.png, and that one to b/b/b/1.png."""
    make("b")
    make("b/b", of="deep")
    before = ids(owner.open(tmp_path / "b"))
    (tmp_path / "b").rename(tmp_path / "c")
    (tmp_path / "b").mkdir()
    moved = (tmp_path / "c").rename(tmp_path / "b/b")
    assert ids(owner.open(moved)) == before
    assert libraries(owner) == [(str(moved),)]


# -- as a person says it -----------------------------------------------------------------------------------------------


def test_a_parent_that_was_renamed_moves_every_library_below_it(
    owner: Owner, make: Callable[..., Path], tmp_path: Path
) -> None:
    before = [ids(owner.open(make(f"photos/{name}"))) for name in ("a", "b")]
    (tmp_path / "photos").rename(tmp_path / "pictures")
    for place, moves in moved_places(str(tmp_path / "photos"), str(tmp_path / "pictures"), owner.cache):
        cache_layout.move(place, moves, owner.cache)
    assert [ids(owner.open(tmp_path / "pictures" / name)) for name in ("a", "b")] == before
    with pytest.raises(UsageError, match=f"no library of {tmp_path}/photos; there are:\n"):
        moved_places(str(tmp_path / "photos"), "/new", owner.cache)


def test_a_library_gives_way_to_the_one_it_is_a_part_of_and_to_no_other(
    owner: Owner, make: Callable[..., Path], tmp_path: Path
) -> None:
    old = owner.open(make("a"))
    part, other = tmp_path / "part", owner.open(make("other"))
    shutil.copytree(tmp_path / "a/deeper", part)
    theirs = owner.open(part)
    with pytest.raises(UsageError, match=rf"its images are others; .*\n  atlas-rt library forget {tmp_path}/other"):
        make_way(old, other, owner.cache)
    assert make_way(old, theirs, owner.cache)
    assert not make_way(old, theirs, owner.cache)
    assert len(libraries(owner)) == 2


# -- any life of some folders ------------------------------------------------------------------------------------------

NAMES = st.sampled_from(["a", "b", "c", "d"])


class RootsLife(RuleBasedStateMachine):
    """Folders are renamed, emptied, linked and changed, and opened now and then."""

    root: Path

    @initialize()
    def begin(self) -> None:
        self.folder = self.root / os.urandom(6).hex()
        self.owner = Owner(self.folder / "cache")
        self.serial = 0
        for name in ("a", "b"):
            (self.folder / name).mkdir(parents=True)
            for _ in range(4):
                self.put(name)

    @rule(name=NAMES)
    def put(self, name: str) -> None:
        if (self.folder / name).is_dir():
            self.serial += 1
            (self.folder / name / f"{self.serial % 7}.png").write_bytes(b"x" * self.serial)

    @rule(old=NAMES, new=NAMES)
    def rename(self, old: str, new: str) -> None:
        if (self.folder / old).is_dir() and not os.path.lexists(self.folder / new):
            (self.folder / old).rename(self.folder / new)

    @rule(one=NAMES, other=NAMES)
    def swap(self, one: str, other: str) -> None:
        if one != other and (self.folder / one).is_dir() and (self.folder / other).is_dir():
            (self.folder / one).rename(self.folder / "between")
            (self.folder / other).rename(self.folder / one)
            (self.folder / "between").rename(self.folder / other)

    @rule(name=NAMES)
    def empty_again(self, name: str) -> None:
        (self.folder / name).mkdir(exist_ok=True)

    @rule(name=NAMES, linked=st.booleans())
    def look(self, name: str, linked: bool) -> None:
        if not (self.folder / name).is_dir():
            return
        link = self.folder / f"link to {name}"
        if not link.is_symlink():
            link.symlink_to(self.folder / name)
        place = self.owner.open(link if linked else self.folder / name)
        with StoreReader.open(place.folder) as store:
            held = {content.path: content.hash for content in store.contents()}
            shown = set(store.catalogue().paths)
        there = {str(file): content_hash(file.read_bytes()) for file in (self.folder / name).glob("*.png")}
        assert shown == there.keys()
        assert {path: held[path] for path in shown} == there

    @invariant()
    def each_source_has_one_library(self) -> None:
        if hasattr(self, "owner"):
            known = libraries(self.owner)
            assert len(known) == len(set(known))
            assert all("link" not in source for (source,) in known)


def test_any_life_of_roots(tmp_path: Path) -> None:
    RootsLife.root = tmp_path
    checks = settings(max_examples=12, stateful_step_count=25, deadline=None, derandomize=True, database=None)
    run_state_machine_as_test(RootsLife, settings=checks)
