"""Small folders that an engine indexes in a moment: without a fit, and with the vocabulary at hand."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from atlas_rt.engine.fit_process import FitProcess
from atlas_rt.engine.messages import Job
from tests.libraries import PICTURES, Library, copy_pictures, job_of

FEW = PICTURES[:9]
"""Fewer than a fit needs."""


@pytest.fixture(scope="session", autouse=True)
def fitter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FitProcess]:
    """The child that the tests of fitting share; begun first, as it warms up for six seconds beside the others."""
    process = FitProcess(tmp_path_factory.mktemp("model"))
    yield process
    process.close()


@pytest.fixture
def cache(indexed: Library, tmp_path: Path) -> Path:
    """A cache without libraries, in which the vocabulary need not be encoded again."""
    shutil.copytree(indexed.cache / "vocabulary", tmp_path / "cache" / "vocabulary")
    return tmp_path / "cache"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Nine pictures of a person."""
    return copy_pictures(FEW, tmp_path / "pictures")


@pytest.fixture
def make_job(folder: Path, cache: Path) -> Callable[..., Job]:
    """A job on the nine pictures."""

    def make(**changes: Any) -> Job:
        return job_of(folder, cache, **changes)

    return make
