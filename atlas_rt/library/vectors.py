"""The vectors of one model, one row an image, in a flat file of float16."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.arrays import Floats
from atlas_rt.library.record_file import RecordFile, read_record

FILE_NAME = "vectors.f16"
"""In the folder of a model."""


def read_vector(folder: Path, row: int, dim: int) -> Floats:
    """(dim,) float32 of one image of a library that another process may write or delete.

    Raises MissingError where it is not there.
    """
    return np.frombuffer(read_record(folder / FILE_NAME, row, 2 * dim), np.float16).astype(np.float32)


FILE_NAME = "vectors.f16"


def record_bytes(dim: int) -> int:
    """Of one vector, stored."""
    return 2 * dim


class VectorFile:
    """Rows of `dim` numbers. A row is never written again: an image that changed gets a new one.

    rows: how many are named (`StoreReader.named_vectors`); opening with more than the file has raises MissingError.
    float16 keeps a unit vector's cosines to about 0.0003, at half the memory.
    """

    def __init__(self, path: Path, dim: int, *, writable: bool = False, rows: int) -> None:
        self._dim = dim
        self._file = RecordFile(path, record_bytes(dim), writable=writable, count=rows)

    @property
    def rows(self) -> int:
        """Rows that count."""
        return self._file.count

    def append(self, vectors: Floats) -> int:
        """Add (k, dim) float32; the first one's row. Raises MissingError where the disk refuses; none is added then."""
        if vectors.ndim != 2 or vectors.shape[1] != self._dim:
            raise ValueError(f"expected vectors of shape (k, {self._dim}), not {vectors.shape}")
        return self._file.append(vectors.astype(np.float16).tobytes())

    def array(self) -> NDArray[np.float16]:
        """(rows, dim) float16, memory-mapped, read-only."""
        return self._file.records().view(np.float16)

    def flush(self) -> None:
        """Wait until the disk has what was appended."""
        self._file.flush()

    def close(self) -> None:
        """Let go of the file; arrays handed out stay valid."""
        self._file.close()
