"""`atlas-rt info`: what is known of one image."""

from __future__ import annotations

import argparse
import textwrap
from typing import Any

import numpy as np

from atlas_rt.commands.collection import Collection, open_collection, sources_of
from atlas_rt.commands.output import print_json, tell
from atlas_rt.core.metadata import NOTHING_KNOWN, Metadata
from atlas_rt.core.metadata_words import words_of
from atlas_rt.errors import UsageError
from atlas_rt.library.pairs import raw_of
from atlas_rt.library.store import StoreReader
from atlas_rt.search.labels import SURE
from atlas_rt.settings import Settings

WIDTH, INDENT = 100, 12


def run(settings: Settings, arguments: argparse.Namespace) -> int:
    if not arguments.words or (len(arguments.words) < 2 and not arguments.demo):
        raise UsageError("name a source and one of its images: atlas-rt info SOURCE IMAGE")
    *words, image = arguments.words
    collection = open_collection(
        settings, sources_of(settings, words, demo=arguments.demo), no_update=arguments.no_update
    )
    row = collection.row_of(image)
    id_ = int(collection.scene.ids[row])
    with StoreReader.open(collection.place.folder) as store:
        labels = [(word, share) for word, share in store.labels(id_, collection.model.id) if share >= SURE]
        metadata = store.metadata_of(np.array([id_])).get(id_, NOTHING_KNOWN)
        place, text = store.place_names(np.array([id_])).get(id_, ""), store.text_in(id_)
    document = _document(collection, row, metadata, labels) | {"place": place or None, "text": text}
    if settings.json:
        print_json(document)
    else:
        tell(_page(document, metadata))
    return 0


def _document(collection: Collection, row: int, metadata: Metadata, labels: list[tuple[str, float]]) -> dict[str, Any]:
    """place, text: told by another. tags: nothing tells them yet."""
    scene = collection.scene
    names = {record.id: record.name for record in scene.cluster_records}
    known = metadata.latitude is not None
    return {
        "path": scene.paths[row],
        "id": int(scene.ids[row]),
        "raw": raw_of(scene.paths[row]) or None,
        "taken": metadata.taken or None,
        "taken_from": metadata.taken_from or None,
        "camera": metadata.camera,
        "lens": metadata.lens,
        "exposure_secs": metadata.exposure_secs,
        "aperture": metadata.aperture,
        "iso": metadata.iso,
        "focal_mm": metadata.focal_mm,
        "gps": [metadata.latitude, metadata.longitude] if known else None,
        "place": None,
        "size_px": scene.sizes_px[row].tolist(),
        "rating": metadata.rating,
        "title": metadata.title,
        "caption": metadata.caption,
        "keywords": list(metadata.keywords),
        "software": metadata.software,
        "prompt": metadata.prompt,
        "text": "",
        "labels": [{"word": word, "share": round(share, 4)} for word, share in labels],
        "tags": [],
        "cluster": names.get(int(scene.clusters[row])) or None,
    }


def _page(document: dict[str, Any], metadata: Metadata) -> str:
    """Names at the left, what they say at the right, in the width of a terminal."""
    width_px, height_px = document["size_px"]
    told = (
        ("Title", metadata.title),
        ("Caption", metadata.caption),
        *words_of(metadata, document["raw"] or "", document["place"] or ""),
        ("Size", f"{width_px:,} × {height_px:,} px"),
        ("Keywords", ", ".join(metadata.keywords)),
        ("Prompt", metadata.prompt),
        ("Text", document["text"]),
        ("Labels", ", ".join(f"{each['word']} {each['share']:.0%}" for each in document["labels"])),
        ("Cluster", document["cluster"]),
    )
    return "\n".join([document["path"], *(_entry(what, words) for what, words in told if words)])


def _entry(what: str, words: str) -> str:
    hanging = " " * INDENT
    return textwrap.fill(
        words, WIDTH, initial_indent=f"  {what}".ljust(INDENT), subsequent_indent=hanging, break_on_hyphens=False
    )
