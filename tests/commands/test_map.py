"""`map`: those that are kept, a new one, the one before."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

import numpy as np
import pytest

from atlas_rt.core.reports import Progress
from atlas_rt.engine.messages import Published, Refit
from atlas_rt.engine.process import EngineProcess
from atlas_rt.library import maps
from tests.commands.person import Person
from tests.libraries import PICTURES, Library, copy_pictures, hear, job_of, same_bits, wait_for


@pytest.fixture
def own(indexed: Library, tmp_path: Path) -> Library:
    return indexed.copy(tmp_path / "own")


def test_a_new_map_keeps_the_old_places_nearly_and_undo_brings_them_back_exactly(
    own: Library, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    person, source = Person(here, own.cache, capsys), str(own.source)
    before = own.map
    fitted = person.ask("map", source, "refit", "--json").document
    after = maps.read_latest(own.model_folder)
    assert after is not None
    assert (fitted["fit"], fitted["images"], fitted["shown"], fitted["generation"]) == (2, 138, True, after.generation)
    shifts = np.linalg.norm(after.positions - before.positions, axis=1)
    assert 0.0 < np.median(shifts) < 0.1
    assert fitted["drift"] == pytest.approx(after.drift, abs=1e-4)
    kept = person.ask("map", source, "--json").document
    assert [(each["fit"], each["shown"]) for each in kept] == [(1, False), (2, True)]
    assert "old images moved by" in person.ask("map", "list", source).lines[-1]

    undone = person.ask("map", "undo", source, "--json").document
    assert (undone["fit"], undone["shown"]) == (1, True)
    again = maps.read_latest(own.model_folder)
    assert again is not None
    assert same_bits(again.positions, before.positions)
    assert again.cluster_records == before.cluster_records
    told = person.ask("map", source, "undo")
    assert (told.code, told.refusal) == (2, "there is no map to go back to")
    assert [each["fit"] for each in person.ask("map", source, "--json").document] == [1]


def test_too_few_images_have_no_fitted_map(person: Person, folder: Path) -> None:
    told = person.ask("map", str(folder), "refit")
    assert (told.code, told.refusal) == (2, "a map is fitted to 10 images or more")
    assert person.ask("map", str(folder), "--json").document == []
    assert person.ask("map", str(folder)).out == (
        "there is no fitted map yet; `atlas-rt index` makes one from 10 images or more\n"
    )


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_a_handful_of_images_has_nothing_to_refit_or_to_go_back_to(person: Person, tmp_path: Path, count: int) -> None:
    folder = copy_pictures(PICTURES[:count], tmp_path / "handful")
    assert person.ask("index", folder).code == (0 if count else 2)
    for does, why in (("refit", "a map is fitted to 10 images or more"), ("undo", "there is no map to go back to")):
        told = person.ask("map", folder, does)
        assert (told.code, told.refusal) == (2, why)
    if count:
        (point,) = person.ask("locate", folder, PICTURES[50], "--json", "--no-update").document
        assert all(np.isfinite(point["position"]))


def test_while_one_process_fits_anew_others_are_told_so_or_read_what_is_there(
    own: Library, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    person, source, before = Person(here, own.cache, capsys), str(own.source), own.map
    window = EngineProcess(job_of(own.place, own.cache, stay=True))
    try:
        hear(window)
        window.tell(Refit())
        hear(window, until=Progress, each=lambda _: None)
        for words in (("map", source, "refit"), ("map", source, "undo"), ("index", source)):
            told = person.ask(*words)
            assert (told.code, told.refusal) == (
                3,
                f"another process is updating this library (process {window.pid} on {socket.gethostname()}); "
                "wait for it, or close it",
            )
        found = person.ask("search", source, "a guitar", "--json", "--top", "1")
        assert found.document["results"][0]["path"].endswith("acoustic-guitar.webp")
        assert found.err.startswith("reading the library as it is now: another process is updating this library")
        assert [each["fit"] for each in person.ask("map", source, "--json").document] == [1]
        assert same_bits(own.map.positions, before.positions)
        hear(window, until=Published)
        assert [each["shown"] for each in person.ask("map", source, "--json").document] == [False, True]
    finally:
        window.stop()
    undone = person.ask("map", source, "undo", "--json").document
    assert (undone["fit"], undone["images"]) == (1, 138)
    assert same_bits(own.map.positions, before.positions)


def test_a_refit_whose_process_is_killed_leaves_the_old_map_and_may_be_made_again(
    own: Library, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    person, before = Person(here, own.cache, capsys), own.map
    process = person.start("map", own.source, "refit", "--quiet")
    wait_for(lambda: list(own.model_folder.glob(".fit-*/vectors.f32")), why="the vectors of the fit")
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    listed = person.ask("map", own.source, "--json").document
    assert [(each["fit"], each["shown"]) for each in listed] == [(1, True)]
    assert same_bits(own.map.positions, before.positions)
    again = person.ask("map", own.source, "refit", "--json").document
    assert (again["fit"], again["images"]) == (2, 138)
    assert list(own.model_folder.glob(".*")) == []


def test_a_word_that_is_no_source_is_refused(person: Person) -> None:
    told = person.ask("map", "refitt")
    assert told.code == 2
    assert "refitt" in told.refusal
