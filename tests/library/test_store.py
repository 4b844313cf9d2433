"""The library's memory: ids never given twice, batches that are whole or not there, a sentence for every trouble."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from atlas_rt.core.images import Failure
from atlas_rt.errors import MissingError
from atlas_rt.library.changes import Changes, FailedFile, Todo
from atlas_rt.library.database import migrate
from atlas_rt.library.file_content import content_hash
from atlas_rt.library.scanning import Scan
from atlas_rt.library.schema import STEPS
from atlas_rt.library.store import StoreReader
from atlas_rt.library.store_writer import Ready, StoreWriter
from atlas_rt.library.walking import FoundFile

MODEL = "starter"
File = tuple[str, int, int]


def scan_of(*files: File, unreadable: Iterable[str] = ()) -> Scan:
    """A scan that found these (path, size, mtime_ns)."""
    found = sorted((FoundFile(*file) for file in files), key=lambda file: file.path)
    return Scan(tuple(found), 0, tuple(Failure(path, "no permission to read it") for path in unreadable))


def ready(todo: Todo, content: str, row: int, *, tile: int | None = None) -> Ready:
    facts = (content_hash(content.encode()), 640, 480, (200, 100, 50), 4 / 3)
    return Ready(todo.id, todo.path, todo.size, todo.mtime_ns, *facts, row if tile is None else tile, row)


def index(store: StoreWriter, contents: dict[str, str], *, mtime_ns: int = 1, model: str = MODEL) -> Changes:
    """Reconcile and commit all of it, as the engine does: stored content is not encoded again."""
    scan = scan_of(*((path, len(content), mtime_ns) for path, content in contents.items()))
    changes = store.reconcile(scan, model)
    for todo in changes.todo:
        known = store.known(content_hash(contents[todo.path].encode()), model)
        row = store.named_vectors(model) if known is None or known.vector_row is None else known.vector_row
        tile = store.named_tiles() if known is None else known.tile
        store.commit(model, [ready(todo, contents[todo.path], row, tile=tile)])
    return changes


@pytest.fixture
def store(tmp_path: Path) -> Iterator[StoreWriter]:
    with StoreWriter.open(tmp_path / "library") as opened:
        yield opened


def paths(store: StoreWriter) -> dict[str, int]:
    catalogue = store.catalogue(MODEL)
    return dict(zip(catalogue.paths, catalogue.ids.tolist(), strict=True))


# Plans


def test_new_files_get_ids_in_the_order_of_paths(store: StoreWriter) -> None:
    changes = store.reconcile(scan_of(("/c", 3, 1), ("/a", 1, 1), ("/b", 2, 1)), MODEL)
    assert [(todo.id, todo.path, todo.kind) for todo in changes.todo] == [
        (1, "/a", "new"),
        (2, "/b", "new"),
        (3, "/c", "new"),
    ]
    assert len(store.catalogue().ids) == 0  # nothing is shown before it is ready


def test_a_killed_run_goes_on_with_the_same_ids(store: StoreWriter) -> None:
    files = [("/a", 1, 1), ("/b", 2, 1)]
    first = store.reconcile(scan_of(*files), MODEL)
    store.commit(MODEL, [ready(first.todo[0], "a", 0)])
    second = store.reconcile(scan_of(*files, ("/0", 9, 9)), MODEL)
    assert second.unchanged == 1
    assert [(todo.id, todo.path) for todo in second.todo] == [(2, "/b"), (3, "/0")]


def test_what_is_known_and_unchanged_needs_nothing(store: StoreWriter) -> None:
    index(store, {"/a": "a", "/b": "b"})
    changes = index(store, {"/a": "a", "/b": "b"})
    assert (changes.todo, changes.unchanged, changes.hidden) == ((), 2, ())


def test_a_changed_file_keeps_its_id_and_gets_new_records(store: StoreWriter) -> None:
    index(store, {"/a": "a", "/b": "b"})
    store.label(MODEL, {1: [("cat", 0.9)]})
    changes = store.reconcile(scan_of(("/a", 7, 2), ("/b", 1, 1)), MODEL)
    assert [(todo.id, todo.kind) for todo in changes.todo] == [(1, "changed")]
    assert paths(store) == {"/a": 1, "/b": 2}  # what it showed stays until the new content is there
    committed = store.commit(MODEL, [ready(changes.todo[0], "other", 2)])
    assert (committed.changed, committed.new) == (1, 0)
    assert store.vector_rows(MODEL, np.array([1, 2])).tolist() == [2, 1]
    assert store.labels(1) == ()


def test_a_touched_file_is_not_encoded_again(store: StoreWriter) -> None:
    index(store, {"/a": "a"})
    changes = store.reconcile(scan_of(("/a", 1, 99)), MODEL)
    known = store.known(content_hash(b"a"), MODEL)
    assert known is not None
    assert (known.id, known.vector_row) == (1, 0)
    committed = store.commit(MODEL, [ready(changes.todo[0], "a", 0)])
    assert (committed.unchanged, committed.changed) == (1, 0)
    assert store.reconcile(scan_of(("/a", 1, 99)), MODEL).todo == ()


def test_a_moved_file_is_the_same_image(store: StoreWriter) -> None:
    index(store, {"/old/a": "a", "/old/b": "b"})
    store.label(MODEL, {1: [("cat", 0.9)]})
    changes = store.reconcile(scan_of(("/new/a", 1, 5), ("/old/b", 1, 1)), MODEL)
    assert changes.hidden == (1,)
    known = store.known(content_hash(b"a"), MODEL)
    assert known is not None
    assert known.vector_row == 0
    committed = store.commit(MODEL, [ready(changes.todo[0], "a", 0)])
    assert (committed.moved, committed.new, committed.ids) == (1, 0, {changes.todo[0].id: 1})
    assert paths(store) == {"/new/a": 1, "/old/b": 2}
    assert store.labels(1) == (("cat", 0.9),)
    assert [todo.id for todo in store.reconcile(scan_of(("/new/a", 1, 5), ("/z", 9, 9)), MODEL).todo] == [4]


def test_equal_files_that_move_together_keep_their_own_ids(store: StoreWriter) -> None:
    index(store, {"/x/a": "same", "/x/b": "same", "/x/c": "other"})
    changes = store.reconcile(scan_of(*((f"/y/{name}", 4, 1) for name in "ab"), ("/y/c", 5, 1)), MODEL)
    for todo in reversed(changes.todo):  # whatever the order
        store.commit(MODEL, [ready(todo, "other" if todo.path == "/y/c" else "same", 0)])
    assert paths(store) == {"/y/a": 1, "/y/b": 2, "/y/c": 3}


def test_a_copy_is_an_image_of_its_own_with_shared_records(store: StoreWriter) -> None:
    index(store, {"/a": "a"})
    index(store, {"/a": "a", "/copy": "a"})
    assert paths(store) == {"/a": 1, "/copy": 2}
    assert store.catalogue(MODEL).tiles.tolist() == [0, 0]
    assert store.vector_rows(MODEL, np.array([1, 2])).tolist() == [0, 0]
    assert (store.named_tiles(), store.named_vectors(MODEL)) == (1, 1)


def test_vanished_images_leave_and_come_back_as_they_were(store: StoreWriter) -> None:
    index(store, {"/a": "a", "/b": "b"})
    gone = store.reconcile(scan_of(("/b", 1, 1)), MODEL)
    assert gone.hidden == (1,)
    assert paths(store) == {"/b": 2}
    back = store.reconcile(scan_of(("/a", 1, 1), ("/b", 1, 1)), MODEL)
    assert (back.todo, back.returned, back.unchanged) == ((), (1,), 2)
    assert paths(store) == {"/a": 1, "/b": 2}


def test_other_content_at_the_path_of_a_vanished_image_is_a_new_image(store: StoreWriter) -> None:
    index(store, {"/a": "a"})
    index(store, {})
    index(store, {"/a": "quite different"}, mtime_ns=2)
    assert paths(store) == {"/a": 2}
    index(store, {"/a": "quite different", "/b": "a"}, mtime_ns=2)
    assert paths(store) == {"/a": 2, "/b": 1}


def test_nothing_is_removed_where_nobody_could_look(store: StoreWriter) -> None:
    index(store, {"/disk/a": "a", "/disk/deep/b": "b", "/disks/c": "c"})
    assert store.reconcile(scan_of(unreadable=["/disk"]), MODEL).hidden == (3,)
    assert sorted(paths(store)) == ["/disk/a", "/disk/deep/b"]
    assert store.reconcile(scan_of(("/disk/a", 1, 1), unreadable=["/disk/deep/"]), MODEL).hidden == ()
    assert store.reconcile(scan_of(("/disk/a", 1, 1)), MODEL).hidden == (2,)


def test_a_failed_file_is_left_alone_until_it_changes(store: StoreWriter) -> None:
    changes = store.reconcile(scan_of(("/bad", 5, 1), ("/good", 4, 1)), MODEL)
    failed = FailedFile("/bad", 5, 1, "the file is cut short")
    store.commit(MODEL, [ready(changes.todo[1], "good", 0)], failed=[failed])
    assert store.failures() == (Failure("/bad", "the file is cut short"),)
    again = store.reconcile(scan_of(("/bad", 5, 1), ("/good", 4, 1)), MODEL)
    assert (again.todo, again.failed, again.unchanged) == ((), store.failures(), 1)
    repaired = store.reconcile(scan_of(("/bad", 6, 2), ("/good", 4, 1)), MODEL)
    assert [(todo.id, todo.kind) for todo in repaired.todo] == [(1, "new")]
    assert store.commit(MODEL, [ready(repaired.todo[0], "healed", 1)]).new == 1
    assert store.failures() == ()
    assert paths(store) == {"/bad": 1, "/good": 2}


def test_a_file_that_could_not_be_opened_is_tried_again(store: StoreWriter) -> None:
    store.reconcile(scan_of(("/a", 1, 1)), MODEL)
    store.commit(MODEL, [], failed=[FailedFile("/a", 1, 1, "no permission to read it", "read")])
    assert len(store.reconcile(scan_of(("/a", 1, 1)), MODEL).todo) == 1


def test_a_failure_goes_with_its_file(store: StoreWriter) -> None:
    store.reconcile(scan_of(("/a", 1, 1)), MODEL)
    store.commit(MODEL, [], failed=[FailedFile("/a", 1, 1, "broken")])
    store.reconcile(scan_of(), MODEL)
    assert store.failures() == ()


def test_an_image_whose_file_breaks_leaves_and_heals(store: StoreWriter) -> None:
    index(store, {"/a": "a"})
    store.reconcile(scan_of(("/a", 9, 2)), MODEL)
    store.commit(MODEL, [], failed=[FailedFile("/a", 9, 2, "broken")])
    assert paths(store) == {}
    assert store.named_tiles() == 1  # its record is not given to another while a window may still show it
    index(store, {"/a": "a"}, mtime_ns=3)
    assert paths(store) == {"/a": 1}


def test_a_second_model_sees_what_it_has_not_encoded(store: StoreWriter) -> None:
    index(store, {"/a": "a", "/b": "b"})
    changes = store.reconcile(scan_of(("/a", 1, 1), ("/b", 1, 1)), "large")
    assert [(todo.id, todo.kind) for todo in changes.todo] == [(1, "encode"), (2, "encode")]
    known = store.known(content_hash(b"b"), "large")
    assert known is not None
    assert (known.tile, known.vector_row) == (1, None)
    store.commit("large", [ready(changes.todo[1], "b", 0, tile=known.tile)])
    assert store.catalogue("large").ids.tolist() == [2]
    assert store.catalogue(MODEL).ids.tolist() == [1, 2]
    assert store.hashes("large") == {content_hash(b"b")}
    ids, rows = store.encoded("large")
    assert (ids.tolist(), rows.tolist(), store.path_of(1)) == ([2], [0], "/a")
    assert (store.named_vectors("large"), store.named_vectors(MODEL), store.named_vectors("none")) == (1, 2, 0)


def test_a_batch_is_whole_or_not_there(store: StoreWriter) -> None:
    changes = store.reconcile(scan_of(("/a", 1, 1)), MODEL)
    stranger = Todo(77, "/never planned", 1, 1, "new")
    with pytest.raises(ValueError, match="never planned"):
        store.commit(MODEL, [ready(changes.todo[0], "a", 0), ready(stranger, "b", 1)])
    assert paths(store) == {}


# Reading


def test_the_catalogue_holds_what_was_committed(store: StoreWriter) -> None:
    index(store, {"/a": "a", "/b": "b"})
    catalogue = store.catalogue(MODEL)
    assert catalogue.ids.tolist() == [1, 2]
    assert catalogue.ids.dtype == np.int64
    assert catalogue.mean_rgb.tolist() == [[200, 100, 50]] * 2
    assert catalogue.mean_rgb.dtype == np.uint8
    assert catalogue.aspects.dtype == np.float32
    assert catalogue.sizes_px.tolist() == [[640, 480]] * 2
    assert catalogue.tiles.tolist() == [0, 1]
    assert catalogue.paths == store.paths_of(catalogue.ids) == ("/a", "/b")
    assert (catalogue.away.tolist(), store.images(), store.away()) == ([False, False], 2, 0)
    assert store.vector_rows(MODEL, np.array([2, 5, 1])).tolist() == [1, -1, 0]


def test_an_empty_catalogue_has_the_right_shapes(store: StoreWriter) -> None:
    catalogue = store.catalogue()
    assert catalogue.paths == ()
    assert catalogue.mean_rgb.shape == (0, 3)
    assert catalogue.sizes_px.shape == (0, 2)
    assert (store.named_tiles(), store.failures()) == (0, ())


def test_paths_that_are_no_text_survive(store: StoreWriter) -> None:
    path = os.fsdecode(b"/caf\xe9.png")
    index(store, {path: "a", "/cliché 猫.png": "b"})
    assert set(store.catalogue().paths) == {path, "/cliché 猫.png"}


def test_labels_are_found_by_word_in_any_case(store: StoreWriter) -> None:
    changes = store.reconcile(scan_of(("/a", 1, 1), ("/b", 1, 1)), MODEL)
    batch = [ready(todo, todo.path, row) for row, todo in enumerate(changes.todo)]
    store.commit(MODEL, batch, labels={1: [("cat", 0.4), ("pet", 0.6)]})
    assert store.unlabelled(MODEL).tolist() == [2]
    store.label(MODEL, {2: [("Cat", 0.9)]})
    assert store.labels(1) == (("pet", 0.6), ("cat", 0.4))
    assert store.labels(1, "other") == ()
    assert store.labelled("CAT", MODEL).tolist() == [1, 2]
    assert store.labelled("CAT", MODEL, least=0.5).tolist() == [2]
    assert store.labelled("CAT", "other").tolist() == []
    assert store.label_words(MODEL, least=0.5) == ("Cat", "pet")
    assert store.unlabelled(MODEL).tolist() == []


def test_settings_extras_and_suspects_are_remembered(store: StoreWriter) -> None:
    store.set_setting("seed", "7")
    store.set_setting("seed", "8")
    assert (store.setting("seed"), store.setting("other")) == ("8", None)
    store.add_extras(["/dropped/b", "/dropped/a", "/dropped/b"])
    assert store.extras() == ("/dropped/a", "/dropped/b")
    store.add_suspects(["/x", "/y"])
    store.add_suspects(["/x"])
    assert store.suspects() == {"/x": 2, "/y": 1}
    store.clear_suspects(["/x"])
    assert store.suspects() == {"/y": 1}
    store.remove_extras(["/dropped/b", "/never dropped"])
    assert store.extras() == ("/dropped/a",)


def test_a_hundred_thousand_images_are_read_in_moments(tmp_path: Path) -> None:
    with StoreWriter.open(tmp_path) as store:
        count = 100_000
        images = ((i, b"/pictures/%06i.jpg" % i, 1.5, i, i, 640, 480) for i in range(count))
        sql = "INSERT INTO images VALUES (?, ?, 'ready', 9, 9, x'00', ?6, ?7, ?4, ?3, ?5, NULL, 1, 0, '')"
        store.database.write(sql, list(images))
        store.database.write("INSERT INTO vectors VALUES ('starter', ?, ?)", [(i, i) for i in range(count)])
        begun = time.perf_counter()
        catalogue = store.catalogue(MODEL)
        rows = store.vector_rows(MODEL, catalogue.ids)
        took = time.perf_counter() - begun
    assert len(catalogue.ids) == len(rows) == count
    assert took < 2.0  # 0.3 s on an idle machine


# Readers and writers


def test_a_reader_makes_nothing_and_says_that_nothing_is_there(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="There is no library yet"):
        StoreReader.open(tmp_path / "library")
    assert list(tmp_path.iterdir()) == []


def test_a_reader_sees_each_commit_while_the_writer_works(store: StoreWriter, tmp_path: Path) -> None:
    index(store, {"/a": "a"})
    with StoreReader.open(tmp_path / "library") as reader:
        assert reader.images() == 1
        with store.database.transaction():
            store.database.execute("UPDATE images SET state = 'away'")
            begun = time.perf_counter()
            assert reader.images() == 1
            assert time.perf_counter() - begun < 0.2
        assert reader.images() == 0
        with pytest.raises(MissingError, match=r"cannot be opened or written"):
            reader.database.write("INSERT INTO settings VALUES (?, ?)", [("a", "b")])


def test_two_writers_do_not_wait_for_ever(store: StoreWriter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("atlas_rt.library.database.WRITER_PATIENCE_SECS", 0.05)
    busy = pytest.raises(MissingError, match="Another process is writing this library")
    with StoreWriter.open(tmp_path / "library") as other, store.database.transaction(), busy:
        other.set_setting("a", "b")


def test_a_killed_writer_loses_only_the_batch_in_hand(tmp_path: Path) -> None:
    code = """
        import os, sys
        from pathlib import Path
        from atlas_rt.core.images import Failure
        from atlas_rt.library.scanning import Scan
        from atlas_rt.library.walking import FoundFile
        from atlas_rt.library.store import StoreReader
        from atlas_rt.library.store_writer import Ready, StoreWriter
        store = StoreWriter.open(Path(sys.argv[1]))
        plan = store.reconcile(Scan((FoundFile("/a", 1, 1), FoundFile("/b", 1, 1)), 0, ()), "starter")
        facts = (b"h" * 16, 6, 4, (1, 2, 3), 1.5, 0, 0)
        store.commit("starter", [Ready(plan.todo[0].id, "/a", 1, 1, *facts)])
        store.database.execute("BEGIN IMMEDIATE")
        store.database.execute("UPDATE images SET state = 'ready'")
        os.kill(os.getpid(), 9)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code), str(tmp_path)], env=os.environ | path_to_package())
    with StoreReader.open(tmp_path) as reader:
        assert reader.catalogue("starter").paths == ("/a",)


