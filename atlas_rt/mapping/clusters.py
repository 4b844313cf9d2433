"""Groups of images that stand together on the map, each with a name, a reason for it, and images that show it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.arrays import Floats, Ids, Ints
from atlas_rt.core.maps import Cluster, Map
from atlas_rt.core.rows import rows_of

Rows = NDArray[np.intp]

SMALLEST_CLUSTER = 5
"""Images a cluster has at least, in the smallest libraries."""
GRANULARITIES = {"few": 2.0, "some": 1.0, "many": 0.5}
"""How many clusters a person wants -> how large the smallest is, by comparison."""
USUAL = "some"
GROWTH = 0.4
"""Times the root of the number of images: 6 of 250, 18 of 2,000, 40 of 10,000."""
DENSITY_NEIGHBOURS = 5
ALL_PAIRS_TO = 20_000
"""Images up to which HDBSCAN looks at every pair: 1.5 s; 38 s at 100,000."""
SPARSE_NEIGHBOURS = 48
"""Beyond it, how many nearest of each it looks at: 3 s at 100,000, and 247 clusters that agree with the 249 of all
pairs (adjusted Rand index 0.96; 0.93 with 32, 0.66 with 16)."""
TOUCHING = 1e-9
"""The distance of images at the same place, world units."""
EXEMPLARS = 4
BORDERLINE = 2
SAME = 0.3
"""Of all images that an old and a new cluster hold, so many both hold if they are the same. (At 0.3 a cluster that lost
half of its images to another and one that took in as many as it had are still themselves.)"""
PRESENT, MOST, FOUND = 0.25, 0.5, 1 / 3
"""For a cluster to have a person's name: so much of what was named must be on the map at all; more than this of what is
in clusters must be in this one; and so much of what is on the map."""
GIVEN = ("user", "claude")
"""Who gives names that stay with a cluster."""


@dataclass(frozen=True, slots=True)
class ClusterWords:
    """Words for one cluster.

    words: those that set it apart, best first. apart: what tells it from its nearest neighbour, as a part of a
    sentence; empty where nothing does.
    """

    words: tuple[str, ...] = ()
    apart: str = ""


class Describe(Protocol):
    """Gives words for groups of images."""

    def __call__(self, members: Sequence[Rows], *, within: Rows | None = None) -> Sequence[ClusterWords]:
        """From the rows of each group to words for each. within: the rows of the images from which the words tell a
        group apart, None for all images."""
        ...


def find_clusters(
    positions: Floats,
    *,
    vectors: Floats,
    ids: Ids,
    paths: Sequence[str],
    describe: Describe | None,
    old: Map | None = None,
    granularity: str = USUAL,
) -> tuple[Ints, tuple[Cluster, ...]]:
    """The cluster of each image, (n,) int32 with the id of its cluster or -1 for none, and the clusters, largest first.

    positions (n, 3), vectors (n, dim) unit, ids (n,) and paths in the same rows. old: the map before; a cluster that
    holds mostly what one of its clusters held has that one's id, and the name that a person or a narrator gave it.
    describe: gives words for all clusters, None leaves them without names. granularity: of GRANULARITIES.
    HDBSCAN on positions: on vectors it is quadratic. Its leaves, not its most persistent clusters, as on these maps the
    latter are often one that holds all.
    """
    members = _groups(positions, granularity)
    numbers = _numbers(members, ids, old)
    given = {record.id: record for record in old.cluster_records if record.named_by in GIVEN} if old else {}
    found = np.full(len(ids), -1, np.int32)
    for number, rows in zip(numbers, members, strict=True):
        found[rows] = number
    means = [vectors[rows].mean(axis=0) for rows in members]
    words = describe(members) if describe else [ClusterWords()] * len(members)
    taken = {given[number].name for number in numbers if number in given}
    clusters = []
    for place, (number, rows) in enumerate(zip(numbers, members, strict=True)):
        order = by_centrality(vectors[rows], means[place])
        exemplars = rows[order[:EXEMPLARS]]
        if number in given:
            name, why, named_by = given[number].name, given[number].why, given[number].named_by
        else:
            stem = PurePath(paths[exemplars[0]]).stem if describe else ""
            name, why, named_by = named(words[place], stem, taken)
        taken.add(name)
        borderline = rows[_by_margin(vectors[rows], means, place)[:BORDERLINE]]
        x, y, z = (float(value) for value in positions[rows].mean(axis=0))
        clusters.append(
            Cluster(
                id=number,
                name=name,
                why=why,
                named_by=named_by,
                size=len(rows),
                exemplars=tuple(int(ids[row]) for row in exemplars),
                borderline=tuple(int(ids[row]) for row in borderline),
                centre=(x, y, z),
            )
        )
    return found, tuple(clusters)


@dataclass(frozen=True, slots=True)
class GivenName:
    """A cluster of some map that a person named, and where its images are on this one.

    clusters: (k,) int32, the cluster of each image that is known of it and is on this map, -1 for none.
    known: how many of its images are known at all; size: how many it had.
    """

    clusters: Ints
    known: int
    size: int


def named_by_person(given: Sequence[GivenName]) -> dict[int, int]:
    """Cluster -> the place in `given` of the name it has: most of what was named is in it.

    Most of those of its images that are in any cluster, which are not few. Of several names the one that most of its
    images had, then the newest (the last).
    """
    claims = []
    for place, each in enumerate(given):
        clusters, counts = np.unique(each.clusters[each.clusters >= 0], return_counts=True)
        if not len(clusters) or len(each.clusters) < PRESENT * each.known:
            continue
        best = int(np.argmax(counts))
        if counts[best] > MOST * counts.sum() and counts[best] >= FOUND * len(each.clusters):
            claims.append((float(counts[best] / each.known * each.size), place, int(clusters[best])))
    return {cluster: place for _, place, cluster in sorted(claims)}


def next_id(map_: Map | None) -> int:
    """The id of the next new cluster. None is given twice: whatever is known of one would be said of another."""
    return max([map_.clusters_given, *(record.id + 1 for record in map_.cluster_records)]) if map_ else 0


def _numbers(members: list[Rows], ids: Ids, old: Map | None) -> list[int]:
    """The id of each group: the old cluster's that shares most with it, best matches first; else the next new one.

    What they share is counted among the images that both maps hold (Jaccard's index).
    """
    fresh = itertools.count(next_id(old))
    if old is None:
        return list(itertools.islice(fresh, len(members)))
    return kept_numbers(members, ids, old_ids=old.ids, old_groups=old.clusters, fresh=fresh)


def kept_numbers(
    members: Sequence[Rows], ids: Ids, *, old_ids: Ids, old_groups: Ints, fresh: Iterator[int]
) -> list[int]:
    """The number of each group: of the old groups, -1 for none, that which shares most with it; else the next fresh."""
    at, known = rows_of(old_ids, ids)
    before = np.full(len(ids), -1, np.int32)
    before[known] = old_groups[at[known]]
    there, counts = np.unique(old_groups[np.isin(old_ids, ids)], return_counts=True)
    sizes = {int(number): int(count) for number, count in zip(there, counts, strict=True) if number >= 0}
    matches = []
    for group, rows in enumerate(members):
        for number, shared in zip(*np.unique(before[rows], return_counts=True), strict=True):
            if number in sizes:
                share = shared / (int(known[rows].sum()) + sizes[number] - shared)
                matches.append((-float(share), int(number), group))
    taken: dict[int, int] = {}
    for share, number, group in sorted(matches):
        if -share >= SAME and group not in taken and number not in taken.values():
            taken[group] = number
    return [taken[group] if group in taken else next(fresh) for group in range(len(members))]


def _groups(positions: Floats, granularity: str) -> list[Rows]:
    """The rows of each cluster, largest first, equal ones by their first row."""
    share = GRANULARITIES[granularity]
    smallest = max(math.ceil(SMALLEST_CLUSTER * min(share, 1.0)), round(GROWTH * share * len(positions) ** 0.5))
    return leaves(positions, smallest, density_neighbours=DENSITY_NEIGHBOURS, all_pairs_to=ALL_PAIRS_TO)


def leaves(positions: Floats, smallest: int, *, density_neighbours: int, all_pairs_to: int) -> list[Rows]:
    """The rows of each leaf of HDBSCAN's tree with at least `smallest` images, largest first.

    density_neighbours: the nearest images, itself included, by the last of which it is told how densely images stand.
    all_pairs_to: up to so many images every pair is looked at, beyond it only the nearest.
    """
    if len(positions) < 2 * smallest:
        return []
    from sklearn.cluster import HDBSCAN

    how = {"min_cluster_size": smallest, "cluster_selection_method": "leaf"}
    if len(positions) <= all_pairs_to:
        numbers = HDBSCAN(min_samples=density_neighbours, copy=True, **how).fit(positions).labels_
    else:  # which counts an image among its neighbours in the one case only
        finder = HDBSCAN(min_samples=density_neighbours - 1, metric="precomputed", copy=False, **how)
        numbers = finder.fit(_distances(positions)).labels_
    groups = [np.flatnonzero(numbers == number) for number in range(int(numbers.max()) + 1)]
    return sorted(groups, key=lambda rows: (-len(rows), rows[0]))


def _distances(positions: Floats) -> Any:
    """(n, n) sparse distances between each place and its nearest, parts that are far from all others joined in a chain:
    how far they are from each other decides nothing where leaves are chosen."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    count = len(positions)
    distances, nearest = cKDTree(positions).query(positions, SPARSE_NEIGHBOURS + 1)
    own = np.repeat(np.arange(count), SPARSE_NEIGHBOURS)
    lengths = np.maximum(distances[:, 1:].ravel(), TOUCHING)  # a distance of 0 would be none
    near = csr_array((lengths, (own, nearest[:, 1:].ravel())), shape=(count, count))
    near = near.maximum(near.T)
    firsts = np.unique(connected_components(near, directed=False)[1], return_index=True)[1]
    gaps = np.linalg.norm(np.diff(positions[firsts], axis=0), axis=1)
    bridges = csr_array((gaps, (firsts[:-1], firsts[1:])), shape=(count, count))
    return near + bridges + bridges.T


def by_centrality(vectors: Floats, mean: Floats) -> Rows:
    """The order of (n, dim) vectors by how typical each is, the most typical first."""
    return np.argsort(-(vectors @ mean), kind="stable")


def _by_margin(vectors: Floats, means: list[Floats], own: int) -> Rows:
    """Members by how little they belong: nearest to another cluster's mean, by comparison with their own."""
    scores = vectors @ np.stack(means).T  # (members, clusters)
    margin = scores[:, own].copy()
    if len(means) > 1:
        margin -= np.delete(scores, own, axis=1).max(axis=1)
    return np.argsort(margin, kind="stable")


def named(found: ClusterWords, stem: str, taken: set[str]) -> tuple[str, str, str]:
    """A name that is not taken, why, and by what it was named."""
    words, apart = found.words, found.apart
    if not words and not stem:
        return "", "", "exemplar"
    if not words:
        return _free([stem], taken), f"no word fits; it is named after its most typical picture, {stem}", "exemplar"
    names = [words[0], *(f"{words[0]}, {second}" for second in words[1:])]
    told = f"most look like: {', '.join(words)}"
    return _free(names, taken), f"{told}; {apart}" if apart else told, "vocabulary"


def _free(names: list[str], taken: set[str]) -> str:
    """The first name that is not taken; else the first with a number."""
    numbered = (f"{names[0]} {number}" for number in range(2, len(taken) + 3))
    return next(name for name in (*names, *numbered) if name not in taken)
