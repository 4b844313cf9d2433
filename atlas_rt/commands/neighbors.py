"""`atlas-rt neighbors`: the nearest images of one of the library."""

from __future__ import annotations

import argparse

from atlas_rt.commands.collection import open_collection, sources_of
from atlas_rt.commands.output import print_json, tell
from atlas_rt.errors import UsageError
from atlas_rt.settings import Settings
from atlas_rt.workers.facts import nearest_images


def run(settings: Settings, arguments: argparse.Namespace) -> int:
    if not arguments.words or (len(arguments.words) < 2 and not arguments.demo):
        raise UsageError("name a source and one of its images: atlas-rt neighbors SOURCE IMAGE")
    *words, image = arguments.words
    collection = open_collection(
        settings, sources_of(settings, words, demo=arguments.demo), no_update=arguments.no_update
    )
    scene, row = collection.scene, collection.row_of(image)
    found = nearest_images(scene, collection.vector_index, row, arguments.top)
    paths = dict(zip(scene.ids.tolist(), scene.paths, strict=True))
    results = [{"path": paths[id_], "score": round(score, 6)} for id_, score in found]
    if settings.json:
        print_json({"image": scene.paths[row], "results": results})
    else:
        for result in results:
            tell(f"{result['score']:.3f}  {result['path']}")
    return 0
