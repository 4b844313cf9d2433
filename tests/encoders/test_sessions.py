"""What really runs, and what is said when it can't. No GPU is pretended: what needs one is tried by nobody here."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from atlas_rt.core.arrays import Floats
from atlas_rt.core.runtime import ANYWHERE, Runtime
from atlas_rt.encoders import sessions
from atlas_rt.encoders.registry import Model
from atlas_rt.encoders.sessions import check_gpu, compiled_folder, open_session, working_provider
from atlas_rt.errors import MissingError
from tests.libraries import same_bits

GPU = Runtime(require_gpu=True)
needs_no_gpu = pytest.mark.skipif(working_provider() != "CPU", reason="a GPU runs here")


def test_the_provider_is_read_back(model: Model) -> None:
    session = open_session(model.image.file.path, threads=1)
    assert session.provider == working_provider()
    assert session.provider in sessions.built_in()
    assert sessions.built_in()[-1] == "CPU"
    assert session.inputs == ("pixels",)
    assert session.outputs == ("embedding",)


@needs_no_gpu
def test_a_required_gpu_is_not_replaced_by_the_cpu(model: Model) -> None:
    why = r"A GPU is required, but ONNX Runtime .* runs on the CPU \(.+\)\. Leave out --require-gpu, or "
    with pytest.raises(MissingError, match=why):
        open_session(model.image.file.path, threads=1, runtime=GPU)
    with pytest.raises(MissingError, match=why):
        check_gpu(GPU)
    with pytest.raises(MissingError, match=why):
        check_gpu(replace(GPU, tensorrt=True))


def test_a_gpu_that_is_not_required_need_not_be_there() -> None:
    check_gpu(ANYWHERE)


def test_inputs_bound_to_a_device_give_the_same_vector(model: Model, pixels: dict[str, Floats]) -> None:
    """Bound to the processor, which shows that the calls fit together and nothing of a GPU."""
    session = open_session(model.image.file.path, threads=1)
    feeds = {"pixels": next(iter(pixels.values()))[None]}
    assert same_bits(session.run_bound("embedding", feeds, "cpu"), session.run("embedding", feeds))
    turned = {"pixels": np.asfortranarray(feeds["pixels"])}
    assert same_bits(session.run_bound("embedding", turned, "cpu"), session.run("embedding", feeds))


def test_a_file_that_is_no_graph_is_refused_in_silence(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "no.onnx"
    file.write_bytes(b"this is not a graph")
    with pytest.raises(MissingError, match=r"cannot be loaded .*no\.onnx"):
        open_session(file, threads=1)
    assert capfd.readouterr() == ("", "")


def test_what_compilers_make_lies_apart_by_version_provider_and_file(tmp_path: Path) -> None:
    old = tmp_path / "graphs" / "1.0.0" / "CoreML" / "0123456789abcdef"
    old.mkdir(parents=True)
    (old / "graph").touch()
    coreml = compiled_folder(tmp_path, sessions.COREML, "a" * 64)
    tensorrt = compiled_folder(tmp_path, sessions.TENSORRT, "b" * 64)
    now = tmp_path / "graphs" / onnxruntime.__version__
    assert (coreml, tensorrt) == (str(now / "CoreML" / ("a" * 16)), str(now / "TensorRT" / ("b" * 16)))
    assert list((tmp_path / "graphs").iterdir()) == [now]
    assert Path(str(coreml)).is_dir()


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path: Path) -> None:
    (tmp_path / "graphs").touch()
    assert compiled_folder(tmp_path, sessions.TENSORRT, "a" * 64) is None
