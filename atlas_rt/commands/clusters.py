"""`atlas-rt clusters`: the groups in the map, their names and exemplars."""

from __future__ import annotations

import argparse

from atlas_rt.commands.collection import open_collection, sources_of
from atlas_rt.commands.output import print_json, tell
from atlas_rt.settings import Settings


def run(settings: Settings, arguments: argparse.Namespace) -> int:
    collection = open_collection(
        settings, sources_of(arguments.source, demo=arguments.demo), no_update=arguments.no_update
    )
    scene = collection.scene
    paths = dict(zip(scene.ids.tolist(), scene.paths, strict=True))
    rows = [
        {
            "id": cluster.id,
            "name": cluster.name,
            "why": cluster.why,
            "named_by": cluster.named_by,
            "size": cluster.size,
            "exemplars": [paths[id_] for id_ in cluster.exemplars if id_ in paths],
            "borderline": [paths[id_] for id_ in cluster.borderline if id_ in paths],
        }
        for cluster in scene.cluster_records
    ]
    if settings.json:
        print_json(rows)
        return 0
    for row in rows:
        tell(f"{row['size']:>6,}  {row['name']}: {row['why']}")
    free = int((scene.clusters < 0).sum())
    tell(f"{free:>6,}  in no cluster")
    return 0
