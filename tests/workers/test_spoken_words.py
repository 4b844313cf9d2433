"""A library whose labels and clusters are shown in another language: nothing of what is stored or found changes."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from atlas_rt.core.scene import Scene
from atlas_rt.core.spoken_scene import in_words
from atlas_rt.core.word_names import IN_ENGLISH
from atlas_rt.library.store import StoreReader
from atlas_rt.search.fields import read
from atlas_rt.search.filters import Filters
from atlas_rt.search.word_names import words_of
from atlas_rt.window.filter_state import chip_of
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


@pytest.fixture(scope="module")
def french(arrival: Arrival, indexed: Library, tmp_path_factory: pytest.TempPathFactory) -> tuple[Scene, Library]:
    """With labels that French mixes up: it calls a dress `robe`, and both an office and a desk `bureau`."""
    home = indexed.copy(tmp_path_factory.mktemp("french"))
    planted = ("dress", "robe", "office", "desk", "bra", "arm", "Chien", "(mine) own (too)")
    with contextlib.closing(sqlite3.connect(home.place.folder / "library.db")) as database:
        for id_, word in zip(arrival.scene.ids.tolist(), planted, strict=False):
            database.execute("INSERT INTO labels VALUES (?, ?, ?, 0.9)", (arrival.scene.model, id_, word))
        database.commit()
    return in_words(arrival.scene, words_of("fr")), home


@pytest.mark.parametrize("code", ["fr", "en"])
def test_a_value_of_a_facet_is_that_label_whatever_other_word_is_called_so(
    french: tuple[Scene, Library], code: str
) -> None:
    scene = in_words(french[0], words_of(code))
    with StoreReader.open(french[1].place.folder) as store:
        facets = {facet.field: facet for facet, _ in answer_of(FilterRequest((), scene), store, scene.model).facets}
        assert len(set(facets["label"].texts)) == len(facets["label"].texts)
        for value in ("robe", "dress", "desk", "Chien", "(mine) own (too)"):
            asked = FilterRequest(Filters().toggled("label", value).conditions, scene, counted=False)
            passes = answer_of(asked, store, scene.model).passes
            assert passes is not None
            assert passes.tolist() == facets["label"].having([value], len(scene.ids)).tolist(), value
            assert chip_of(asked.conditions[0], scene.words, facets["label"]).text == facets["label"].text(value)


def test_a_word_that_is_typed_finds_all_that_is_called_so(french: tuple[Scene, Library]) -> None:
    scene, home = french
    texts = TextSearch(home.place, scene.model)
    try:
        dress, robe, office, desk, bra, arm, chien, _ = (found(texts, f'label:="{word}"', scene) for word in (
            "dress", "robe", "office", "desk", "bra", "arm", "Chien", "(mine) own (too)"
        ))  # fmt: skip
        assert found(texts, "label:bureau", scene) == sorted({*office, *desk})
        assert found(texts, "label:robe", scene) == sorted({*dress, *robe})
        assert found(texts, "label:bras", scene) == arm
        assert set(chien) < {*found(texts, "label:chien", scene)}
        assert bra
        completions = [each.query for each in Completer(texts, home.place.sources).completions("label:bur", scene)]
        assert len(completions) == len(set(completions))
    finally:
        texts.close()


def test_what_would_be_called_alike_on_one_map_keeps_its_english(arrival: Arrival) -> None:
    one, other, *rest = arrival.scene.cluster_records
    given = [replace(one, name="office", named_by="vocabulary"), replace(other, name="desk", named_by="vocabulary")]
    scene = replace(arrival.scene, cluster_records=(*given, *rest))
    shown = in_words(scene, words_of("fr"))
    assert [each.name for each in shown.cluster_records[:2]] == ["bureau (office)", "bureau (desk)"]
    again = in_words(in_words(shown, words_of("ar")), words_of("de"))
    assert [each.name for each in again.cluster_records[:2]] == ["Büro", words_of("de").shown("desk")]
    assert in_words(again, IN_ENGLISH).cluster_records[:2] == tuple(
        replace(each, stored=each.english) for each in given
    )


def test_another_language_brings_the_newest_scene_again_and_reads_nothing(indexed: Library) -> None:
    worker = SceneWorker(SceneReader(indexed.place, model=indexed.model.id, dim=indexed.model.dim))
    try:
        worker.poke()
        first = wait_for(worker.take)
        worker.speak("ja")
        second = wait_for(worker.take)
        assert (second.scene.words.code, second.scene.ids is first.scene.ids) == ("ja", True)
        assert len(second.tiles) == 0
        assert worker.newest is not None
        assert worker.newest.scene.words.code == "ja"
    finally:
        worker.close()
