"""A library on a network drive, where SQLite's write-ahead log does not work: another journal, the same behaviour."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from atlas_rt.library import database
from atlas_rt.library.store import StoreReader
from atlas_rt.library.store_writer import StoreWriter
from tests.library.test_store import MODEL, index

BATCHES = 25


@pytest.fixture
def remote(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "is_remote", lambda _folder: True)


def journal_of(store: StoreWriter) -> str:
    return str(store.database.connection.execute("PRAGMA journal_mode").fetchone()[0])


def names(folder: Path) -> set[str]:
    """Files that SQLite keeps beside the database."""
    return {path.name.removeprefix("library.db-") for path in folder.glob("library.db-*")}


def test_a_library_on_a_network_drive_is_read_while_it_is_written(remote: None, tmp_path: Path) -> None:
    """Image after image is committed, while another thread reads: neither is refused, no reading goes back."""
    contents: dict[str, str] = {}
    seen: list[int] = []
    done = threading.Event()

    def read() -> None:
        with StoreReader.open(tmp_path) as reader:
            while not done.is_set():
                seen.append(len(reader.catalogue(MODEL).ids))
                done.wait(0.001)
            seen.append(len(reader.catalogue(MODEL).ids))

    with StoreWriter.open(tmp_path) as writer:
        assert journal_of(writer) == "truncate"
        reading = threading.Thread(target=read)
        reading.start()
        for batch in range(BATCHES):
            contents |= {f"/{batch}/{name}": f"{batch} {name}" for name in "abc"}
            index(writer, contents)
            done.wait(0.02)  # the engine encodes meanwhile
        done.set()
        reading.join(30)
        assert names(tmp_path) == {"journal"}
    assert seen == sorted(seen)
    assert seen[-1] == 3 * BATCHES
    assert len(set(seen)) > 3


def test_a_library_that_moves_between_drives_changes_its_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with StoreWriter.open(tmp_path) as writer:
        index(writer, {"/a": "a"})
        assert journal_of(writer) == "wal"
    monkeypatch.setattr(database, "is_remote", lambda _folder: True)
    with StoreReader.open(tmp_path) as reader, StoreWriter.open(tmp_path) as writer:
        assert journal_of(writer) == "wal"  # someone reads it by this one
        index(writer, {"/a": "a", "/b": "b"})
        assert reader.images() == 2
    with StoreWriter.open(tmp_path) as writer, StoreReader.open(tmp_path) as reader:
        assert journal_of(writer) == "truncate"
        index(writer, {"/a": "a", "/b": "b", "/c": "c"})
        assert reader.images() == 3
    monkeypatch.undo()
    with StoreWriter.open(tmp_path) as writer:
        assert journal_of(writer) == "wal"
        assert writer.images() == 3
