"""`atlas-rt info`: what is known of one image."""

from __future__ import annotations

import argparse
import textwrap
from pathlib import Path
from typing import Any

from atlas_rt.commands.collection import open_collection, sources_of
from atlas_rt.commands.output import print_json, tell
from atlas_rt.core.hud import ImageFacts
from atlas_rt.core.metadata_words import words_of
from atlas_rt.core.scene import Scene
from atlas_rt.errors import UsageError
from atlas_rt.library.pairs import raw_of
from atlas_rt.library.store import StoreReader
from atlas_rt.settings import Settings
from atlas_rt.workers.facts import FactsRequest, facts_of, stored_of

WIDTH, INDENT = 100, 12
LISTED = 5
"""Other images on a line."""

Pairs = tuple[tuple[int, float], ...]


def run(settings: Settings, arguments: argparse.Namespace) -> int:
    if not arguments.words or (len(arguments.words) < 2 and not arguments.demo):
        raise UsageError("name a source and one of its images: atlas-rt info SOURCE IMAGE")
    *words, image = arguments.words
    collection = open_collection(
        settings, sources_of(settings, words, demo=arguments.demo), no_update=arguments.no_update
    )
    row = collection.row_of(image)
    id_ = int(collection.scene.ids[row])
    request = FactsRequest(id_, collection.scene, collection.vector_index, neighbours=True)
    with StoreReader.open(collection.place.folder) as store:
        facts = facts_of(request, stored_of(store, request), sources=collection.place.sources)
    assert facts is not None  # the row is one of the scene
    paths = dict(zip(collection.scene.ids.tolist(), collection.scene.paths, strict=True))
    document = _document(facts, collection.scene, paths)
    if settings.json:
        print_json(document)
    else:
        tell(_page(document, facts))
    return 0


def _document(facts: ImageFacts, scene: Scene, paths: dict[int, str]) -> dict[str, Any]:
    """tags: nothing tells them yet. paths: of all images, by id. Labels and the cluster are told as they are stored,
    and as they are shown in the language of the scene."""
    words = scene.words
    cluster = next((each.english for each in scene.cluster_records if each.id == facts.cluster_id), ("", ""))
    metadata, why = facts.metadata, facts.why_here
    known = metadata.latitude is not None

    def others(pairs: Pairs) -> list[dict[str, Any]]:
        return [{"path": paths[id_], "score": round(score, 6)} for id_, score in pairs]

    return {
        "path": facts.path,
        "id": facts.id,
        "raw": raw_of(facts.path) or None,
        "taken": metadata.taken or None,
        "taken_from": metadata.taken_from or None,
        "camera": metadata.camera,
        "lens": metadata.lens,
        "exposure_secs": metadata.exposure_secs,
        "aperture": metadata.aperture,
        "iso": metadata.iso,
        "focal_mm": metadata.focal_mm,
        "gps": [metadata.latitude, metadata.longitude] if known else None,
        "place": facts.place or None,
        "size_px": [facts.width_px, facts.height_px],
        "rating": metadata.rating,
        "title": metadata.title,
        "caption": metadata.caption,
        "keywords": list(metadata.keywords),
        "software": metadata.software,
        "prompt": metadata.prompt,
        "text": facts.text,
        "label_language": words.code,
        "labels": [
            {"word": words.shown(word), "share": round(share, 4), "english": word} for word, share in facts.labels
        ],
        "tags": [],
        "cluster": facts.cluster or None,
        "cluster_english": cluster[0] or None,
        "cluster_id": facts.cluster_id,
        "cluster_why": facts.cluster_why,
        "cluster_why_english": cluster[1],
        "copies": others(facts.copies),
        "nearest": others(facts.neighbours),
        "why_here": {"sentence": why.sentence if why else "", "images": others(why.images if why else ())},
    }


def _page(document: dict[str, Any], facts: ImageFacts) -> str:
    """Names at the left, what they say at the right, in the width of a terminal."""
    metadata = facts.metadata
    told = (
        ("Title", metadata.title),
        ("Caption", metadata.caption),
        *words_of(metadata, document["raw"] or "", document["place"] or ""),
        ("Size", f"{facts.width_px:,} × {facts.height_px:,} px"),
        ("Keywords", ", ".join(metadata.keywords)),
        ("Prompt", metadata.prompt),
        ("Text", document["text"]),
        ("Labels", ", ".join(f"{each['word']} {each['share']:.0%}" for each in document["labels"])),
        ("Cluster", ": ".join(part for part in (facts.cluster, facts.cluster_why) if part)),
        ("Copies", _others(document["copies"])),
        ("Nearest", _others(document["nearest"])),
        ("Why here", document["why_here"]["sentence"]),
    )
    return "\n".join([document["path"], *(_entry(what, words) for what, words in told if words)])


def _others(images: list[dict[str, Any]]) -> str:
    """The first ones by name, with how similar they are."""
    return ", ".join(f"{Path(each['path']).name} {each['score']:.2f}" for each in images[:LISTED])


def _entry(what: str, words: str) -> str:
    hanging = " " * INDENT
    return textwrap.fill(
        words, WIDTH, initial_indent=f"  {what}".ljust(INDENT), subsequent_indent=hanging, break_on_hyphens=False
    )
