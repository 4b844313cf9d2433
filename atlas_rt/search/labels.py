"""Words for pictures: a vocabulary of everyday nouns in the encoder's space, and the best few for each image."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.arrays import Floats, Ints
from atlas_rt.core.assets import assets_folder
from atlas_rt.core.plain_text import is_plain
from atlas_rt.core.runtime import ANYWHERE, Runtime
from atlas_rt.encoders.encoder import TextEncoder
from atlas_rt.encoders.registry import Model
from atlas_rt.search.query import in_templates, phrase_vector

BLOCK = 1024
"""Images labelled together: 1024 x 2194 floats are 9 MB."""
COUNT = 5
"""Words an image gets."""
SURE = 0.05
"""A word of less confidence, which is wrong more than nineteen times in twenty, is neither shown nor searched."""
RANK_OFFSET = 100.0
"""Of the law of Zipf and Mandelbrot: the word of rank r is used in proportion to 1 / (r + RANK_OFFSET). Among many
words a rare one lies nearest by chance: with this the first word of 469 captioned pictures is right in 20 %, without
in 10."""
OWN_MAX, OWN_LENGTH_MAX = 2000, 60
"""Words a person may add, as each costs a millisecond once, and characters of one: what a panel can show."""
TEMPERATURES = np.geomspace(0.002, 0.2, 93)
"""Where `fit_label_temperature` looks, in steps of 5 %."""

FOLDER = "vocabulary"
"""Of the cache: where the words' vectors are kept."""

TOGETHER = 256
"""Words encoded before it is asked again whether they are wanted; the starter's take 0.1 s."""

EncodeAll = Callable[[Sequence[str]], Floats]
"""Phrases -> (n, dim) unit."""
Label = tuple[str, float]
"""A word and the confidence in it, 0..1."""


