"""`atlas-rt serve`: a local REST server for other programs."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from pathlib import Path

from atlas_rt.aws.bedrock import Bedrock
from atlas_rt.aws.model_memory import ModelMemory
from atlas_rt.commands.collection import Collection, open_collection, sources_of
from atlas_rt.commands.output import say, tell
from atlas_rt.core.money import money
from atlas_rt.errors import MissingError, UsageError
from atlas_rt.jobs import job_of
from atlas_rt.library import personal_data
from atlas_rt.library.cluster_names import ClusterNames
from atlas_rt.library.explanations import Explanations
from atlas_rt.library.received import received_folder
from atlas_rt.narrator.permission import Permission
from atlas_rt.narrator.spending import Ledger
from atlas_rt.permission import permission_of
from atlas_rt.server.claude_explainer import ClaudeExplainer, Consent
from atlas_rt.server.decoding import Decoder
from atlas_rt.server.explaining import Explainer, KnownExplainer
from atlas_rt.server.library_reader import LibraryReader
from atlas_rt.server.upkeep import NICENESS, Upkeep
from atlas_rt.settings import Settings
from atlas_rt.spoken import spoken_code

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
    permission = permission_of(settings)
    # Whoever wants Claude to be asked hears at once, and not with each request, that nothing can be.
    bedrock = Bedrock(region=permission.region) if permission.consented else None
    with contextlib.ExitStack() as opened:
        socket = opened.enter_context(bound_socket(arguments.host, arguments.port))
        collection = open_collection(settings, paths, no_update=arguments.no_update)
        reader = reader_of(settings, collection, show_paths=arguments.show_paths)
        decoder = opened.enter_context(contextlib.closing(Decoder(collection.originals)))
        job = job_of(settings, collection.place, collection.cache, niceness=NICENESS, stay=True)

        def told(text: str) -> None:
            say(settings, text)

        explainer: Explainer = KnownExplainer()
        if bedrock is not None:
            consent = _consent(permission, bedrock, collection, data)
            told(_told_of(consent, permission))
            explainer = opened.enter_context(contextlib.closing(ClaudeExplainer(consent, decoder, told)))
        upkeep = Upkeep(job, tell=told, at_once=not arguments.no_update)
        opened.callback(upkeep.close, limit_secs=CLOSING_SECS)
        received = received_folder(data, collection.place)
        services = Services(reader, decoder, explainer, upkeep, received, told)
        path, token = opened.enter_context(token_file(collection.cache, socket.getsockname()[1]))
        socket.listen()  # who reads the line may ask at once
        tell(json.dumps({"url": url_of(socket, arguments.host), "token_file": str(path)}))
        sys.stdout.flush()
        listen(services, socket, host=arguments.host, token=token, tell=told)
    return 0


def _consent(permission: Permission, bedrock: Bedrock, collection: Collection, data: Path) -> Consent:
    return Consent(
        bedrock,
        ModelMemory.of_cache(collection.cache),
        permission.manner(bedrock.region),
        Ledger(data, collection.place.folder.name, permission.budget),
        Explanations(data),
    )


def _told_of(consent: Consent, permission: Permission) -> str:
    library, month = permission.budget.library_usd, permission.budget.month_usd
    return (
        f"Claude is asked when a program wants a cluster explained: {consent.manner.model_id} in "
        f"{consent.bedrock.region}, for at most {money(library)} on this library and {money(month)} a month"
    )


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
        language=spoken_code(settings),
    )
