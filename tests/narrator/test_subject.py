"""What is asked about: selections, views and two groups, of images that may be gone, twice there or in both groups."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from atlas_rt.core.maps import Cluster
from atlas_rt.core.scene import Scene
from atlas_rt.core.spoken_scene import in_words
from atlas_rt.errors import MissingError
from atlas_rt.library.store import StoreReader
from atlas_rt.library.tile_files import TileFiles
from atlas_rt.narrator.claude import Manner, estimate_usd
from atlas_rt.narrator.contact_sheet import contact_sheet, contact_sheets
from atlas_rt.narrator.subject import difference_subject, selection_subject, subjects_of, view_subject
from atlas_rt.narrator.vocabulary import VocabularyNarrator
from atlas_rt.narrator.wording import description
from atlas_rt.search.labels import Vocabulary, load_vocabulary
from atlas_rt.search.vector_index import VectorIndex
from atlas_rt.search.word_names import words_of
from atlas_rt.workers.scenes import SceneReader
from tests.libraries import Library

GONE = 10_000_000
HORSES, GUITARS, PEOPLE = 2, 5, 8
"""Clusters that words fit."""
explain = VocabularyNarrator().explain


class Source:
    """The demo's library, as a window's thread has it."""

    def __init__(self, library: Library, store: StoreReader) -> None:
        arrival = SceneReader(library.place, model=library.model.id, dim=library.model.dim).read()
        assert arrival is not None
        self.scene: Scene = arrival.scene
        self.vectors: VectorIndex = arrival.vector_index
        self.vocabulary: Vocabulary = load_vocabulary(library.model, library.cache)
        self.store, self.tiles = store, TileFiles(library.place.folder)

    @property
    def read(self) -> tuple[Scene, VectorIndex, StoreReader]:
        return self.scene, self.vectors, self.store

    def cluster(self, place: int) -> tuple[Cluster, list[int]]:
        """One of the clusters, the largest first, and its images."""
        record = self.scene.cluster_records[place]
        return record, self.scene.ids[self.scene.clusters == record.id].tolist()


@pytest.fixture(scope="module")
def source(indexed: Library) -> Iterator[Source]:
    with StoreReader.open(indexed.place.folder) as store:
        yield Source(indexed, store)


def test_a_selection_is_the_same_in_any_order_and_images_that_are_gone_are_passed_over(source: Source) -> None:
    _, ids = source.cluster(0)
    one = selection_subject(ids, *source.read)
    other = selection_subject([GONE, *reversed(ids), ids[0]], *source.read)
    assert (one.kind, one.size, len(one.pictures), one.neighbours) == ("selection", len(ids), 16, ())
    assert description(one, file_names=True) == description(other, file_names=True)
    assert [each.id for each in one.pictures] == [each.id for each in other.pictures]
    for few in ([], [GONE, GONE + 1], [ids[0], ids[0], GONE]):
        with pytest.raises(MissingError, match="Fewer than two of the selected images are on the map"):
            selection_subject(few, *source.read)


def test_a_view_shows_the_first_images_and_may_be_of_one(source: Source) -> None:
    wanted = source.scene.ids[::-1]
    subject = view_subject(wanted, *source.read)
    assert [each.id for each in subject.pictures] == wanted[:16].tolist()
    assert sum(part.size for part in subject.parts) == subject.size == len(wanted)
    one = view_subject([GONE, int(wanted[3])], *source.read)
    assert ([each.id for each in one.pictures], one.sheets) == ([wanted[3]], (one.pictures,))
    assert explain(one).why.startswith("in sight: 1 ")
    with pytest.raises(MissingError, match="No image is in sight"):
        view_subject([GONE], *source.read)


def test_two_groups_have_a_sheet_each_and_the_numbers_run_on(source: Source) -> None:
    (first, firsts), (second, seconds) = source.cluster(0), source.cluster(1)
    subject = difference_subject(firsts, seconds, (first.name, second.name), *source.read)
    assert [len(sheet) for sheet in subject.sheets] == [16, len(seconds)]
    assert {each.id for each in subject.sheets[0]} <= set(firsts)
    assert {each.id for each in subject.sheets[1]} == set(seconds)
    few = difference_subject(firsts[:3], seconds[:2], (first.name, second.name), *source.read)
    sheets = contact_sheets(few, source.tiles)
    assert sheets[1] == contact_sheet(few.sheets[1], source.tiles, first=4)
    assert sheets[1] != contact_sheet(few.sheets[1], source.tiles)
    assert len(sheets) == 2
    manner = Manner("eu.anthropic.claude-haiku-5-5", "en")
    both, one = (estimate_usd(each, manner) for each in (subject, selection_subject(firsts, *source.read)))
    assert both - one > 0.8 * (39 * 39 * 0.1 * 1.1 / 1e6)  # the second sheet's tokens


def test_images_of_both_groups_tell_no_difference(source: Source) -> None:
    _, ids = source.cluster(0)
    halves = difference_subject(ids[:12], ids[8:], ("", ""), *source.read)
    assert [set(halves.ids[:8]), set(halves.ids[8:]), halves.shared] == [set(ids[:8]), set(ids[12:]), 4]
    part = difference_subject(ids[:5], ids, ("", ""), *source.read)
    assert [group.size for group in part.groups] == [5, len(ids) - 5]
    assert '"images_of_both_groups_left_out": 5' in description(part, file_names=False)
    assert explain(part).why.endswith("images in both groups are not compared: 5")
    with pytest.raises(MissingError, match="Both groups have the same images"):
        difference_subject(ids, [*reversed(ids), GONE], ("a", "b"), *source.read)
    with pytest.raises(MissingError, match="The second group has no image on the map"):
        difference_subject(ids, [GONE], ("a", "b"), *source.read)


def test_names_of_persons_are_not_sent(source: Source) -> None:
    (first, firsts), (second, seconds) = source.cluster(0), source.cluster(1)
    renamed = [replace(first, name="Aunt Ada", named_by="user"), *source.scene.cluster_records[1:]]
    scene = replace(source.scene, cluster_records=tuple(renamed))
    read: Any = (scene, source.vectors, source.store)
    compared = difference_subject(firsts, seconds, ("Aunt Ada", second.name), *read)
    for subject in (compared, selection_subject(firsts, *read), view_subject(firsts + seconds, *read)):
        assert "Ada" not in description(subject, file_names=False)
        assert "Ada" in explain(subject).name + explain(subject).why
    assert f'"name": "{second.name}"' in description(compared, file_names=False)


def test_what_is_sent_is_the_same_in_every_language(source: Source) -> None:
    (first, firsts), (second, seconds) = source.cluster(0), source.cluster(1)
    scene = in_words(source.scene, words_of("de"))
    read: Any = (scene, source.vectors, source.store)
    names = tuple(each.name for each in scene.cluster_records[:2])
    assert names != (first.name, second.name)
    for german, english in (
        (view_subject(firsts + seconds, *read), view_subject(firsts + seconds, *source.read)),
        (selection_subject(firsts, *read), selection_subject(firsts, *source.read)),
        (
            difference_subject(firsts, seconds, (names[0], names[1]), *read),
            difference_subject(firsts, seconds, (first.name, second.name), *source.read),
        ),
    ):
        assert description(german, file_names=True) == description(english, file_names=True)


def test_the_vocabulary_tells_what_a_selection_shares_and_what_sets_it_apart(source: Source) -> None:
    record, ids = source.cluster(GUITARS)
    found = explain(selection_subject(ids, *source.read, vocabulary=source.vocabulary))
    alike, apart, where = found.why.split("; ")
    assert alike.startswith("most look like: ")
    assert record.name in alike
    assert apart.startswith("what sets them apart: ")
    assert re.search(rf" {record.name} \(\d\d % here, \d+ % elsewhere\)", apart)
    assert where == f"{len(ids)} of {len(ids)} are in the cluster “{record.name}”"
    assert found.named_by == "vocabulary"
    claim = next(each for each in found.claims if each.text.startswith(f"{record.name}: "))
    assert 0.5 * len(ids) <= int(claim.text.removeprefix(f"{record.name}: ").partition(" of ")[0]) <= len(ids)
    assert set(claim.images) <= set(ids)
    assert explain(selection_subject(ids, *source.read)).why.endswith(where)
    everything = explain(selection_subject(source.scene.ids, *source.read, vocabulary=source.vocabulary))
    assert "sets them apart" not in everything.why
    first, firsts = source.cluster(0)
    count = len(source.scene.cluster_records)
    assert f"they come from {count} clusters: {len(firsts)} of “{first.name}”" in everything.why


def test_of_very_many_images_some_are_looked_at_and_shares_are_told(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("atlas_rt.narrator.subject.LOOKED_AT", 60)
    (first, firsts), all_ids = source.cluster(GUITARS), source.scene.ids.tolist()
    found = explain(view_subject(all_ids, *source.read))
    assert re.search(r"; some look like: \w+ \(\d+ %\)", found.why)
    others = [id_ for id_ in all_ids if id_ not in firsts]
    compared = difference_subject(firsts, others, (first.name, ""), *source.read, vocabulary=source.vocabulary)
    assert re.search(rf"{first.name}: \d+ of {len(firsts)} here, \d+ % there", str(explain(compared).claims))


def test_the_vocabulary_tells_which_clusters_are_in_sight(source: Source) -> None:
    (first, firsts), (second, seconds) = source.cluster(0), source.cluster(1)
    free = source.scene.ids[source.scene.clusters < 0][:1].tolist()
    found = explain(view_subject(seconds[:3] + firsts[:9] + free, *source.read))
    assert found.name == f"{first.name}, {second.name}"
    assert found.why.startswith(f"in sight: 9 of “{first.name}”, 3 of “{second.name}”, 1 in no cluster; ")
    assert (found.claims[1].text, found.claims[1].images) == (
        f"in the cluster “{second.name}”: 3 of 13", tuple(seconds[:3]),
    )  # fmt: skip


def test_the_vocabulary_tells_two_groups_apart_with_images_of_both(source: Source) -> None:
    (first, firsts), (second, seconds) = source.cluster(HORSES), source.cluster(PEOPLE)
    names = (first.name, second.name)
    found = explain(difference_subject(firsts, seconds, names, *source.read, vocabulary=source.vocabulary))
    assert found.name == f"{first.name} and {second.name}"
    assert re.search(rf"“{first.name}” looks more like: [^;]*\b{first.name}\b", found.why)
    counts = re.findall(
        rf"{first.name}: (\d+) of {len(firsts)} here, (\d+) of {len(seconds)} there", str(found.claims)
    )[0]
    assert int(counts[0]) > 4 * int(counts[1])
    assert any(set(claim.images) & set(firsts) and set(claim.images) & set(seconds) for claim in found.claims)


def test_the_vocabulary_gives_clusters_a_caption(source: Source) -> None:
    record, ids = source.cluster(GUITARS)
    (subject,) = subjects_of([record], *source.read)
    why = f"{record.why[0].upper()}{record.why[1:]}"
    assert explain(subject).caption == f"{record.name.capitalize()}, {len(ids)} images. {why}."
    named = replace(subject, name="ours", why="")
    assert explain(replace(named, pictures=())).caption == f"Ours, {len(ids)} images."
    alike = replace(subject.pictures[0], labels=("plan",))
    assert explain(replace(named, pictures=(alike, alike))).caption.endswith("Most of its pictures look like: plan.")
    assert len(explain(replace(subject, why="x" * 300)).caption) < 300


def test_without_labels_it_says_so_in_a_sentence(source: Source) -> None:
    scene = replace(source.scene, model="a model that gave no labels", clusters=np.full_like(source.scene.clusters, -1))
    read: Any = (scene, source.vectors, source.store)
    ids = scene.ids.tolist()
    unknown = "nothing is known of these images, as they have no labels"
    assert explain(selection_subject(ids[:9], *read)).why == unknown
    assert explain(view_subject(ids[:9], *read)).why == f"in sight: 9 in no cluster; {unknown}"
    told = explain(difference_subject(ids[:9], ids[9:20], ("a" * 60, "b"), *read))
    assert (told.why, told.claims, told.name) == (unknown, (), f"{'a' * 26}… and b")
