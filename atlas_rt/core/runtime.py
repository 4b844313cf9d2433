"""On what encoders must run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Runtime:
    """On what encoders are to run.

    require_gpu: fail rather than run on the processor. tensorrt: try TensorRT before CUDA. cache: the program's cache
    folder, where what a GPU's compiler made is kept; None keeps nothing.
    """

    require_gpu: bool = False
    tensorrt: bool = False
    cache: Path | None = None


ANYWHERE = Runtime()
"""On the best that works here, keeping nothing."""
