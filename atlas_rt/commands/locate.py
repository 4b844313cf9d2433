"""`atlas-rt locate`: where images outside the library would stand, without adding them."""

from __future__ import annotations

import argparse
import os
import time
from itertools import pairwise
from typing import Any

from atlas_rt.commands.collection import Collection, open_collection, sources_of
from atlas_rt.commands.output import print_json, say, tell
from atlas_rt.core.s3_address import is_s3
from atlas_rt.encoders.encoder import ImageEncoder
from atlas_rt.encoders.preprocess import to_input
from atlas_rt.errors import DecodeError, UsageError
from atlas_rt.library.decoding.decode import read_image
from atlas_rt.library.formats import suffix_of
from atlas_rt.library.sources import path_or_address
from atlas_rt.mapping.neighbours import nearest
from atlas_rt.mapping.projector import Projector
from atlas_rt.settings import Settings


def run(settings: Settings, arguments: argparse.Namespace) -> int:
    words = list(arguments.words)
    sources = sources_of(settings, (), demo=True) if arguments.demo else sources_of(settings, words[:1], demo=False)
    files = [path_or_address(word) for word in (words if arguments.demo else words[1:])]
    if not files:
        raise UsageError("name the images to place: atlas-rt locate SOURCE FILE...")
    for file in files:
        if not is_s3(file) and not os.path.isfile(file):  # noqa: PTH113  says no where pathlib raises: no permission, a name too long
            raise UsageError(f"there is no such file: {file}")
    collection = open_collection(settings, sources, no_update=arguments.no_update)
    results = _located(settings, Locating(collection, top=arguments.top), files)
    if settings.json:
        print_json(results)
        return 0
    for result in results:
        x, y, z = result["position"]
        tell(f"{result['path']}\n  at {x:.3f}, {y:.3f}, {z:.3f}, uncertainty {result['uncertainty']:.2f}; near:")
        for neighbour in result["neighbors"]:
            tell(f"  {neighbour['score']:.3f}  {neighbour['path']}")
    return 0


def _located(settings: Settings, locating: Locating, files: list[str]) -> list[dict[str, Any]]:
    """The results of the files that are images; the others are reported. Raises UsageError if none is an image."""
    results, reason = [], ""
    for file in files:
        try:
            results.append(locating.locate(file))
        except DecodeError as error:
            reason = str(error)
            say(settings, f"failed: {file}: {reason}")
    if not results:
        raise UsageError(f"none of these files can be placed; {reason}: {files[-1]}")
    return results


class Locating:
    """Places files in a collection's map. top: how many neighbours to list for each."""

    def __init__(self, collection: Collection, *, top: int) -> None:
        self._collection = collection
        self._top = top
        self._encoder = ImageEncoder(collection.model, runtime=collection.runtime)
        self._projector = Projector(collection.vectors, collection.scene.positions)

    def locate(self, file: str) -> dict[str, Any]:
        """The JSON result of one file. Raises DecodeError for a file that is not an image."""
        spec = self._collection.model.image.preprocessing
        clock = [time.perf_counter()]
        decoded = read_image(
            self._collection.originals.read(file), target_px=spec.size_px, fit=spec.resize, suffix=suffix_of(file)
        )
        pixels = to_input(decoded.image, spec)
        clock.append(time.perf_counter())
        vector = self._encoder.encode(pixels[None])
        clock.append(time.perf_counter())
        placement = self._projector.place(vector)[0]
        clock.append(time.perf_counter())
        similarities, rows = nearest(self._collection.vectors, vector, self._top)
        clock.append(time.perf_counter())
        decode, encode, project, search = ((b - a) * 1000.0 for a, b in pairwise(clock))
        paths = self._collection.scene.paths
        return {
            "path": file,
            "position": [round(float(value), 6) for value in placement.position],
            "uncertainty": round(placement.uncertainty, 4),
            "neighbors": [
                {"path": paths[row], "score": round(float(score), 6)}
                for row, score in zip(rows[0].tolist(), similarities[0], strict=True)
            ],
            "ms": {
                "decode": round(decode, 3),
                "encode": round(encode, 3),
                "project": round(project, 3),
                "search": round(search, 3),
            },
        }
