"""`--require-gpu` where there is none: every command refuses, and so does every process and thread that encodes."""

from __future__ import annotations

from pathlib import Path

import pytest

from atlas_rt.core.hud import running_on
from atlas_rt.core.runtime import Runtime
from atlas_rt.encoders.sessions import working_provider
from atlas_rt.engine.messages import Refused
from atlas_rt.errors import MissingError
from atlas_rt.window.session import frame_encoder
from tests.commands.person import Person
from tests.libraries import Library, job_of, run

pytestmark = pytest.mark.skipif(working_provider() != "CPU", reason="a GPU runs here")
REFUSAL = "A GPU is required, but ONNX Runtime"


@pytest.mark.parametrize("words", ["", "index", "search", "locate", "clusters", "library list", "bench search"])
def test_every_command_refuses(person: Person, folder: Path, words: str) -> None:
    source = [] if words in {"library list", "bench search"} else [str(folder)]
    told = person.ask(*words.split(), *source, "--require-gpu")
    assert (told.code, told.out) == (3, "")
    assert told.refusal.startswith(REFUSAL)
    assert "Leave out --require-gpu, or " in told.refusal
    assert not (person.cache / "libraries").exists()


def test_the_environment_may_require_it_too(person: Person, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATLAS_RT_REQUIRE_GPU", "yes")
    assert person.ask("index", folder).code == 3


def test_the_engine_refuses(folder: Path, tmp_path: Path) -> None:
    told = run(job_of(folder, tmp_path / "cache", runtime=Runtime(require_gpu=True)))
    assert isinstance(told[-1], Refused)
    assert told[-1].exit_code == 3
    assert told[-1].text.startswith(REFUSAL)


def test_the_live_thread_refuses(library: Library) -> None:
    with pytest.raises(MissingError, match=REFUSAL):
        frame_encoder(library.model, Runtime(require_gpu=True))


def test_the_doctor_tells_instead(person: Person) -> None:
    told = person.run("doctor", "--require-gpu", "--json")
    found = {finding["check"]: finding for finding in told.document}
    assert told.code == 0
    assert found["ONNX Runtime"]["status"] == "broken"
    assert "runs on CPU, but a GPU is required" in found["ONNX Runtime"]["detail"]
    assert "pip install" in found["ONNX Runtime"]["advice"]
    assert found["image encoder"]["status"] == found["text encoder"]["status"] == "ok"


def test_the_panels_name_both_providers_where_they_differ() -> None:
    assert running_on("", "") == ""
    assert running_on("CPU", "") == running_on("", "CPU") == running_on("CPU", "CPU") == "CPU"
    assert running_on("CUDA", "CPU") == "images CUDA, text CPU"
