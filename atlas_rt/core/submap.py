"""A map of some of its images: the others leave with their edges, nothing moves."""

from __future__ import annotations

import dataclasses
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.arrays import Ids, Ints
from atlas_rt.core.maps import Cluster, Map, Subcluster

Group = TypeVar("Group", Cluster, Subcluster)


def submap(map_: Map, kept: NDArray[np.bool_]) -> Map:
    """The map of the `kept` images, (n,) bool. A stack that loses its leader is led by the first of the others, a
    cluster or subcluster that loses all its images is left out."""
    if kept.all():
        return map_
    new_row = np.cumsum(kept, dtype=np.int32) - 1
    both = kept[map_.edges].all(axis=1)
    ids, clusters = map_.ids[kept], map_.clusters[kept]
    subclusters = map_.subclusters[kept] if len(map_.subclusters) else map_.subclusters
    return dataclasses.replace(
        map_,
        ids=ids,
        rows=map_.rows[kept],
        positions=map_.positions[kept],
        edges=new_row[map_.edges[both]].astype(np.int32),
        weights=map_.weights[both],
        clusters=clusters,
        fitted=map_.fitted[kept],
        stacks=_led(ids, map_.stacks[kept]) if len(map_.stacks) else map_.stacks,
        cluster_records=left(map_.cluster_records, ids, clusters),
        subclusters=subclusters,
        wall=map_.wall[kept] if len(map_.wall) else map_.wall,
        subcluster_records=left(map_.subcluster_records, ids, subclusters),
    )


def left(records: tuple[Group, ...], ids: Ids, groups: Ints) -> tuple[Group, ...]:
    """The records of those groups that still hold an image, with the sizes they have and the images that are there.

    groups: (n,) the group of each image, in the rows of ids.
    """
    shrunk = (_shrunk(record, ids, groups) for record in records)
    return tuple(record for record in shrunk if record.size)


def _shrunk(record: Group, ids: Ids, groups: Ints) -> Group:
    size = int((groups == record.id).sum())
    if size == record.size:
        return record
    exemplars = _among(record.exemplars, ids)
    if isinstance(record, Subcluster):
        return dataclasses.replace(record, size=size, exemplars=exemplars)
    borderline = _among(record.borderline, ids)
    return dataclasses.replace(record, size=size, exemplars=exemplars, borderline=borderline)


def _among(named: tuple[int, ...], ids: Ids) -> tuple[int, ...]:
    return tuple(id_ for id_, there in zip(named, np.isin(named, ids), strict=True) if there)


def _led(ids: Ids, leaders: Ids) -> Ids:
    """Leaders that are there: for each stack the image of that name, else its first one."""
    _, first, which = np.unique(leaders, return_index=True, return_inverse=True)
    led: Ids = np.where(np.isin(leaders, ids), leaders, ids[first[which]])
    return led
