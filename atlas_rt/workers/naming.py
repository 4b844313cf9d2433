"""The names that a person or Claude gave, on a map: which cluster has which, by what the clusters hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np

from atlas_rt.core.maps import Cluster, Map
from atlas_rt.core.rows import rows_of
from atlas_rt.errors import MissingError
from atlas_rt.library.cluster_names import ClusterName, ClusterNames
from atlas_rt.library.explanations import CLUSTER, Explanations, KeptExplanation
from atlas_rt.library.personal_data import Kept
from atlas_rt.library.store import StoreReader
from atlas_rt.mapping.clusters import GivenName, named_by_person

WHY = "you named it"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Named:
    """A map whose clusters have the names they were given. given: cluster -> the name of a person; explained: cluster
    -> what Claude said of it. remark: a sentence on names that could not be read as they should, empty else."""

    map: Map
    given: Mapping[int, ClusterName] = field(default_factory=dict)
    explained: Mapping[int, KeptExplanation] = field(default_factory=dict)
    remark: str = ""


def named_map(map_: Map, store: StoreReader, names: ClusterNames, explanations: Explanations | None = None) -> Named:
    """The map with the names that were given, a person's before Claude's; what is wrong with a file hides no map.

    20 names of 100,000 images: 30 ms.
    """
    kept, remark = _kept(names.read)
    answers, trouble = _kept(explanations.read) if explanations else ((), "")
    said = [each for each in answers if each.kind == CLUSTER]  # a title of selected images is no cluster's name
    samples = [(each.contents, each.size) for each in kept] + [(each.contents, each.size) for each in said]
    placed = _placed(map_, store, samples, len(kept))
    given = {cluster: kept[place] for cluster, place in placed[0].items()}
    explained = {cluster: said[place] for cluster, place in placed[1].items()}

    def named(record: Cluster) -> Cluster:
        if record.id in given:
            return replace(record, name=given[record.id].name, why=WHY, named_by="user")
        answer = explained.get(record.id)
        if answer is None or not answer.name:
            return record
        return replace(record, name=answer.name, why=answer.why, named_by="claude")

    records = tuple(named(record) for record in map_.cluster_records)
    return Named(replace(map_, cluster_records=records), given, explained, remark or trouble)


def _kept(read: Callable[[], Kept[T]]) -> tuple[tuple[T, ...], str]:
    try:
        kept = read()
    except MissingError as error:
        return (), str(error)
    return kept.entries, kept.remark


def _placed(
    map_: Map, store: StoreReader, samples: Sequence[tuple[tuple[bytes, ...], int]], persons: int
) -> tuple[dict[int, int], dict[int, int]]:
    """Cluster -> the place of its name among a person's, which are the first, and among Claude's.

    samples: contents and size of what was named.
    """
    ids = store.ids_with(sorted({each for contents, _ in samples for each in contents}))
    found = [
        _on_map([ids[each] for each in contents if each in ids], len(contents), size, map_)
        for contents, size in samples
    ]
    return named_by_person(found[:persons]), named_by_person(found[persons:])


def _on_map(ids: list[int], known: int, size: int, map_: Map) -> GivenName:
    rows, here = rows_of(map_.ids, np.array(sorted(ids), np.int64))
    return GivenName(map_.clusters[rows[here]], known, size)
