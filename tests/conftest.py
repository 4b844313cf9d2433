"""What all tests share: one folder of real pictures, indexed once, and one headless OpenGL context.

A second EGL context in a process fails.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import moderngl
import pytest

from atlas_rt.core import retries
from atlas_rt.core.reports import IndexReport
from atlas_rt.render.gl.cleanup import sweep
from atlas_rt.render.gl.context import open_headless
from tests.libraries import PICTURES, Library, copy_pictures, job_of, listing, run

pytest_plugins = ["tests.starter", "tests.bedrock_server", "tests.s3_server", "tests.s3_stub"]

# As scripts/test has it: what numba compiles stays with .venv, or each process of a test would compile for 12 s.
os.environ.setdefault("NUMBA_CACHE_DIR", str(Path(__file__).parents[1] / ".venv/numba"))

# Started in the background of a script, pytest ignores Ctrl-C, and so would every program it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)

NAMES = ("acoustic-guitar.webp", "tiger-walking.webp")
"""Beside every second picture of the demo."""


@pytest.fixture
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails is tried again three times, as ever, but soon."""
    monkeypatch.setattr(retries, "PAUSES_SECS", (0.02, 0.04, 0.08))


@pytest.fixture(scope="session")
def encoded_words(pytestconfig: pytest.Config) -> Path:
    """Where the vocabulary's vectors outlive a run, named by the model and the words: to encode them takes seconds."""
    return Path(pytestconfig.cache.mkdir("vocabulary"))  # type: ignore[union-attr]


@pytest.fixture(scope="session")
def newcomers() -> list[Path]:
    """Pictures that the library of `indexed` does not hold."""
    return [picture for picture in PICTURES[1::2] if picture.name not in NAMES]


@pytest.fixture(scope="session")
def indexed(tmp_path_factory: pytest.TempPathFactory, newcomers: list[Path], encoded_words: Path) -> Library:
    """A folder of 138 drawings and its library, fitted. Nobody writes to either: `copy` the library for that."""
    folder = tmp_path_factory.mktemp("indexed")
    source = copy_pictures([picture for picture in PICTURES if picture not in newcomers], folder / "Pictures")
    (source / "notes.txt").write_text("no picture")
    before = listing(source)
    job = job_of(source, folder / "cache", stay=True)  # as a window has it, with maps in between
    shutil.copytree(encoded_words, folder / "cache" / "vocabulary")
    told = run(job)
    for file in (folder / "cache" / "vocabulary").iterdir():
        shutil.copy(file, folder)
        (folder / file.name).replace(encoded_words / file.name)  # at once: other processes may look for it
    assert isinstance(told[-1], IndexReport), told
    return Library(source, folder / "cache", job.place, tuple(told), before)


@pytest.fixture(scope="session")
def indexed_words(request: pytest.FixtureRequest, encoded_words: Path) -> Path:
    """The encoded vocabulary: that of an earlier run, or of the common library."""
    if not any(encoded_words.iterdir()):
        request.getfixturevalue("indexed")
    return encoded_words


@pytest.fixture(scope="session")
def context() -> Iterator[moderngl.Context]:
    context = open_headless()
    context.gc_mode = "context_gc"
    yield context
    sweep(context)
