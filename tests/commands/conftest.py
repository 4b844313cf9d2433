"""The library of all tests with a cache of its own, small folders, and a person who asks."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.commands.person import Person
from tests.libraries import PICTURES, Library, copy_pictures


@pytest.fixture(scope="session")
def library(indexed: Library, tmp_path_factory: pytest.TempPathFactory) -> Library:
    """138 drawings on their map, to be read only."""
    return indexed.copy(tmp_path_factory.mktemp("commands") / "cache")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: empty, and no settings come from elsewhere."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_CONFIG_HOME", "/nonexistent")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "user's data"))
    for name in [name for name in os.environ if name.startswith("ATLAS_RT_")]:
        monkeypatch.delenv(name)
    return folder


@pytest.fixture
def reader(library: Library, here: Path, capsys: pytest.CaptureFixture[str]) -> Person:
    """Asks of the common library."""
    return Person(here, library.cache, capsys)


@pytest.fixture
def person(library: Library, here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Person:
    """Asks with an empty cache, in which the vocabulary need not be encoded again."""
    shutil.copytree(library.cache / "vocabulary", tmp_path / "cache" / "vocabulary")
    return Person(here, tmp_path / "cache", capsys)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six pictures, fewer than a fit needs."""
    return copy_pictures(PICTURES[:6], tmp_path / "pictures")
