"""`atlas-rt mcp`: the library for an assistant, over the Model Context Protocol on standard input and output."""

from __future__ import annotations

import argparse
import contextlib

from atlas_rt.commands.collection import open_collection, sources_of
from atlas_rt.commands.serve import reader_of
from atlas_rt.errors import MissingError
from atlas_rt.server.decoding import Decoder
from atlas_rt.settings import Settings


def run(settings: Settings, arguments: argparse.Namespace) -> int:
    try:
        from atlas_rt.server.mcp_tools import build, serve
    except ImportError as error:
        raise MissingError(
            f"mcp needs packages that are not installed ({error.name}); install them with: "
            "pip install 'atlas_rt[mcp]' (in a checkout: scripts/setup mcp)"
        ) from error
    paths = sources_of(settings, arguments.source, demo=arguments.demo)
    collection = open_collection(settings, paths, no_update=arguments.no_update)
    reader = reader_of(settings, collection, show_paths=arguments.show_paths)
    with contextlib.closing(Decoder(collection.originals)) as decoder:
        serve(build(reader, decoder, allow_write=arguments.allow_write))
    return 0
