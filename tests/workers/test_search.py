"""Phrases to lights, with the real text encoder on real pictures."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from atlas_rt.core.answers import SearchAnswer
from atlas_rt.core.query_picture import QueryPicture
from atlas_rt.core.runtime import Runtime
from atlas_rt.encoders.registry import Model
from atlas_rt.library.store_writer import StoreWriter
from atlas_rt.search.labels import SURE
from atlas_rt.search.vector_index import VectorIndex
from atlas_rt.workers.scenes import Arrival
from atlas_rt.workers.search import SearchWorker
from atlas_rt.workers.searcher import RESULTS, Query, best_rows
from tests.libraries import Library, wait_for


@pytest.fixture(scope="module")
def worker(model: Model, indexed: Library) -> Iterator[SearchWorker]:
    worker = SearchWorker(model, indexed.place, runtime=Runtime(cache=indexed.cache))
    yield worker
    worker.close()


def query_of(text: str, arrival: Arrival) -> Query:
    return Query(text, arrival.scene.ids, arrival.vector_index)


def answer(worker: SearchWorker, query: Query) -> SearchAnswer:
    worker.ask(query)
    found: SearchAnswer = wait_for(worker.take)
    return found


@pytest.mark.parametrize(
    ("phrase", "titles"),
    [
        ("a guitar", {"acoustic guitar", "electric guitar"}),
        ("a tiger", {"tiger face", "tiger walking"}),
        ("a house", {"family house", "town houses"}),
        ("something to eat", {"cupcake", "pear"}),
    ],
)
def test_a_phrase_finds_its_pictures_first(
    worker: SearchWorker, arrival: Arrival, ids: dict[str, int], phrase: str, titles: set[str]
) -> None:
    found = answer(worker, query_of(phrase, arrival))
    assert {ids[title] for title in titles} <= {match.id for match in found.best[:3]}
    if phrase != "something to eat":  # no thing by name: the starter finds it, and calls it none all the same
        assert found.best[0].band != "none"
    assert (found.query, found.error) == (phrase, "")
    assert found.ids is arrival.scene.ids
    assert found.encode_ms > 0.0
    assert found.search_ms > 0.0
    scores = [match.score for match in found.best]
    assert scores == sorted(scores, reverse=True)
    assert len(scores) == RESULTS


def test_every_image_gets_a_light_and_what_is_meant_the_brightest(
    worker: SearchWorker, arrival: Arrival, ids: dict[str, int]
) -> None:
    found = answer(worker, query_of("a guitar", arrival))
    assert found.lights.shape == (138,)
    assert found.lights.dtype == np.float32
    brightest = arrival.scene.ids[np.argsort(-found.lights)[:2]]
    assert set(brightest) == {ids["acoustic guitar"], ids["electric guitar"]}
    assert found.lights.max() > 4.0
    assert abs(np.median(found.lights)) < 0.1


def test_what_is_not_there_is_no_match(worker: SearchWorker, arrival: Arrival) -> None:
    found = answer(worker, query_of("xyzzy", arrival))
    assert {match.band for match in found.best} == {"none"}


@pytest.mark.parametrize("phrase", ["", " ", "猫", "🎸", "word " * 5000, "a\0b"])
def test_any_phrase_is_answered(worker: SearchWorker, arrival: Arrival, phrase: str) -> None:
    found = answer(worker, query_of(phrase, arrival))
    assert found.query == phrase
    assert np.isfinite(found.lights).all()


def test_an_empty_library_has_no_matches(worker: SearchWorker, model: Model) -> None:
    nothing = Query("a guitar", np.zeros(0, np.int64), VectorIndex(np.zeros((0, model.dim), np.float32)))
    found = answer(worker, nothing)
    assert (found.best, found.lights.shape, found.error) == ((), (0,), "")


def test_a_library_of_one_image_is_searched(worker: SearchWorker, arrival: Arrival) -> None:
    found = answer(worker, Query("a guitar", arrival.scene.ids[:1], VectorIndex(arrival.vector_index.whole()[:1])))
    assert [match.id for match in found.best] == [arrival.scene.ids[0]]


def test_only_the_newest_phrase_is_answered(model: Model, arrival: Arrival, indexed: Library) -> None:
    """Those before it were asked while the service was still opening its session."""
    worker = SearchWorker(model, indexed.place, runtime=Runtime(cache=indexed.cache))
    for text in ("g", "gu", "gui", "guitar"):
        worker.ask(query_of(text, arrival))
    assert wait_for(worker.take).query == "guitar"
    time.sleep(0.05)
    assert worker.take() is None
    assert worker.provider == "CPU"
    worker.close()
    assert not worker._thread.is_alive()


def test_a_model_that_is_not_here_is_said_with_each_answer(
    model: Model, arrival: Arrival, indexed: Library, tmp_path: Path
) -> None:
    file = dataclasses.replace(model.text.file, path=tmp_path / "text.onnx")
    text = dataclasses.replace(model.text, file=file)
    worker = SearchWorker(dataclasses.replace(model, text=text), indexed.place, runtime=Runtime(cache=indexed.cache))
    found = answer(worker, query_of("a guitar", arrival))
    assert found.error.startswith("A model file cannot be read")
    assert found.best == ()
    assert found.lights.tolist() == [0.0] * 138
    worker.close()


@pytest.fixture
def labelled(library: Library, ids: dict[str, int]) -> Iterator[SearchWorker]:
    """Searches a library of which two tigers and a guitar are labelled so."""
    with StoreWriter.open(library.place.folder) as store:
        store.label(library.model.id, {int(id_): [("thing", 0.9)] for id_ in ids.values()})
        for title in ("tiger face", "tiger walking"):
            store.label(library.model.id, {ids[title]: [("tiger", 0.5), ("big cat", 0.4), ("salad", SURE / 2)]})
        store.label(library.model.id, {ids["acoustic guitar"]: [("Guitar", 0.9)]})
        store.label("another-model", {ids["acoustic guitar"]: [("tiger", 0.9)]})
    worker = SearchWorker(library.model, library.place, runtime=Runtime(cache=library.cache))
    yield worker
    worker.close()


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ("label:tiger", ["tiger face", "tiger walking"]),
        ("label:Tigers", ["tiger face", "tiger walking"]),
        ('label:"big cat" a guitar', ["tiger face", "tiger walking"]),
        ("label:guitar", ["acoustic guitar"]),
        ("label:guitar label:tiger", []),
        ("label:salad", []),
    ],
)
def test_a_label_asks_for_the_images_that_have_it(
    labelled: SearchWorker, arrival: Arrival, ids: dict[str, int], text: str, titles: list[str]
) -> None:
    found = answer(labelled, query_of(text, arrival))
    assert sorted(match.id for match in found.best) == sorted(ids[title] for title in titles)
    dark = np.isin(arrival.scene.ids, [ids[title] for title in titles], invert=True)
    assert (found.lights[dark] == 0.0).all()


def test_a_label_alone_is_a_match_and_words_beside_it_are_judged(
    labelled: SearchWorker, arrival: Arrival, ids: dict[str, int]
) -> None:
    alone = answer(labelled, query_of("label:tiger", arrival))
    assert "none" not in {match.band for match in alone.best}
    mixed = answer(labelled, query_of("quarterly report label:tiger", arrival))
    assert {match.band for match in mixed.best} == {"none"}
    others = answer(labelled, query_of("a tiger -label:tiger", arrival))
    assert len(others.best) == RESULTS
    assert not {match.id for match in others.best} & {ids["tiger face"], ids["tiger walking"]}


def test_a_label_that_no_image_has_is_said_with_the_nearest(labelled: SearchWorker, arrival: Arrival) -> None:
    found = answer(labelled, query_of("label:gitar", arrival))
    assert found.best == ()
    assert found.notices == ("No image here is labelled “gitar”. The nearest label is “Guitar”.",)
    assert answer(labelled, query_of("label:qwxz", arrival)).notices == ("No image here is labelled “qwxz”.",)


def test_equal_scores_are_listed_in_the_order_of_rows() -> None:
    scores = np.array([0.1, 0.5, 0.5, 0.2, 0.5, 0.9], np.float32)
    assert best_rows(scores, 3) == [5, 1, 2]
    assert best_rows(scores, 99) == [5, 1, 2, 4, 3, 0]
    assert best_rows(scores[:0], 5) == best_rows(scores, 0) == []


def test_levels_are_the_bands_of_all_images_and_a_picture_searches_with_words(
    worker: SearchWorker, arrival: Arrival, ids: dict[str, int]
) -> None:
    found = answer(worker, query_of("a tiger", arrival))
    rows = {id_: row for row, id_ in enumerate(arrival.scene.ids.tolist())}
    for match in found.best:
        level = float(found.levels[rows[match.id]])
        assert match.level == level
        assert match.band == ("strong" if level >= 1.0 else "weak" if level >= 0.0 else "none")
    row = rows[ids["tiger face"]]
    picture = QueryPicture("tiger", arrival.vector_index.at(np.array([row], np.int32))[0], ids["tiger face"])
    for listed, first in ((True, "tiger face"), (False, "tiger walking")):
        sought = dataclasses.replace(picture, listed=listed)
        alike = answer(worker, dataclasses.replace(query_of("", arrival), picture=sought))
        assert (alike.best[0].id, alike.picture) == (ids[first], sought)
    led = answer(worker, dataclasses.replace(query_of("-tiger", arrival), picture=picture))
    assert led.asked == "tiger and “-tiger”"
    assert led.best[1].id != ids["tiger walking"]
