"""What is absent stays shown, what vanished is hidden, and each comes back as it was; on real folders and devices."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from atlas_rt.core.images import Absence, Failure
from atlas_rt.library import absence
from atlas_rt.library.absence import sentence, source_state
from atlas_rt.library.changes import Changes
from atlas_rt.library.file_content import content_hash
from atlas_rt.library.scanning import Scan, scan
from atlas_rt.library.store_writer import Ready, StoreWriter
from atlas_rt.library.watching import Watcher
from tests.libraries import wait_for

MODEL = "starter"


class Shelf:
    """Folders of small files that pass for pictures, and their library."""

    def __init__(self, store: StoreWriter, *roots: Path) -> None:
        self.store, self.roots = store, tuple(map(str, roots))

    def look(self, found: Scan | None = None) -> Changes:
        """Scan and store what is new, as the engine does."""
        plan = self.store.reconcile(found or scan(self.roots), MODEL, self.roots)
        for todo in plan.todo:
            content = Path(todo.path).read_bytes()
            row = self.store.named_vectors(MODEL)
            facts = (content_hash(content), 4, 3, (1, 2, 3), 4 / 3, row, row)
            self.store.commit(MODEL, [Ready(todo.id, todo.path, todo.size, todo.mtime_ns, *facts)])
        return plan

    @property
    def shown(self) -> dict[str, int]:
        """Names of shown images -> ids."""
        catalogue = self.store.catalogue(MODEL)
        return {Path(path).name: id_ for path, id_ in zip(catalogue.paths, catalogue.ids.tolist(), strict=True)}

    @property
    def marked(self) -> set[str]:
        """Names of images that are shown as away."""
        catalogue = self.store.catalogue(MODEL)
        return {Path(path).name for path, away in zip(catalogue.paths, catalogue.away, strict=True) if away}

    @property
    def state(self) -> str:
        return source_state(self.store.absences(), self.roots)

    @property
    def told(self) -> str:
        return sentence(self.store.absences())


def fill(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / f"{name}.png").write_text(f"content of {name}")
    return folder


def names(prefix: str, count: int) -> list[str]:
    return [f"{prefix}{number:02}" for number in range(count)]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three pictures, and twelve in a folder."""
    fill(tmp_path / "photos" / "trip", *names("t", 12))
    return fill(tmp_path / "photos", "a", "b", "c")


@pytest.fixture
def shelf(root: Path, tmp_path: Path) -> Iterator[Shelf]:
    with StoreWriter.open(tmp_path / "library") as store:
        shelf = Shelf(store, root)
        shelf.look()
        yield shelf


def test_what_vanished_is_hidden_and_comes_back_as_it_was(shelf: Shelf, root: Path, tmp_path: Path) -> None:
    before = shelf.shown
    (root / "a.png").rename(tmp_path / "a.png")
    assert shelf.look().hidden == (before["a.png"],)
    assert shelf.shown == {name: id_ for name, id_ in before.items() if name != "a.png"}
    assert (shelf.store.away(), shelf.state, shelf.told) == (1, "present", "")
    (tmp_path / "a.png").rename(root / "a.png")
    plan = shelf.look()
    assert (plan.returned, plan.todo) == ((before["a.png"],), ())
    assert (shelf.shown, shelf.store.away()) == (before, 0)


@pytest.mark.parametrize("gone", ["missing", "empty", "unreadable"])
def test_an_absent_root_stays_shown_and_says_so(shelf: Shelf, root: Path, tmp_path: Path, gone: str) -> None:
    before = shelf.shown
    root.rename(tmp_path / "elsewhere")
    if gone != "missing":
        fill(root / "trip")
    unreadable = Scan((), 0, (Failure(str(root), "the disk could not read it"),))
    plan = shelf.look(unreadable if gone == "unreadable" else None)
    assert (plan.hidden, plan.marked) == ((), 15)
    assert (shelf.shown, shelf.marked, shelf.store.away()) == (before, set(before), 15)
    verb = {"missing": "is missing", "empty": "is empty", "unreadable": "cannot be read"}[gone]
    assert (shelf.state, shelf.told) == (
        gone,
        f"{root} {verb}: is the drive connected? Showing what was known",
    )
    assert shelf.look(unreadable if gone == "unreadable" else None).marked == 0  # it is told once
    shutil.rmtree(root, ignore_errors=True)
    (tmp_path / "elsewhere").rename(root)
    plan = shelf.look()
    assert (plan.todo, plan.unchanged, plan.marked) == ((), 15, 15)
    assert (shelf.shown, shelf.marked, shelf.state, shelf.told) == (before, set(), "present", "")