class StoppedError(Exception):
    """Words are no longer wanted."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """words: w of them, the most familiar first; vectors: (w, dim) float32 unit, in the same rows.

    temperature: of the softmax, in cosine. own: so many at the end are the person's, and as familiar as the first.
    key: names all that labels depend on besides the image, so labels made under another key are out of date.
    """

    words: tuple[str, ...]
    vectors: Floats
    temperature: float
    own: int = 0
    key: str = ""

    def label(self, vectors: Floats, count: int = COUNT) -> list[tuple[Label, ...]]:
        """For each of (n, dim) unit vectors its `count` best words, best first.

        Confidences are a softmax over the whole vocabulary, familiar words ahead by as much as they are used more.
        """
        if not self.words:
            return [()] * len(vectors)
        shares, best = self.best(vectors, count)
        return [
            tuple((self.words[word], share) for word, share in zip(row, values, strict=True))
            for row, values in zip(best.tolist(), shares.tolist(), strict=True)
        ]

    def best(self, vectors: Floats, count: int = COUNT) -> tuple[Floats, Ints]:
        """The same as arrays: the confidences, and the places of the words, (n, k) each."""
        familiarity, count = log_familiarity(len(self.words), self.own), min(count, len(self.words))
        shares, best = np.zeros((len(vectors), count), np.float32), np.zeros((len(vectors), count), np.int32)
        for start in range(0, len(vectors), BLOCK):
            part = slice(start, start + BLOCK)
            shares[part], best[part] = self._block(vectors[part], familiarity, count)
        return shares, best

    def _block(self, vectors: Floats, familiarity: Floats, count: int) -> tuple[Floats, NDArray[np.intp]]:
        found = confidences(vectors @ self.vectors.T, familiarity, self.temperature)
        best = np.argpartition(-found, count - 1, axis=1)[:, :count]  # a full sort takes ten times as long
        shares = np.take_along_axis(found, best, axis=1)
        order = np.lexsort((best, -shares), axis=1)
        return np.take_along_axis(shares, order, axis=1), np.take_along_axis(best, order, axis=1)


def log_familiarity(words: int, own: int = 0) -> Floats:
    """(words,) float32: the logarithm of how often each is used, but for a constant; the last `own` as the first."""
    ranks = np.arange(words, dtype=np.float32)
    ranks[words - own :] = 0.0
    familiarity: Floats = -np.log(ranks + np.float32(RANK_OFFSET))
    return familiarity


def confidences(scores: Floats, familiarity: Floats, temperature: float) -> Floats:
    """(n, w) cosines and (w,) `log_familiarity` -> (n, w) shares of one."""
    logits = scores / np.float32(temperature) + familiarity
    logits -= logits.max(axis=1, keepdims=True)
    np.exp(logits, out=logits)
    logits /= logits.sum(axis=1, keepdims=True)
    return logits


def fit_label_temperature(scores: Floats, right: Sequence[Collection[int]]) -> float:
    """The temperature under which the words that are right are likeliest, in cosine.

    scores: (n, w) cosines of pictures and the words of `vocabulary.txt` in their order. right: for each picture the
    columns of the words that its caption holds; pictures without any say nothing. The pictures must be none the model
    was trained on, as on those it is surer than it should be. Raises ValueError where no picture has a word.
    """
    rows = [row for row, columns in enumerate(right) if columns]
    if not rows:
        raise ValueError("none of these captions holds a word of the vocabulary")
    mask = np.zeros((len(rows), scores.shape[1]), np.bool_)
    for place, row in enumerate(rows):
        mask[place, list(right[row])] = True
    familiarity = log_familiarity(scores.shape[1])

    def surprise(temperature: float) -> float:
        shares = (confidences(scores[rows], familiarity, temperature) * mask).sum(axis=1)
        return -float(np.log(np.maximum(shares, 1e-12)).mean())

    return float(min(TEMPERATURES.tolist(), key=surprise))


# -- the words ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OwnWords:
    """What a person added to the vocabulary. remark: a sentence on lines that are not used, empty if all are."""

    words: tuple[str, ...] = ()
    remark: str = ""


def wordless(dim: int) -> Vocabulary:
    """A vocabulary of no words, for a space of `dim` dimensions."""
    return Vocabulary((), np.zeros((0, dim), np.float32), 1.0)


def read_words(file: Path) -> tuple[str, ...]:
    """The words of a vocabulary file: one a line, empty lines and those that begin with # left out."""
    return _words_of(file.read_text(encoding="utf-8"))


def read_own_words(file: Path | None) -> OwnWords:
    """The words in a file like that. What cannot be used is told and stops nothing: images are indexed all the same."""
    if file is None:
        return OwnWords()
    try:
        words = _words_of(file.read_bytes().decode("utf-8-sig"))
    except (FileNotFoundError, NotADirectoryError):
        return OwnWords()
    except OSError as error:
        if not os.path.lexists(file):  # in a folder this user may not look into
            return OwnWords()
        return OwnWords(remark=f"your labels are not used: the file cannot be read ({error.strerror}): {file}")
    except UnicodeDecodeError:
        return OwnWords(remark=f"your labels are not used: save the file as text in UTF-8: {file}")
    usable = [word for word in words if len(word) <= OWN_LENGTH_MAX and is_plain(word)]
    remarks = []
    if left := len(words) - len(usable):
        lines = "1 line is" if left == 1 else f"{left:,} lines are"
        remarks.append(f"{lines} longer than {OWN_LENGTH_MAX} characters or no plain text, and left out")
    if len(usable) > OWN_MAX:
        remarks.append(f"only the first {OWN_MAX:,} of {len(usable):,} are used")
    return OwnWords(tuple(usable[:OWN_MAX]), f"of your labels {'; '.join(remarks)}: {file}" if remarks else "")


def _words_of(text: str) -> tuple[str, ...]:
    lines = (" ".join(line.split()) for line in text.splitlines())
    return tuple(dict.fromkeys(line for line in lines if line and not line.startswith("#")))


