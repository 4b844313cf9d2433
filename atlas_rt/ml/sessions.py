"""The one place that makes ONNX Runtime sessions, and says which provider really runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from atlas_rt.core.records import Floats
from atlas_rt.errors import MissingError

CUDA, COREML, CPU = "CUDAExecutionProvider", "CoreMLExecutionProvider", "CPUExecutionProvider"
PREFERENCE: tuple[tuple[str, dict[str, Any]], ...] = (
    # The arena otherwise doubles with every growth, which on a small GPU is memory that the textures lack.
    (CUDA, {"arena_extend_strategy": "kSameAsRequested"}),
    (COREML, {}),
    (CPU, {}),
)
QUIET = 4
"""Log severity "fatal": what goes wrong is raised, and said once by us."""


class Session:
    """One loaded graph. `run` may be called from several threads at once.

    provider: the provider that runs it, read back from the runtime (a listed one may be absent in truth).
    inputs, outputs: their names, in the order of the file.
    """

    def __init__(self, inner: onnxruntime.InferenceSession) -> None:
        self._inner = inner
        self.provider: str = inner.get_providers()[0].removesuffix("ExecutionProvider")
        self.inputs: tuple[str, ...] = tuple(value.name for value in inner.get_inputs())
        self.outputs: tuple[str, ...] = tuple(value.name for value in inner.get_outputs())

    def run(self, output: str, feeds: Mapping[str, NDArray[np.generic]]) -> Floats:
        """The one output of that name."""
        result: Floats = self._inner.run([output], dict(feeds))[0]
        return result


def open_session(path: Path, *, threads: int, require_gpu: bool = False, arena: bool = True) -> Session:
    """A session for the graph at `path` on the best provider that works here.

    threads: of one run, on the CPU. arena: keep memory between runs (off where shapes vary and runs are rare: text).
    Raises MissingError for a file that is no readable graph, and where a GPU is required and none runs.
    """
    session = Session(_open(path, _options(threads, arena)))
    if require_gpu and session.provider == "CPU":
        here = ", ".join(onnxruntime.get_available_providers())
        raise MissingError(
            f"A GPU is required, but ONNX Runtime runs on the CPU (providers here: {here}); "
            "install onnxruntime-gpu, and the CUDA libraries it asks for."
        )
    return session


def _open(path: Path, options: onnxruntime.SessionOptions) -> onnxruntime.InferenceSession:
    """Tries provider by provider: the runtime's own fallback would print to standard output."""
    available = set(onnxruntime.get_available_providers())
    wanted = [entry for entry in PREFERENCE if entry[0] in available]
    for first in range(len(wanted)):
        try:
            return onnxruntime.InferenceSession(path, options, providers=wanted[first:], enable_fallback=0)
        except Exception as error:  # noqa: BLE001 - onnxruntime's exceptions share no other base
            reason = str(error)
    raise MissingError(f"This model file cannot be loaded ({_first_line(reason)}); fetch it again. {path}")


def _options(threads: int, arena: bool) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = QUIET
    options.enable_cpu_mem_arena = arena
    options.enable_mem_pattern = arena
    # Spinning after each run costs the window frames and gains nothing (2 % of heavy frames late, same throughput).
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    return options


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0] if text.strip() else "no reason given"