def test_a_root_that_still_holds_other_files_is_there(shelf: Shelf, root: Path, tmp_path: Path) -> None:
    for path in (root / "trip", *root.glob("*.png")):
        path.rename(tmp_path / path.name)
    (root / "notes.txt").touch()
    assert len(shelf.look().hidden) == 15
    assert (shelf.shown, shelf.store.away(), shelf.state) == ({}, 15, "present")


def test_an_emptied_folder_counts_as_absent_when_it_held_many(shelf: Shelf, root: Path, tmp_path: Path) -> None:
    before = shelf.shown
    (root / "trip").rename(tmp_path / "trip")
    (root / "trip").mkdir()
    shelf.look()
    assert (shelf.shown, shelf.marked) == (before, set(map("{}.png".format, names("t", 12))))
    assert (shelf.state, shelf.told.partition(":")[0]) == ("partly", f"{root / 'trip'} is empty")
    (root / "trip").rmdir()
    shelf.look()
    assert (set(shelf.shown), shelf.state) == ({"a.png", "b.png", "c.png"}, "present")  # a deleted folder is gone
    (tmp_path / "trip").rename(root / "trip")
    shelf.look()
    assert shelf.shown == before
    few = fill(root / "few", "x", "y")
    shelf.look()
    for path in few.iterdir():
        path.unlink()
    shelf.look()
    assert (shelf.shown, shelf.state) == (before, "present")


def test_a_folder_with_an_excluded_or_otherwise_known_folder_in_it_is_not_empty(root: Path, tmp_path: Path) -> None:
    (root / "empty" / "deeper").mkdir(parents=True)
    assert scan([str(root)]).empty == {str(root / "empty"), str(root / "empty" / "deeper")}
    only = fill(tmp_path / "only" / "drafts", "x").parent
    assert scan([str(only)], exclude=["drafts"]).empty == frozenset()
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "there").symlink_to(root)
    assert str(tmp_path / "links") not in scan([str(root), str(tmp_path / "links")]).empty


def test_what_moved_out_of_an_emptied_folder_is_the_same_and_nothing_is_absent(shelf: Shelf, root: Path) -> None:
    before = shelf.shown
    (root / "summer").mkdir()
    for path in (root / "trip").iterdir():
        path.rename(root / "summer" / path.name)
    shelf.look()
    assert (shelf.shown, shelf.marked, shelf.store.away()) == (before, set(), 0)
    shelf.store.recount_absences(shelf.roots)  # as at the end of a round in which something was found elsewhere
    assert (shelf.state, shelf.told) == ("present", "")


@pytest.mark.parametrize(("secs", "shown"), [(60.0, 15), (-1.0, 3)])
def test_what_was_hidden_while_the_root_was_vanishing_is_shown_with_the_rest(
    shelf: Shelf, root: Path, monkeypatch: pytest.MonkeyPatch, secs: float, shown: int
) -> None:
    """And what vanished long before is not."""
    monkeypatch.setattr(absence, "VANISHING_SECS", secs)
    shutil.rmtree(root / "trip")
    shelf.look()
    assert len(shelf.shown) == 3
    shutil.rmtree(root)
    shelf.look()
    assert (len(shelf.shown), shelf.store.away()) == (shown, 15)
    assert shelf.told


def test_a_root_that_comes_back_with_little_of_what_was_known_hides_nothing(shelf: Shelf, root: Path) -> None:
    """It may be another drive: its device number tells only so much."""
    before = shelf.shown
    shutil.rmtree(root)
    shelf.look()
    fill(root, "a", "new")
    shelf.look()
    assert shelf.shown.keys() == before.keys() | {"new.png"}
    assert (shelf.state, len(shelf.marked)) == ("partly", 14)


def test_a_link_that_leads_nowhere_is_an_absent_folder(shelf: Shelf, root: Path, tmp_path: Path) -> None:
    (root / "linked").symlink_to(fill(tmp_path / "drive", "x", "y"))
    (root / "never there").symlink_to(tmp_path / "nothing")
    shelf.look()
    before = shelf.shown
    (tmp_path / "drive").rename(tmp_path / "unplugged")
    shelf.look()
    assert (shelf.shown, shelf.marked, shelf.state) == (before, {"x.png", "y.png"}, "partly")
    assert shelf.told.startswith(f"{root / 'linked'} is missing: is the drive connected?")


