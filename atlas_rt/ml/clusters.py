"""Groups of images that stand together on the map, each with a name, a reason for it, and images that show it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.records import Cluster, Floats, Ids, Ints
from atlas_rt.ml.labels import Vocabulary, log_familiarity

Rows = NDArray[np.intp]

SMALLEST = 5
"""Images a cluster has at least, in the smallest libraries."""
GROWTH = 0.4
"""Times the root of the number of images: 6 of 250, 18 of 2,000, 40 of 10,000."""
DENSITY_NEIGHBOURS = 5
EXEMPLARS = 4
BORDERLINE = 2
WORDS = 3
"""Words in a cluster's reason."""
FITS = 0.08
"""How far a cluster's mean score for a word must lie above the library's for the word to say something about it. For
twenty images drawn at random the best of 2,194 words reaches 0.066 once in twenty times."""
FAMILIARITY = 0.5
"""How much a familiar word is preferred, as a part of what it is for a single image's label. Without it cars are called
conveyor and flowers daisy; with the whole of it, a table lamp is a table."""


def find_clusters(
    positions: Floats, *, vectors: Floats, ids: Ids, paths: Sequence[str], vocabulary: Vocabulary
) -> tuple[Ints, tuple[Cluster, ...]]:
    """The cluster of each image, (n,) int32 with -1 for none, and the clusters, largest first with ids 0, 1, ...

    positions (n, 3), vectors (n, dim) unit, ids (n,) and paths in the same rows. HDBSCAN on positions: on vectors it is
    quadratic. Its leaves, not its most persistent clusters, as on these maps the latter are often one that holds all.
    """
    members = _groups(positions)
    found = np.full(len(ids), -1, np.int32)
    for number, rows in enumerate(members):
        found[rows] = number
    means = [vectors[rows].mean(axis=0) for rows in members]
    taken: set[str] = set()
    clusters = []
    for number, rows in enumerate(members):
        order = _by_centrality(vectors[rows], means[number])
        exemplars = rows[order[:EXEMPLARS]]
        words = _distinctive(means[number], vectors.mean(axis=0), vocabulary)
        name, why, named_by = _named(words, PurePath(paths[exemplars[0]]).stem, taken)
        taken.add(name)
        borderline = rows[_by_margin(vectors[rows], means, number)[:BORDERLINE]]
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


def _groups(positions: Floats) -> list[Rows]:
    """The rows of each cluster, largest first, equal ones by their first row."""
    smallest = max(SMALLEST, round(GROWTH * len(positions) ** 0.5))
    if len(positions) < 2 * smallest:
        return []
    from sklearn.cluster import HDBSCAN

    finder = HDBSCAN(
        min_cluster_size=smallest, min_samples=DENSITY_NEIGHBOURS, cluster_selection_method="leaf", copy=True
    )
    numbers = finder.fit(positions).labels_
    groups = [np.flatnonzero(numbers == number) for number in range(int(numbers.max()) + 1)]
    return sorted(groups, key=lambda rows: (-len(rows), rows[0]))


def _by_centrality(vectors: Floats, mean: Floats) -> Rows:
    return np.argsort(-(vectors @ mean), kind="stable")


def _by_margin(vectors: Floats, means: list[Floats], own: int) -> Rows:
    """Members by how little they belong: nearest to another cluster's mean, by comparison with their own."""
    scores = vectors @ np.stack(means).T  # (members, clusters)
    margin = scores[:, own].copy()
    if len(means) > 1:
        margin -= np.delete(scores, own, axis=1).max(axis=1)
    return np.argsort(margin, kind="stable")


def _distinctive(mean: Floats, library: Floats, vocabulary: Vocabulary) -> list[str]:
    """The words that set a cluster apart from the library as a whole, best first, only those that fit."""
    above = vocabulary.vectors @ (mean - library)
    fits = np.flatnonzero(above >= FITS)
    familiarity = log_familiarity(len(vocabulary.words), vocabulary.own)
    worth = above + FAMILIARITY * vocabulary.temperature * familiarity
    best = fits[np.argsort(-worth[fits], kind="stable")][:WORDS]
    return [vocabulary.words[word] for word in best]


def _named(words: list[str], stem: str, taken: set[str]) -> tuple[str, str, str]:
    """A name that is not taken, why, and by what it was named."""
    if not words:
        return _free([stem], taken), f"no word fits; it is named after its most typical picture, {stem}", "exemplar"
    names = [words[0], *(f"{words[0]}, {second}" for second in words[1:])]
    return _free(names, taken), f"most of its pictures look like: {', '.join(words)}", "vocabulary"


def _free(names: list[str], taken: set[str]) -> str:
    """The first name that is not taken; else the first with a number."""
    numbered = (f"{names[0]} {number}" for number in range(2, len(taken) + 3))
    return next(name for name in (*names, *numbered) if name not in taken)
