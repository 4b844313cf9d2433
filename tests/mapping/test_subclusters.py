"""Groups within a cluster: found where images differ, named, kept, grown by placing and shrunk by removal."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

from atlas_rt.core.arrays import Floats, Ids, Ints
from atlas_rt.core.maps import Map, Subcluster, subclusters_of
from atlas_rt.core.submap import submap
from atlas_rt.engine.placing import ReferenceMap, extended
from atlas_rt.mapping.clusters import find_clusters
from atlas_rt.mapping.subclusters import find_subclusters
from atlas_rt.search.cluster_words import words_from
from atlas_rt.search.labels import Vocabulary

BIRDS = {"owl": 20, "swan": 17, "eagle": 14}
"""Fewer than the smallest cluster has among so many images: 23."""
CARS, OTHERS = 60, 10
DIM = 32


def unit(vectors: Floats) -> Floats:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    """A bird is what all birds have in common."""
    return Vocabulary(("bird", "owl", "swan", "eagle", "car"), np.eye(DIM, dtype=np.float32)[:5], 0.05)


Images = tuple[Floats, Floats]
"""Positions and vectors."""


def some(kind: int, count: int, seed: int) -> Images:
    """Images of one kind of bird (0 to 2), around the place where it stands, cars (3), or another kind that stands
    further out."""
    rng = np.random.default_rng(seed)
    middle = np.eye(DIM)[kind + 1] + (0.7 * np.eye(DIM)[0] if kind < 3 else 0.0)
    places = [[0.2, 0.0, 0.0], [-0.2, 0.0, 0.0], [0.0, 0.25, 0.0]]
    place = np.array([*places, *([2.0 * (i + 1), 0.0, 0.0] for i in range(OTHERS + 2))])[kind]
    positions = place + 0.05 * rng.normal(size=(count, 3))
    return positions.astype(np.float32), unit(middle + 0.05 * rng.normal(size=(count, DIM)))


@pytest.fixture(scope="module")
def images() -> Images:
    """Birds of three kinds, which stand together, cars of one kind, and others that have no word."""
    counts = [*BIRDS.values(), CARS, *([70] * OTHERS)]
    parts = [some(kind, count, kind) for kind, count in enumerate(counts)]
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


def map_of(images: Images, vocabulary: Vocabulary | None, *, ids: Ids | None = None, old: Map | None = None) -> Map:
    """Clusters and subclusters as a fit finds them. vocabulary: None before its words have come."""
    positions, vectors = images
    ids = np.arange(len(positions), dtype=np.int64) if ids is None else ids
    describe = words_from(vocabulary, vectors) if vocabulary else None
    known = {"vectors": vectors, "ids": ids, "paths": [f"/pictures/img_{i}.png" for i in ids], "describe": describe}
    clusters, records = find_clusters(positions, **known, old=old, granularity="few")
    subclusters, within = find_subclusters(positions, clusters=clusters, records=records, **known, old=old)
    return Map(
        ids=ids,
        rows=np.arange(len(ids), dtype=np.int32),
        positions=positions,
        edges=np.zeros((0, 2), np.int32),
        weights=np.zeros(0, np.float32),
        clusters=clusters,
        fitted=np.ones(len(ids), np.bool_),
        cluster_records=records,
        generation=1,
        kind="umap",
        model="model",
        seed=1,
        subclusters=subclusters,
        subcluster_records=within,
    )


@pytest.fixture(scope="module")
def whole(images: Images, vocabulary: Vocabulary) -> Map:
    return map_of(images, vocabulary)


def the_birds(map_: Map) -> int:
    """The id of their cluster."""
    return next(each.id for each in map_.cluster_records if each.name.startswith("bird"))


def names(map_: Map) -> dict[str, int]:
    return {each.name: each.size for each in map_.subcluster_records}


def test_a_cluster_of_three_kinds_divides_into_them_and_one_of_a_single_kind_does_not(whole: Map) -> None:
    assert len(whole.cluster_records) == OTHERS + 2
    birds = the_birds(whole)
    parts = subclusters_of(birds, whole.subcluster_records)
    assert [each.name for each in parts] == ["owl", "swan", "eagle"]
    assert {each.parent for each in whole.subcluster_records} == {birds}
    bounds: list[int] = np.cumsum([0, *BIRDS.values()]).tolist()
    for part, (first, end) in zip(parts, itertools.pairwise(bounds), strict=True):
        rows = np.flatnonzero(whole.subclusters == part.id)
        assert first <= rows.min() <= rows.max() < end
        assert part.size == len(rows) > 0.8 * (end - first)
        assert len(part.exemplars) == 4
        assert set(part.exemplars) <= set(rows.tolist())
        assert part.named_by == "vocabulary"
    assert (whole.subclusters[whole.clusters != birds] == -1).all()


def test_what_only_stands_apart_by_chance_is_no_group(images: Images, vocabulary: Vocabulary) -> None:
    """The places of three kinds, the vectors of one."""
    rng = np.random.default_rng(9)
    vectors = unit(np.eye(DIM)[0] + 0.1 * rng.normal(size=(len(images[0]), DIM)))
    assert map_of((images[0], vectors), vocabulary).subcluster_records == ()


def test_groups_without_words_are_named_after_an_image_and_before_words_come_not_at_all(
    images: Images, vocabulary: Vocabulary
) -> None:
    nothing = Vocabulary(vocabulary.words, np.roll(vocabulary.vectors, 9, axis=1), 0.05)
    found = map_of(images, nothing).subcluster_records
    assert [each.name for each in found] == [f"img_{each.exemplars[0]}" for each in found] != []
    assert {each.named_by for each in found} == {"exemplar"}
    assert {each.name for each in map_of(images, None).subcluster_records} == {""}


def test_a_group_is_called_as_its_cluster_only_where_no_other_word_fits(images: Images) -> None:
    bird = 0.8 * np.eye(DIM)[0] + 0.6 * np.eye(DIM)[1]
    barn_owl = 0.5 * np.eye(DIM)[1] + 0.8 * np.eye(DIM)[20]
    for words, vectors in ((("bird", "barn owl"), [bird, barn_owl]), (("bird",), [bird])):
        found = map_of(images, Vocabulary(words, unit(np.stack(vectors)), 0.05))
        assert found.subcluster_records[0].name == words[-1]


@pytest.mark.parametrize("count", [0, 1, 7, 40])
def test_copies_of_one_image_and_a_handful_of_images_have_no_groups(count: int, vocabulary: Vocabulary) -> None:
    copies = np.ones((count, 3), np.float32), np.tile(np.eye(DIM, dtype=np.float32)[0], (count, 1))
    found = map_of(copies, vocabulary)
    assert found.subclusters.tolist() == [-1] * count
    assert found.subcluster_records == ()


def test_a_group_keeps_its_id_in_the_next_fit(images: Images, vocabulary: Vocabulary, whole: Map) -> None:
    """The swans leave, and images of another kind come to their place: they are not the swans."""
    first, end = BIRDS["owl"], BIRDS["owl"] + BIRDS["swan"]
    vectors = images[1].copy()
    vectors[first:end] = unit(np.eye(DIM)[0] + np.eye(DIM)[20] + 0.05 * np.random.default_rng(5).normal(size=(17, DIM)))
    ids = np.r_[whole.ids[:first], whole.ids[end:], 5000 + np.arange(end - first)]
    rows = np.r_[0:first, end : len(vectors), first:end]
    after = map_of((images[0][rows], vectors[rows]), vocabulary, ids=ids, old=whole)
    before = {each.name: each.id for each in whole.subcluster_records}
    now = {each.name: each.id for each in after.subcluster_records}
    assert len(now) == 3
    assert (now["owl"], now["eagle"]) == (before["owl"], before["eagle"])
    assert max(now.values()) == max(before.values()) + 1


def grown(map_: Map, images: Images, kind: int) -> tuple[Subcluster | None, Ints]:
    """Two more images of a kind are placed: the group that got them, and the subclusters of all."""
    vectors = np.r_[images[1], some(kind, 2, 77)[1]]
    ids = np.arange(len(vectors), dtype=np.int64)
    rows = ids.astype(np.int32)
    reference = ReferenceMap(map_, vectors.__getitem__)
    after = extended(map_, ids, rows, reference=reference, vectors_at=vectors.__getitem__)
    sizes = {each.id: each.size for each in map_.subcluster_records}
    grew = [each for each in after.subcluster_records if each.size == sizes[each.id] + 2]
    return (grew[0] if grew else None), after.subclusters


def test_a_new_image_joins_the_group_of_its_neighbours(images: Images, whole: Map) -> None:
    for kind, name in enumerate(BIRDS):
        group, subclusters = grown(whole, images, kind)
        assert group is not None
        assert group.name == name
        assert subclusters[-2:].tolist() == [group.id] * 2
        assert np.array_equal(subclusters[:-2], whole.subclusters)
    group, subclusters = grown(whole, images, 3)
    assert (group, subclusters[-2:].tolist()) == (None, [-1, -1])


def test_a_map_of_an_earlier_version_grows_without_groups(images: Images, whole: Map) -> None:
    old = dataclasses.replace(whole, subclusters=np.zeros(0, np.int32), subcluster_records=())
    group, subclusters = grown(old, images, 0)
    assert (group, len(subclusters)) == (None, 0)
    kept = submap(old, old.ids > 5)
    assert (len(kept.subclusters), kept.subcluster_records) == (0, ())


def test_a_group_shrinks_with_its_images_until_it_is_none(whole: Map, images: Images) -> None:
    birds = the_birds(whole)
    owl = whole.subcluster_records[0]
    members = np.flatnonzero(whole.subclusters == owl.id)
    for left, told in ((2, {"owl": 2}), (1, {}), (0, {})):
        kept = np.ones(len(whole.ids), np.bool_)
        kept[members[left:]] = False
        others = {name: size for name, size in names(whole).items() if name != "owl"}
        hidden = submap(whole, kept)
        forgotten = extended(
            whole,
            whole.ids[kept],
            whole.rows[kept],
            reference=ReferenceMap(whole, images[1].__getitem__),
            vectors_at=images[1].__getitem__,
        )
        for after in (hidden, forgotten):
            parts = subclusters_of(birds, after.subcluster_records)
            assert {each.name: each.size for each in parts} == told | others
            assert [each.size for each in parts] == sorted((each.size for each in parts), reverse=True)
            assert {id_ for each in after.subcluster_records for id_ in each.exemplars} <= set(after.ids.tolist())
    kept = np.isin(whole.subclusters, [owl.id]) | (whole.clusters != birds)
    assert subclusters_of(birds, submap(whole, kept).subcluster_records) == ()  # one alone divides nothing
