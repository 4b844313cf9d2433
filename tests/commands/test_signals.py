"""Ctrl-C and SIGTERM in mid-work: the exit code of a shell, everything found so far kept, no process left behind."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from atlas_rt.library.cache_layout import place_of
from tests.commands.person import PATIENCE_SECS, Person, environment, images_of
from tests.libraries import PICTURES, Library, copy_pictures, listing, wait_for


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """Enough pictures for two seconds and more on one thread."""
    return copy_pictures(PICTURES[:200], tmp_path / "many")


@pytest.mark.parametrize(
    ("number", "code", "whole_group", "said"),
    [
        (signal.SIGINT, 130, True, "interrupted; everything found so far is kept\n"),
        (signal.SIGINT, 130, False, "interrupted; everything found so far is kept\n"),
        (signal.SIGTERM, 143, True, ""),
        (signal.SIGTERM, 143, False, ""),
    ],
)
def test_what_was_found_is_kept(
    person: Person, many: Path, number: signal.Signals, code: int, whole_group: bool, said: str
) -> None:
    before = listing(many)
    process = person.start("index", many, "--json", ATLAS_RT_THREADS="1")
    wait_for(lambda: images_of(many, person.cache) >= 16, why="the first images")
    if whole_group:
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    out, err = process.communicate(timeout=PATIENCE_SECS)
    assert (process.returncode, out) == (code, "")
    told = [line for line in err.splitlines(keepends=True) if not line.startswith("indexing ")]  # it may take seconds
    assert "".join(told) == said
    kept = images_of(many, person.cache)
    assert 16 <= kept < 200
    wait_for(lambda: not group_lives(process.pid), why="the end of the engine")
    assert listing(many) == before
    listed = person.ask("library", "list", "--json").document
    assert listed[0]["images"] == kept


def group_lives(group: int) -> bool:
    """Whether a process of a group still runs; one that has ended and waits to be counted does not."""
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit():
                state, _, its_group = (entry / "stat").read_text().rpartition(")")[2].split()[:3]
                if int(its_group) == group and state != "Z":
                    return True
        except (FileNotFoundError, ProcessLookupError):
            continue
    return False


def test_it_goes_on_where_it_was_stopped(person: Person, folder: Path) -> None:
    """Six pictures, so that there is no fit."""
    process = person.start("index", folder)
    wait_for(place_of((str(folder),), person.cache, make=False).folder.exists, why="the library")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=PATIENCE_SECS)
    kept = images_of(folder, person.cache)
    report = person.ask("index", folder, "--json").document
    assert (report["images"], report["new"], report["unchanged"]) == (6, 6 - kept, kept)


def test_ctrl_c_is_heard_where_a_script_started_it_in_the_background(person: Person, many: Path) -> None:
    """A shell without job control has the signal ignored for what it starts with `&`."""
    words = shlex.join(person.command(["index", many]))
    script = f"{words} & child=$!; read _; kill -INT $child; wait $child; echo $?"
    shell = subprocess.Popen(
        ["sh", "-c", script],
        cwd=person.here,
        env=environment() | {"ATLAS_RT_THREADS": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for(lambda: images_of(many, person.cache) >= 16, why="the first images")
    out, _ = shell.communicate("now\n", timeout=PATIENCE_SECS)
    assert out == "130\n"


@pytest.mark.parametrize("secs", [0.03, 0.08, 0.15])
def test_ctrl_c_while_it_only_begins_gives_no_traceback(reader: Person, library: Library, secs: float) -> None:
    """secs: after Python itself has started. Before that nothing of ours runs that could hear the signal."""
    begun = time.monotonic()
    subprocess.run([sys.executable, "-c", ""], check=True)
    python_secs = time.monotonic() - begun
    process = reader.start("search", library.source, "a guitar", "--no-update")
    try:
        process.wait(python_secs + secs)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE_SECS)
    assert process.returncode == 130
    assert err in {"", "interrupted; everything found so far is kept\n"}
