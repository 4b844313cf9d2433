"""`atlas-rt search`: the best images for a phrase, an image, or both."""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import sys
from dataclasses import replace

from atlas_rt.commands.collection import Collection, open_collection, sources_of
from atlas_rt.commands.output import print_json, say, tell
from atlas_rt.core.answers import Match, SearchAnswer
from atlas_rt.core.query_picture import QueryPicture
from atlas_rt.core.s3_address import is_s3
from atlas_rt.encoders.encoder import ImageEncoder, TextEncoder
from atlas_rt.encoders.preprocess import to_input
from atlas_rt.errors import DecodeError, UsageError
from atlas_rt.library.decoding.decode import read_image
from atlas_rt.library.disk_errors import reason_of
from atlas_rt.library.formats import suffix_of
from atlas_rt.library.sources import absolute, path_or_address
from atlas_rt.search.fields import read as read_fields
from atlas_rt.search.query import Term, parse
from atlas_rt.settings import Settings
from atlas_rt.spoken import spoken_code
from atlas_rt.workers.searcher import Query, Searcher
from atlas_rt.workers.text_search import TextSearch

_SIGNED_PHRASE = re.compile(r'[+-][^\s"]+(\s+[^\s"+-][^\s"]*)+')


def run(settings: Settings, arguments: argparse.Namespace) -> int:
    sources, text = _words(settings, arguments)
    phrases = _lines(arguments.queries) if arguments.queries else [text]
    image = _image(arguments.image)
    collection = open_collection(settings, sources, no_update=arguments.no_update)
    manner = {"language": spoken_code(settings), "as_typed": arguments.as_typed}
    with contextlib.closing(Searching(collection, image, top=arguments.top, **manner)) as searcher:
        for phrase in phrases:
            if len(phrases) > 1 and not settings.json:
                tell(f"{phrase}:")
            _tell_answer(settings, collection, searcher.answer(phrase))
    return 0


class Searching:
    """Answers phrases, or an image, or both together, over one collection."""

    def __init__(
        self, collection: Collection, image: str | None, *, top: int, language: str = "en", as_typed: bool = False
    ) -> None:
        """language: a code of `dictionary.languages`. as_typed: words are not read in it."""
        self._collection = collection
        encoder = TextEncoder(collection.model, runtime=collection.runtime)
        self._texts = TextSearch(collection.place, collection.model.id)
        self._searcher = Searcher(collection.model, encoder, self._texts, cache=collection.cache)
        self._picture = _query_picture(collection, image) if image else None
        self._top, self._language, self._as_typed = top, language, as_typed

    def answer(self, phrase: str) -> SearchAnswer:
        """The answer to a phrase, to the image, or to both together. Without a phrase `query` is the image's path."""
        scene = self._collection.scene
        query = Query(phrase, scene.ids, self._collection.vector_index, scene, self._picture)
        query = replace(query, language=self._language, as_typed=self._as_typed)
        answer = self._searcher.answer(query, top=self._top)
        return answer if phrase or self._picture is None else replace(answer, query=self._picture.name)

    def close(self) -> None:
        self._texts.close()


def _words(settings: Settings, arguments: argparse.Namespace) -> tuple[tuple[str, ...], str]:
    """Sources and text. Raises UsageError where there is too little or too much of either."""
    words = list(arguments.words)
    replaced = bool(arguments.image or arguments.queries)
    if not (words or arguments.demo):
        raise UsageError("name a source and what to look for: atlas-rt search SOURCE TEXT")
    start = _text_start(words, demo=arguments.demo, replaced=replaced)
    text = _joined(words[start:])
    if text and arguments.queries:
        raise UsageError(f"--queries reads the phrases from a file; leave out either --queries or the phrase {text!r}")
    if not (text or replaced):
        raise UsageError("say what to look for: atlas-rt search SOURCE TEXT")
    try:
        return sources_of(settings, words[:start], demo=arguments.demo), text
    except UsageError as error:
        if start <= 1 or arguments.demo:
            raise
        raise UsageError(f"{error}\n(put a phrase of several words in quotes)") from error


