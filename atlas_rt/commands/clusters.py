"""`atlas-rt clusters`: the groups in the map, their names and exemplars; a name of your own, or of Claude's."""

from __future__ import annotations

import argparse
from typing import Any

from atlas_rt.commands.collection import Collection, open_collection, read_collection, sources_of
from atlas_rt.commands.explaining import explain
from atlas_rt.commands.output import print_json, say, tell
from atlas_rt.core.explanations import Explanation
from atlas_rt.core.maps import subclusters_of
from atlas_rt.core.spoken_scene import in_words
from atlas_rt.core.word_names import IN_ENGLISH
from atlas_rt.errors import AtlasError, UsageError
from atlas_rt.library import personal_data
from atlas_rt.library.cluster_names import ClusterNames, checked_name
from atlas_rt.library.store import StoreReader
from atlas_rt.narrator.claude import explanation_of
from atlas_rt.narrator.narrator import Narrator
from atlas_rt.narrator.subject import subjects_of
from atlas_rt.narrator.vocabulary import VocabularyNarrator
from atlas_rt.permission import answer_language
from atlas_rt.settings import Settings


def run(settings: Settings, arguments: argparse.Namespace) -> int:
    paths = sources_of(settings, arguments.source, demo=arguments.demo)
    if arguments.rename:
        checked_name(arguments.rename[1])
    if arguments.explain:
        answer_language(settings)
    elif arguments.yes or arguments.sheets:
        raise UsageError("--yes and --sheets belong to --explain; add it, or leave them out")
    collection = open_collection(settings, paths, no_update=arguments.no_update)
    failed: AtlasError | None = None
    if arguments.explain:
        failed = explain(settings, collection, yes=arguments.yes, sheets=arguments.sheets or "")
        collection = read_collection(settings, collection.place, collection.model, collection.cache)
    if arguments.rename:
        _rename(settings, collection, *arguments.rename)
        collection = read_collection(settings, collection.place, collection.model, collection.cache)
    if settings.json:
        print_json(_rows(collection))
        return _ended(failed)
    for cluster in collection.scene.cluster_records:
        tell(f"{cluster.size:>6,}  {cluster.id:>4}  {cluster.name}: {cluster.why}")
    free = int((collection.scene.clusters < 0).sum())
    tell(f"{free:>6,}        in no cluster")
    return _ended(failed)


def _ended(failed: AtlasError | None) -> int:
    """0, once the clusters are told as they are now. Raises what ended the explanations early."""
    if failed is not None:
        raise failed
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
    said = _explanations(collection)
    return [
        {
            "id": cluster.id,
            "name": cluster.name,
            "why": cluster.why,
            "label_language": scene.words.code,
            "name_english": cluster.english[0],
            "why_english": cluster.english[1],
            "named_by": cluster.named_by,
            "size": cluster.size,
            "exemplars": [paths[id_] for id_ in cluster.exemplars if id_ in paths],
            "borderline": [paths[id_] for id_ in cluster.borderline if id_ in paths],
            "subclusters": [
                {
                    "id": each.id,
                    "name": each.name,
                    "name_english": each.english[0],
                    "size": each.size,
                    "exemplars": [paths[id_] for id_ in each.exemplars if id_ in paths],
                }
                for each in subclusters_of(cluster.id, scene.subcluster_records)
            ],
            "evidence": [
                {"text": claim.text, "images": [paths[id_] for id_ in claim.images if id_ in paths]}
                for claim in said[cluster.id].claims
            ],
            "model": said[cluster.id].model,
            "cost_usd": said[cluster.id].cost_usd,
        }
        for cluster in scene.cluster_records
    ]


def _explanations(collection: Collection) -> dict[int, Explanation]:
    """What was said of each cluster: by Claude where it named the cluster, and else by the vocabulary."""
    scene, explained = in_words(collection.scene, IN_ENGLISH), collection.arrival.explained
    vocabulary: Narrator = VocabularyNarrator()
    with StoreReader.open(collection.place.folder) as store:
        subjects = subjects_of(scene.cluster_records, scene, collection.vector_index, store)
        said = {subject.cluster: vocabulary.explain(subject) for subject in subjects}
        claude = {cluster: explanation_of(each, store.ids_with) for cluster, each in explained.items() if each.name}
    return said | claude
