"""What a round leaves out since nothing told of it: it finds exactly what a thorough one would."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from atlas_rt.core.images import Failure
from atlas_rt.library import last_comparison
from atlas_rt.library.changes import Changes, FailedFile, Todo
from atlas_rt.library.file_content import content_hash
from atlas_rt.library.last_comparison import LastComparison
from atlas_rt.library.scanning import Scan, Scanner, scan
from atlas_rt.library.store_writer import Ready, StoreWriter

MODEL = "starter"
FILES, ROUNDS = 40, 60
ROWS = """SELECT id, path, state, size, mtime_ns, hash, present, row FROM images
    LEFT JOIN vectors ON image_id = id AND model = ? ORDER BY id"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "flat"
    folder.mkdir()
    for number in range(FILES):
        (folder / f"{number:03}.jpg").write_bytes(b"x" * number)
    return folder


def index(store: StoreWriter, changes: Changes, chance: random.Random) -> None:
    """Store most of what is to be done, and leave out or refuse some."""
    for todo in changes.todo:
        fate = chance.random()
        if fate < 0.7:
            store.commit(MODEL, [ready(todo)])
        elif fate < 0.85:
            store.commit(MODEL, [], failed=[FailedFile(todo.path, todo.size, todo.mtime_ns, "broken")])


def ready(todo: Todo) -> Ready:
    content = content_hash(Path(todo.path).read_bytes())
    facts = (todo.id, todo.path, todo.size, todo.mtime_ns, content, 8, 6, (1, 2, 3), 4 / 3, todo.id, todo.id)
    return Ready(*facts)


def change(folder: Path, chance: random.Random) -> set[str]:
    """Do something to a few files; the paths of which events would tell."""
    there = [file for file in sorted(folder.glob("*.jpg")) if file.is_file()]
    file, other = chance.choice(there), folder / f"{chance.randrange(FILES * 2):03}.jpg"
    kind = chance.choice(("write", "delete", "move", "add", "text", "folder", "unseen"))
    if kind == "write":
        file.write_bytes(chance.randbytes(chance.randrange(50)))
    elif kind == "delete" and len(there) > FILES // 2:
        file.unlink()
    elif kind == "move":
        file.rename(other)
    elif kind == "add":
        other.write_bytes(file.read_bytes())
    elif kind == "text":
        (folder / f"{chance.randrange(3)}.txt").write_text("no image")
        return set()
    elif kind == "folder":
        inner = folder / f"inner{chance.randrange(3)}.jpg"
        shutil.rmtree(inner) if inner.exists() else inner.mkdir()
        return {str(folder)}
    else:
        other.unlink(missing_ok=True)  # the folder's own time tells of it
        return set()
    return {str(file), str(other)}


@pytest.mark.parametrize("seed", range(4))
def test_rounds_that_look_up_little_find_what_thorough_ones_find(
    seed: int, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With files that come, go, move, fail, wait and return, and a folder that goes away as a drive does."""
    monkeypatch.setattr(last_comparison, "SHARE_MAX", 0.5)
    chance, source, scanner, away = random.Random(seed), [str(folder)], Scanner(), tmp_path / "away"
    quick_rounds = spied(monkeypatch)
    with StoreWriter.open(tmp_path / "quick") as quick, StoreWriter.open(tmp_path / "thorough") as thorough:
        for number in range(ROUNDS):
            told = set[str]().union(*(change(folder, chance) for _ in range(chance.randrange(3))))
            for place in (away, folder) if number % 20 == 10 else (folder,):
                if number % 20 == 10:
                    (folder if place == away else away).rename(place)
                found, all_found = scanner.scan(source, changed=told), scan(source)
                assert found == all_found
                thorough._last = LastComparison(thorough.database)
                changes = quick.reconcile(found, MODEL, source)
                assert changes == thorough.reconcile(all_found, MODEL, source)
                kept = chance.getstate()
                index(quick, changes, chance)
                chance.setstate(kept)
                index(thorough, changes, chance)
                assert quick.database.rows(ROWS, (MODEL,)) == thorough.database.rows(ROWS, (MODEL,))
                assert quick.absences() == thorough.absences()
    assert len(quick_rounds) > ROUNDS // 2


def spied(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many files were looked up in each round that did not look up all."""
    counts: list[int] = []
    in_doubt = LastComparison.in_doubt

    def counted(*args: object, **kwargs: object) -> frozenset[str] | None:
        doubts = in_doubt(*args, **kwargs)  # type: ignore[arg-type]
        if doubts is not None:
            counts.append(len(doubts))
        return doubts

    monkeypatch.setattr(LastComparison, "in_doubt", counted)
    return counts


@pytest.fixture
def settled(folder: Path, tmp_path: Path) -> Callable[[], tuple[StoreWriter, Scan]]:
    """A library with nothing to do, and the scan that said so."""

    def make() -> tuple[StoreWriter, Scan]:
        store, found = StoreWriter.open(tmp_path / "library"), scan([str(folder)])
        store.commit(MODEL, [ready(todo) for todo in store.reconcile(found, MODEL, [str(folder)]).todo])
        store.reconcile(found, MODEL, [str(folder)])
        return store, found

    return make


def test_rows_that_anybody_wrote_are_looked_up(
    settled: Callable[[], tuple[StoreWriter, Scan]], folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, found = settled()
    counts = spied(monkeypatch)
    with store, StoreWriter.open(tmp_path / "library") as other:
        assert store.reconcile(found, MODEL, [str(folder)]).unchanged == FILES
        store.database.write("UPDATE images SET mtime_ns = 1 WHERE id = ?", [(3,)])
        store.database.write("DELETE FROM vectors WHERE image_id = ?", [(5,)])
        changes = store.reconcile(found, MODEL, [str(folder)])
        assert [(todo.id, todo.kind) for todo in changes.todo] == [(3, "changed"), (5, "encode")]
        assert counts == [0, 2]
        other.database.write("UPDATE images SET size = 99 WHERE id = ?", [(7,)])
        assert [todo.id for todo in store.reconcile(found, MODEL, [str(folder)]).todo] == [3, 5, 7]
        assert counts == [0, 2]  # all were compared


def test_a_comparison_that_could_not_be_written_is_made_again(
    settled: Callable[[], tuple[StoreWriter, Scan]], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, found = settled()
    fewer = replace(found, files=found.files[1:])
    with store:
        with monkeypatch.context() as full:

            def fails(_self: object) -> None:
                raise OSError("the disk is full")

            full.setattr(LastComparison, "note_from_now", fails)
            with pytest.raises(OSError, match="full"):
                store.reconcile(fewer, MODEL, [str(folder)])
        assert store.reconcile(fewer, MODEL, [str(folder)]).hidden == (1,)


def test_another_model_an_absence_and_what_cannot_be_read_concern_all_rows(
    settled: Callable[[], tuple[StoreWriter, Scan]], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, found = settled()
    counts = spied(monkeypatch)
    with store:
        assert len(store.reconcile(found, "other", [str(folder)]).todo) == FILES
        assert len(store.reconcile(found, MODEL, [str(folder)]).todo) == 0
        unreadable = replace(found, unreadable=(Failure(str(folder / "inner"), "no permission"),))
        store.reconcile(unreadable, MODEL, [str(folder)])
        gone = scan([str(folder.parent / "nothing")])
        store.reconcile(gone, MODEL, [str(folder)])
        store.reconcile(found, MODEL, [str(folder)])
    assert counts == []
