"""Small scenes for tests."""

from __future__ import annotations

import dataclasses

import numpy as np

from atlas_rt.core.maps import Cluster
from atlas_rt.core.palette import cluster_hues, node_hues
from atlas_rt.core.scene import Scene, empty_scene


def scene_of(
    ids: list[int],
    positions: list[tuple[float, float, float]],
    *,
    generation: int = 1,
    clusters: list[int] | None = None,
) -> Scene:
    """A scene with an image at each position."""
    n = len(ids)
    groups = np.array(clusters if clusters is not None else [-1] * n, np.int32)
    at = np.array(positions, np.float32).reshape(-1, 3)
    records = tuple(
        Cluster(
            id=int(group),
            name=f"group {group}",
            why="",
            named_by="vocabulary",
            size=int((groups == group).sum()),
            exemplars=(),
            borderline=(),
            centre=tuple(at[groups == group].mean(axis=0).tolist()),
        )
        for group in np.unique(groups[groups >= 0])
    )
    centres = np.array([record.centre for record in records], np.float32).reshape(-1, 3)
    return dataclasses.replace(
        empty_scene(),
        ids=np.array(ids, np.int64),
        paths=tuple(f"/pictures/{id_}.jpg" for id_ in ids),
        positions=at,
        aspects=np.ones(n, np.float32),
        mean_rgb=np.full((n, 3), 128, np.uint8),
        hues=node_hues(at, groups, centres),
        tiles=np.arange(n, dtype=np.int32),
        sizes_px=np.full((n, 2), 100, np.int32),
        clusters=groups,
        cluster_records=records,
        cluster_hues=cluster_hues(centres),
        generation=generation,
        kind="umap",
        model="starter",
    )