def path_to_package() -> dict[str, str]:
    return {"PYTHONPATH": os.pathsep.join(sys.path)}


# Trouble


def test_a_damaged_database_names_its_cure(tmp_path: Path) -> None:
    with StoreWriter.open(tmp_path) as store:
        index(store, {f"/{i}": str(i) for i in range(300)})
    file = tmp_path / "library.db"
    content = bytearray(file.read_bytes())
    content[4096:] = bytes(len(content) - 4096)
    file.write_bytes(content)
    with pytest.raises(MissingError, match=r"damaged .*`atlas-rt library forget SOURCE`.*" + tmp_path.name):
        StoreReader.open(tmp_path).catalogue()
    file.write_bytes(b"no database at all, but long enough to look at" * 100)
    for kind in (StoreWriter, StoreReader):
        with pytest.raises(MissingError, match="damaged"):
            kind.open(tmp_path)


def test_a_newer_library_is_not_touched(tmp_path: Path) -> None:
    StoreWriter.open(tmp_path).close()
    with sqlite3.connect(tmp_path / "library.db") as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = (tmp_path / "library.db").read_bytes()
    with pytest.raises(MissingError, match="newer version of atlas_rt"):
        StoreWriter.open(tmp_path)
    with pytest.raises(MissingError, match="another version"):
        StoreReader.open(tmp_path)
    assert (tmp_path / "library.db").read_bytes() == before


