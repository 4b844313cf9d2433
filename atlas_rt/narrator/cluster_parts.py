"""How images divide into the clusters of a map."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from atlas_rt.core.arrays import Rows
from atlas_rt.core.maps import Cluster
from atlas_rt.core.scene import Scene


@dataclass(frozen=True, slots=True)
class ClusterPart:
    """Those of some images that are in one cluster. name: empty for those in none. size: how many they are. pictures:
    the numbers of those on the sheet, from 1. private: whether the name came from a person or a file, and is not
    sent. stored: the name as it is stored, which is."""

    name: str
    size: int
    pictures: tuple[int, ...]
    private: bool = False
    stored: str = ""


def parts_of(rows: Rows, shown: Rows, scene: Scene) -> tuple[ClusterPart, ...]:
    """Images of a scene by their clusters, the largest part first, those in none last. shown: those of the sheet."""
    clusters, counts = np.unique(scene.clusters[rows], return_counts=True)
    sizes = dict(zip(clusters.tolist(), counts.tolist(), strict=True))
    records = {record.id: record for record in scene.cluster_records}
    known = sorted(sizes.keys() & records.keys(), key=lambda cluster: (-sizes[cluster], cluster))
    free = sum(sizes[cluster] for cluster in sizes.keys() - records.keys())
    parts = [
        ClusterPart(
            records[cluster].name or f"cluster {cluster}",
            sizes[cluster],
            tuple((np.flatnonzero(scene.clusters[shown] == cluster) + 1).tolist()),
            is_private(records[cluster]),
            records[cluster].english[0] or f"cluster {cluster}",
        )
        for cluster in known
    ]
    return (*parts, ClusterPart("", free, ())) if free else tuple(parts)


def is_private(record: Cluster) -> bool:
    """Whether a cluster's name came from a person or a file; such a name is not sent."""
    return record.named_by in {"user", "exemplar"}