def mounted(folder: Path) -> None:
    """A drive of its own, in memory; skips where this user may not mount one."""
    if shutil.which("mount") is None or subprocess.run(["mount", "-t", "tmpfs", "none", folder]).returncode:
        pytest.skip("nobody may mount a drive here")


@pytest.fixture
def drive(tmp_path: Path) -> Iterator[Path]:
    """A mount point with a drive on it."""
    folder = tmp_path / "photos" / "drive"
    folder.mkdir(parents=True)
    mounted(folder)
    yield folder
    subprocess.run(["umount", folder], stderr=subprocess.DEVNULL)


def test_a_drive_within_the_source_is_unplugged_and_plugged_in_again(drive: Path, shelf: Shelf, root: Path) -> None:
    """However little it holds, and whatever its device number is then."""
    fill(drive, "x")
    shelf.look()
    before = shelf.shown
    watcher = Watcher()
    watcher.watch(shelf.roots)
    watcher.look_at(shelf.store.mounts(shelf.roots))
    watcher.take_paths()
    subprocess.run(["umount", drive], check=True)
    wait_for(watcher.due, why="word of the drive")
    assert watcher.take_paths() is None  # it may have changed anywhere
    watcher.close()
    shelf.look()
    assert (shelf.shown, shelf.marked, shelf.state) == (before, {"x.png"}, "partly")
    assert shelf.told.startswith(f"{drive} is empty: is the drive connected?")
    drive.rmdir()  # as a desktop does
    shelf.look()
    assert (shelf.shown, shelf.told.partition(":")[0]) == (before, f"{drive} is missing")
    drive.mkdir()
    mounted(drive)
    fill(drive, "y")  # another drive
    shelf.look()
    assert shelf.shown.keys() == before.keys() | {"y.png"}
    assert shelf.told.startswith(f"{drive} holds other files than before: is the drive connected?")
    fill(drive, "x", *names("z", 5))
    shelf.look()
    assert (shelf.marked, shelf.told) == (set(), "")
    assert before.items() <= shelf.shown.items()
    (drive / "x.png").unlink()
    shelf.look()
    assert "x.png" not in shelf.shown  # the number alone means nothing


def test_another_device_in_the_place_of_the_root_hides_nothing_while_most_is_missing(shelf: Shelf, root: Path) -> None:
    before = shelf.shown
    shutil.rmtree(root)
    fill(root, "a", *names("n", 20))

    def elsewhere(number: int) -> Scan:
        return dataclasses.replace(scan(shelf.roots), devices={str(root): str(number)})

    shelf.look(elsewhere(77))
    assert shelf.shown.keys() == before.keys() | set(map("{}.png".format, names("n", 20)))
    assert (shelf.state, len(shelf.marked)) == ("partly", 14)
    shelf.look(elsewhere(78))  # more is there than is missing, but nothing of what was there
    assert (shelf.state, len(shelf.marked)) == ("partly", 14)
    fill(root / "trip", *names("t", 8))
    shelf.look(elsewhere(79))
    assert (shelf.state, shelf.marked) == ("present", set())
    assert shelf.store.away() == 6  # of what was known, most is there: the rest is hidden


def test_the_state_of_several_sources_is_that_of_all_or_partly() -> None:
    one, other = Absence("/a", "missing", 2), Absence("/b", "missing", 900)
    assert source_state([], ["/a", "/b"]) == "present"
    assert source_state([one], ["/a"]) == "missing"
    assert source_state([one], ["/a", "/b"]) == "partly"
    assert source_state([one, other], ["/a", "/b"]) == "missing"
    assert source_state([Absence("/a/inner", "empty", 3)], ["/a"]) == "partly"
    assert sentence([one, other]) == "/b is missing (and 1 more folder): is the drive connected? Showing what was known"
    assert sentence([Absence("/a", "empty", 0)]) == ""  # nothing was known of it


def test_very_many_images_are_judged_in_moments(tmp_path: Path) -> None:
    with StoreWriter.open(tmp_path / "library") as store:
        rows = [(number, b"/photos/%03i/%06i.jpg" % (number % 500, number)) for number in range(20_000)]
        sql = "INSERT INTO images (id, path, state, size, mtime_ns, hash) VALUES (?, ?, 'ready', 9, 9, x'00')"
        store.database.write(sql, rows)
        gone = Scan((), 0, (Failure("/photos", "it is no longer there"),))
        begun = time.process_time()
        plan = store.reconcile(gone, MODEL, ["/photos"])
        assert plan.marked == 20_000
        assert time.process_time() - begun < 2.0  # 0.3 s on an idle machine
