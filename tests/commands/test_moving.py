"""A source that was renamed: nothing is encoded again, the map stays, and what is unsure can be said."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from atlas_rt.library.cache_layout import place_of
from tests.commands.person import PATIENCE_SECS, Person, environment
from tests.libraries import PICTURES, Library, copy_pictures, latest_map, same_bits


@pytest.fixture
def home(person: Person, library: Library, here: Path) -> Path:
    """The common library, of a folder here."""
    folder = copy_pictures(sorted(library.source.iterdir()), here / "pictures")
    person.cache = library.copy(here / "cache").cache
    assert person.ask("library", "move", library.source, folder).code == 0
    return folder


def test_a_renamed_source_keeps_its_map(person: Person, home: Path, library: Library) -> None:
    before = person.ask("clusters", home, "--json", "--no-update").document
    renamed = home.rename(home.with_name("renamed"))
    told = person.ask("index", renamed, "--json")
    assert told.err == f"the library of {home} has moved along: 138 of its 138 images are here\n"
    report = told.document
    assert (report["images"], report["unchanged"], report["new"], report["removed"]) == (138, 138, 0, 0)
    assert (report["seconds"]["encode"] < 0.01, report["seconds"]["fit"]) == (True, 0.0)
    map_ = latest_map(place_of([str(renamed)], person.cache))
    assert same_bits(map_.positions, library.map.positions)
    after = person.ask("clusters", renamed, "--json", "--no-update").document
    assert [each["name"] for each in after] == [each["name"] for each in before]
    assert all(Path(path).parent == renamed for each in after for path in each["exemplars"])


def test_it_is_found_without_an_update_and_for_a_search(person: Person, home: Path) -> None:
    renamed = home.rename(home.with_name("renamed"))
    (best, *_) = person.ask("neighbors", renamed, renamed / PICTURES[0].name, "--json", "--no-update").document[
        "results"
    ]
    assert Path(best["path"]).parent == renamed
    back = renamed.rename(home)
    assert len(person.ask("clusters", back, "--json", "--no-update").document) > 2


def partly_moved(person: Person, folder: Path) -> Path:
    """Two of six indexed pictures are in a renamed folder, with two others."""
    assert person.ask("index", folder).code == 0
    renamed = folder.rename(folder.with_name("renamed"))
    for image in sorted(renamed.iterdir())[2:]:
        image.unlink()
    return copy_pictures(PICTURES[20:22], renamed)


def test_where_it_is_unsure_what_to_type_is_said_and_works(person: Person, folder: Path) -> None:
    renamed = partly_moved(person, folder)
    told = person.ask("index", renamed, "--json")
    assert told.document["images"] == 4
    words = f"atlas-rt library move {folder} {renamed}"
    assert told.err == (
        f"2 of the 6 images of {folder}, which is gone, seem to be here. If it was moved here, type:\n  {words}\n"
    )
    assert len(person.ask("library", "list", "--json").document) == 2
    told = person.ask(*words.split()[1:], "--json")
    assert told.err.startswith(f"the library that was made of {renamed} meanwhile is replaced\n")
    assert told.document == {"moved": [{"from": [str(folder)], "to": [str(renamed)]}]}
    (listed,) = person.ask("library", "list", "--json").document
    assert (listed["sources"], listed["missing"]) == ([str(renamed)], [])
    assert person.ask(*words.split()[1:]).refusal == f"no library of {folder}; there are:\n  {renamed}"


@pytest.mark.parametrize(("answer", "sources"), [("y", {"renamed"}), ("", {"renamed", "pictures"})])
def test_at_a_terminal_it_asks(person: Person, folder: Path, answer: str, sources: set[str]) -> None:
    renamed = partly_moved(person, folder)
    ours, theirs = os.openpty()
    command = person.command(["index", renamed])
    with subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, env=environment()) as process:
        os.close(theirs)
        os.write(ours, f"{answer}\n".encode())
        assert process.wait(PATIENCE_SECS) == 0
    said = os.read(ours, 10_000).decode()
    os.close(ours)
    assert "Was it moved here?" in said
    listed = person.ask("library", "list", "--json").document
    assert {Path(source).name for each in listed for source in each["sources"]} == sources


def test_library_move_takes_two_paths_of_which_the_new_one_is_there(person: Person, folder: Path) -> None:
    for words in (("move",), ("move", folder), ("move", folder, folder, folder)):
        assert person.ask("library", *words).refusal.startswith("name the old and the new path of a source")
    assert person.ask("library", "move", "/old", "/nowhere").refusal.startswith("There is no such file or folder")
    assert "there are none in" in person.ask("library", "move", "/old", folder).refusal


def test_a_library_whose_source_is_gone_is_listed_so(person: Person, folder: Path) -> None:
    person.ask("index", folder)
    folder.rename(folder.with_name("renamed"))
    (listed,) = person.ask("library", "list", "--json").document
    assert listed["missing"] == [str(folder)]
    assert person.ask("library", "list").lines[0].endswith(f"{folder}  (not there now)")
