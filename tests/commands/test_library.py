"""`library clean`, and what commands say of sources that are not there."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
from pathlib import Path

import pytest

from atlas_rt.library.cache_layout import place_of
from atlas_rt.library.lock import Lock
from atlas_rt.library.store_writer import StoreWriter, writing
from tests.commands.person import PATIENCE_SECS, Person, environment
from tests.libraries import PICTURES


@pytest.fixture
def aside(person: Person, folder: Path) -> Path:
    """Where two of six indexed pictures are now."""
    assert person.ask("index", folder, "--json").document["images"] == 6
    aside = folder.with_name("aside")
    aside.mkdir()
    for path in sorted(folder.iterdir())[:2]:
        path.rename(aside / path.name)
    return aside


@pytest.mark.usefixtures("aside")
def test_what_is_away_is_counted_asked_for_and_forgotten(person: Person, folder: Path) -> None:
    with Lock(place_of((str(folder),), person.cache)) as lock:
        assert lock.acquire()
        assert "another process is updating this library" in person.ask("library", "clean", folder, "--yes").refusal
    counted = person.run("library", "clean", folder, "--json")
    assert (counted.code, counted.out) == (2, '{"away": 2, "removed": 0, "bytes_freed": 0}\n')
    assert counted.err.endswith("2 images are away; `atlas-rt library clean SOURCE --yes` forgets them for good\n")
    told = person.ask("library", "clean", folder, "--yes", "--json").document
    assert (told["removed"], told["away"]) == (2, 0)
    assert told["bytes_freed"] > 2 * 8192
    assert person.ask("library", "clean", folder).lines == ["nothing forgotten, 0 images are away"]
    assert person.ask("library", "clean", folder.with_name("nothing")).code == 2


@pytest.mark.skipif(os.name != "posix", reason="a terminal is made as on Unix")
@pytest.mark.usefixtures("aside")
def test_a_person_at_a_terminal_is_asked(person: Person, folder: Path) -> None:
    for answer, said in (("n", "nothing forgotten, 2 images"), ("y", "2 images forgotten")):
        ours, theirs = pty.openpty()
        command = person.command(["library", "clean", folder])
        with subprocess.Popen(
            command, env=environment(), stdin=theirs, stderr=theirs, stdout=subprocess.PIPE, text=True
        ) as asking:
            os.close(theirs)
            os.write(ours, f"{answer}\n".encode())
            out, _ = asking.communicate(timeout=PATIENCE_SECS)
        os.close(ours)
        assert asking.returncode == 0
        assert out.startswith(said)


def test_what_was_dropped_on_a_library_is_taken_out_again(person: Person, folder: Path, tmp_path: Path) -> None:
    dropped = tmp_path / "dropped.webp"
    shutil.copy(PICTURES[8], dropped)
    person.ask("index", folder)
    with writing(place_of((str(folder),), person.cache), StoreWriter) as store:
        store.add_extras([str(dropped)])
    assert person.ask("index", folder, "--json").document["images"] == 7
    refused = person.ask("library", "forget", folder, "--added", folder)
    assert (refused.code, str(dropped) in refused.refusal) == (2, True)
    told = person.ask("library", "forget", folder, "--added", dropped, "--json").document
    assert told == {"forgotten": [str(dropped)], "images": 6, "away": 1}


def test_a_source_that_is_missing_or_empty_is_answered_from_what_was_known(person: Person, folder: Path) -> None:
    first = person.ask("index", folder, "--json").document
    assert (first["away"], first["source_state"]) == (0, "present")
    folder.rename(folder.with_name("unplugged"))
    for state in ("missing", "empty"):
        told = person.ask("index", folder, "--json")
        assert (told.document["images"], told.document["away"], told.document["source_state"]) == (6, 6, state)
        assert f"{folder} is {state}: is the drive connected? Showing what was known" in told.err
        folder.mkdir(exist_ok=True)
    assert person.ask("index", folder.with_name("photos")).code == 2  # never known


def test_a_library_of_which_nothing_is_shown_says_why(person: Person, folder: Path) -> None:
    person.ask("index", folder)
    (folder / "notes.txt").touch()
    for path in folder.glob("*.webp"):
        path.unlink()
    told = person.ask("index", folder)
    assert (told.code, "nothing is shown: all 6 known images are away: " in told.err) == (0, True)
    assert told.out.startswith("0 images: 0 new, 0 changed, 0 unchanged, 6 away;")
    refused = person.ask("search", folder, "tree")
    assert (refused.code, refused.refusal) == (2, f"nothing is shown: all 6 known images are away: {folder}")
