"""Groups with names, reasons and images that show them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from atlas_rt.core.arrays import Floats, Ids, Ints
from atlas_rt.core.maps import Cluster, Map
from atlas_rt.mapping import clusters as module
from atlas_rt.mapping.clusters import GivenName, find_clusters, named_by_person
from atlas_rt.search.cluster_words import words_from
from atlas_rt.search.labels import Vocabulary

GROUPS = {"owl": 40, "car": 30, "tree": 20}


def unit(vectors: Floats) -> Floats:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    words = ("tree", "owl", "bird", "car", "truck")
    vectors = np.zeros((5, 16), np.float32)
    vectors[[0, 1, 3], [2, 0, 1]] = 1.0
    vectors[2, [0, 5]] = 0.8, 0.6
    vectors[4, [1, 6]] = 0.8, 0.6
    return Vocabulary(words, vectors, 0.05)


@pytest.fixture(scope="module")
def library() -> tuple[Floats, Floats, Ids, list[str]]:
    """Three groups that stand apart, and ten images scattered between them."""
    rng = np.random.default_rng(0)
    kinds = np.repeat([0, 1, 2], list(GROUPS.values()))
    vectors = unit(np.eye(16)[kinds] + 0.05 * rng.normal(size=(90, 16)))
    positions = np.array([[0.8, 0, 0], [-0.8, 0, 0], [0, 0.8, 0]])[kinds] + 0.04 * rng.normal(size=(90, 3))
    strays = unit(rng.normal(size=(10, 16)))
    positions = np.concatenate([positions, rng.uniform(-3, 3, size=(10, 3))]).astype(np.float32)
    ids = np.arange(100, dtype=np.int64) * 3 + 7
    return positions, np.concatenate([vectors, strays]), ids, [f"/pictures/img_{i}.png" for i in ids]


Found = tuple[Ints, tuple[Cluster, ...]]


@pytest.fixture(scope="module")
def found(library: tuple[Floats, Floats, Ids, list[str]], vocabulary: Vocabulary) -> Found:
    positions, vectors, ids, paths = library
    return find_clusters(positions, vectors=vectors, ids=ids, paths=paths, describe=words_from(vocabulary, vectors))


def test_groups_are_found_largest_first_and_named(found: Found) -> None:
    numbers, clusters = found
    assert [cluster.id for cluster in clusters] == [0, 1, 2]
    assert [cluster.name for cluster in clusters] == ["owl", "car", "tree"]
    assert [cluster.size for cluster in clusters] == [int((numbers == number).sum()) for number in range(3)]
    assert [cluster.size for cluster in clusters] == sorted((cluster.size for cluster in clusters), reverse=True)
    assert clusters[0].why == "most look like: owl, bird; owl rather than car"
    assert {cluster.named_by for cluster in clusters} == {"vocabulary"}


def test_the_unclustered_stay_so(found: Found) -> None:
    numbers, _ = found
    assert numbers.dtype == np.int32
    assert (numbers[90:] == -1).mean() >= 0.8


def test_exemplars_and_borderline_are_members(found: Found, library: tuple[Floats, Floats, Ids, list[str]]) -> None:
    numbers, clusters = found
    for cluster in clusters:
        members = set(library[2][numbers == cluster.id].tolist())
        assert len(cluster.exemplars) == 4
        assert len(cluster.borderline) == 2
        assert members >= {*cluster.exemplars, *cluster.borderline}
        assert np.linalg.norm(cluster.centre) == pytest.approx(0.8, abs=0.05)


def test_where_no_word_fits_a_cluster_is_named_after_its_exemplar(
    library: tuple[Floats, Floats, Ids, list[str]], vocabulary: Vocabulary
) -> None:
    positions, vectors, ids, paths = library
    nothing = Vocabulary(vocabulary.words, np.roll(vocabulary.vectors, 9, axis=1), 0.05)
    _, clusters = find_clusters(positions, vectors=vectors, ids=ids, paths=paths, describe=words_from(nothing, vectors))
    assert {cluster.named_by for cluster in clusters} == {"exemplar"}
    assert all(cluster.name == f"img_{cluster.exemplars[0]}" for cluster in clusters)


def test_names_differ(library: tuple[Floats, Floats, Ids, list[str]], vocabulary: Vocabulary) -> None:
    positions, vectors, ids, paths = library
    one_word = Vocabulary(("thing", "other"), np.array([[1, 1, 1], [-1, 0, 0]] @ np.eye(3, 16), np.float32), 0.05)
    _, clusters = find_clusters(
        positions, vectors=vectors, ids=ids, paths=paths, describe=words_from(one_word, vectors)
    )
    assert len({cluster.name for cluster in clusters}) == len(clusters) == 3


@pytest.mark.parametrize("count", [0, 1, 5, 9])
def test_few_images_have_no_clusters(crowd: Callable[[int], Floats], vocabulary: Vocabulary, count: int) -> None:
    vectors = np.zeros((count, 16), np.float32)
    numbers, clusters = find_clusters(
        crowd(count)[:, :3],
        vectors=vectors,
        ids=np.arange(count, dtype=np.int64),
        paths=["x"] * count,
        describe=words_from(vocabulary, vectors),
    )
    assert numbers.tolist() == [-1] * count
    assert clusters == ()


def map_with(found: Found, positions: Floats, ids: Ids) -> Map:
    clusters, records = found
    count = len(ids)
    return Map(
        ids=ids,
        rows=np.arange(count, dtype=np.int32),
        positions=positions,
        edges=np.zeros((0, 2), np.int32),
        weights=np.zeros(0, np.float32),
        clusters=clusters,
        fitted=np.ones(count, np.bool_),
        cluster_records=records,
        generation=1,
        kind="umap",
        model="model",
        seed=1,
    )


def test_the_id_of_a_cluster_that_is_gone_is_never_given_again(
    library: tuple[Floats, Floats, Ids, list[str]], found: Found, vocabulary: Vocabulary
) -> None:
    """The last one vanished some maps ago, then all did: whatever comes now is neither."""
    positions, vectors, ids, paths = library
    numbers, records = found
    without = map_with((np.where(numbers == 2, -1, numbers).astype(np.int32), records[:2]), positions, ids)
    for old, expected in (
        (dataclasses.replace(without, clusters_given=3), [0, 1, 3]),
        (
            dataclasses.replace(without, clusters=np.full(100, -1, np.int32), cluster_records=(), clusters_given=7),
            [7, 8, 9],
        ),
        (without, [0, 1, 2]),  # a map in which nobody counted
    ):
        _, clusters = find_clusters(
            positions, vectors=vectors, ids=ids, paths=paths, describe=words_from(vocabulary, vectors), old=old
        )
        assert [record.id for record in clusters] == expected


def test_a_cluster_keeps_its_id_and_the_name_a_person_gave_it(
    library: tuple[Floats, Floats, Ids, list[str]], found: Found, vocabulary: Vocabulary
) -> None:
    """The smallest group doubles and becomes the largest but one, a new group comes, the cars leave."""
    positions, vectors, ids, _ = library
    numbers, records = found
    named = tuple(
        dataclasses.replace(each, name="My forest", why="holidays", named_by="user") if each.name == "tree" else each
        for each in records
    )
    old = map_with((numbers, named), positions, ids)
    rng = np.random.default_rng(4)
    more = unit(np.eye(16)[np.repeat([2, 3], [30, 25])] + 0.05 * rng.normal(size=(55, 16)))
    places = np.array([[0, 0.8, 0], [0, -0.8, 0]])[np.repeat([0, 1], [30, 25])] + 0.04 * rng.normal(size=(55, 3))
    stays = np.r_[0:40, 70:100]
    new_ids = np.r_[ids[stays], 1000 + np.arange(55)]
    now = np.r_[vectors[stays], more]
    again, clusters = find_clusters(
        np.r_[positions[stays], places].astype(np.float32),
        vectors=now,
        ids=new_ids,
        paths=[f"/pictures/img_{i}.png" for i in new_ids],
        describe=words_from(vocabulary, now),
        old=old,
    )
    by_name = {record.name: record for record in clusters}
    assert by_name["owl"].id == 0
    assert (by_name["My forest"].id, by_name["My forest"].named_by, by_name["My forest"].why) == (2, "user", "holidays")
    assert sorted(record.id for record in clusters) == [0, 2, 3]  # 1 was the cars, and is nobody else's
    assert {int(number) for number in again} == {-1, 0, 2, 3}
    assert [record.size for record in clusters] == [int((again == record.id).sum()) for record in clusters]


def test_very_many_images_have_the_same_clusters_by_their_nearest_alone(
    vocabulary: Vocabulary, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five groups, so far apart that no image's nearest stand in another, a pile on one spot, and strays."""
    rng = np.random.default_rng(1)
    kinds = np.repeat(np.arange(5), 300)
    positions = (5.0 * rng.normal(size=(5, 3)))[kinds] + 0.1 * rng.normal(size=(1500, 3))
    positions[:60] = positions[0]
    positions = np.concatenate([positions, rng.uniform(-20, 20, size=(30, 3))]).astype(np.float32)
    vectors, ids = unit(rng.normal(size=(1530, 16))), np.arange(1530, dtype=np.int64)
    known = {
        "vectors": vectors,
        "ids": ids,
        "paths": [str(i) for i in ids],
        "describe": words_from(vocabulary, vectors),
    }
    exact, _ = find_clusters(positions, **known)
    monkeypatch.setattr(module, "ALL_PAIRS_TO", 1000)
    by_nearest, _ = find_clusters(positions, **known)
    assert exact.max() >= 4
    assert adjusted_rand_score(exact, by_nearest) > 0.9


