"""The one place that makes ONNX Runtime sessions, and says which provider really runs.

Providers are tried in this order: TensorRT (where asked for), CUDA, CoreML, the processor. What a GPU's compiler makes
is kept in `<cache>/graphs/<onnxruntime version>/<provider>/<the model file's hash>/`: minutes of TensorRT's, seconds of
Core ML's. No GPU has been within reach yet: TensorRT, CUDA, CoreML and the binding of inputs are written from their
documentation, and have not been run.

The optimised graph of the processor is not kept, as it would cost more than it saves. A kept one is a model file of its
own and has to be verified like the first (milliseconds of one core in a new process; SHA-256 / making the session):

    graph                                       as shipped       optimised and kept     saved, both verified
    starter's image tower, 8 -> 12 MB           6 / 46           9 / 33                   4
    starter's text tower, 24 -> 24 MB           18 / 64          17 / 48                 -1
    text tower of int8 constants, 23 -> 90 MB   16 / 188         63 / 142               -17
    ViT-B/32's image tower, 351 -> 351 MB       236 / 733        243 / 699             -209

What loading leaves behind is given back to the system, which saves more: anonymous memory falls from 23 to 17, from 40
to 28, from 151 to 90 and from 540 to 344 MB, in this order.
"""

from __future__ import annotations

import contextlib
import functools
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from atlas_rt.core.arrays import Floats
from atlas_rt.core.freed_memory import give_back
from atlas_rt.core.runtime import ANYWHERE, Runtime
from atlas_rt.errors import MissingError

TENSORRT, CUDA = "TensorrtExecutionProvider", "CUDAExecutionProvider"
COREML, CPU = "CoreMLExecutionProvider", "CPUExecutionProvider"
ORDER = (TENSORRT, CUDA, COREML, CPU)
BOUND = {"CUDA": "cuda", "TensorRT": "cuda"}
"""Provider -> the device on which inputs and outputs are bound."""
QUIET = 4
"""Log severity "fatal": what goes wrong is raised, and said once by us."""
PROBE = (
    b'\x08\x08:7\n\x10\n\x01x\x12\x01y"\x08Identity\x12\x01gZ\x0f\n\x01x\x12\n\n\x08\x08\x01\x12\x04\n\x02\x08\x01'
    b"b\x0f\n\x01y\x12\n\n\x08\x08\x01\x12\x04\n\x02\x08\x01B\x04\n\x00\x10\r"
)
"""The smallest graph there is, x -> y, to learn which provider runs without opening a model."""


class Session:
    """One loaded graph. `run` may be called from several threads at once.

    provider: the provider that runs it, read back from the runtime (a listed one may be absent in truth).
    inputs, outputs: their names, in the order of the file. shapes, types: of each by name; a free dimension is None, a
    type reads like "tensor(int64)".
    """

    def __init__(self, inner: onnxruntime.InferenceSession) -> None:
        self._inner = inner
        self.provider: str = spoken(inner.get_providers()[0])
        self.inputs: tuple[str, ...] = tuple(value.name for value in inner.get_inputs())
        self.outputs: tuple[str, ...] = tuple(value.name for value in inner.get_outputs())
        values = [*inner.get_inputs(), *inner.get_outputs()]
        self.types: dict[str, str] = {value.name: value.type for value in values}
        self.shapes: dict[str, tuple[int | None, ...]] = {
            value.name: tuple(side if isinstance(side, int) else None for side in value.shape) for value in values
        }

    def run(self, output: str, feeds: Mapping[str, NDArray[np.generic]]) -> Floats:
        """The one output of that name."""
        if device := BOUND.get(self.provider):
            return self.run_bound(output, feeds, device)
        result: Floats = self._inner.run([output], dict(feeds))[0]
        return result

    def run_bound(self, output: str, feeds: Mapping[str, NDArray[np.generic]], device: str) -> Floats:
        """The same with inputs and output laid on a device beforehand, one copy each way and none in between."""
        binding = self._inner.io_binding()
        for name, values in feeds.items():
            on_device = onnxruntime.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(values), device, 0)
            binding.bind_ortvalue_input(name, on_device)
        binding.bind_output(output, device)
        self._inner.run_with_iobinding(binding)
        result: Floats = binding.copy_outputs_to_cpu()[0]
        return result


def open_session(
    path: Path, *, threads: int, runtime: Runtime = ANYWHERE, sha256: str = "", arena: bool = True
) -> Session:
    """A session for the graph at `path` on the best provider that works here.

    threads: of one run, on the CPU. sha256: of the file, under which a GPU's compiler keeps what it makes; empty keeps
    nothing. arena: keep memory between runs (off where shapes vary and runs are rare: text).
    Raises MissingError for a file that is no readable graph, and where a GPU is required and none runs.
    """
    try:
        session = Session(_open(path, _options(threads, arena), runtime, sha256))
    except _GraphError as error:
        raise MissingError(f"This model file cannot be loaded ({error}); fetch it again. {path}") from None
    if runtime.require_gpu and session.provider == spoken(CPU):
        raise MissingError(_no_gpu())
    return session


def open_made(graph: bytes, *, threads: int) -> Session:
    """A session on the processor for a graph of our own making, too small for a GPU."""
    options = _options(threads, arena=False)
    return Session(onnxruntime.InferenceSession(graph, options, providers=[CPU]))


