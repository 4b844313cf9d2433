"""Groups within a cluster: images that stand closer to each other than to the rest of it, and look more alike, too.

HDBSCAN once more, on the places of one cluster's images alone. The tree behind the clusters knows no groups that are
smaller than the smallest cluster, and scikit-learn publishes none; and what is a group within a cluster depends on how
large that cluster is, so one tree for all would not do. A density has leaves by chance, too, so what comes of it must
hold most of the cluster and must be seen in the vectors, which HDBSCAN was not shown.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from pathlib import PurePath

import numpy as np

from atlas_rt.core.arrays import Floats, Ids, Ints
from atlas_rt.core.maps import Cluster, Map, Subcluster
from atlas_rt.mapping.clusters import (
    EXEMPLARS,
    ClusterWords,
    Describe,
    Rows,
    by_centrality,
    kept_numbers,
    leaves,
    named,
)

SMALLEST = 4
"""Images a subcluster has at least."""
SHARE = 8
"""And one of so many of its cluster: 300 photographs of birds are told as a handful of groups, not as forty."""
DENSITY_NEIGHBOURS = 3
"""With the 5 of clusters, one of the demo's twelve clusters (8 to 20 images) has subclusters; with 3 five have."""
COVERED, AT_HOME = 0.5, 0.8
"""Subclusters must hold so much of their cluster, and so many of their images must be more like the others of their
own than like those of any other. Of 60 clusters that are one kind with noise HDBSCAN divides 24, of which none passes;
of 38 it divides of handwritten digits 30 pass, and of 42 clusters of words 36."""
ALL_PAIRS_TO = 5_000
"""Images up to which HDBSCAN looks at every pair: 0.1 s."""


def find_subclusters(
    positions: Floats,
    *,
    clusters: Ints,
    records: Sequence[Cluster],
    vectors: Floats,
    ids: Ids,
    paths: Sequence[str],
    describe: Describe | None,
    old: Map | None = None,
) -> tuple[Ints, tuple[Subcluster, ...]]:
    """The subcluster of each image, (n,) int32 with its id or -1 for none, and the subclusters: those of one cluster
    together, the largest first, in the order of the clusters.

    clusters, records: what `find_clusters` found among the same images; the other arguments are those it got. Ids are
    kept from the map before as those of clusters are.
    """
    divided = [(record, _within(positions, vectors, np.flatnonzero(clusters == record.id))) for record in records]
    members = [rows for _, groups in divided for rows in groups]
    numbers = _numbers(members, ids, old)
    found = np.full(len(ids), -1, np.int32)
    for number, rows in zip(numbers, members, strict=True):
        found[rows] = number
    fresh = iter(numbers)
    subclusters = []
    for parent, groups in divided:
        words = describe(groups, within=np.flatnonzero(clusters == parent.id)) if describe and groups else None
        taken: set[str] = set()
        for place, rows in enumerate(groups):
            order = by_centrality(vectors[rows], vectors[rows].mean(axis=0))
            exemplars = rows[order[:EXEMPLARS]]
            stem = PurePath(paths[exemplars[0]]).stem if words else ""
            said = _other_than(parent.name, words[place]) if words else ClusterWords()
            name, _, named_by = named(said, stem, taken)
            taken.add(name)
            subclusters.append(
                Subcluster(
                    id=next(fresh),
                    parent=parent.id,
                    name=name,
                    named_by=named_by,
                    words=said.words,
                    size=len(rows),
                    exemplars=tuple(int(ids[row]) for row in exemplars),
                )
            )
    return found, tuple(subclusters)


def _other_than(name: str, found: ClusterWords) -> ClusterWords:
    """Without the name of the cluster, which says nothing within it, unless there is no other word."""
    return ClusterWords(tuple(word for word in found.words if word != name) or found.words)


def _within(positions: Floats, vectors: Floats, rows: Rows) -> list[Rows]:
    """The rows of each subcluster of a cluster's rows; none where it is all of one kind."""
    smallest = max(SMALLEST, math.ceil(len(rows) / SHARE))
    places = positions[rows]
    found = leaves(places, smallest, density_neighbours=DENSITY_NEIGHBOURS, all_pairs_to=ALL_PAIRS_TO)
    groups = [rows[group] for group in found]
    if len(groups) < 2 or sum(map(len, groups)) < COVERED * len(rows):
        return []
    return groups if _at_home(vectors, groups) >= AT_HOME else []


def _at_home(vectors: Floats, groups: list[Rows]) -> float:
    """Of all images in the groups, the share that is more like the mean of the others of its own group than like the
    mean of any other. vectors: unit length."""
    sizes = np.array([len(rows) for rows in groups])
    sums = np.stack([vectors[rows].sum(axis=0) for rows in groups])
    right = 0
    for own, rows in enumerate(groups):
        likeness = (vectors[rows] @ sums.T) / sizes  # (members, groups)
        likeness[:, own] = (likeness[:, own] * sizes[own] - 1.0) / (sizes[own] - 1)  # without itself
        right += int((likeness.argmax(axis=1) == own).sum())
    return right / int(sizes.sum())


def _numbers(members: list[Rows], ids: Ids, old: Map | None) -> list[int]:
    """The id of each subcluster: that of the one of the map before which shares most with it, else the next one."""
    if old is None or not len(old.subclusters):
        return list(range(len(members)))
    fresh = itertools.count(max((record.id for record in old.subcluster_records), default=-1) + 1)
    return kept_numbers(members, ids, old_ids=old.ids, old_groups=old.subclusters, fresh=fresh)
