"""Words for clusters: what sets each apart from the rest of the library, and from the cluster nearest to it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.arrays import Floats, Ints
from atlas_rt.mapping.clusters import ClusterWords, Describe
from atlas_rt.search.labels import COUNT, Vocabulary, log_familiarity

Rows = NDArray[np.intp]

WORDS = 3
"""Words in a cluster's reason."""
FITS = 0.08
"""How far a cluster's mean score for a word must lie above the library's for the word to say something about it. For
twenty images drawn at random the best of 2,194 words reaches 0.066 once in twenty times."""
SAID = 0.02
"""What the word that a cluster's labels say most distinctively gains, in cosine."""
FAMILIARITY = 0.5
"""How much a familiar word is preferred, as a part of what it is for a single image's label. Without it cars are called
conveyor and flowers daisy; with the whole of it, a table lamp is a table."""


def words_from(vocabulary: Vocabulary, vectors: Floats) -> Describe | None:
    """What gives words for clusters of these vectors (n, dim); None for a vocabulary of no words."""
    if not vocabulary.words:
        return None

    labels = _Labels(vectors, vocabulary)

    def describe(members: Sequence[Rows], *, within: Rows | None = None) -> list[ClusterWords]:
        means = [vectors[rows].mean(axis=0) for rows in members]
        all_ = vectors if within is None else vectors[within]
        middle = all_.sum(axis=0) / max(len(all_), 1)
        said = _said(members, labels)
        words = [_distinctive(mean - middle, says, vocabulary) for mean, says in zip(means, said, strict=True)]
        return [ClusterWords(tuple(best), _apart(means, at, words, vocabulary)) for at, best in enumerate(words)]

    return describe


def words_apart(vocabulary: Vocabulary, above: Floats) -> list[str]:
    """The words that set any images apart from others, best first, if they fit. above: (dim,) their mean less the
    others'."""
    return _distinctive(above, np.zeros(0, np.float32), vocabulary) if vocabulary.words else []


class _Labels:
    """The labels of images, kept once they are known: subclusters ask for those of their clusters' images again."""

    def __init__(self, vectors: Floats, vocabulary: Vocabulary) -> None:
        self._vectors, self._vocabulary = vectors, vocabulary
        self.words = len(vocabulary.words)
        self._known = np.zeros(len(vectors), np.bool_)
        self._places = np.zeros((len(vectors), min(COUNT, self.words)), np.int32)
        self._confidences = np.zeros(self._places.shape, np.float32)

    def of(self, rows: Rows) -> tuple[Ints, Floats]:
        """The places of the words of these images' labels in the vocabulary, and their confidences, (n, k) each."""
        missing = rows[~self._known[rows]]
        if len(missing):
            self._confidences[missing], self._places[missing] = self._vocabulary.best(self._vectors[missing])
            self._known[missing] = True
        return self._places[rows], self._confidences[rows]


def _said(members: Sequence[Rows], labels: _Labels) -> Floats:
    """(clusters, words) 0..1: how much the labels of a cluster's images say a word and those of others do not.

    Class TF-IDF (Grootendorst 2022): a word's share in what the cluster's labels say, times the logarithm of 1 plus
    what clusters say in the mean over what all say of that word; then by the largest of the cluster.
    """
    counts = np.zeros((len(members), labels.words), np.float32)
    for cluster, rows in enumerate(members):
        np.add.at(counts[cluster], *labels.of(rows))
    of_clusters = counts.sum(axis=1, keepdims=True)
    shares = counts / np.maximum(of_clusters, 1e-9)
    rarity = np.log1p(of_clusters.mean() / np.maximum(counts.sum(axis=0), 1e-9)) if len(members) else counts
    said = shares * rarity
    scaled: Floats = said / np.maximum(said.max(axis=1, keepdims=True, initial=0.0), 1e-9)
    return scaled


def _distinctive(above_others: Floats, said: Floats, vocabulary: Vocabulary) -> list[str]:
    """The words that set a cluster apart, best first, if they fit. above_others: (dim,) its mean less the others'."""
    above = vocabulary.vectors @ above_others
    fits = np.flatnonzero(above >= FITS)
    familiarity = log_familiarity(len(vocabulary.words), vocabulary.own)
    worth = above + FAMILIARITY * vocabulary.temperature * familiarity
    if len(fits) and len(said):
        worth += SAID * said[: len(worth)]
    best = fits[np.argsort(-worth[fits], kind="stable")][:WORDS]
    return [vocabulary.words[word] for word in best]


def _apart(means: list[Floats], place: int, words: list[list[str]], vocabulary: Vocabulary) -> str:
    """What sets a cluster apart from the one whose mean is nearest, as a part of a sentence: of the words of each the
    one that says most of the difference. Empty where none does."""
    near = [-2.0 if other == place else float(mean @ means[place]) for other, mean in enumerate(means)]
    other = int(np.argmax(near))
    difference = vocabulary.vectors @ (means[place] - means[other])
    score = dict(zip(vocabulary.words, difference.tolist(), strict=True))
    mine = max(words[place], key=score.__getitem__, default="")
    theirs = min(words[other], key=score.__getitem__, default="")
    if other == place or not mine or not theirs or score[mine] < FITS or score[theirs] > -FITS:
        return ""
    return f"{mine} rather than {theirs}"
