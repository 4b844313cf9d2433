"""`atlas-rt search`: the best images for a phrase, an image, or both."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np

from atlas_rt.commands.collection import Collection, add_no_update, open_collection, sources_of
from atlas_rt.commands.output import print_json
from atlas_rt.core.records import Floats, SearchAnswer
from atlas_rt.errors import DecodeError, UsageError
from atlas_rt.library.decode import read_image
from atlas_rt.library.sources import read, suffix_of
from atlas_rt.ml.encoder import ImageEncoder, TextEncoder
from atlas_rt.ml.preprocess import to_input
from atlas_rt.services.search import Query, Searcher
from atlas_rt.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("words", nargs="*", metavar="SOURCE ... TEXT", help="the library, then the phrase")
    parser.add_argument("--demo", action="store_true", help="the pictures that come with the program")
    parser.add_argument("--image", metavar="FILE", help="search for what looks like this image")
    parser.add_argument("--queries", metavar="FILE", help="answer each line of a file (- for standard input)")
    parser.add_argument("--top", type=int, default=20, metavar="N", help="how many (20)")
    add_no_update(parser)


def run(settings: Settings, arguments: argparse.Namespace) -> int:
    sources, text = _words(arguments)
    phrases = [text] if text else []
    if arguments.queries:
        phrases = _lines(arguments.queries)
    image = _image(arguments.image)
    collection = open_collection(settings, sources, no_update=arguments.no_update)
    searcher = Searching(collection, image, top=max(arguments.top, 0))
    for phrase in phrases or [""]:
        _print(settings, collection, searcher.answer(phrase))
    return 0


class Searching:
    """Answers phrases, or an image, or both together, over one collection."""

    def __init__(self, collection: Collection, image: Path | None, *, top: int) -> None:
        self._collection = collection
        self._encoder = TextEncoder(collection.model)
        self._searcher = Searcher(collection.model, self._encoder)
        self._image = _image_vector(collection, image) if image else None
        self._label = image.name if image else ""
        self._top = top

    def answer(self, phrase: str) -> SearchAnswer:
        """One answer; the mean of both vectors where phrase and image are given."""
        scene = self._collection.scene
        begun = time.perf_counter()
        vectors = [self._encoder.encode(phrase)] if phrase else []
        if self._image is not None:
            vectors.append(self._image)
        mean = np.mean(vectors, axis=0)
        vector: Floats = (mean / max(float(np.linalg.norm(mean)), 1e-9)).astype(np.float32)
        encode_ms = (time.perf_counter() - begun) * 1000.0
        query = Query(phrase or self._label, scene.ids, self._collection.vectors, scene.generation)
        return self._searcher.answer_vector(query, vector, top=self._top, encode_ms=encode_ms)


def _words(arguments: argparse.Namespace) -> tuple[tuple[str, ...], str]:
    """Sources and phrase. The last word is the phrase, unless an image or a file of queries stands for it."""
    words = list(arguments.words)
    replaced = bool(arguments.image or arguments.queries)
    if arguments.demo:
        return sources_of((), demo=True), " ".join(words)
    phrase = ""
    if words and not (replaced and Path(words[-1]).expanduser().exists()):
        phrase = words.pop()
    if not words:
        raise UsageError("name a source and a phrase: atlas-rt search SOURCE TEXT")
    if not (phrase or replaced):
        raise UsageError("say what to look for: atlas-rt search SOURCE TEXT")
    return sources_of(words, demo=False), phrase


def _lines(word: str) -> list[str]:
    try:
        text = sys.stdin.read() if word == "-" else Path(word).expanduser().read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the file of queries cannot be read as text ({error}): {word}") from error
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        raise UsageError(f"the file of queries holds no query: {word}")
    return lines


def _image(word: str | None) -> Path | None:
    if word is None:
        return None
    path = Path(word).expanduser().absolute()
    if not path.is_file():
        raise UsageError(f"there is no such image: {path}")
    return path


def _image_vector(collection: Collection, path: Path) -> Floats:
    spec = collection.model.image.preprocessing
    try:
        decoded = read_image(read(str(path)), target_px=spec.size_px, fit=spec.resize, suffix=suffix_of(path.name))
    except DecodeError as error:
        raise UsageError(f"this image cannot be searched for ({error}): {path}") from error
    vector: Floats = ImageEncoder(collection.model).encode(to_input(decoded.image, spec)[None])[0]
    return vector


def _print(settings: Settings, collection: Collection, answer: SearchAnswer) -> None:
    paths = dict(zip(collection.scene.ids.tolist(), collection.scene.paths, strict=True))
    results = [{"path": paths[match.id], "score": round(match.score, 6), "match": match.band} for match in answer.best]
    if settings.json:
        ms = {"encode": round(answer.encode_ms, 3), "search": round(answer.search_ms, 3)}
        print_json({"query": answer.query, "model": collection.model.name, "results": results, "ms": ms})
        return
    if not any(match.band != "none" for match in answer.best):
        print(f"nothing here matches {answer.query!r}; the nearest images are:")
    for result in results:
        print(f"{result['score']:.3f}  {result['match']:<6}  {result['path']}")
