"""What is told of one image."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from atlas_rt.core.hud import ImageFacts
from atlas_rt.core.images import LibraryPlace
from atlas_rt.core.metadata import FILE, NOTHING_KNOWN, Metadata
from atlas_rt.core.stacks import stacks_of
from atlas_rt.library.metadata.file_metadata import FileMetadata
from atlas_rt.library.store_writer import StoreWriter
from atlas_rt.search.labels import SURE
from atlas_rt.search.vector_index import VectorIndex
from atlas_rt.window.panel_state import PanelState
from atlas_rt.workers.facts import FactsRequest, FactsWorker, Stored, facts_of, nearest_images
from atlas_rt.workers.scenes import Arrival
from tests.libraries import Library, wait_for


@pytest.fixture(scope="module")
def worker(indexed: Library) -> Iterator[FactsWorker]:
    worker = FactsWorker(indexed.place)
    yield worker
    worker.close()


def told(worker: FactsWorker, arrival: Arrival, id_: int, *, neighbours: bool = True) -> ImageFacts:
    worker.ask(FactsRequest(id_, arrival.scene, arrival.vector_index, neighbours))
    (facts,) = wait_for(worker.take)
    assert isinstance(facts, ImageFacts)
    return facts


def test_an_image_is_told_by_its_file_its_words_and_its_cluster(
    worker: FactsWorker, arrival: Arrival, indexed: Library, ids: dict[str, int]
) -> None:
    facts = told(worker, arrival, ids["acoustic guitar"])
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
    worker: FactsWorker, arrival: Arrival, ids: dict[str, int]
) -> None:
    facts = told(worker, arrival, ids["tiger face"])
    assert len(facts.neighbours) == 12
    assert facts.neighbours[0][0] == ids["tiger walking"]
    assert facts.id not in [id_ for id_, _ in facts.neighbours]
    scores = [score for _, score in facts.neighbours]
    assert scores == sorted(scores, reverse=True)


def test_under_the_pointer_no_neighbours_are_looked_for(
    worker: FactsWorker, arrival: Arrival, ids: dict[str, int]
) -> None:
    assert told(worker, arrival, ids["tiger face"], neighbours=False).neighbours == ()


def test_the_only_image_of_a_library_has_its_panel_too(arrival: Arrival, worker: FactsWorker) -> None:
    """It has no neighbours; of one that is only hovered they were not looked for."""
    scene, id_ = arrival.scene, int(arrival.scene.ids[0])
    facts = told(worker, arrival, id_)
    alone = dataclasses.replace(facts, neighbours=())
    hovered = told(worker, arrival, id_, neighbours=False)
    state = PanelState()
    state.take_facts(hovered, scene=scene, selected=(id_,), hovered=id_)
    assert (state.selected, state.hovered) == (None, hovered)
    state.take_facts(alone, scene=scene, selected=(id_,), hovered=-1)
    assert state.selected == alone


def test_the_newest_question_is_answered_last(worker: FactsWorker, arrival: Arrival) -> None:
    for id_ in arrival.scene.ids[:40]:
        worker.ask(FactsRequest(int(id_), arrival.scene, arrival.vector_index, neighbours=True))
    wait_for(lambda: arrival.scene.ids[39] in [facts.id for facts in worker.take()])


def test_what_is_hovered_does_not_take_the_panel_of_what_is_selected(worker: FactsWorker, arrival: Arrival) -> None:
    """The pointer moves on while the selected image's neighbours are looked for: its panel never came."""
    for row, neighbours in ((5, True), (6, False), (7, False)):
        worker.ask(FactsRequest(int(arrival.scene.ids[row]), arrival.scene, arrival.vector_index, neighbours))
    found: set[int] = set()
    wait_for(lambda: found.update(facts.id for facts in worker.take()) or len(found) >= 2)
    assert {int(arrival.scene.ids[5]), int(arrival.scene.ids[7])} <= found


def test_words_of_another_model_are_not_mixed_in(library: Library, arrival: Arrival, ids: dict[str, int]) -> None:
    with StoreWriter.open(library.place.folder) as store:
        store.label("another-model", {ids["tiger face"]: [("nonsense", 1.0)]})
    worker = FactsWorker(library.place)
    words = [word for word, _ in told(worker, arrival, ids["tiger face"]).labels]
    worker.close()
    assert words
    assert "nonsense" not in words


def test_words_that_are_mostly_wrong_are_not_told(library: Library, arrival: Arrival, ids: dict[str, int]) -> None:
    with StoreWriter.open(library.place.folder) as store:
        store.label(library.model.id, {ids["tiger face"]: [("tiger", 0.6), ("wave", SURE), ("salad", SURE / 2)]})
    worker = FactsWorker(library.place)
    assert told(worker, arrival, ids["tiger face"]).labels == (("tiger", 0.6), ("wave", SURE))
    worker.close()


def test_what_its_file_tells_is_told(library: Library, arrival: Arrival, ids: dict[str, int]) -> None:
    id_ = ids["tiger face"]
    told_of_it = Metadata(camera="NIKON D90", keywords=("grandma",), rating=4)
    with StoreWriter.open(library.place.folder) as store:
        store.put_metadata({id_: FileMetadata(told_of_it)})
    worker = FactsWorker(library.place)
    assert told(worker, arrival, id_).metadata == told_of_it
    assert told(worker, arrival, ids["acoustic guitar"]).metadata.taken_from == FILE
    worker.close()


def test_without_its_library_an_image_has_no_words(arrival: Arrival, tmp_path: Path) -> None:
    worker = FactsWorker(LibraryPlace(tmp_path, ()))
    facts = told(worker, arrival, int(arrival.scene.ids[0]))
    assert (facts.labels, facts.metadata) == ((), NOTHING_KNOWN)
    assert facts.path == arrival.scene.paths[0]
    worker.close()


def test_one_image_alone_has_no_neighbours(arrival: Arrival) -> None:
    vectors = arrival.vector_index.whole()
    assert nearest_images(arrival.scene, VectorIndex(vectors[:1]), 0, 12) == ()
    two = nearest_images(arrival.scene, VectorIndex(vectors[:2]), 0, 12)
    assert [id_ for id_, _ in two] == [arrival.scene.ids[1]]
    assert two[0][1] == pytest.approx(float(vectors[0] @ vectors[1]), abs=1e-5)


def test_closing_ends_the_thread_at_once(indexed: Library) -> None:
    worker = FactsWorker(indexed.place)
    begun = time.monotonic()
    worker.close()
    assert time.monotonic() - begun < 1.0
    assert not worker._thread.is_alive()


def test_an_image_of_a_stack_knows_which_of_how_many_it_is(arrival: Arrival) -> None:
    leaders = arrival.scene.ids.copy()
    leaders[[5, 9]] = leaders[2]
    scene = dataclasses.replace(arrival.scene, stacks=stacks_of(leaders))
    for row, words in ((2, "1 of 3 alike"), (5, "2 of 3 alike"), (9, "3 of 3 alike"), (3, "")):
        request = FactsRequest(int(scene.ids[row]), scene, arrival.vector_index, neighbours=False)
        assert facts_of(request, Stored()).alike_words == words
    alone = FactsRequest(int(scene.ids[2]), arrival.scene, arrival.vector_index, neighbours=False)
    assert facts_of(alone, Stored()).alike_words == ""
