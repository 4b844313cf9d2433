"""A library whose labels and clusters are shown in another language: nothing of what is stored or found changes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from atlas_rt.core.scene import Scene
from atlas_rt.core.spoken_scene import in_words
from atlas_rt.core.word_names import IN_ENGLISH
from atlas_rt.library.store import StoreReader
from atlas_rt.search.fields import read
from atlas_rt.search.word_names import words_of
from atlas_rt.workers.completions import Completer
from atlas_rt.workers.filtering import FilterRequest, answer_of
from atlas_rt.workers.scenes import Arrival, SceneReader, SceneWorker
from atlas_rt.workers.text_search import TextSearch
from tests.libraries import Library, wait_for


@pytest.fixture(scope="module")
def german(arrival: Arrival) -> Scene:
    return in_words(arrival.scene, words_of("de"))


@pytest.fixture(scope="module")
def texts(indexed: Library) -> Iterator[TextSearch]:
    texts = TextSearch(indexed.place, indexed.model.id)
    yield texts
    texts.close()


def found(texts: TextSearch, typed: str, scene: Scene) -> list[int]:
    passes, _ = texts.passing(read(typed).conditions, scene.ids, scene)
    return [int(id_) for id_ in scene.ids[passes]]


def known_label(texts: TextSearch) -> tuple[str, str]:
    """The commonest label that German has another word for, and that."""
    said = words_of("de").said
    return next((word, said[word]) for word in texts.values("label") if said.get(word, word).lower() != word)


def test_the_vocabularys_names_change_and_all_else_stays(arrival: Arrival, german: Scene) -> None:
    changed = [
        (before.name, after.name)
        for before, after in zip(arrival.scene.cluster_records, german.cluster_records, strict=True)
        if before.named_by == "vocabulary"
    ]
    assert any(before != after for before, after in changed)
    assert german.ids is arrival.scene.ids
    assert [each.english for each in german.cluster_records] == [
        (each.name, each.why) for each in arrival.scene.cluster_records
    ]
    back = in_words(german, IN_ENGLISH)
    assert [each.name for each in back.cluster_records] == [each.name for each in arrival.scene.cluster_records]
    assert [each.words for each in back.subcluster_records] == [each.words for each in arrival.scene.subcluster_records]


def test_a_label_and_a_cluster_are_asked_for_in_either_language(texts: TextSearch, german: Scene) -> None:
    english, shown = known_label(texts)
    images = found(texts, f'label:"{english}"', german)
    assert images
    assert found(texts, f'label:"{shown}"', german) == images
    assert found(texts, f'label:"{shown}"', in_words(german, IN_ENGLISH)) == []
    cluster = next(each for each in german.cluster_records if each.name.isalpha() and each.name != each.english[0])
    assert found(texts, f"cluster:{cluster.name}", german) == found(texts, f'cluster:"{cluster.english[0]}"', german)


def test_values_are_completed_in_the_persons_words_whichever_are_typed(
    texts: TextSearch, german: Scene, indexed: Library
) -> None:
    english, shown = known_label(texts)
    completer = Completer(texts, indexed.place.sources)
    for typed in (english[:3], shown[:3]):
        assert any(shown in each.query for each in completer.completions(f"label:{typed}", german))


def test_facets_read_in_the_persons_words_and_ask_in_english(german: Scene, indexed: Library) -> None:
    with StoreReader.open(indexed.place.folder) as store:
        facets = {facet.field: facet for facet, _ in answer_of(FilterRequest((), german), store, german.model).facets}
        label = facets["label"]
        value, text = next(
            (value, text) for value, text in zip(label.values, label.texts, strict=True) if text != value
        )
        assert label.text(value) == text == german.words.shown(value)
        for typed in (value, german.words.plain(value)):
            conditions = read(f'label:="{typed}"').conditions
            passes = answer_of(FilterRequest(conditions, german, counted=False), store, german.model).passes
            assert passes is not None
            assert np.array_equal(passes, label.having([value], len(german.ids)))
    assert set(facets["cluster"].texts) == {each.name for each in german.cluster_records if each.name}


def test_another_language_brings_the_newest_scene_again_and_reads_nothing(indexed: Library) -> None:
    worker = SceneWorker(SceneReader(indexed.place, model=indexed.model.id, dim=indexed.model.dim))
    try:
        worker.poke()
        first = wait_for(worker.take)
        worker.speak(words_of("ja"))
        second = wait_for(worker.take)
        assert (second.scene.words.code, second.scene.ids is first.scene.ids) == ("ja", True)
        assert len(second.tiles) == 0
        assert worker.newest is not None
        assert worker.newest.scene.words.code == "ja"
    finally:
        worker.close()
