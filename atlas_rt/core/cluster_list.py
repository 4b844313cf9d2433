"""The clusters as a list: in which order, which of them, and which are drawn on the map."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.arrays import Ints
from atlas_rt.core.maps import Cluster
from atlas_rt.core.palette import ranks_around
from atlas_rt.core.word_names import unbracketed
from atlas_rt.core.words import folded

ORDERS = ("size", "name", "place")
"""How the list can be sorted. By place: around the map, which is also the order of the colours."""


@dataclass(frozen=True, slots=True)
class ShownClusters:
    """Which clusters are drawn. hidden: their ids. alone: the only one that is drawn, -1 where all but the hidden are.

    Ids are those of one scene: `kept_to` another one's.
    """

    hidden: frozenset[int] = frozenset()
    alone: int = -1

    @property
    def all(self) -> bool:
        return not self.hidden and self.alone < 0

    def conceals(self, cluster: int) -> bool:
        """Whether the images of this cluster, -1 for those of none, are not drawn."""
        return cluster != self.alone if self.alone >= 0 else cluster in self.hidden

    def concealed(self, clusters: Ints) -> NDArray[np.bool_] | None:
        """(n,) which rows are not drawn, None where all are. clusters: (n,) the cluster of each."""
        if self.all:
            return None
        alone = self.alone >= 0
        result: NDArray[np.bool_] = clusters != self.alone if alone else np.isin(clusters, list(self.hidden))
        return result

    def toggled(self, cluster: int) -> ShownClusters:
        """This one hidden, or shown again."""
        return replace(self, hidden=self.hidden ^ {cluster}, alone=-1)

    def isolated(self, cluster: int) -> ShownClusters:
        """This one alone, or all as before if it is alone already."""
        return replace(self, alone=-1 if self.alone == cluster else cluster)

    def with_cluster(self, cluster: int) -> ShownClusters:
        """As few changes as it takes to draw this one's images."""
        alone = self.alone if cluster == self.alone else -1
        return ShownClusters(self.hidden - {cluster} if alone < 0 else self.hidden, alone)

    def with_change(self, old: ShownClusters, new: ShownClusters) -> ShownClusters:
        """These, with what differs between `old` and `new` as it is in `new`."""
        changed = old.hidden ^ new.hidden
        alone = self.alone if old.alone == new.alone else new.alone
        return ShownClusters((self.hidden - changed) | (new.hidden & changed), alone)

    def kept_to(self, ids: Collection[int]) -> ShownClusters:
        """Without the clusters that a new scene lacks."""
        return ShownClusters(self.hidden & frozenset(ids), self.alone if self.alone in ids else -1)


def listed(records: Iterable[Cluster], *, order: str, wanted: str) -> tuple[int, ...]:
    """The places among `records` of the clusters to list, in one of ORDERS. wanted: words that the name or the reason
    must hold, in any case; empty for all."""
    all_ = tuple(records)
    words = wanted.casefold().split()
    found = [place for place, each in enumerate(all_) if _holds(each, words)]
    if order == "name":
        return tuple(sorted(found, key=lambda place: (not all_[place].name, _natural(all_[place].name), place)))
    if order == "place":
        centres = np.array([each.centre for each in all_], np.float32).reshape(-1, 3)
        ranks = ranks_around(centres)
        return tuple(sorted(found, key=lambda place: int(ranks[place])))
    return tuple(sorted(found, key=lambda place: (-all_[place].size, place)))


def _holds(cluster: Cluster, words: list[str]) -> bool:
    text = " ".join((cluster.name, cluster.why, *cluster.english)).casefold()
    return all(word in text for word in words)


def _natural(name: str) -> list[tuple[int, int, str]]:
    """A key by which "bird 2" comes before "bird 10", "(bird)" where "bird" does, and "Äpfel" where "Apfel"."""
    words = folded(unbracketed(name)).split()
    return [(0, int(word), "") if word.isdecimal() else (1, 0, word) for word in words]
