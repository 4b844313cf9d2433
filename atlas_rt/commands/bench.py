"""`atlas-rt bench`: measure this program here."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from atlas_rt.bench.report import BenchReport
from atlas_rt.commands.collection import Collection, open_collection, sources_of
from atlas_rt.commands.output import print_json, tell
from atlas_rt.core.s3_address import is_s3
from atlas_rt.errors import MissingError, UsageError
from atlas_rt.settings import Settings

LEAST_LOCATED = 100
"""A tenth of the images is held out, and a map must be fitted to the rest."""
LATER = ("live",)


def run(settings: Settings, arguments: argparse.Namespace) -> int:
    bench = BENCHES.get(arguments.what)
    if bench is None:
        raise UsageError(f"{_why_none(arguments.what)}; choose from: {', '.join(BENCHES)}")
    report = bench(settings, arguments)
    if settings.json:
        print_json(report.document())
        return 0
    for bar in report.bars:
        verdict = "holds" if bar.holds else "does not hold"
        tell(f"{bar.name}: {bar.value:.3g} {bar.unit} ({bar.sense} {bar.bar:g}): {verdict}")
    for name, value in report.raw.items():
        tell(f"  {name}: {value}")
    return 0


def _why_none(what: str) -> str:
    if not what:
        return "say what to measure"
    return f"bench {what} is not in this version yet" if what in LATER else f"bench {what!r} is unknown"


def _collection(settings: Settings, arguments: argparse.Namespace) -> Collection | None:
    if not (arguments.source or arguments.demo):
        return None
    paths = sources_of(settings, arguments.source, demo=arguments.demo)
    return open_collection(settings, paths, no_update=arguments.no_update)


def _frame(settings: Settings, arguments: argparse.Namespace) -> BenchReport:
    from atlas_rt.bench import frame, scene, side_by_side  # the window's libraries
    from atlas_rt.bench.peer import Peer

    if arguments.submission or arguments.arrivals:
        if arguments.source or arguments.demo:
            raise UsageError("this makes its own scene: leave the source out")
        measure = frame.measure_submission if arguments.submission else frame.measure_arrivals
        return measure(settings, nodes=arguments.nodes)
    collection = _collection(settings, arguments)
    arrival = scene.enlarged(collection.arrival, arguments.nodes) if collection else None
    if arguments.while_indexing:
        folder = sources_of(settings, [arguments.while_indexing], demo=False)
        return frame.measure_while_indexing(settings, folder, nodes=arguments.nodes, arrival=arrival)
    arrival = arrival or scene.made_arrival(arguments.nodes)
    alone = frame.measure(settings, nodes=arguments.nodes, arrival=arrival)
    if arguments.no_peer:
        return alone
    try:
        beside = side_by_side.measure(settings, arrival, peer=Peer())
    except MissingError as error:
        return BenchReport(alone.bars, alone.raw | {"peer": f"not measured: {error}"})
    return BenchReport((*alone.bars, *beside.bars), alone.raw | beside.raw)


def _rest(settings: Settings, arguments: argparse.Namespace) -> BenchReport:
    from atlas_rt.bench import rest  # the window's libraries

    collection = _collection(settings, arguments)
    return rest.measure(settings, nodes=arguments.nodes, arrival=collection.arrival if collection else None)


def _sight(settings: Settings, arguments: argparse.Namespace) -> BenchReport:
    from atlas_rt.bench import scene, sight  # the window's libraries
    from atlas_rt.search.vector_index import VectorIndex

    if collection := _collection(settings, arguments):
        arrival = scene.enlarged(collection.arrival, arguments.nodes)
        vectors = np.resize(collection.vectors, (arguments.nodes, collection.vectors.shape[1]))
    else:
        arrival = scene.made_arrival(arguments.nodes)
        vectors = scene.vectors_of_places(arrival.scene.positions)
    return sight.measure(replace(arrival, vector_index=VectorIndex(vectors)))


def _start(settings: Settings, arguments: argparse.Namespace) -> BenchReport:
    from atlas_rt.bench import start
    from atlas_rt.ui.window import display_available

    if not (arguments.source or arguments.demo):
        raise UsageError("name the library whose start to measure: atlas-rt bench start SOURCE")
    if not display_available():
        raise MissingError(
            "there is no display here, and this measures how a window starts; run it in a desktop session"
        )
    collection = _collection(settings, arguments)
    assert collection is not None
    return start.measure(settings, paths=collection.place.sources, images=len(collection.scene.ids))


def _ingest(settings: Settings, arguments: argparse.Namespace) -> BenchReport:
    from atlas_rt.bench import ingest

    source = sources_of(settings, arguments.source, demo=arguments.demo) if arguments.source or arguments.demo else None
    if any(map(is_s3, source or ())):
        raise UsageError("bench ingest measures this machine, not the way to S3; name a folder")
    return ingest.measure(settings, source=source)


def _search(settings: Settings, arguments: argparse.Namespace) -> BenchReport:
    from atlas_rt.bench import search
    from atlas_rt.encoders import registry
    from atlas_rt.library.cache_layout import cache_folder

    if collection := _collection(settings, arguments):
        library = search.Searched(collection.vector_index, collection.scene.ids, collection.place)
        return search.measure(collection.model, runtime=collection.runtime, library=library)
    cache = cache_folder(settings.cache_path)
    return search.measure(registry.load(settings.model, cache), runtime=settings.runtime(cache))


def _locate(settings: Settings, arguments: argparse.Namespace) -> BenchReport:
    from atlas_rt.bench import locate

    collection = _collection(settings, arguments)
    if collection and len(collection.vectors) < LEAST_LOCATED:
        raise UsageError(f"there are too few images to measure with; name a source with {LEAST_LOCATED} or more")
    return locate.measure(seed=settings.seed, vectors=collection.vectors if collection else None)


def _wall(settings: Settings, arguments: argparse.Namespace) -> BenchReport:
    from atlas_rt.bench import wall

    collection = _collection(settings, arguments)
    if collection and len(collection.vectors) < LEAST_LOCATED:
        raise UsageError(f"there are too few images to measure with; name a source with {LEAST_LOCATED} or more")
    return wall.measure(seed=settings.seed, vectors=collection.vectors if collection else None)


def _map(settings: Settings, arguments: argparse.Namespace) -> BenchReport:
    from atlas_rt.bench import map as maps  # a module named as the command

    collection = _collection(settings, arguments)
    if collection and len(collection.vectors) < LEAST_LOCATED:
        raise UsageError(f"there are too few images to measure with; name a source with {LEAST_LOCATED} or more")
    return maps.measure(seed=settings.seed, vectors=collection.vectors if collection else None)


def _scale(settings: Settings, arguments: argparse.Namespace) -> BenchReport:
    from atlas_rt.bench import scale
    from atlas_rt.encoders import registry
    from atlas_rt.library.cache_layout import cache_folder

    if arguments.source or arguments.demo:
        raise UsageError("bench scale makes its own vectors: leave the source out")
    cache = cache_folder(settings.cache_path)
    return scale.measure(
        seed=settings.seed, model=registry.load(settings.model, cache), runtime=settings.runtime(cache)
    )


BENCHES: dict[str, Callable[[Settings, argparse.Namespace], BenchReport]] = {
    "frame": _frame,
    "start": _start,
    "ingest": _ingest,
    "search": _search,
    "locate": _locate,
    "map": _map,
    "scale": _scale,
    "rest": _rest,
    "sight": _sight,
    "wall": _wall,
}
