"""Phrases to lights, with the real text encoder on real pictures."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from atlas_rt.core.records import Runtime, SearchAnswer
from atlas_rt.library.store import Store
from atlas_rt.ml.corpus import Corpus
from atlas_rt.ml.labels import SURE
from atlas_rt.ml.registry import Model
from atlas_rt.services.scenes import Arrival
from atlas_rt.services.search import RESULTS, Query, SearchService, _best_rows
from tests.libraries import Library, wait_for


@pytest.fixture(scope="module")
def service(model: Model, indexed: Library) -> Iterator[SearchService]:
    service = SearchService(model, indexed.place, runtime=Runtime(cache=indexed.cache))
    yield service
    service.close()


def query_of(text: str, arrival: Arrival) -> Query:
    return Query(text, arrival.scene.ids, arrival.corpus)


def answer(service: SearchService, query: Query) -> SearchAnswer:
    service.ask(query)
    found: SearchAnswer = wait_for(service.take)
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
    service: SearchService, arrival: Arrival, ids: dict[str, int], phrase: str, titles: set[str]
) -> None:
    found = answer(service, query_of(phrase, arrival))
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
    service: SearchService, arrival: Arrival, ids: dict[str, int]
) -> None:
    found = answer(service, query_of("a guitar", arrival))
    assert found.lights.shape == (138,)
    assert found.lights.dtype == np.float32
    brightest = arrival.scene.ids[np.argsort(-found.lights)[:2]]
    assert set(brightest) == {ids["acoustic guitar"], ids["electric guitar"]}
    assert found.lights.max() > 4.0
    assert abs(np.median(found.lights)) < 0.1


def test_what_is_not_there_is_no_match(service: SearchService, arrival: Arrival) -> None:
    found = answer(service, query_of("xyzzy", arrival))
    assert {match.band for match in found.best} == {"none"}


@pytest.mark.parametrize("phrase", ["", " ", "猫", "🎸", "word " * 5000, "a\0b"])
def test_any_phrase_is_answered(service: SearchService, arrival: Arrival, phrase: str) -> None:
    found = answer(service, query_of(phrase, arrival))
    assert found.query == phrase
    assert np.isfinite(found.lights).all()


def test_an_empty_library_has_no_matches(service: SearchService, model: Model) -> None:
    nothing = Query("a guitar", np.zeros(0, np.int64), Corpus(np.zeros((0, model.dim), np.float32)), 1)
    found = answer(service, nothing)
    assert (found.best, found.lights.shape, found.error) == ((), (0,), "")


def test_a_library_of_one_image_is_searched(service: SearchService, arrival: Arrival) -> None:
    found = answer(service, Query("a guitar", arrival.scene.ids[:1], Corpus(arrival.corpus.whole()[:1]), 1))
    assert [match.id for match in found.best] == [arrival.scene.ids[0]]


def test_only_the_newest_phrase_is_answered(model: Model, arrival: Arrival, indexed: Library) -> None:
    """Those before it were asked while the service was still opening its session."""
    service = SearchService(model, indexed.place, runtime=Runtime(cache=indexed.cache))
    for text in ("g", "gu", "gui", "guitar"):
        service.ask(query_of(text, arrival))
    assert wait_for(service.take).query == "guitar"
    time.sleep(0.05)
    assert service.take() is None
    assert service.provider == "CPU"
    service.close()
    assert not service._thread.is_alive()


def test_a_model_that_is_not_here_is_said_with_each_answer(
    model: Model, arrival: Arrival, indexed: Library, tmp_path: Path
) -> None:
    file = dataclasses.replace(model.text.file, path=tmp_path / "text.onnx")
    text = dataclasses.replace(model.text, file=file)
    service = SearchService(dataclasses.replace(model, text=text), indexed.place, runtime=Runtime(cache=indexed.cache))
    found = answer(service, query_of("a guitar", arrival))
    assert found.error.startswith("A model file cannot be read")
    assert found.best == ()
    assert found.lights.tolist() == [0.0] * 138
    service.close()


@pytest.fixture
def labelled(library: Library, ids: dict[str, int]) -> Iterator[SearchService]:
    """Searches a library of which two tigers and a guitar are labelled so."""
    with Store.open(library.place.folder, writable=True) as store:
        store.label(library.model.id, {int(id_): [("thing", 0.9)] for id_ in ids.values()})
        for title in ("tiger face", "tiger walking"):
            store.label(library.model.id, {ids[title]: [("tiger", 0.5), ("big cat", 0.4), ("salad", SURE / 2)]})
        store.label(library.model.id, {ids["acoustic guitar"]: [("Guitar", 0.9)]})
        store.label("another-model", {ids["acoustic guitar"]: [("tiger", 0.9)]})
    service = SearchService(library.model, library.place, runtime=Runtime(cache=library.cache))
    yield service
    service.close()


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
    labelled: SearchService, arrival: Arrival, ids: dict[str, int], text: str, titles: list[str]
) -> None:
    found = answer(labelled, query_of(text, arrival))
    assert sorted(match.id for match in found.best) == sorted(ids[title] for title in titles)
    dark = np.isin(arrival.scene.ids, [ids[title] for title in titles], invert=True)
    assert (found.lights[dark] == 0.0).all()


def test_a_label_alone_is_a_match_and_words_beside_it_are_judged(
    labelled: SearchService, arrival: Arrival, ids: dict[str, int]
) -> None:
    alone = answer(labelled, query_of("label:tiger", arrival))
    assert "none" not in {match.band for match in alone.best}
    mixed = answer(labelled, query_of("quarterly report label:tiger", arrival))
    assert {match.band for match in mixed.best} == {"none"}
    others = answer(labelled, query_of("a tiger -label:tiger", arrival))
    assert len(others.best) == RESULTS
    assert not {match.id for match in others.best} & {ids["tiger face"], ids["tiger walking"]}


def test_a_label_that_no_image_has_is_said_with_the_nearest(labelled: SearchService, arrival: Arrival) -> None:
    found = answer(labelled, query_of("label:gitar", arrival))
    assert found.best == ()
    assert found.error == "No image here is labelled “gitar”. The nearest label is “Guitar”."
    assert answer(labelled, query_of("label:qwxz", arrival)).error == "No image here is labelled “qwxz”."


def test_equal_scores_are_listed_in_the_order_of_rows() -> None:
    scores = np.array([0.1, 0.5, 0.5, 0.2, 0.5, 0.9], np.float32)
    assert _best_rows(scores, 3) == [5, 1, 2]
    assert _best_rows(scores, 99) == [5, 1, 2, 4, 3, 0]
    assert _best_rows(scores[:0], 5) == _best_rows(scores, 0) == []
