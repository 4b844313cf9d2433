"""What a person made outlives damage, full disks, other processes and years of changes; real files, real processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from atlas_rt.core.images import LibraryPlace
from atlas_rt.errors import MissingError, UsageError
from atlas_rt.library import personal_data
from atlas_rt.library.cluster_names import ClusterName, ClusterNames
from atlas_rt.library.file_content import content_hash
from atlas_rt.library.lock import Lock
from atlas_rt.library.personal_data import data_folder, refuse_inside
from tests.commands.person import without_privileges


def contents(of: str, count: int = 20) -> list[bytes]:
    return [content_hash(f"{of} {i}".encode()) for i in range(count)]


def named(names: ClusterNames) -> list[str]:
    return [each.name for each in names.read().entries]


@pytest.fixture
def names(tmp_path: Path) -> ClusterNames:
    """Two names are kept, the second since yesterday's copy."""
    made = ClusterNames(tmp_path / "data")
    made.give("garden", contents("garden"))
    (copy,) = (tmp_path / "data/copies").iterdir()
    copy.rename(copy.with_name("cluster_names-2020-02-02.json"))
    made.give("harbour", contents("harbour"))
    return made


def test_the_data_folder_is_the_users_or_the_one_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "user"))
    monkeypatch.chdir(tmp_path)
    assert data_folder(None) == tmp_path / "user/atlas_rt"
    assert data_folder(Path("here")) == tmp_path / "here"
    assert ClusterNames(data_folder(None)).read().entries == ()
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UsageError, match=f"must be a folder; choose another with --data DIR: {tmp_path}/file"):
        data_folder(Path("file/deeper"))


def test_it_lies_inside_a_source_only_where_it_is_named_or_hidden(tmp_path: Path) -> None:
    refuse_inside(tmp_path / "data", [str(tmp_path)], named=True)
    refuse_inside(tmp_path / ".local/data", [str(tmp_path)], named=False)
    with pytest.raises(UsageError, match=f"lies inside the source {tmp_path}; choose another with --data DIR"):
        refuse_inside(tmp_path / "data", [str(tmp_path)], named=False)


def test_names_are_kept_with_a_sample_of_the_contents(names: ClusterNames, tmp_path: Path) -> None:
    many = contents("many", 1000)
    names.give("  a   wide name ", many)
    assert names.read().entries[-1] == ClusterName("a wide name", 1000, tuple(sorted(many)[:256]))
    for wrong in ("x" * 61, "a\x07b", "a\u200bb", "a\u200d"):
        with pytest.raises(UsageError, match="at most 60 characters"):
            names.give(wrong, many)
    names.give("گل\u200cها", many)
    assert named(names)[-1] == "گل\u200cها"


def test_a_new_name_takes_the_place_of_the_old_one(names: ClusterNames) -> None:
    grown = [*contents("garden"), *contents("more", 3)]
    names.give("park", grown)
    assert named(names) == ["harbour", "park"]
    names.give("port", contents("other"), instead_of=names.read().entries[0])
    assert named(names) == ["park", "port"]
    names.give("part", grown[:5])  # a part of a named cluster is another cluster
    names.give("", grown)
    assert named(names) == ["port", "part"]


@pytest.mark.parametrize("damage", [b"", b"{", b"[1]", b'{"format": 1, "entries": [{"name": 1}]}', b"\xff\x00", None])
def test_what_is_damaged_comes_from_the_newest_whole_copy(
    names: ClusterNames, tmp_path: Path, damage: bytes | None
) -> None:
    if damage is None:
        names.path.unlink()
    else:
        names.path.write_bytes(damage)
    today = tmp_path / f"data/copies/cluster_names-{date.today().isoformat()}.json"
    what = "is not there" if damage is None else "is damaged"
    kept = names.read()
    assert [each.name for each in kept.entries] == ["garden", "harbour"]
    assert kept.remark == f"{names.path} {what}; its copy of {today.stem[-10:]} is used"
    today.write_bytes(b"damaged too")
    kept = names.read()
    assert [each.name for each in kept.entries] == ["garden"]
    assert kept.remark == f"{names.path} {what}; its copy of 2020-02-02 is used"
    names.give("harbour", contents("harbour"))
    assert (names.read().remark, named(names)) == ("", ["garden", "harbour"])
    if damage is not None:
        assert names.path.with_suffix(".damaged").read_bytes() == damage


