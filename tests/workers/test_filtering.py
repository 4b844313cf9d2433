"""The thread of filters over a real library: codes agree with the store, and what changes meanwhile is heard."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from atlas_rt.core.metadata import ORIGINAL, Metadata
from atlas_rt.core.rows import IdMask
from atlas_rt.core.scene import Scene
from atlas_rt.library.metadata.file_metadata import FileMetadata
from atlas_rt.library.store import StoreReader
from atlas_rt.library.store_writer import StoreWriter
from atlas_rt.search.fields import condition_of, read
from atlas_rt.workers import filtering
from atlas_rt.workers.conditions import passing
from atlas_rt.workers.filtering import FilterAnswer, FilterRequest, FilterWorker, answer_of
from atlas_rt.workers.scenes import Arrival, SceneReader
from tests.libraries import Library, wait_for

CAMERAS = ("NIKON D90", "NIKON D90s", "CONTAX T3", "")
FOLDERS = ("", "a", "a/b", "ab", "a b/c|d", "A")


@pytest.fixture(scope="module")
def told(indexed: Library, tmp_path_factory: pytest.TempPathFactory) -> Library:
    """The library with cameras, dates, ratings and folders, in a copy."""
    library = indexed.copy(tmp_path_factory.mktemp("told"))
    with StoreWriter.open(library.place.folder) as store:
        rows = store.database.rows("SELECT id, path FROM images WHERE state = 'ready' ORDER BY id")
        moved = [
            (os.fsencode(library.source / FOLDERS[id_ % 6] / Path(os.fsdecode(path)).name), id_) for id_, path in rows
        ]
        store.database.write("UPDATE images SET path = ? WHERE id = ?", moved)
        store.put_metadata({id_: FileMetadata(known_of(id_)) for id_, _ in rows})
        while store.renew_texts():
            pass
    return library


def known_of(id_: int) -> Metadata:
    year = 1950 + id_ % 80
    secs = float(np.datetime64(f"{year}-07-01", "s").astype(np.int64))
    known = Metadata(camera=CAMERAS[id_ % 4], rating=id_ % 7 - 1 or None, keywords=("Grandma",) if id_ % 5 == 0 else ())
    return replace(known, taken=f"{year}-07-01T00:00:00", taken_secs=secs, taken_from=ORIGINAL)


@pytest.fixture(scope="module")
def scene(told: Library) -> Scene:
    arrival = SceneReader(told.place, model=told.model.id, dim=told.model.dim).read()
    assert arrival is not None
    return arrival.scene


@pytest.fixture
def worker(told: Library) -> Iterator[FilterWorker]:
    worker = FilterWorker(told.place)
    yield worker
    worker.close()


def asked(worker: FilterWorker, text: str, scene: Scene, *, counted: bool = True, again: bool = False) -> FilterAnswer:
    """The last answer to a request."""
    worker.ask(FilterRequest(read(text).conditions, scene, counted=counted, again=again))
    answers: list[FilterAnswer] = []

    def whole() -> bool:
        answer = worker.take()
        answers.extend([answer] if answer else [])
        return bool(answers) and bool(answers[-1].facets or answers[-1].error or not counted)

    wait_for(whole)
    return answers[-1]


def names(scene: Scene, answer: FilterAnswer) -> set[str]:
    assert answer.passes is not None
    return {scene.paths[row] for row in np.flatnonzero(answer.passes).tolist()}


def test_each_value_lets_through_what_its_count_says_and_what_a_search_for_it_finds(
    told: Library, scene: Scene
) -> None:
    """In the language of fields, as the box reads it: the two ways never differ."""
    images, model = IdMask(scene.ids), told.model.id
    with StoreReader.open(told.place.folder) as store:
        answer = answer_of(FilterRequest((), scene), store, model)
        assert answer.days is not None
        assert answer.days.images.sum() == len(scene.ids)
        seen = set()
        for facet, counts in answer.facets:
            for value, count in list(zip(facet.values, counts.tolist(), strict=True))[:40]:
                condition = condition_of(facet.field, value, whole=True)
                assert condition is not None
                found = answer_of(FilterRequest((condition,), scene, counted=False), store, model)
                by_store, sentences = passing((condition,), images, store=store, scene=scene, model_id=model)
                assert found.passes is not None
                assert found.passes.sum() == count > 0, (facet.field, value)
                assert np.array_equal(found.passes, by_store), (facet.field, value)
                assert not sentences
                seen.add(facet.field)
        assert seen == {"date", "folder", "camera", "type", "rating", "cluster", "label"}


def test_a_folder_holds_what_lies_in_it_and_no_other_that_begins_so(
    told: Library, scene: Scene, worker: FilterWorker
) -> None:
    inside = names(scene, asked(worker, "folder:=a", scene))
    assert {Path(path).parent.relative_to(told.source).as_posix() for path in inside} == {"a", "a/b"}
    (folder,) = (facet for facet, _ in asked(worker, "", scene).facets if facet.field == "folder")
    assert folder.values.index("a/b") == folder.values.index("a") + 1


def test_what_is_typed_is_found_by_its_beginning_and_what_nothing_fulfils_is_told(
    scene: Scene, worker: FilterWorker
) -> None:
    typed, whole = asked(worker, "camera:nikon", scene), asked(worker, 'camera:="nikon d90"', scene)
    assert typed.passes is not None
    assert whole.passes is not None
    assert typed.passes.sum() > whole.passes.sum() > 0
    assert asked(worker, "keyword:grand", scene).passes is not None
    either = asked(worker, 'camera:="nikon d90|contax t3"', scene)
    assert either.passes is not None
    assert either.passes.sum() > whole.passes.sum()
    nothing = asked(worker, "camera:leica date:1999", scene)
    assert nothing.remarks == ("No image here fulfils camera:leica.",)
    assert asked(worker, 'label:"notaword"', scene).remarks[0].startswith("No image here is labelled")


def test_counts_are_of_what_a_query_lights(scene: Scene, worker: FilterWorker) -> None:
    lights = np.zeros(len(scene.ids), np.float32)
    lights[:7] = 3.0
    worker.ask(FilterRequest((), scene, lights))
    answers: list[FilterAnswer] = []
    wait_for(lambda: (answer := worker.take()) is not None and (answers.append(answer) or bool(answer.facets)))
    (kinds,) = (counts for facet, counts in answers[-1].facets if facet.field == "type")
    assert kinds.sum() == 7
    assert answers[-1].passes is None


def test_what_is_written_meanwhile_is_heard(
    library: Library, arrival: Arrival, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filtering, "READ_AGAIN_SECS", 0.0)
    scene, worker = arrival.scene, FilterWorker(library.place)
    try:
        assert not asked(worker, "rating:5", scene).passes.any()  # type: ignore[union-attr]
        worker.ask(FilterRequest(read("rating:5").conditions, scene, again=True))
        with StoreWriter.open(library.place.folder) as store:
            store.put_metadata({int(scene.ids[3]): FileMetadata(Metadata(rating=5))})
        answers: list[FilterAnswer] = []

        def rated() -> bool:
            worker.ask(FilterRequest(read("rating:5").conditions, scene, again=True))
            answers.extend([answer] if (answer := worker.take()) else [])
            return bool(answers) and answers[-1].passes is not None and bool(answers[-1].passes.any())

        wait_for(rated)
        assert answers[-1].passes is not None
        assert np.flatnonzero(answers[-1].passes).tolist() == [3]
    finally:
        worker.close()


@pytest.mark.usefixtures("quick_retries")
def test_a_library_that_cannot_be_read_is_told_and_answered_once_it_can(library: Library, arrival: Arrival) -> None:
    file = library.place.folder / "library.db"
    away = file.with_name("away.db")
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.move(file, away)
    worker = FilterWorker(library.place)
    try:
        answer = asked(worker, "type:webp", arrival.scene)
        assert "There is no library" in answer.error
        assert answer.passes is None
        shutil.move(away, file)
        answer = asked(worker, "type:webp", arrival.scene)
        assert not answer.error
        assert answer.passes is not None
        assert answer.passes.all()
    finally:
        worker.close()
