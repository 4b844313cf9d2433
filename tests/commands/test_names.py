"""`clusters --rename`: a name that stays, whatever becomes of the map, the folder and the cache."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.commands.person import Person, without_privileges
from tests.libraries import Library, copy_pictures


@pytest.fixture
def home(library: Library, here: Path) -> Library:
    """The common library in a cache of its own."""
    return library.copy(here / "cache")


@pytest.fixture
def owner(person: Person, home: Library) -> Person:
    person.cache = home.cache
    return person


def clusters(owner: Person, source: Path, *words: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = owner.ask("clusters", source, "--json", "--no-update", *words).document
    return rows


def test_a_name_stays_and_can_be_taken_back(owner: Person, home: Library, here: Path, tmp_path: Path) -> None:
    before = clusters(owner, home.source)
    second = before[1]
    told = owner.ask("clusters", home.source, "--no-update", "--rename", str(second["id"]), "  our   Gärten ")
    kept = tmp_path / "user's data/atlas_rt"
    assert told.err == f"kept in {kept}\n"
    assert f"{second['size']:>6,}  {second['id']:>4}  our Gärten: you named it" in told.lines
    changed = {"name": "our Gärten", "why": "you named it", "named_by": "user"}
    changed |= {"name_english": "our Gärten", "why_english": "you named it"}
    assert clusters(owner, home.source) == [before[0], second | changed, *before[2:]]
    assert sorted(path.name for path in kept.iterdir()) == ["cluster_names.json", "copies", "lock"]
    given = clusters(owner, home.source, "--rename", str(second["id"]), "another")[1]
    assert (given["name"], (kept / "cluster_names.json").read_text().count('"name"')) == ("another", 1)
    assert clusters(owner, home.source, "--rename", str(second["id"]), "") == before
    owner.ask("export", home.source, "-o", here / "all.csv", "--no-update")


def test_what_is_no_cluster_or_no_name_is_refused(owner: Person, home: Library, tmp_path: Path) -> None:
    first, *_ = clusters(owner, home.source)
    told = owner.ask("clusters", home.source, "--no-update", "--rename", "99", "x")
    assert told.code == 2
    assert told.refusal.startswith(f"there is no cluster '99'; there are:\n  {first['id']}  {first['name']}\n")
    told = owner.ask("clusters", home.source, "--rename", str(first["id"]), "x" * 61)
    assert (told.code, told.refusal[:40]) == (2, "a name has at most 60 characters, all of")
    assert owner.ask("clusters", home.source, "--rename", "1").code == 2
    assert not (tmp_path / "user's data").exists()


def test_the_folder_is_given_by_an_option_or_the_environment(
    owner: Person, home: Library, here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    id_ = str(clusters(owner, home.source)[0]["id"])
    monkeypatch.setenv("ATLAS_RT_DATA", str(here / "from the environment"))
    clusters(owner, home.source, "--rename", id_, "one")
    clusters(owner, home.source, "--rename", id_, "two", "--data", "named")
    assert clusters(owner, home.source)[0]["name"] == "one"
    assert clusters(owner, home.source, "--data", "named")[0]["name"] == "two"
    assert not (tmp_path / "user's data").exists()
    monkeypatch.delenv("ATLAS_RT_DATA")
    monkeypatch.setenv("XDG_DATA_HOME", str(home.source))
    told = owner.ask("clusters", home.source, "--no-update", "--rename", id_, "three")
    assert told.refusal.startswith(f"The data folder lies inside the source {home.source}; choose another with --data")


def test_a_damaged_file_is_said_and_its_copy_is_used(owner: Person, home: Library, here: Path) -> None:
    id_ = str(clusters(owner, home.source)[0]["id"])
    clusters(owner, home.source, "--rename", id_, "kept", "--data", "data")
    (here / "data/cluster_names.json").write_text("{")
    told = owner.ask("clusters", home.source, "--no-update", "--json", "--data", "data")
    assert told.document[0]["name"] == "kept"
    assert told.err.startswith(f"{here}/data/cluster_names.json is damaged; its copy of 20")


def test_a_data_folder_that_may_not_be_written_is_said(owner: Person, home: Library, here: Path) -> None:
    (here / "locked").mkdir(mode=0o555)
    id_ = str(clusters(owner, home.source)[0]["id"])
    words = ("clusters", home.source, "--no-update", "--rename", id_, "x", "--data", "locked")
    told = owner.run(*words, before=without_privileges())
    assert (told.code, told.refusal) == (
        3,
        f"The data folder cannot be written to. Allow it, or choose another with --data DIR: {here}/locked",
    )


def test_a_name_outlives_the_cache_the_folder_and_the_map(owner: Person, home: Library, here: Path) -> None:
    """The new map has another seed, and its clusters have other ids and other images."""
    named = max(clusters(owner, home.source), key=lambda each: int(each["size"]))
    clusters(owner, home.source, "--rename", str(named["id"]), "our garden")
    renamed = copy_pictures(sorted(home.source.glob("*.webp"))[3:], here / "renamed")
    shutil.rmtree(home.cache / "libraries")
    report = owner.ask("index", renamed, "--json", "--seed", "7").document
    assert (report["images"], report["new"]) == (135, 135)
    after = {each["name"]: each for each in clusters(owner, renamed)}
    assert after["our garden"]["named_by"] == "user"
    names = {Path(path).name for path in named["exemplars"]}
    assert names & {Path(path).name for path in after["our garden"]["exemplars"]}
