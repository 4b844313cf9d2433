"""Whether a score is a match: `strong`, `weak` or `none`.

No cut through scores separates hits from misses. What the best image scores depends on the phrase (some come near every
picture, some near none), on the library (the more images, the better the best of them scores for anything) and on the
model. So four things are measured, each in deviations from what everyday words show, most of which no picture of a
library answers:

    excess     how much better an image scores than pictures in general do for this phrase, among the everyday words'
               best images in the same library
    known      how far the phrase is from every everyday word; at most 0
    abstract   how near the phrase is to the words of `abstract.txt`, which no picture shows
    pieces     into how many pieces the tokenizer breaks a word, beyond one

Their weighted sum is the evidence, and two bars cut it. Weights and bars: `scripts/calibrate`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from atlas_rt.core.arrays import Floats
from atlas_rt.core.assets import assets_folder
from atlas_rt.encoders.encoder import TextEncoder
from atlas_rt.encoders.registry import Calibration, Model
from atlas_rt.errors import MissingError
from atlas_rt.search.labels import read_words, word_vectors
from atlas_rt.search.vector_index import VectorIndex

FEATURES = ("excess", "known", "abstract", "pieces")
GENERAL_SHARE = 0.1
"""Of the background's pictures so many, those that score best, say what pictures in general score for a phrase."""
NEAREST_ABSTRACT = 5
PIECES_MAX = 3.0
"""More pieces a word, beyond one, say no more."""
LEAST_SPREAD = 1e-4
"""In cosine. What differs by less all over a library is the same, and a deviation in it is rounding."""

_WORD = re.compile("[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|[^\\s\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+")
"""Scripts that set no spaces between words have about one in each character."""


@dataclass(frozen=True, slots=True)
class QueryVector:
    """What is judged. vector: (dim,) unit. pieces: as `pieces_of` counts; None for a vector made with an image."""

    vector: Floats
    pieces: float | None


@dataclass(frozen=True, slots=True)
class _Scale:
    """The mean and the standard deviation of one measure among everyday words."""

    mean: float
    spread: float

    @classmethod
    def of(cls, values: Floats) -> _Scale:
        if not len(values):
            return cls(0.0, 1.0)
        return cls(float(values.mean()), max(float(values.std()), LEAST_SPREAD))

    def deviations(self, values: Floats) -> Floats:
        deviations: Floats = (values - self.mean) / self.spread
        return deviations


class Background:
    """What a model makes of words and pictures in general.

    words: (w, dim), everyday ones; abstract: (a, dim), what no picture shows; pictures: (p, dim), none where the model
    has none: `excess` is of the score itself then. All of unit length.
    """

    def __init__(self, words: Floats, abstract: Floats, pictures: Floats) -> None:
        self.words, self.abstract, self.pictures = words, abstract, pictures
        self.levels = self.level(words)
        among = words @ words.T
        np.fill_diagonal(among, -1.0)
        self._known = _Scale.of(among.max(axis=1))
        self._abstract = _Scale.of(self._abstractness(words))

    def level(self, vectors: Floats) -> Floats:
        """(q, dim) -> (q,): what pictures in general score for each."""
        if not len(self.pictures):
            return np.zeros(len(vectors), np.float32)
        return _mean_of_highest(vectors @ self.pictures.T, max(1, round(GENERAL_SHARE * len(self.pictures))))

    def of_text(self, query: QueryVector) -> Floats:
        """(3,): known, abstract, pieces."""
        vector = query.vector[None]
        known = min(0.0, float(self._known.deviations((vector @ self.words.T).max(axis=1))[0]))
        abstract = float(self._abstract.deviations(self._abstractness(vector))[0])
        pieces = min(max((query.pieces or 1.0) - 1.0, 0.0), PIECES_MAX)
        return np.array([known, abstract, pieces], np.float32)

    def _abstractness(self, vectors: Floats) -> Floats:
        return _mean_of_highest(vectors @ self.abstract.T, min(NEAREST_ABSTRACT, len(self.abstract)))


