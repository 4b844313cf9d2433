"""A library on a network drive, where SQLite's write-ahead log does not work: another journal, the same behaviour."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from atlas_rt.library import store as store_module
from atlas_rt.library.store import Store
from tests.library.test_store import MODEL, index

BATCHES = 25


@pytest.fixture
def remote(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "is_remote", lambda _folder: True)


def journal_of(store: Store) -> str:
    return str(store._connection.execute("PRAGMA journal_mode").fetchone()[0])


def names(folder: Path) -> set[str]:
    """Files that SQLite keeps beside the database."""
    return {path.name.removeprefix("library.db-") for path in folder.glob("library.db-*")}


def test_a_library_on_a_network_drive_is_read_while_it_is_written(remote: None, tmp_path: Path) -> None:
    """Image after image is committed, while another thread reads: neither is refused, no reading goes back."""
    contents: dict[str, str] = {}
    seen: list[int] = []
    done = threading.Event()

    def read() -> None:
        with Store.open(tmp_path, writable=False) as reader:
            while not done.is_set():
                seen.append(len(reader.catalogue(MODEL).ids))
                done.wait(0.001)
            seen.append(len(reader.catalogue(MODEL).ids))

    with Store.open(tmp_path, writable=True) as writer:
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
    with Store.open(tmp_path, writable=True) as writer:
        index(writer, {"/a": "a"})
        assert journal_of(writer) == "wal"
    monkeypatch.setattr(store_module, "is_remote", lambda _folder: True)
    with Store.open(tmp_path, writable=False) as reader, Store.open(tmp_path, writable=True) as writer:
        assert journal_of(writer) == "wal"  # someone reads it by this one
        index(writer, {"/a": "a", "/b": "b"})
        assert reader.images() == 2
    with Store.open(tmp_path, writable=True) as writer, Store.open(tmp_path, writable=False) as reader:
        assert journal_of(writer) == "truncate"
        index(writer, {"/a": "a", "/b": "b", "/c": "c"})
        assert reader.images() == 3
    monkeypatch.undo()
    with Store.open(tmp_path, writable=True) as writer:
        assert journal_of(writer) == "wal"
        assert writer.images() == 3
