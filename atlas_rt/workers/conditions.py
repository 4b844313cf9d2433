"""Which images the fields of a query let through."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from functools import reduce

import numpy as np

from atlas_rt.core.arrays import Ids
from atlas_rt.core.maps import Cluster
from atlas_rt.core.rows import IdMask, Mask
from atlas_rt.core.scene import Scene
from atlas_rt.core.word_names import IN_ENGLISH, Words
from atlas_rt.core.words import pieces_of
from atlas_rt.library.store import StoreReader
from atlas_rt.library.text_index import NAMES, Word
from atlas_rt.search.fields import Condition, either
from atlas_rt.search.labels import SURE

NEAR = 0.75
"""Share of a word that has to agree for it to be offered: what was mistyped, and not "apron" for "cartoon"."""
COLUMN_OF = {"name": "name", "folder": "folder", "keyword": "keywords", "camera": "camera", "lens": "lens"}
"""Field -> the column of the text index it asks."""


def passing(
    conditions: Iterable[Condition], images: IdMask, *, store: StoreReader, scene: Scene | None, model_id: str
) -> tuple[Mask, list[str]]:
    """(n,) which of the images fulfil all conditions; and sentences on those that none fulfils.

    scene: the one that the images are of, for its clusters; None where there is none.
    """
    passes, sentences = images.all(), list[str]()
    for condition in conditions:
        found = [_found(each, store=store, scene=scene, model_id=model_id) for each in condition.alternatives]
        passes &= images.of(*found) == condition.wanted
        if condition.wanted and not any(map(len, found)):
            sentences.append(_none(condition, store=store, scene=scene, model_id=model_id))
    return passes, sentences


def in_english(condition: Condition, words: Words, stored: Collection[str] = ()) -> Condition:
    """A condition on labels with the English words for what was typed in the person's language; others as they are.

    stored: labels that stand for themselves: `robe` is a dress in French, and a label of its own.
    """
    if condition.field != "label":
        return condition
    values = [value for each in condition.values for value in ((each,) if each in stored else words.meanings(each))]
    return either([replace(condition, value=value, others=()) for value in dict.fromkeys(values)])


def labelled(store: StoreReader, word: str, model_id: str) -> Ids:
    """The images with a label. Labels are singular; who types several means each."""
    found = store.labelled(word, model_id, least=SURE)
    return found if len(found) or not word.endswith("s") else labelled(store, word[:-1], model_id)


def in_column(store: StoreReader, word: Word, column: str) -> Ids:
    """The images that have a word in one column of the text index, by its beginning, however short: it may be just
    being typed, and nothing else is meant."""
    found = store.texts.matching(word.expression([column], least=1))
    return np.union1d(found, store.texts.holding(word.inside)[column]) if column in NAMES and word.inside else found


def _found(condition: Condition, *, store: StoreReader, scene: Scene | None, model_id: str) -> Ids:
    match condition.field:
        case "label":
            return _labelled_so(condition, store, scene.words if scene is not None else IN_ENGLISH, model_id)
        case "date":
            return store.finder.taken_in(condition.span)
        case "rating":
            return store.finder.rated(condition.span)
        case "type":
            return store.finder.of_type(condition.value)
        case "near" if not condition.whole:
            return store.finder.near(condition.value)
        case "size":
            finds = store.finder.of_pixels if condition.pixels else store.finder.of_bytes
            return finds(condition.span)
        case "cluster":
            return _in_cluster(condition.value, scene, whole=condition.whole)
    return _in_words(condition, store)


def _labelled_so(condition: Condition, store: StoreReader, words: Words, model_id: str) -> Ids:
    """The images with a label that was typed in the person's language or in English. A whole one that images have is
    that one alone."""
    typed = condition.value
    found, meant = store.labelled(typed, model_id, least=SURE), words.meanings(typed)
    if meant == (typed,) or (condition.whole and len(found)):
        return found if len(found) else labelled(store, typed, model_id)
    return reduce(np.union1d, [labelled(store, word, model_id) for word in meant], found)


def _in_words(condition: Condition, store: StoreReader) -> Ids:
    """By what the text index knows."""
    if condition.whole:
        return store.finder.exactly(condition.field, condition.value)
    word = Word.typed(condition.value)
    return np.zeros(0, np.int64) if word is None else in_column(store, word, COLUMN_OF[condition.field])


def _in_cluster(value: str, scene: Scene | None, *, whole: bool) -> Ids:
    """The images of the clusters that are called so."""
    if scene is None:
        return np.zeros(0, np.int64)
    named = [each.id for each in called_so(value, scene.cluster_records, whole=whole)]
    return scene.ids[np.isin(scene.clusters, named)]


def called_so(value: str, records: Sequence[Cluster], *, whole: bool) -> list[Cluster]:
    """The clusters whose name has these words, or whose number it is. whole: it is the name."""
    if whole:
        return [each for each in records if value.casefold() in map(str.casefold, _called(each))]
    wanted = f" {' '.join(pieces_of(value))}"
    return [
        each
        for each in records
        if value == str(each.id)
        or (wanted.strip() and any(wanted in f" {' '.join(pieces_of(name))}" for name in _called(each)))
    ]


def _called(cluster: Cluster) -> tuple[str, ...]:
    """What a cluster is called, as it is shown and in English."""
    return tuple(dict.fromkeys((cluster.name, cluster.english[0])))


def _none(condition: Condition, *, store: StoreReader, scene: Scene | None, model_id: str) -> str:
    """The sentence where no image fulfils a condition, with what was perhaps meant."""
    value = condition.value
    match condition.field:
        case _ if condition.others:
            pass
        case "label":
            words = scene.words if scene is not None else IN_ENGLISH
            known = [each for word in store.label_words(model_id, least=SURE) for each in (word, words.plain(word))]
            return f"No image here is labelled “{value}”.{_nearest('label', value, known)}"
        case "cluster":
            names = [each.name for each in scene.cluster_records] if scene else []
            return f"No cluster here is called “{value}”.{_nearest('cluster', value, names)}"
        case "near":
            cities = store.finder.values("near")
            here = _nearest("place", value, cities) if cities else " No image here tells where it was taken."
            return f"No image here was taken near “{value}”.{here}"
    return f"No image here fulfils {condition}."


def _nearest(kind: str, value: str, known: Iterable[str]) -> str:
    words = {word.lower(): word for word in known}
    near = difflib.get_close_matches(value.lower(), words, n=1, cutoff=NEAR)
    return f" The nearest {kind} is “{words[near[0]]}”." if near else ""
