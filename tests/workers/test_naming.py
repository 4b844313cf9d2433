"""Names of Claude and of a person on a map: found by contents, a person's first, and the window hears of new ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from atlas_rt.library.cluster_names import ClusterNames
from atlas_rt.library.explanations import Explanations, KeptClaim, KeptExplanation, sample_of
from atlas_rt.library.store import StoreReader
from atlas_rt.workers.naming import named_map
from atlas_rt.workers.scenes import SceneReader
from tests.libraries import Library


def contents_of(library: Library, cluster: int) -> frozenset[bytes]:
    with StoreReader.open(library.place.folder) as store:
        return store.content_hashes(library.map.ids[library.map.clusters == cluster].tolist())


def answer(library: Library, cluster: int, name: str, request: str = "r") -> KeptExplanation:
    contents = contents_of(library, cluster)
    claims = (KeptClaim("seen", tuple(sorted(contents)[:2])),)
    kept = sample_of(contents)
    return KeptExplanation(request, name, "why", claims, "m", "en", "2026-11-28", 0.1, len(contents), kept)


def test_a_window_hears_of_an_answer_and_a_person_wins(indexed: Library, tmp_path: Path) -> None:
    names, explanations = ClusterNames(tmp_path), Explanations(tmp_path)
    reader = SceneReader(
        indexed.place, model=indexed.model.id, dim=indexed.model.dim, names=names, explanations=explanations
    )
    assert reader.read() is not None
    reader.read()  # the first reading makes SQLite's log, which is news once
    assert not reader.has_news()
    first, second = (record.id for record in indexed.map.cluster_records[:2])
    explanations.keep(answer(indexed, first, "Claude's first"))
    explanations.keep(answer(indexed, second, "Claude's second", "q"))
    names.give("ours", contents_of(indexed, second))
    assert reader.has_news()
    arrival = reader.read()
    assert arrival is not None
    told = {record.id: (record.name, record.named_by) for record in arrival.scene.cluster_records}
    assert (told[first], told[second]) == (("Claude's first", "claude"), ("ours", "user"))
    assert arrival.explained.keys() == {first, second}


def test_an_answer_is_found_on_another_map_and_a_dropped_name_changes_nothing(indexed: Library, tmp_path: Path) -> None:
    names, explanations = ClusterNames(tmp_path), Explanations(tmp_path)
    first, second = indexed.map.cluster_records[:2]
    explanations.keep(answer(indexed, first.id, "Claude's"))
    explanations.keep(answer(indexed, second.id, "", "q"))
    renumbered = replace(
        indexed.map,
        clusters=np.where(indexed.map.clusters >= 0, indexed.map.clusters + 40, -1).astype(np.int32),
        cluster_records=tuple(replace(each, id=each.id + 40) for each in indexed.map.cluster_records),
    )
    with StoreReader.open(indexed.place.folder) as store:
        named = named_map(renumbered, store, names, explanations)
        told = {record.id: (record.name, record.named_by) for record in named.map.cluster_records}
        assert told[first.id + 40] == ("Claude's", "claude")
        assert told[second.id + 40] == (second.name, second.named_by)
        assert named.explained.keys() == {first.id + 40, second.id + 40}
        explanations.path.write_text("{")
        named = named_map(renumbered, store, names, explanations)
    assert "is damaged; its copy of 20" in named.remark
    assert named.explained.keys() == {first.id + 40, second.id + 40}


def test_an_answer_about_the_same_images_replaces_the_old_one(indexed: Library, tmp_path: Path) -> None:
    explanations, cluster = Explanations(tmp_path), indexed.map.cluster_records[0].id
    one = answer(indexed, cluster, "one", "a")
    german = replace(answer(indexed, cluster, "zwei", "b"), language="de")
    for each in (one, german, replace(one, request="c", name="three")):
        explanations.keep(each)
    assert [each.name for each in explanations.read().entries] == ["zwei", "three"]
    assert explanations.answer_to("b") == german
    assert explanations.answer_to("a") is None
