"""The two towers of a model: pictures and phrases to unit vectors of one space."""

from __future__ import annotations

import string
from collections.abc import Sequence

import numpy as np
from tokenizers import Encoding, Tokenizer

from atlas_rt.core.arrays import Floats
from atlas_rt.core.runtime import ANYWHERE, Runtime
from atlas_rt.core.vectors import unit
from atlas_rt.encoders.registry import Model
from atlas_rt.encoders.sessions import Session, open_session
from atlas_rt.errors import MissingError

TOKENS = {"tensor(int32)": np.int32, "tensor(int64)": np.int64}
"""What a graph may want its tokens as."""
UNKNOWN = ("[UNK]", "<unk>")
"""What tokenizers put in the place of what they do not have."""


class ImageEncoder:
    """Pictures to vectors.

    Every run has exactly the batch that the graph fixes, or else the model's description asks for: a graph's last bits
    differ with the batch size.
    (The starter asks for 1. In larger batches they differ with the place in the batch too, by 5e-8, for a gain of 5 %.)
    provider: what really runs it.
    """

    def __init__(self, model: Model, *, threads: int = 1, runtime: Runtime = ANYWHERE) -> None:
        tower = model.image
        self.model = model
        self._session = open_session(tower.file.verified(), threads=threads, runtime=runtime, sha256=tower.file.sha256)
        _check(self._session, (tower.input,), tower.output, model)
        self._batch = self._session.shapes[tower.input][0] or tower.batch
        self.provider = self._session.provider

    def encode(self, pixels: Floats) -> Floats:
        """(n, 3, size, size) float32 as `preprocess.to_input` makes them -> (n, dim) float32, unit length.

        A picture's vector does not depend on what shares its batch. May be called from several threads at once.
        """
        vectors = np.empty((len(pixels), self.model.dim), np.float32)
        batch = self._batch
        for start in range(0, len(pixels), batch):
            part = pixels[start : start + batch]
            vectors[start : start + len(part)] = self._run(part)[: len(part)]
        return vectors

    def _run(self, part: Floats) -> Floats:
        tower = self.model.image
        if missing := self._batch - len(part):
            part = np.concatenate([part, np.zeros((missing, *part.shape[1:]), np.float32)])
        return unit(self._session.run(tower.output, {tower.input: part}))


class NoEncoder:
    """In place of an encoder of a model that has only vectors: what is not known already fails, and nothing else."""

    provider = "none"

    def __init__(self, model: Model) -> None:
        self.model = model

    def encode(self, pixels: Floats) -> Floats:
        """(n, dim) zeros, which no library takes for a vector."""
        return np.zeros((len(pixels), self.model.dim), np.float32)


class TextEncoder:
    """Phrases to vectors. Padded only where the graph or the model asks for it."""

    def __init__(self, model: Model, *, threads: int = 1, runtime: Runtime = ANYWHERE) -> None:
        tower = model.text
        self.model = model
        self._session = open_session(
            tower.file.verified(), threads=threads, runtime=runtime, sha256=tower.file.sha256, arena=False
        )
        _check(self._session, tower.inputs, tower.output, model)
        self._tokenizer = Tokenizer.from_file(str(tower.tokenizer.verified()))
        length = self._session.shapes[tower.inputs[0]][-1]
        self._tokenizer.enable_truncation(min(length or tower.context_length, tower.context_length))
        if length is None and tower.pad_id is None:
            self._tokenizer.no_padding()
        else:
            self._tokenizer.enable_padding(length=length or tower.context_length, pad_id=tower.pad_id or 0)
        self._batch = self._session.shapes[tower.inputs[0]][0] or tower.batch
        self._types = [TOKENS.get(self._session.types[name], np.int64) for name in tower.inputs]
        self.provider = self._session.provider

    def encode(self, phrase: str) -> Floats:
        """Any phrase, the empty one too -> (dim,) float32, unit length. What exceeds the context is not read."""
        vector: Floats = self.encode_all([phrase])[0]
        return vector

    def encode_all(self, phrases: Sequence[str]) -> Floats:
        """(n, dim). Phrases of as many tokens share a run, so that none is padded for another's sake."""
        tokens = self._tokenizer.encode_batch([self._clean(phrase) for phrase in phrases])
        vectors: dict[int, Floats] = {}
        rows_by_length: dict[int, list[int]] = {}
        for row, each in enumerate(tokens):
            rows_by_length.setdefault(len(each.ids), []).append(row)
        for rows in rows_by_length.values():
            for start in range(0, len(rows), self._batch):
                part = rows[start : start + self._batch]
                vectors.update(zip(part, self._run([tokens[row] for row in part]), strict=True))
        if not vectors:
            return np.zeros((0, self.model.dim), np.float32)
        return np.stack([vectors[row] for row in range(len(phrases))])

    def pieces(self, phrase: str) -> int:
        """How many tokens the phrase is broken into, as far as it is read."""
        return sum(self._tokenizer.encode(self._clean(phrase), add_special_tokens=False).attention_mask)

    def has_word(self, word: str) -> bool:
        """Whether the tokenizer has a word as one piece of its own."""
        found = self._tokenizer.encode(self._clean(word), add_special_tokens=False)
        ids = [id_ for id_, counts in zip(found.ids, found.attention_mask, strict=True) if counts]
        return len(ids) == 1 and self._tokenizer.id_to_token(ids[0]) not in UNKNOWN

    def reads_whole(self, phrase: str) -> bool:
        """Whether the phrase fits into the context."""
        return not self._tokenizer.encode(self._clean(phrase)).overflowing

    def _clean(self, phrase: str) -> str:
        return canonical(phrase) if self.model.text.clean else phrase

    def _run(self, tokens: list[Encoding]) -> Floats:
        """tokens: of as many phrases as the graph takes, of one length."""
        tower = self.model.text
        rows = ([each.ids for each in tokens], [each.attention_mask for each in tokens])
        feeds = {name: np.array(part, kind) for name, part, kind in zip(tower.inputs, rows, self._types, strict=False)}
        return unit(self._session.run(tower.output, feeds))


def canonical(phrase: str) -> str:
    """In lower case, without ASCII punctuation, one space between words: what SigLIP's text towers were trained on."""
    bare = phrase.replace("_", " ").translate(_PUNCTUATION)
    return " ".join(bare.lower().split())


_PUNCTUATION = str.maketrans("", "", string.punctuation)


def _check(session: Session, inputs: tuple[str, ...], output: str, model: Model) -> None:
    missing = [f"input {name}" for name in inputs if name not in session.inputs]
    missing += [f"output {output}"] if output not in session.outputs else []
    if missing:
        raise MissingError(f"The graph of model {model.name} is not an encoder: it has no {', no '.join(missing)}.")
