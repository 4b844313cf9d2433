"""The two towers of a model: pictures and phrases to unit vectors of one space."""

from __future__ import annotations

import numpy as np
from tokenizers import Tokenizer

from atlas_rt.core.records import Floats
from atlas_rt.errors import MissingError
from atlas_rt.ml.registry import Model
from atlas_rt.ml.sessions import Session, open_session


class ImageEncoder:
    """Pictures to vectors.

    Every run has exactly the batch the model's description asks for: a graph's last bits differ with the batch size.
    (The starter asks for 1. In larger batches they differ with the place in the batch too, by 5e-8, for a gain of 5 %.)
    provider: what really runs it.
    """

    def __init__(self, model: Model, *, threads: int = 1, require_gpu: bool = False) -> None:
        tower = model.image
        self.model = model
        self._session = open_session(tower.file.verified(), threads=threads, require_gpu=require_gpu)
        _check(self._session, (tower.input,), tower.output, model)
        self.provider = self._session.provider

    def encode(self, pixels: Floats) -> Floats:
        """(n, 3, size, size) float32 as `preprocess.to_input` makes them -> (n, dim) float32, unit length.

        A picture's vector does not depend on what shares its batch. May be called from several threads at once.
        """
        vectors = np.empty((len(pixels), self.model.dim), np.float32)
        batch = self.model.image.batch
        for start in range(0, len(pixels), batch):
            part = pixels[start : start + batch]
            vectors[start : start + len(part)] = self._run(part)[: len(part)]
        return vectors

    def _run(self, part: Floats) -> Floats:
        tower = self.model.image
        if missing := tower.batch - len(part):
            part = np.concatenate([part, np.zeros((missing, *part.shape[1:]), np.float32)])
        return _unit(self._session.run(tower.output, {tower.input: part}))


class TextEncoder:
    """Phrases to vectors, one at a time and unpadded: a dynamically quantised graph takes one scale for a whole batch,
    and beside others a phrase's vector fell to cosine 0.88 of itself."""

    def __init__(self, model: Model, *, threads: int = 1) -> None:
        tower = model.text
        self.model = model
        self._session = open_session(tower.file.verified(), threads=threads, arena=False)
        _check(self._session, tower.inputs, tower.output, model)
        self._tokenizer = Tokenizer.from_file(str(tower.tokenizer.verified()))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(tower.context_length)
        self.provider = self._session.provider

    def encode(self, phrase: str) -> Floats:
        """Any phrase, the empty one too -> (dim,) float32, unit length. What exceeds the context is not read."""
        tokens = self._tokenizer.encode(phrase)
        rows = (tokens.ids, tokens.attention_mask)
        tower = self.model.text
        feeds = {name: np.array([row], np.int64) for name, row in zip(tower.inputs, rows, strict=False)}
        vector: Floats = _unit(self._session.run(tower.output, feeds))[0]
        return vector


def _unit(vectors: Floats) -> Floats:
    """Rows of length one in float32; graphs normalise inside, to some bits less."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Floats = (vectors / np.maximum(lengths, np.float32(1e-12))).astype(np.float32, copy=False)
    return unit


def _check(session: Session, inputs: tuple[str, ...], output: str, model: Model) -> None:
    missing = [f"input {name}" for name in inputs if name not in session.inputs]
    missing += [f"output {output}"] if output not in session.outputs else []
    if missing:
        raise MissingError(f"The graph of model {model.name} is no encoder: it has no {', no '.join(missing)}.")
