"""`atlas-rt serve`: a local REST server for other programs."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys

from atlas_rt.commands.collection import Collection, open_collection, sources_of
from atlas_rt.commands.output import say, tell
from atlas_rt.errors import MissingError, UsageError
from atlas_rt.jobs import job_of
from atlas_rt.library import personal_data
from atlas_rt.library.cluster_names import ClusterNames
from atlas_rt.library.explanations import Explanations
from atlas_rt.library.received import received_folder
from atlas_rt.server.decoding import Decoder
from atlas_rt.server.explaining import KnownExplainer
from atlas_rt.server.library_reader import LibraryReader
from atlas_rt.server.upkeep import NICENESS, Upkeep
from atlas_rt.settings import Settings

CLOSING_SECS = 8.0
"""The engine is given so long to commit."""


def run(settings: Settings, arguments: argparse.Namespace) -> int:
    if settings.offline:
        raise UsageError("serve listens on a port, and --offline forbids every internet socket; leave out one of them")
    try:
        from atlas_rt.server.listening import bound_socket, listen, token_file, url_of
        from atlas_rt.server.rest import Services
    except ImportError as error:
        raise MissingError(
            f"serve needs packages that are not installed ({error.name}); install them with: "
            "pip install 'atlas_rt[serve]' (in a checkout: scripts/setup serve)"
        ) from error
    paths = sources_of(settings, arguments.source, demo=arguments.demo)
    data = personal_data.data_folder(settings.data_path)
    personal_data.refuse_inside(data, paths, named=bool(settings.data))
    with contextlib.ExitStack() as opened:
        socket = opened.enter_context(bound_socket(arguments.host, arguments.port))
        collection = open_collection(settings, paths, no_update=arguments.no_update)
        reader = reader_of(settings, collection, show_paths=arguments.show_paths)
        decoder = opened.enter_context(contextlib.closing(Decoder()))
        job = job_of(settings, collection.place, collection.cache, niceness=NICENESS, stay=True)

        def told(text: str) -> None:
            say(settings, text)

        upkeep = Upkeep(job, tell=told, at_once=not arguments.no_update)
        opened.callback(upkeep.close, limit_secs=CLOSING_SECS)
        received = received_folder(data, collection.place)
        services = Services(reader, decoder, KnownExplainer(), upkeep, received, told)
        path, token = opened.enter_context(token_file(collection.cache, socket.getsockname()[1]))
        socket.listen()  # who reads the line may ask at once
        tell(json.dumps({"url": url_of(socket, arguments.host), "token_file": str(path)}))
        sys.stdout.flush()
        listen(services, socket, host=arguments.host, token=token, tell=told)
    return 0


def reader_of(settings: Settings, collection: Collection, *, show_paths: bool) -> LibraryReader:
    """What other programs read of a library that was opened."""
    data = personal_data.data_folder(settings.data_path)
    return LibraryReader(
        collection.place,
        collection.model,
        collection.arrival,
        cache=collection.cache,
        runtime=collection.runtime,
        names=ClusterNames(data),
        explanations=Explanations(data),
        show_paths=show_paths,
    )