def test_a_full_disk_is_said_and_loses_nothing(tmp_path: Path) -> None:
    with StoreWriter.open(tmp_path) as store:
        index(store, {"/a": "a"})
        pages = store.database.connection.execute("PRAGMA page_count").fetchone()[0]
        store.database.connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(MissingError, match="The disk is full; everything found so far is kept"):
            store.reconcile(scan_of(*((f"/{'x' * 200}{i}", i, 1) for i in range(2000)), ("/a", 1, 1)), MODEL)
        assert paths(store) == {"/a": 1}
        store.database.connection.execute("PRAGMA max_page_count = 1000000")
        assert store.reconcile(scan_of(("/a", 1, 1)), MODEL).unchanged == 1


def test_migrations_go_step_by_step_and_whole() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    steps = ["CREATE TABLE a (x); INSERT INTO a VALUES (1)", "ALTER TABLE a ADD COLUMN y DEFAULT 2"]
    migrate(connection, steps[:1])
    migrate(connection, steps)
    migrate(connection, steps)
    assert connection.execute("SELECT x, y FROM a").fetchall() == [(1, 2)]
    with pytest.raises(sqlite3.OperationalError):
        migrate(connection, [*steps, "CREATE TABLE b (x); CREATE TABLE a (x)"])
    assert connection.execute("PRAGMA user_version").fetchone() == (2,)
    assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (1,)
    with pytest.raises(MissingError, match="newer version"):
        migrate(connection, steps[:1])
    connection.close()