def working_provider(runtime: Runtime = ANYWHERE) -> str:
    """The provider that sessions get here, as it is read back."""
    return Session(_open(PROBE, _options(1, arena=False), runtime, "")).provider


def check_gpu(runtime: Runtime) -> None:
    """Raise MissingError, with what is missing and what to do, where a GPU is required and none runs."""
    if runtime.require_gpu and working_provider(runtime) == spoken(CPU):
        raise MissingError(_no_gpu())


def built_in() -> tuple[str, ...]:
    """The providers that this ONNX Runtime was built with, of those that are ever asked for, the best first."""
    available = onnxruntime.get_available_providers()
    return tuple(spoken(provider) for provider in ORDER if provider in available)


def spoken(provider: str) -> str:
    """As a person calls it: "CPU", "CUDA"."""
    return provider.removesuffix("ExecutionProvider").replace("Tensorrt", "TensorRT")


def why_no_gpu() -> tuple[str, str]:
    """Why none runs, and what to do, going by what is installed."""
    if "CUDA" in built_in():
        return (
            "CUDA is built in but does not start",
            "see with nvidia-smi whether the driver finds the GPU, and install what it needs: "
            'pip install "onnxruntime-gpu[cuda,cudnn]"',
        )
    if "CoreML" in built_in():
        return "Core ML is built in but does not start", "update macOS"
    return (
        "it is built without GPU support",
        'for an NVIDIA card: pip install "atlas_rt[gpu]" && pip install --force-reinstall --no-deps onnxruntime-gpu',
    )


def _no_gpu() -> str:
    why, what = why_no_gpu()
    return (
        f"A GPU is required, but ONNX Runtime {onnxruntime.__version__} runs on the CPU ({why}). "
        f"Leave out --require-gpu, or {what}"
    )


class _GraphError(Exception):
    """No provider takes it; the first line of the runtime's reason."""


def _open(
    graph: Path | bytes, options: onnxruntime.SessionOptions, runtime: Runtime, sha256: str
) -> onnxruntime.InferenceSession:
    """Tries provider by provider: the runtime's own fallback would print to standard output."""
    wanted = _providers(runtime, sha256)
    for first in range(len(wanted)):
        try:
            session = onnxruntime.InferenceSession(graph, options, providers=wanted[first:], enable_fallback=0)
        except Exception as error:  # noqa: BLE001 - onnxruntime's exceptions share no other base
            reason = str(error)
        else:
            give_back()
            return session
    raise _GraphError(reason.strip().partition("\n")[0] or "no reason given")


def _providers(runtime: Runtime, sha256: str) -> list[tuple[str, dict[str, Any]]]:
    """The providers to try here and their options, the best first."""
    available = set(onnxruntime.get_available_providers())
    if CUDA in available:
        _preload()
    wanted = [name for name in ORDER if name in available and (name != TENSORRT or runtime.tensorrt)]
    return [(name, _provider_options(name, runtime.cache, sha256)) for name in wanted]


def _provider_options(provider: str, cache: Path | None, sha256: str) -> dict[str, Any]:
    if provider == CUDA:
        # The arena otherwise doubles with every growth, which on a small GPU is memory that the textures lack. Timing
        # every algorithm of every convolution (the default) holds up the first run, and may choose another each time.
        return {"arena_extend_strategy": "kSameAsRequested", "cudnn_conv_algo_search": "HEURISTIC"}
    if provider == CPU or cache is None or not sha256:
        return {}
    folder = compiled_folder(cache, provider, sha256)
    if folder is None:
        return {}
    if provider == COREML:
        return {"ModelFormat": "MLProgram", "ModelCacheDirectory": folder}
    # Never in half precision: vectors of two precisions do not belong in one index.
    return {
        "trt_engine_cache_enable": "1",
        "trt_engine_cache_path": folder,
        "trt_timing_cache_enable": "1",
        "trt_timing_cache_path": folder,
    }


def compiled_folder(cache: Path, provider: str, sha256: str) -> str | None:
    """Where a provider's compiler keeps what it makes of one model file; None where nothing can be written.

    What other versions of the runtime made is of no use any more, and is deleted.
    """
    graphs = cache / "graphs"
    folder = graphs / onnxruntime.__version__ / spoken(provider) / sha256[:16]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    for other in graphs.iterdir():
        if other.name != onnxruntime.__version__:
            shutil.rmtree(other, ignore_errors=True)
    return str(folder)


@functools.cache
def _preload() -> None:
    """Load CUDA and cuDNN from the packages they came in. What it cannot find it prints, and standard output is for
    results."""
    if hasattr(onnxruntime, "preload_dlls"):
        with contextlib.redirect_stdout(sys.stderr):
            onnxruntime.preload_dlls()


def _options(threads: int, arena: bool) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = QUIET
    options.enable_cpu_mem_arena = arena
    options.enable_mem_pattern = arena
    # Spinning after each run costs the window frames and gains nothing (2 % of heavy frames late, same throughput).
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Where the processor has AVX2 and no VNNI, sums of 8-bit products overflow by default: the starter's vectors lay
    # at a cosine of 0.90 (the worst of 95 images 0.72) from the right ones. So it is 0.9997, in 1.2 times the time.
    options.add_session_config_entry("session.x64quantprecision", "1")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    return options
