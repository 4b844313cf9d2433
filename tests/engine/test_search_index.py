"""A library of more images than are held in memory: its engine makes an index, and a window's reader searches by it."""

import shutil
import threading
from collections.abc import Iterator
from multiprocessing import Pipe
from pathlib import Path

import numpy as np
import pytest

from atlas_rt.core.reports import IndexReport
from atlas_rt.encoders import registry
from atlas_rt.engine.engine import Engine
from atlas_rt.engine.messages import FromEngine, Job, Published
from atlas_rt.search import vector_index
from atlas_rt.search.vector_index import StoredVectorIndex
from atlas_rt.workers.scenes import SceneReader
from tests.libraries import PICTURES, copy_pictures, job_of


@pytest.fixture(scope="module", autouse=True)
def few_are_many() -> Iterator[None]:
    """As if 60 images were more than go into memory."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vector_index, "IN_MEMORY_TO", 60)
        patch.setattr(vector_index, "LOOKED_INTO", 0.5)  # of so few lists
        yield


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory, encoded_words: Path) -> Job:
    folder = tmp_path_factory.mktemp("many")
    source = copy_pictures(PICTURES[:80], folder / "pictures")
    shutil.copytree(encoded_words, folder / "cache" / "vocabulary")
    return job_of(source, folder / "cache")


def work(job: Job) -> list[FromEngine]:
    """An engine in this process, until it has reported."""
    ours, theirs = Pipe()
    told: list[FromEngine] = []

    def listen() -> None:
        while not isinstance(message := ours.recv(), IndexReport):
            told.append(message)

    listener = threading.Thread(target=listen)
    listener.start()
    Engine(job, theirs).work()
    listener.join()
    return told


def indexes(job: Job) -> list[tuple[str, int]]:
    return [(file.name, file.stat().st_mtime_ns) for file in job.place.folder.glob("*/search-*")]


def test_searches_find_new_images_and_none_that_have_gone(job: Job) -> None:
    told = [message for message in work(job) if isinstance(message, Published)]
    assert told[-1] == told[-2]  # the same map, for who shows it to take the index up
    made = indexes(job)
    assert [name for name, _ in made] == ["search-80.ivf"]

    source = Path(job.place.sources[0])
    copy_pictures(PICTURES[100:102], source)
    min(source.glob("*.webp")).unlink()
    work(job)
    assert indexes(job) == made  # two are missing from it, which is not many

    model = registry.load("starter", job.cache)
    arrival = SceneReader(job.place, model=model.id, dim=model.dim).read()
    assert arrival is not None
    found = arrival.vector_index
    assert isinstance(found, StoredVectorIndex)
    assert found.how == "an index of 80 vectors, 2 since are scored all"
    assert len(found) == len(arrival.scene.ids) == 81
    rows = np.arange(81, dtype=np.int32)
    assert [int(np.argmax(found.score(vector).scores)) for vector in found.at(rows)] == rows.tolist()
    assert vector_index.recall_at_10(found, found.at(rows)) > 0.9
