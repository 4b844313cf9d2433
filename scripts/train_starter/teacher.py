"""What the English tower of the first stage says of phrases: the vectors that the multilingual tower should give."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

TOKENS_MAX = 24
BATCH = 128


def taught(folder: Path, phrases: Sequence[str], threads: int) -> NDArray[np.float32]:
    """(n, dim) unit vectors by the text.onnx and tokenizer.json of a folder. Raises OSError."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(folder / "text.onnx", options, providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(TOKENS_MAX)
    read = [encoding.ids for encoding in tokenizer.encode_batch(list(phrases))]
    order = sorted(range(len(read)), key=lambda row: len(read[row]))
    found: NDArray[np.float32] | None = None
    for start in range(0, len(order), BATCH):
        rows = order[start : start + BATCH]
        length = len(read[rows[-1]])
        ids = np.zeros((len(rows), length), np.int64)
        mask = np.zeros_like(ids)
        for line, row in enumerate(rows):
            ids[line, : len(read[row])] = read[row]
            mask[line, : len(read[row])] = 1
        vectors = session.run(None, {"input_ids": ids, "attention_mask": mask})[0]
        if found is None:
            found = np.empty((len(read), vectors.shape[1]), np.float32)
        found[rows] = vectors
    return np.zeros((0, 0), np.float32) if found is None else found
