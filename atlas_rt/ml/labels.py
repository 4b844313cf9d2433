"""Words for pictures: a vocabulary of everyday nouns in the encoder's space, and the best few for each image."""

from __future__ import annotations

import contextlib
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from atlas_rt.core.assets import assets_folder
from atlas_rt.core.records import Floats
from atlas_rt.ml.encoder import TextEncoder
from atlas_rt.ml.registry import Model

BLOCK = 4096
"""Images labelled together: 4096 x 666 floats are 11 MB."""

Label = tuple[str, float]
"""A word and the confidence in it, 0..1."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """words: w of them; vectors: (w, dim) float32 unit, in the same rows; temperature: of the softmax, in cosine."""

    words: tuple[str, ...]
    vectors: Floats
    temperature: float

    def label(self, vectors: Floats, count: int = 5) -> list[tuple[Label, ...]]:
        """For each of (n, dim) unit vectors its `count` best words, best first.

        Confidences are a softmax over the whole vocabulary, so they say how much a word stands out from all others.
        """
        return [
            found for start in range(0, len(vectors), BLOCK) for found in self._block(vectors[start:][:BLOCK], count)
        ]

    def _block(self, vectors: Floats, count: int) -> list[tuple[Label, ...]]:
        scores = vectors @ self.vectors.T
        weights = np.exp((scores - scores.max(axis=1, keepdims=True)) / np.float32(self.temperature))
        confidences = weights / weights.sum(axis=1, keepdims=True)
        best = np.argsort(-confidences, axis=1, kind="stable")[:, :count]
        return [
            tuple((self.words[word], float(row[word])) for word in words)
            for words, row in zip(best, confidences, strict=True)
        ]


def read_words(file: Path) -> tuple[str, ...]:
    """The words of a vocabulary file: one a line, empty lines and those that begin with # left out."""
    lines = (line.strip() for line in file.read_text(encoding="utf-8").splitlines())
    return tuple(dict.fromkeys(line for line in lines if line and not line.startswith("#")))


def load_vocabulary(model: Model, cache: Path, *, encoder: TextEncoder | None = None) -> Vocabulary:
    """The vocabulary that comes with the program, in the model's space.

    Its vectors (1 s to encode) are kept in the cache under a name made of the model's text files and the words. Single
    words, as no template did better with the starter. encoder: used when they have to be made; opened if not given.
    """
    words = read_words(assets_folder("models") / "vocabulary.txt")
    key = "\n".join((model.text.file.sha256, model.text.tokenizer.sha256, *words))
    file = cache / "vocabulary" / f"{model.name}-{hashlib.sha256(key.encode()).hexdigest()[:16]}.npy"
    vectors = _kept(file, (len(words), model.dim))
    if vectors is None:
        encoder = encoder or TextEncoder(model)
        vectors = np.stack([encoder.encode(word) for word in words])
        _keep(file, vectors)
    return Vocabulary(words, vectors, model.calibration.label_temperature)


def _kept(file: Path, shape: tuple[int, int]) -> Floats | None:
    """What an earlier run kept, None when there is nothing whole."""
    try:
        vectors: Floats = np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return vectors if vectors.shape == shape and vectors.dtype == np.float32 else None


def _keep(file: Path, vectors: Floats) -> None:
    """Written beside and renamed into place. A cache that can't be written costs a second at each start, no more."""
    beside = file.with_name(f"{file.stem}-{os.getpid()}.tmp.npy")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        np.save(beside, vectors, allow_pickle=False)
        beside.replace(file)
    except OSError:
        with contextlib.suppress(OSError):
            beside.unlink()
