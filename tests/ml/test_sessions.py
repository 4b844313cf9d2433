"""What really runs, and what is said when it can't."""

from __future__ import annotations

from pathlib import Path

import onnxruntime
import pytest

from atlas_rt.errors import MissingError
from atlas_rt.ml.registry import Model
from atlas_rt.ml.sessions import CUDA, open_session


def test_the_provider_is_read_back(model: Model) -> None:
    session = open_session(model.image.file.path, threads=1)
    assert session.provider in ("CPU", "CUDA", "CoreML")
    assert session.inputs == ("pixels",)
    assert session.outputs == ("embedding",)


def test_a_required_gpu_is_not_replaced_by_the_cpu(model: Model) -> None:
    if CUDA in onnxruntime.get_available_providers():
        pytest.skip("this ONNX Runtime may have a GPU")
    with pytest.raises(MissingError, match="A GPU is required, but ONNX Runtime runs on the CPU"):
        open_session(model.image.file.path, threads=1, require_gpu=True)


def test_a_file_that_is_no_graph_is_refused_in_silence(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "no.onnx"
    file.write_bytes(b"this is not a graph")
    with pytest.raises(MissingError, match=r"cannot be loaded .*no\.onnx"):
        open_session(file, threads=1)
    assert capfd.readouterr() == ("", "")
