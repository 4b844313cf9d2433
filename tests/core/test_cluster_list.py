"""The list of clusters: its order, what is found in it, and which clusters are drawn."""

from __future__ import annotations

import numpy as np

from atlas_rt.core.cluster_list import ShownClusters, listed
from atlas_rt.core.maps import Cluster

RECORDS = tuple(
    Cluster(id_, name, why, "vocabulary", size, (), (), centre)
    for id_, name, why, size, centre in (
        (4, "bird 10", "parrot", 9, (0.0, 1.0, 0.0)),
        (7, "bird 2", "owl", 30, (1.0, -0.1, 0.0)),
        (9, "Car", "truck rather than bird", 12, (1.0, 0.1, 0.0)),
        (11, "", "", 5, (-1.0, -0.1, 0.0)),
    )
)


def names(order: str, wanted: str = "") -> list[str]:
    return [RECORDS[place].name for place in listed(RECORDS, order=order, wanted=wanted)]


def test_it_is_sorted_by_size_by_name_or_around_the_map() -> None:
    assert names("size") == ["bird 2", "Car", "bird 10", ""]
    assert names("name") == ["bird 2", "bird 10", "Car", ""]
    assert names("place") == ["", "bird 2", "Car", "bird 10"]


def test_words_of_the_name_and_the_reason_find_a_cluster() -> None:
    assert names("size", "BIRD") == ["bird 2", "Car", "bird 10"]
    assert names("size", "  bird  ow ") == ["bird 2"]
    assert names("name", "zebra") == []


def test_clusters_are_hidden_shown_alone_and_shown_again() -> None:
    clusters = np.array([4, 7, -1], np.int32)
    shown = ShownClusters()
    assert shown.concealed(clusters) is None
    hidden = shown.toggled(4)
    assert [hidden.conceals(cluster) for cluster in (4, 7, -1)] == [True, False, False]
    assert hidden.toggled(4) == shown
    alone = hidden.isolated(7)
    assert [alone.conceals(cluster) for cluster in (4, 7, -1)] == [True, False, True]
    concealed = alone.concealed(clusters)
    assert concealed is not None
    assert concealed.tolist() == [True, False, True]
    assert alone.isolated(7) == hidden  # what was hidden before it is hidden still
    assert alone.with_cluster(7) == alone
    assert alone.with_cluster(4) == shown
    assert alone.with_cluster(-1) == hidden
    assert hidden.kept_to({7}) == shown
    assert alone.kept_to({4}) == hidden


def test_a_change_is_turned_back_only_in_what_it_changed() -> None:
    none = ShownClusters()
    one, both = none.toggled(4), none.toggled(4).toggled(7)
    assert both.with_change(both, one) == one
    assert ShownClusters(frozenset({7})).with_change(both, one) == none  # 4 was shown since, and stays so
    alone = both.isolated(7)
    assert alone.with_change(alone, both) == both
    assert both.with_change(both, alone) == alone
    assert alone.with_change(one, none) == ShownClusters(frozenset({7}), 7)
