"""What is told of one image."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from atlas_rt.core.hud import ImageFacts
from atlas_rt.core.records import LibraryPlace
from atlas_rt.core.stacks import stacks_of
from atlas_rt.library.storewriter import StoreWriter
from atlas_rt.ml.corpus import Corpus
from atlas_rt.ml.labels import SURE
from atlas_rt.services.facts import FactsService, Question, facts_of, nearest_images
from atlas_rt.services.scenes import Arrival
from tests.libraries import Library, wait_for


@pytest.fixture(scope="module")
def service(indexed: Library) -> Iterator[FactsService]:
    service = FactsService(indexed.place)
    yield service
    service.close()


def told(service: FactsService, arrival: Arrival, id_: int, *, neighbours: bool = True) -> ImageFacts:
    service.ask(Question(id_, arrival.scene, arrival.corpus, neighbours))
    facts: ImageFacts = wait_for(service.take)
    return facts


def test_an_image_is_told_by_its_file_its_words_and_its_cluster(
    service: FactsService, arrival: Arrival, indexed: Library, ids: dict[str, int]
) -> None:
    facts = told(service, arrival, ids["acoustic guitar"])
    file = indexed.source / "acoustic-guitar.webp"
    assert (facts.id, facts.path) == (ids["acoustic guitar"], str(file))
    with Image.open(file) as image:
        assert (facts.width_px, facts.height_px) == image.size
    assert "guitar" in [word for word, _ in facts.labels]
    confidences = [confidence for _, confidence in facts.labels]
    assert confidences == sorted(confidences, reverse=True)
    row = list(arrival.scene.ids).index(facts.id)
    names = {record.id: record.name for record in arrival.scene.cluster_records}
    assert facts.cluster == names.get(int(arrival.scene.clusters[row]), "")


def test_its_neighbours_are_the_most_similar_nearest_first(
    service: FactsService, arrival: Arrival, ids: dict[str, int]
) -> None:
    facts = told(service, arrival, ids["tiger face"])
    assert len(facts.neighbours) == 12
    assert facts.neighbours[0][0] == ids["tiger walking"]
    assert facts.id not in [id_ for id_, _ in facts.neighbours]
    scores = [score for _, score in facts.neighbours]
    assert scores == sorted(scores, reverse=True)


def test_under_the_pointer_no_neighbours_are_looked_for(
    service: FactsService, arrival: Arrival, ids: dict[str, int]
) -> None:
    assert told(service, arrival, ids["tiger face"], neighbours=False).neighbours == ()


def test_the_newest_question_is_answered_last(service: FactsService, arrival: Arrival) -> None:
    for id_ in arrival.scene.ids[:40]:
        service.ask(Question(int(id_), arrival.scene, arrival.corpus, neighbours=True))
    wait_for(lambda: (facts := service.take()) and facts.id == arrival.scene.ids[39])


def test_words_of_another_model_are_not_mixed_in(library: Library, arrival: Arrival, ids: dict[str, int]) -> None:
    with StoreWriter.open(library.place.folder) as store:
        store.label("another-model", {ids["tiger face"]: [("nonsense", 1.0)]})
    service = FactsService(library.place)
    words = [word for word, _ in told(service, arrival, ids["tiger face"]).labels]
    service.close()
    assert words
    assert "nonsense" not in words


def test_words_that_are_mostly_wrong_are_not_told(library: Library, arrival: Arrival, ids: dict[str, int]) -> None:
    with StoreWriter.open(library.place.folder) as store:
        store.label(library.model.id, {ids["tiger face"]: [("tiger", 0.6), ("wave", SURE), ("salad", SURE / 2)]})
    service = FactsService(library.place)
    assert told(service, arrival, ids["tiger face"]).labels == (("tiger", 0.6), ("wave", SURE))
    service.close()


def test_without_its_library_an_image_has_no_words(arrival: Arrival, tmp_path: Path) -> None:
    service = FactsService(LibraryPlace(tmp_path, ()))
    facts = told(service, arrival, int(arrival.scene.ids[0]))
    assert facts.labels == ()
    assert facts.path == arrival.scene.paths[0]
    service.close()


def test_one_image_alone_has_no_neighbours(arrival: Arrival) -> None:
    vectors = arrival.corpus.whole()
    assert nearest_images(arrival.scene, Corpus(vectors[:1]), 0, 12) == ()
    two = nearest_images(arrival.scene, Corpus(vectors[:2]), 0, 12)
    assert [id_ for id_, _ in two] == [arrival.scene.ids[1]]
    assert two[0][1] == pytest.approx(float(vectors[0] @ vectors[1]), abs=1e-5)


def test_closing_ends_the_thread_at_once(indexed: Library) -> None:
    service = FactsService(indexed.place)
    begun = time.monotonic()
    service.close()
    assert time.monotonic() - begun < 1.0
    assert not service._thread.is_alive()


def test_an_image_of_a_stack_knows_which_of_how_many_it_is(arrival: Arrival) -> None:
    leaders = arrival.scene.ids.copy()
    leaders[[5, 9]] = leaders[2]
    scene = dataclasses.replace(arrival.scene, stacks=stacks_of(leaders))
    for row, words in ((2, "1 of 3 alike"), (5, "2 of 3 alike"), (9, "3 of 3 alike"), (3, "")):
        question = Question(int(scene.ids[row]), scene, arrival.corpus, neighbours=False)
        assert facts_of(question, ()).alike_words == words
    alone = Question(int(scene.ids[2]), arrival.scene, arrival.corpus, neighbours=False)
    assert facts_of(alone, ()).alike_words == ""