def test_what_is_missing_of_an_image_is_kept_until_it_is_whole(store: StoreWriter) -> None:
    def put(path: str, content: str, incomplete: str, *, mtime_ns: int) -> None:
        (todo,) = store.reconcile(scan_of((path, len(content), mtime_ns)), MODEL).todo
        store.commit(MODEL, [replace(ready(todo, content, 0), incomplete=incomplete)])

    put("/a", "half", "half of it is there", mtime_ns=1)
    assert store.incomplete() == (Failure("/a", "half of it is there"),)
    put("/b", "half", "half of it is there", mtime_ns=2)  # it was moved
    assert store.incomplete() == (Failure("/b", "half of it is there"),)
    known = store.known(content_hash(b"half"), MODEL)
    assert known is not None
    assert known.incomplete == "half of it is there"
    store.reconcile(scan_of(), MODEL)
    assert store.incomplete() == ()
    put("/b", "half", "half of it is there", mtime_ns=3)
    put("/b", "whole", "", mtime_ns=4)
    assert store.incomplete() == ()


def test_what_an_older_program_could_not_decode_is_tried_again(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "library.db", isolation_level=None)
    migrate(connection, STEPS[:1])
    connection.execute("INSERT INTO images (id, path, state, size, mtime_ns) VALUES (1, x'2f61', 'failed', 5, 7)")
    connection.execute("INSERT INTO images (id, path, state, size, mtime_ns) VALUES (2, x'2f62', 'failed', 5, 7)")
    connection.execute("INSERT INTO failures VALUES (x'2f61', 5, 7, 'decode', 'the file is cut short')")
    connection.execute("INSERT INTO failures VALUES (x'2f62', 5, 7, 'crash', 'the decoder crashed on it')")
    connection.close()
    with StoreWriter.open(tmp_path) as store:
        changes = store.reconcile(scan_of(("/a", 5, 7), ("/b", 5, 7)), MODEL)
        assert [todo.path for todo in changes.todo] == ["/a"]
        assert [failure.path for failure in changes.failed] == ["/b"]


