"""What the workers read: the library of `indexed`, as it is or in a copy that may be changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from atlas_rt.encoders.registry import Model
from atlas_rt.workers.scenes import Arrival, SceneReader
from tests.libraries import Library
from tests.workers.films import make_film

__all__ = ["arrival", "ids", "library", "make_film", "model"]


@pytest.fixture(scope="session")
def model(indexed: Library) -> Model:
    return indexed.model


@pytest.fixture(scope="session")
def arrival(indexed: Library, model: Model) -> Arrival:
    """All of the library."""
    arrival = SceneReader(indexed.place, model=model.id, dim=model.dim).read()
    assert arrival is not None
    return arrival


@pytest.fixture(scope="session")
def ids(arrival: Arrival) -> dict[str, int]:
    """The title of a picture -> its image's id."""
    titles = [Path(path).stem.replace("-", " ") for path in arrival.scene.paths]
    return dict(zip(titles, arrival.scene.ids.tolist(), strict=True))


@pytest.fixture
def library(indexed: Library, tmp_path: Path) -> Library:
    """A copy that may be written to."""
    return indexed.copy(tmp_path / "cache")
