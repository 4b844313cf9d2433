"""Which words images carry: their labels, and the words that set their group apart, found as those of clusters are.

An image has a label only where the encoder is sure of it, and of twenty images that stand together perhaps no two have
the same. What sets a group apart is surer than what one image shows, so those words are looked for in each image: of
the demo's largest cluster, whose images share no label, 15 of 20 look like a blueprint, and 8 % of the others do.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.arrays import Floats
from atlas_rt.search.cluster_words import FITS, words_apart
from atlas_rt.search.labels import Vocabulary, wordless


class WordFits:
    """The words that set groups apart, and which images look like them."""

    def __init__(self, vocabulary: Vocabulary | None, groups: Sequence[Floats], middle: Floats) -> None:
        """groups: the vectors (n, dim) of one group, which is compared with the library, or of two that are compared
        with each other. middle: (dim,) the mean of the library's vectors. Without a vocabulary there are no words."""
        vocabulary = vocabulary or wordless(len(middle))
        means = [vectors.mean(axis=0) for vectors in groups]
        others = [middle] if len(means) == 1 else means[::-1]
        found = [words_apart(vocabulary, mean - other) for mean, other in zip(means, others, strict=True)]
        self.words = tuple(dict.fromkeys(word for words in found for word in words))
        self._directions = vocabulary.vectors[[vocabulary.words.index(word) for word in self.words]]
        self._usual = self._directions @ middle

    def of(self, vectors: Floats) -> NDArray[np.bool_]:
        """(n, words): whether images look like each word. vectors: (n, dim)."""
        fitting: NDArray[np.bool_] = vectors @ self._directions.T - self._usual >= FITS
        return fitting

    def words_of(self, vectors: Floats) -> tuple[tuple[str, ...], ...]:
        """For each image the words that it looks like."""
        return tuple(tuple(self.words[place] for place in np.flatnonzero(row)) for row in self.of(vectors))
