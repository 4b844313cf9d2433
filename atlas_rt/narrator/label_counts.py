"""How many images of a group carry which labels, and which labels two groups differ by."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

DIFFERS = 0.2
"""By how much the shares of a label must differ to be told: 4 of 16 images against none."""
LEAST = 2
"""A word of fewer images than this says nothing about their group."""


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


def more_common(here: LabelCounts, there: LabelCounts) -> tuple[str, ...]:
    """The words that clearly more of the images here carry than of those there, the largest difference first."""
    least = min(LEAST, here.counted)
    ahead = {word: here.share(word) - there.share(word) for word, count in here.counts.items() if count >= least}
    clear = [word for word, by in ahead.items() if by >= DIFFERS]
    return tuple(sorted(clear, key=lambda word: (-round(ahead[word], 6), word)))