class Judge:
    """Judges the images of one library. 0.3 s to make for 10,000 images on one core, less where the library only grew.

    before: the judge of the same library when it had fewer images; where those are the first of these, only the others
    are looked at.
    """

    def __init__(
        self,
        vector_index: VectorIndex,
        background: Background,
        calibration: Calibration,
        *,
        before: Judge | None = None,
    ) -> None:
        self._vector_index, self._background, self._calibration = vector_index, background, calibration
        self._weights = np.array([getattr(calibration, name) for name in FEATURES], np.float32)
        self._best = self._best_of_words(before)
        self._excess = _Scale.of(self._best - background.levels if len(vector_index) else self._best[:0])
        self._of_pictures: _Scale | None = None

    def features(self, query: QueryVector, scores: Floats) -> Floats:
        """(k, 4) in the order of FEATURES, for k scores."""
        excess = self._excess.deviations(scores - self._background.level(query.vector[None])[0])
        text = np.broadcast_to(self._background.of_text(query), (len(scores), len(FEATURES) - 1))
        return np.column_stack([excess, text]).astype(np.float32)

    def evidence(self, query: QueryVector, scores: Floats) -> Floats:
        """(k,), the higher the better the match; it grows with the score.

        For an image's vector: by how much it is nearer than pictures in general come to this library's images.
        """
        if query.pieces is None:
            evidence: Floats = self._picture_scale().deviations(scores)
        else:
            evidence = self.features(query, scores) @ self._weights
        return evidence

    def bands(self, query: QueryVector, scores: Floats) -> list[str]:
        """ "strong", "weak" or "none" for each of (k,) scores. 0.5 ms."""
        strong, weak = self._calibration.strong, self._calibration.weak
        return [
            "strong" if each >= strong else "weak" if each >= weak else "none"
            for each in self.evidence(query, scores).tolist()
        ]

    def levels(self, query: QueryVector, scores: Floats) -> Floats:
        """(n,) scores -> (n,) float32, 0 where "weak" begins and 1 where "strong" does. 0.1 ms at 100,000 images.

        The evidence grows evenly with the score, so two scores tell it of all.
        """
        zero, one = self.evidence(query, np.array([0.0, 1.0], np.float32)).tolist()
        strong, weak = self._calibration.strong, self._calibration.weak
        apart = max(strong - weak, LEAST_SPREAD)
        levels: Floats = scores * np.float32((one - zero) / apart) + np.float32((zero - weak) / apart)
        return levels

    def _best_of_words(self, before: Judge | None) -> Floats:
        """Each word's best score in the library, -1 in an empty one."""
        words, vector_index = self._background.words, self._vector_index
        if (
            before is not None
            and before._background is self._background
            and vector_index.starts_with(before._vector_index)
        ):
            return np.maximum(before._best, vector_index.tail(len(before._vector_index)).best_of(words))
        return vector_index.best_of(words)

    def _picture_scale(self) -> _Scale:
        if self._of_pictures is None:
            others = self._background.pictures if len(self._background.pictures) else self._background.words
            self._of_pictures = _Scale.of(
                self._vector_index.best_of(others) if len(self._vector_index) else self._best[:0]
            )
        return self._of_pictures


def load_background(model: Model, encoder: TextEncoder, cache: Path | None) -> Background:
    """The background of a model. cache: the program's cache folder, where encoded words are kept, None for nowhere.

    Raises MissingError where the model's pictures are not what was recorded.
    """
    files = (assets_folder("models") / name for name in ("vocabulary.txt", "abstract.txt"))
    vectors, abstract = (word_vectors(read_words(file), model, cache, encoder.encode_all) for file in files)
    pictures = _pictures(model)
    missing = max(0, vectors.shape[1] - pictures.shape[1])  # measurements widen vectors with zeros
    return Background(vectors, abstract, np.pad(pictures, ((0, 0), (0, missing))))


def pieces_of(phrase: str, encoder: TextEncoder) -> float:
    """Tokens a word, at least 1."""
    return max(1.0, encoder.pieces(phrase) / max(1, len(_WORD.findall(phrase))))


def _pictures(model: Model) -> Floats:
    file = model.calibration.background
    if file is None:
        return np.zeros((0, model.dim), np.float32)
    path = file.verified()
    try:
        pictures = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        pictures = np.zeros(0)
    if pictures.ndim != 2 or pictures.shape[1] != model.dim:
        raise MissingError(
            f"The background of model {model.name} holds no vectors of {model.dim} dimensions; fetch it again. {path}"
        )
    floats: Floats = pictures.astype(np.float32)
    floats /= np.maximum(np.linalg.norm(floats, axis=1, keepdims=True), np.float32(1e-12))
    return floats


def _mean_of_highest(scores: Floats, count: int) -> Floats:
    """(q, m) -> (q,)."""
    mean: Floats = np.partition(scores, -count, axis=1)[:, -count:].mean(axis=1)
    return mean
