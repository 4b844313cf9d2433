"""Phrases to lights, with the real text encoder on real pictures."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from atlas_rt.core.records import SearchAnswer
from atlas_rt.ml.registry import Model
from atlas_rt.services.scenes import Arrival
from atlas_rt.services.search import RESULTS, Query, SearchService, _best_rows
from tests.libraries import wait_for


@pytest.fixture(scope="module")
def service(model: Model) -> Iterator[SearchService]:
    service = SearchService(model)
    yield service
    service.close()


def query_of(text: str, arrival: Arrival) -> Query:
    return Query(text, arrival.scene.ids, arrival.vectors, arrival.scene.generation)


def answer(service: SearchService, query: Query) -> SearchAnswer:
    service.ask(query)
    found: SearchAnswer = wait_for(service.take)
    return found


@pytest.mark.parametrize(
    ("phrase", "titles"),
    [
        ("a guitar", {"acoustic guitar", "electric guitar"}),
        ("a tiger", {"tiger face", "tiger walking"}),
        ("a house", {"family house", "adobe house"}),
        ("something to eat", {"hot dog", "cupcake"}),
    ],
)
def test_a_phrase_finds_its_pictures_first(
    service: SearchService, arrival: Arrival, ids: dict[str, int], phrase: str, titles: set[str]
) -> None:
    found = answer(service, query_of(phrase, arrival))
    assert {ids[title] for title in titles} <= {match.id for match in found.best[:3]}
    assert found.best[0].band != "none"
    assert (found.query, found.generation, found.error) == (phrase, arrival.scene.generation, "")
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
    nothing = Query("a guitar", np.zeros(0, np.int64), np.zeros((0, model.dim), np.float32), 1)
    found = answer(service, nothing)
    assert (found.best, found.lights.shape, found.error) == ((), (0,), "")


def test_a_library_of_one_image_is_searched(service: SearchService, arrival: Arrival) -> None:
    found = answer(service, Query("a guitar", arrival.scene.ids[:1], arrival.vectors[:1], 1))
    assert [match.id for match in found.best] == [arrival.scene.ids[0]]


def test_only_the_newest_phrase_is_answered(model: Model, arrival: Arrival) -> None:
    """Those before it were asked while the service was still opening its session."""
    service = SearchService(model)
    for text in ("g", "gu", "gui", "guitar"):
        service.ask(query_of(text, arrival))
    assert wait_for(service.take).query == "guitar"
    time.sleep(0.05)
    assert service.take() is None
    assert service.provider == "CPU"
    service.close()
    assert not service._thread.is_alive()


def test_a_model_that_is_not_here_is_said_with_each_answer(model: Model, arrival: Arrival, tmp_path: Path) -> None:
    file = dataclasses.replace(model.text.file, path=tmp_path / "text.onnx")
    service = SearchService(dataclasses.replace(model, text=dataclasses.replace(model.text, file=file)))
    found = answer(service, query_of("a guitar", arrival))
    assert found.error.startswith("A model file cannot be read")
    assert found.best == ()
    assert found.lights.tolist() == [0.0] * 138
    service.close()


def test_equal_scores_are_listed_in_the_order_of_rows() -> None:
    scores = np.array([0.1, 0.5, 0.5, 0.2, 0.5, 0.9], np.float32)
    assert _best_rows(scores, 3) == [5, 1, 2]
    assert _best_rows(scores, 99) == [5, 1, 2, 4, 3, 0]
    assert _best_rows(scores[:0], 5) == _best_rows(scores, 0) == []