# -- names from the data folder ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("clusters", "known", "names"),
    [
        ([3] * 10, 10, {3: 0}),
        ([3] * 6 + [4] * 4, 10, {3: 0}),
        ([3] * 5 + [4] * 5, 10, {}),  # no cluster has most of it
        ([3] * 4 + [-1] * 6, 10, {3: 0}),  # of what is in clusters, one has all
        ([3] * 3 + [-1] * 7, 10, {}),  # but that is little
        ([3] * 3, 10, {3: 0}),  # the others are in no image of this library
        ([3] * 2, 10, {}),  # a library that has a few of them by chance
        ([-1] * 10, 10, {}),
        ([], 10, {}),
    ],
)
def test_a_cluster_with_most_of_what_was_named_has_the_name(
    clusters: list[int], known: int, names: dict[int, int]
) -> None:
    assert named_by_person([GivenName(np.array(clusters, np.int32), known, known)]) == names


def test_of_two_names_for_one_cluster_the_larger_wins_then_the_newer() -> None:
    small, large = (GivenName(np.full(count, 3, np.int32), count, count) for count in (6, 100))
    sampled = GivenName(np.full(50, 3, np.int32), 50, 1000)
    assert named_by_person([small, large, sampled]) == {3: 2}
    assert named_by_person([large, small]) == {3: 0}
    assert named_by_person([large, large]) == {3: 1}
    elsewhere = GivenName(np.full(6, 9, np.int32), 6, 6)
    assert named_by_person([large, elsewhere]) == {3: 0, 9: 1}
