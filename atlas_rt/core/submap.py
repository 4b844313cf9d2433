"""A map of some of its images: the others leave with their edges, nothing moves."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.arrays import Ids, Ints
from atlas_rt.core.maps import Cluster, Map


def submap(map_: Map, kept: NDArray[np.bool_]) -> Map:
    """The map of the `kept` images, (n,) bool. A stack that loses its leader is led by the first of the others, a
    cluster that loses all its images is left out."""
    if kept.all():
        return map_
    new_row = np.cumsum(kept, dtype=np.int32) - 1
    both = kept[map_.edges].all(axis=1)
    ids, clusters = map_.ids[kept], map_.clusters[kept]
    shrunk = [_shrunk(record, ids, clusters) for record in map_.cluster_records]
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
        cluster_records=tuple(record for record in shrunk if record.size),
    )


def _shrunk(record: Cluster, ids: Ids, clusters: Ints) -> Cluster:
    size = int((clusters == record.id).sum())
    if size == record.size:
        return record
    exemplars, borderline = (_among(named, ids) for named in (record.exemplars, record.borderline))
    return dataclasses.replace(record, size=size, exemplars=exemplars, borderline=borderline)


def _among(named: tuple[int, ...], ids: Ids) -> tuple[int, ...]:
    return tuple(id_ for id_, there in zip(named, np.isin(named, ids), strict=True) if there)


def _led(ids: Ids, leaders: Ids) -> Ids:
    """Leaders that are there: for each stack the image of that name, else its first one."""
    _, first, which = np.unique(leaders, return_index=True, return_inverse=True)
    led: Ids = np.where(np.isin(leaders, ids), leaders, ids[first[which]])
    return led