# Any life of a folder


class FolderLife(RuleBasedStateMachine):
    """Files come, go, move, change and return; some runs are killed midway. An id never goes to another image."""

    folder: Path

    @initialize()
    def begin(self) -> None:
        self.files: dict[str, tuple[str, int]] = {}  # path -> (content, mtime)
        self.clock = 0
        self.owner: dict[int, set[str]] = {}  # id -> contents it has had
        self.store = StoreWriter.open(self.folder / os.urandom(8).hex())

    @rule(name=st.sampled_from("abcd"), content=st.sampled_from(["1", "22", "33", "444"]))
    def write(self, name: str, content: str) -> None:
        self.clock += 1
        self.files["/" + name] = (content, self.clock)

    @rule(name=st.sampled_from("abcd"))
    def delete(self, name: str) -> None:
        self.files.pop("/" + name, None)

    @rule(old=st.sampled_from("abcd"), new=st.sampled_from("abcd"))
    def rename(self, old: str, new: str) -> None:
        if "/" + old in self.files:
            self.files["/" + new] = self.files.pop("/" + old)

    @rule(kept=st.integers(0, 4))
    def run(self, kept: int) -> None:
        """Index, but be killed after some commits."""
        before = paths(self.store)
        scan = scan_of(*((path, len(content), mtime) for path, (content, mtime) in self.files.items()))
        changes = self.store.reconcile(scan, MODEL)
        assert [todo.id for todo in changes.todo] == sorted({todo.id for todo in changes.todo})
        for todo in changes.todo[:kept]:
            content = self.files[todo.path][0]
            known = self.store.known(content_hash(content.encode()), MODEL)
            row = self.store.named_vectors(MODEL) if known is None else known.vector_row
            assert row is not None
            self.store.commit(MODEL, [ready(todo, content, row)])
        for path, id_ in paths(self.store).items():
            if id_ not in before.values():
                assert not self.owner.get(id_) or self.files[path][0] in self.owner[id_], "an id went to another image"
            self.owner.setdefault(id_, set()).add(self.files[path][0] if path in self.files else "")

    @rule()
    def run_to_the_end(self) -> None:
        self.run(kept=99)
        assert set(paths(self.store)) == set(self.files)
        again = self.store.reconcile(
            scan_of(*((path, len(content), mtime) for path, (content, mtime) in self.files.items())), MODEL
        )
        assert (again.todo, again.hidden, again.unchanged) == ((), (), len(self.files))

    @invariant()
    def ids_are_unique_and_ascending(self) -> None:
        if hasattr(self, "store"):
            ids = self.store.catalogue().ids.tolist()
            assert ids == sorted(set(ids))

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()


def test_any_life_of_a_folder_keeps_ids_apart(tmp_path: Path) -> None:
    FolderLife.folder = tmp_path
    checks = settings(max_examples=40, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(FolderLife, settings=checks)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(range(5)))
def test_the_order_of_arrival_does_not_matter(order: list[int], tmp_path: Path) -> None:
    with StoreWriter.open(tmp_path / os.urandom(8).hex()) as store:
        changes = store.reconcile(scan_of(*((f"/{i}", i, 1) for i in range(5))), MODEL)
        for row, i in enumerate(order):
            store.commit(MODEL, [ready(changes.todo[i], str(i), row)])
        assert paths(store) == {f"/{i}": i + 1 for i in range(5)}
