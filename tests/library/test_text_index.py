"""The index of words follows files that come, move and go, and what is told of them."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from atlas_rt.core.metadata import FILE, ORIGINAL, Metadata
from atlas_rt.library.database import migrate
from atlas_rt.library.metadata.file_metadata import FileMetadata
from atlas_rt.library.scanning import Scan
from atlas_rt.library.schema import STEPS
from atlas_rt.library.store_cleaner import Renumbering, StoreCleaner
from atlas_rt.library.store_writer import Ready
from atlas_rt.library.text_index import Word
from atlas_rt.library.walking import FoundFile

MODEL, ROOT = "starter-1", "/pics"
HEX = "3bee9c0fdad81cafe7ace5e1f00dbabe"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[StoreCleaner]:
    with StoreCleaner.open(tmp_path) as store:
        yield store


def take(store: StoreCleaner, *paths: str, **metadata: Metadata) -> None:
    """Scan these files, and store those that are new. metadata: by the number of the file among them."""
    files = tuple(FoundFile(path, 10, 1) for path in sorted(paths))
    todo = store.reconcile(Scan(files=files, skipped=0, unreadable=()), MODEL, [ROOT]).todo
    ready = [
        Ready(
            each.id, each.path, 10, 1, each.path.encode(), 40, 30, (1, 2, 3), 1.3, each.id, each.id,
            metadata=FileMetadata(metadata[key]) if (key := Path(each.path).stem) in metadata else None,
        )
        for each in todo
    ]  # fmt: skip
    store.commit(MODEL, ready)


def found(store: StoreCleaner, typed: str, *columns: str) -> list[str]:
    """The names of the files that a word finds."""
    word = Word.typed(typed)
    assert word is not None
    ids = set(store.texts.matching(word.expression(columns) if columns else word.expression()).tolist())
    ids |= {int(id_) for part in store.texts.holding(word.inside).values() for id_ in part}
    return [Path(store.path_of(id_) or "").name for id_ in sorted(ids)]


def test_names_and_folders_below_the_root_are_found(store: StoreCleaner) -> None:
    take(store, "/pics/2023/Holiday/beach/IMG_0042.jpg", "/pics/winter/GoPro.png", f"/pics/{HEX}.jpg")
    first = ["IMG_0042.jpg"]
    for typed in ("IMG_0042", "0042", "img_0042.JPG", "holiday/beach", "Holiday", "beach/IMG_0042.jpg", "hol", "042"):
        assert found(store, typed) == first, typed
    assert found(store, "gopro") == found(store, "GoPro") == found(store, "wint") == ["GoPro.png"]
    for typed in ("pics", "oliday", "jpg", "beach/holiday", "bee", "cafe", "ace", "3beach", "81"):
        assert found(store, typed) == [], typed
    assert found(store, "3bee") == found(store, HEX) == [f"{HEX}.jpg"]
    assert found(store, "9c0f") == []


def test_what_was_written_about_a_picture_is_found(store: StoreCleaner) -> None:
    known = Metadata(
        taken="2023-06-04T12:33:10", taken_from=ORIGINAL, camera="CONTAX T3", lens="Sonnar 2.8/35", title="Été",
        caption="At the harbour", keywords=("grandma", "first day"), prompt="a castle",
    )  # fmt: skip
    by_file = Metadata(taken="2024-01-01T00:00:00", taken_from=FILE)
    take(store, "/pics/a.jpg", "/pics/b.jpg", a=known, b=by_file)
    for typed in ("contax", "sonnar", "ete", "harbour", "grandm", "first day", "castle", "2023", "june"):
        assert found(store, typed) == ["a.jpg"], typed
    assert found(store, "2024") == []  # the time of a file is nobody's word
    assert found(store, "202") == []
    assert found(store, "grandma", "camera") == []
    (texts,) = store.texts.columns_of([1]).values()
    for typed, why in (("grandma", "keyword"), ("contax", "camera"), ("2023", "date"), ("harb", "text")):
        word = Word.typed(typed)
        assert word is not None
        assert word.reasons(texts) == (why,)


@pytest.mark.parametrize("typed", ['"', "a AND", "NEAR(a b)", "a*", "^a", "name:", "(", "a OR NOT", "a" * 10_000])
def test_syntax_of_fts5_is_text(store: StoreCleaner, typed: str) -> None:
    take(store, "/pics/x.jpg")
    if word := Word.typed(typed):
        assert store.texts.matching(word.expression()).tolist() == []


def test_what_moves_changes_and_goes_is_followed(store: StoreCleaner) -> None:
    take(store, "/pics/old/a.jpg", "/pics/b.jpg")
    store.move_paths({"/pics/old": "/pics/young"}, token="1")
    store.put_metadata({1: FileMetadata(Metadata(camera="Canon"))})
    assert found(store, "canon") == ["b.jpg"]
    assert store.texts.pending == 1
    while store.renew_texts():
        pass
    assert found(store, "young") == ["a.jpg"]
    assert found(store, "old") == []
    take(store, "/pics/young/a.jpg")  # b.jpg is gone
    while store.renew_texts():
        pass
    assert found(store, "canon") == []
    take(store, "/pics/young/a.jpg", "/pics/b.jpg")  # and back
    while store.renew_texts():
        pass
    assert found(store, "canon") == ["b.jpg"]
    rows = store.database.number("SELECT count(*) FROM texts")
    take(store)
    doomed = store.away_ids()
    store.forget(Renumbering(doomed, doomed[:0].astype("int32"), {}), note="")
    assert (rows, store.database.number("SELECT count(*) FROM texts")) == (2, 0)
    assert store.texts.pending == 0


def test_folders_count_from_a_root_that_comes_later(store: StoreCleaner) -> None:
    take(store, "/pics/a/b/x.jpg")
    assert found(store, "a/b") == ["x.jpg"]
    files = (FoundFile("/pics/a/b/x.jpg", 10, 1),)
    store.reconcile(Scan(files=files, skipped=0, unreadable=()), MODEL, ["/pics/a"])
    store.renew_texts()
    assert found(store, "a/b") == []
    assert found(store, "b") == ["x.jpg"]


def test_a_library_of_an_older_version_gets_its_words_from_the_next_writer(tmp_path: Path) -> None:
    before = next(version for version, step in enumerate(STEPS) if "TABLE texts " in step)
    with closing(sqlite3.connect(tmp_path / "library.db", isolation_level=None)) as connection:
        migrate(connection, STEPS[:before])
        for number in range(3):
            path = os.fsencode(f"/pics/holiday/IMG_{number}.jpg")
            connection.execute(
                "INSERT INTO images (path, state, size, mtime_ns) VALUES (?, ?, 1, 1)",
                (path, "failed" if number == 2 else "ready"),
            )
    with StoreCleaner.open(tmp_path) as store:
        assert store.texts.pending == 2
        assert found(store, "holiday") == []
        store.database.write("INSERT INTO settings VALUES ('roots of texts', ?)", [('["/pics"]',)])
        assert (store.renew_texts(), store.renew_texts()) == (2, 0)
        assert found(store, "holiday") == ["IMG_0.jpg", "IMG_1.jpg"]
