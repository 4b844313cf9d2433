"""How many images of a group carry which labels, and which labels two groups differ by."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from atlas_rt.core.arrays import Ids
from atlas_rt.library.store import StoreReader
from atlas_rt.narrator.sheet_choice import spread
from atlas_rt.search.labels import SURE

COUNTED = 20_000
"""Images of a group whose labels are counted, evenly over all: 60 ms."""
DIFFERS = 0.15
"""By how much the shares of a label must differ to be told: 3 of 16 images against none."""


@dataclass(frozen=True)
class LabelCounts:
    """counts: word -> images that carry it, of `counted` ones. size: images of the group, which may be more."""

    size: int = 0
    counted: int = 0
    counts: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.counts)

    @cached_property
    def common(self) -> tuple[str, ...]:
        """The words, those of most images first."""
        return tuple(sorted(self.counts, key=lambda word: (-self.counts[word], word)))

    def share(self, word: str) -> float:
        """0..1 of the images that carry it."""
        return self.counts.get(word, 0) / max(self.counted, 1)

    def told(self, word: str) -> str:
        """How many carry it, as a person reads it: "12 of 16", or "3 %" where not all were counted."""
        if self.counted == self.size:
            return f"{self.counts.get(word, 0):,} of {self.size:,}"
        return self.percent(word)

    def percent(self, word: str) -> str:
        return f"{100 * self.share(word):.0f} %"


def label_counts(ids: Ids, store: StoreReader, model: str, *, at_most: int = COUNTED) -> LabelCounts:
    """The labels that a model gave these images. Raises MissingError where the library cannot be read."""
    some = spread(ids, at_most)
    return LabelCounts(len(ids), len(some), store.label_counts(some, model, least=SURE))


def more_common(here: LabelCounts, there: LabelCounts) -> tuple[str, ...]:
    """The words that clearly more of the images here carry than of those there, the largest difference first."""
    ahead = {word: here.share(word) - there.share(word) for word in here.counts}
    clear = [word for word, by in ahead.items() if by >= DIFFERS]
    return tuple(sorted(clear, key=lambda word: (-round(ahead[word], 6), word)))