def test_where_nothing_whole_is_left_it_is_said_and_kept(names: ClusterNames, tmp_path: Path) -> None:
    for file in (names.path, *(tmp_path / "data/copies").iterdir()):
        file.write_bytes(b"gone")
    kept = names.read()
    assert (kept.entries, kept.remark.startswith("this file is damaged, and there is no copy of it")) == ((), True)
    names.give("new", contents("new"))
    assert (named(names), names.path.with_suffix(".damaged").read_bytes()) == (["new"], b"gone")


def test_a_newer_programs_file_is_not_touched(names: ClusterNames) -> None:
    names.path.write_text(json.dumps({"format": 2, "entries": []}))
    for ask in (names.read, lambda: names.give("new", contents("new"))):
        with pytest.raises(MissingError, match=r"newer version of atlas_rt; update the program: .*cluster_names\.json"):
            ask()
    assert json.loads(names.path.read_bytes())["format"] == 2


def test_ten_days_of_copies_stay(names: ClusterNames, tmp_path: Path) -> None:
    for day in range(1, 29):
        (tmp_path / f"data/copies/cluster_names-2021-01-{day:02}.json").write_bytes(names.path.read_bytes())
    names.give("new", contents("new"))
    left = sorted(file.name[-15:-5] for file in (tmp_path / "data/copies").iterdir())
    assert left == [*(f"2021-01-{day}" for day in range(20, 29)), date.today().isoformat()]


def test_what_is_interrupted_leaves_what_was_there(
    names: ClusterNames, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = names.path.read_bytes()

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(MissingError, match=r"The disk is full; .*--data DIR"):
        names.give("new", contents("new"))
    assert names.path.read_bytes() == before
    assert not list((tmp_path / "data").rglob(".cluster*"))


NAMING = """
import sys
from pathlib import Path
from atlas_rt.library.cluster_names import ClusterNames
from atlas_rt.library.file_content import content_hash
names = ClusterNames(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.read(1)
for i in range(12):
    names.give(f"{sys.argv[2]} {i}", [content_hash(f"{sys.argv[2]} {i} {k}".encode()) for k in range(20)])
"""


def test_of_two_processes_that_name_at_once_neither_loses_a_name(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", NAMING, str(tmp_path / "data"), who],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
        )
        for who in ("one", "other")
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
    assert [process.communicate(b"x", timeout=30)[0] for process in processes] == [b"", b""]
    wanted = {f"{who} {i}" for who in ("one", "other") for i in range(12)}
    assert set(named(ClusterNames(tmp_path / "data"))) == wanted


def test_a_folder_that_may_not_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o555)
    code = NAMING.replace("names.give(", "sys.exit(0) if i else names.give(")
    for folder in ("locked", "locked/deeper"):
        done = subprocess.run(
            [*without_privileges(), sys.executable, "-c", code, str(tmp_path / folder), "x"],
            input=b"x",
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
        )
        said = "MissingError: The data folder cannot be written to. Allow it, or choose another with --data DIR: "
        assert done.stderr.decode().strip().endswith(f"{said}{tmp_path}/{folder}")


def test_who_waits_too_long_is_told_who_writes(
    names: ClusterNames, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(personal_data, "PATIENCE_SECS", 0.1)
    with Lock(LibraryPlace(tmp_path / "data", ())) as lock:
        assert lock.acquire()
        with pytest.raises(
            MissingError, match=rf"The data folder is in use \(process {os.getpid()} on .*\); try again"
        ):
            names.give("new", contents("new"))
    names.give("new", contents("new"))


def test_a_name_is_taken_back_and_given_again_whatever_else_was_named(names: ClusterNames) -> None:
    change = names.give("park", [*contents("garden"), *contents("more", 3)])
    assert [each.name for each in change.before] == ["garden"]
    names.give("tree", contents("tree"))
    names.make(change.reversed)
    assert sorted(named(names)) == ["garden", "harbour", "tree"]
    names.make(change)
    assert sorted(named(names)) == ["harbour", "park", "tree"]
    first = names.give("lake", contents("lake"))
    names.make(first.reversed)
    assert "lake" not in named(names)
    names.give("pond", contents("lake"))  # in another window
    for stale in (first, first.reversed):
        with pytest.raises(UsageError, match="named in another window since"):
            names.make(stale)
    assert "pond" in named(names)
