"""`atlas-rt clusters`: the groups in the map, their names and exemplars; a name of your own for one of them."""

from __future__ import annotations

import argparse
from typing import Any

from atlas_rt.commands.collection import Collection, open_collection, read_collection, sources_of
from atlas_rt.commands.output import print_json, say, tell
from atlas_rt.errors import UsageError
from atlas_rt.library import personal_data
from atlas_rt.library.cluster_names import ClusterNames, checked_name
from atlas_rt.library.store import StoreReader
from atlas_rt.settings import Settings


def run(settings: Settings, arguments: argparse.Namespace) -> int:
    paths = sources_of(settings, arguments.source, demo=arguments.demo)
    if arguments.rename:
        checked_name(arguments.rename[1])
    collection = open_collection(settings, paths, no_update=arguments.no_update)
    if arguments.rename:
        _rename(settings, collection, *arguments.rename)
        collection = read_collection(settings, collection.place, collection.model, collection.cache)
    rows = _rows(collection)
    if settings.json:
        print_json(rows)
        return 0
    for row in rows:
        tell(f"{row['size']:>6,}  {row['id']:>4}  {row['name']}: {row['why']}")
    free = int((collection.scene.clusters < 0).sum())
    tell(f"{free:>6,}        in no cluster")
    return 0


def _rename(settings: Settings, collection: Collection, word: str, name: str) -> None:
    """Keep a name for a cluster with the contents of its images. Raises UsageError for what is no cluster."""
    scene = collection.scene
    known = {str(record.id): record for record in scene.cluster_records}
    if word not in known:
        names = "\n".join(f"  {id_}  {record.name}" for id_, record in known.items())
        there = f"there are:\n{names}" if names else "this map has none"
        raise UsageError(f"there is no cluster {word!r}; {there}")
    cluster = known[word].id
    folder = personal_data.data_folder(settings.data_path)
    personal_data.refuse_inside(folder, collection.place.sources, named=bool(settings.data))
    with StoreReader.open(collection.place.folder) as store:
        contents = store.content_hashes(scene.ids[scene.clusters == cluster].tolist())
    ClusterNames(folder).give(name, contents, instead_of=collection.arrival.given.get(cluster))
    say(settings, f"kept in {folder}")


def _rows(collection: Collection) -> list[dict[str, Any]]:
    """The clusters as they are told, the largest first."""
    scene = collection.scene
    paths = dict(zip(scene.ids.tolist(), scene.paths, strict=True))
    return [
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