def _text_start(words: list[str], *, demo: bool, replaced: bool) -> int:
    """Where the text begins: it is the last word, together with all the terms at the end (+fruit -apple
    type:png).

    The word before the terms is a source nevertheless if it is a path, and so is a last word that is a path if an
    image or queries say what to look for (`replaced`). demo: the source is known, so all words are text.
    """
    if demo:
        return 1 if len(words) > 1 and _exists(words[0]) else 0
    start = len(words)
    while start > 1 and _is_term(words[start - 1]) and not _exists(words[start - 1]):
        start -= 1
    said = replaced or start < len(words)
    return start - 1 if start > 1 and not (said and _exists(words[start - 1])) else start


def _is_term(word: str) -> bool:
    """Whether a word has a sign, a weight or a field."""
    return parse(word) != (Term(word, 1.0),) or read_fields(word).text != word


def _joined(words: list[str]) -> str:
    """The words as one text. Words that the shell's quotes kept together after a sign stay one term."""
    if len(words) == 1:
        return words[0].strip()
    return " ".join(f'{word[0]}"{word[1:]}"' if _SIGNED_PHRASE.fullmatch(word) else word for word in words)


def _exists(word: str) -> bool:
    return is_s3(word) or (bool(word.strip()) and os.path.exists(absolute(word)))  # noqa: PTH110  says no where pathlib raises


def _lines(word: str) -> list[str]:
    """The queries in a file. Raises UsageError if there are none."""
    try:
        text = (_standard_input() if word == "-" else absolute(word).read_bytes()).decode("utf-8-sig")
    except OSError as error:
        raise UsageError(f"the file of queries cannot be read ({reason_of(error)}): {word}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"the file of queries must be UTF-8 text ({error.reason}): {word}") from error
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        raise UsageError(f"the file of queries is empty: {word}")
    return lines


def _standard_input() -> bytes:
    return sys.stdin.buffer.read() if sys.stdin else b""


def _image(word: str | None) -> str | None:
    if word is None:
        return None
    path = path_or_address(word)
    if not is_s3(path) and not os.path.isfile(path):  # noqa: PTH113  says no where pathlib raises
        raise UsageError(f"there is no such image: {path}")
    return path


def _query_picture(collection: Collection, path: str) -> QueryPicture:
    spec = collection.model.image.preprocessing
    try:
        data = collection.originals.read(path)
        decoded = read_image(data, target_px=spec.size_px, fit=spec.resize, suffix=suffix_of(path))
    except DecodeError as error:
        raise UsageError(f"this image cannot be used for a search ({error}): {path}") from error
    encoder = ImageEncoder(collection.model, runtime=collection.runtime)
    return QueryPicture(path, encoder.encode(to_input(decoded.image, spec)[None])[0])


def _tell_answer(settings: Settings, collection: Collection, answer: SearchAnswer) -> None:
    paths = dict(zip(collection.scene.ids.tolist(), collection.scene.paths, strict=True))
    results = [
        {"path": paths[match.id], "score": round(match.score, 6), "match": match.band, "why": list(match.why)}
        for match in answer.best
    ]
    if settings.json:
        ms = {"encode": round(answer.encode_ms, 3), "search": round(answer.search_ms, 3)}
        found: dict[str, object] = {"results": results, "notices": list(answer.notices)}
        found["reading"] = reading_facts(answer)
        print_json({"query": answer.query, "model": collection.model.name, **found, "ms": ms})
        return
    if answer.reading and not answer.reading.undone:
        say(settings, f"read as “{answer.reading.english}” too; --as-typed searches for what you typed alone")
    for notice in (answer.error, *answer.notices):
        if notice:
            say(settings, notice)
    if results and all(match.band == "none" for match in answer.best):
        nothing = "" if answer.not_understood else f"nothing here matches {answer.query!r}; "
        say(settings, f"{nothing}the nearest images are:")
    for match, result in zip(answer.best, results, strict=True):
        tell(f"{match.score:.3f}  {match.band:<6}  {result['path']}{_found_by(match)}")


def reading_facts(answer: SearchAnswer) -> dict[str, object] | None:
    """How the words were read in the person's language, None where they were searched for as they stand."""
    reading = answer.reading
    if reading is None or reading.undone:
        return None
    words = [list(pair) for pair in reading.words]
    return {
        "language": reading.language, "english": reading.english, "words": words, "unread": list(reading.unread),
    }  # fmt: skip


def _found_by(match: Match) -> str:
    """Why an image was found, unless by meaning alone."""
    return "" if match.why in ((), ("meaning",)) else f"  ({', '.join(match.why)})"
