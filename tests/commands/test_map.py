"""`map`: those that are kept, a new one, the one before."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from atlas_rt.library import maps
from tests.commands.person import Person
from tests.libraries import Library, same_bits


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


def test_a_word_that_is_no_source_is_refused(person: Person) -> None:
    told = person.ask("map", "refitt")
    assert told.code == 2
    assert "refitt" in told.refusal