def load_vocabulary(
    model: Model,
    cache: Path,
    *,
    own: Sequence[str] = (),
    encoder: TextEncoder | None = None,
    runtime: Runtime = ANYWHERE,
    wanted: Callable[[], bool] = lambda: True,
) -> Vocabulary:
    """The vocabulary that comes with the program and the person's own words, in the model's space.

    Vectors (a millisecond a word) are kept in the cache under a name made of the model's text files and the words.
    encoder: used when they have to be made; opened on `runtime` if not given. Raises StoppedError once they are no
    longer `wanted`.
    """
    if model.vectors_only:
        return wordless(model.dim)
    shipped, added = all_words(own)
    opened = encoder

    def encode_all(phrases: Sequence[str]) -> Floats:
        nonlocal opened
        if not wanted():
            raise StoppedError
        opened = opened or TextEncoder(model, runtime=runtime)
        return opened.encode_all(phrases)

    parts = [word_vectors(words, model, cache, encode_all) for words in (shipped, added) if words]
    temperature = model.calibration.label_temperature
    key = vocabulary_key(model, own)
    return Vocabulary((*shipped, *added), np.concatenate(parts), temperature, len(added), key)


def all_words(own: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The words that come with the program, and those of the person's own that are not among them."""
    shipped = read_words(assets_folder("models") / "vocabulary.txt")
    known = {word.lower() for word in shipped}
    return shipped, tuple({word.lower(): word for word in own if word.lower() not in known}.values())


def vocabulary_key(model: Model, own: Sequence[str] = ()) -> str:
    """`Vocabulary.key` of the vocabulary that `load_vocabulary` gives, without making its vectors."""
    if model.vectors_only:
        return ""
    shipped, added = all_words(own)
    temperature = model.calibration.label_temperature
    return _digest(_text_key(model), f"{temperature} {RANK_OFFSET} {COUNT} {len(added)}", *shipped, *added)


def word_vectors(words: tuple[str, ...], model: Model, cache: Path | None, encode_all: EncodeAll) -> Floats:
    """(w, dim) float32, kept under a name made of the words and the model's text files. cache: None keeps nothing."""
    if cache is None:
        return _made(words, model, encode_all)
    name = model.name.replace(":", "-")
    file = cache / FOLDER / f"{name}-{_digest(_text_key(model), *words)}.npy"
    vectors = _kept(file, (len(words), model.dim))
    if vectors is None:
        vectors = _made(words, model, encode_all)
        _keep(file, vectors)
    return vectors


def _made(words: tuple[str, ...], model: Model, encode_all: EncodeAll) -> Floats:
    templates, vectors = model.text.templates, []
    for start in range(0, len(words), TOGETHER):
        part = words[start : start + TOGETHER]
        phrases = [phrase for word in part for phrase in in_templates(word, templates)]
        found = dict(zip(phrases, encode_all(phrases), strict=True))

        def encode(phrase: str, found: Mapping[str, Floats] = found) -> Floats:
            return found[phrase] if phrase in found else encode_all([phrase])[0]

        vectors += [phrase_vector(word, encode, templates) for word in part]
    return np.stack(vectors)


def _text_key(model: Model) -> str:
    return "\n".join((model.text.file.sha256, model.text.tokenizer.sha256, *model.text.templates))


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _kept(file: Path, shape: tuple[int, int]) -> Floats | None:
    """What an earlier run kept, None when there is nothing whole."""
    try:
        vectors: Floats = np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return vectors if vectors.shape == shape and vectors.dtype == np.float32 else None


def _keep(file: Path, vectors: Floats) -> None:
    """Written under another name, then renamed. A cache that cannot be written costs seconds at each start, no more."""
    beside = file.with_name(f"{file.stem}-{os.getpid()}.tmp.npy")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        np.save(beside, vectors, allow_pickle=False)
        beside.replace(file)
    except OSError:
        with contextlib.suppress(OSError):
            beside.unlink()
