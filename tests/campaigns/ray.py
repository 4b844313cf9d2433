"""Ray on two nodes, one of which dies in the middle; a head that dies; how fast it is beside the local engine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import ray.cluster_utils
from PIL import Image

from atlas_rt.encoders import registry
from atlas_rt.library.cache_layout import place_of
from atlas_rt.library.store import StoreReader
from atlas_rt.library.tables.shard_file import ShardFile
from atlas_rt.library.vectors import read_vector
from tests.libraries import ROOT

# Ray's cluster for tests leaves the processes that it started to the collector.
pytestmark = [
    pytest.mark.timeout(1200),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning"),
]

IMAGES = int(os.environ.get("ATLAS_RT_CAMPAIGN_IMAGES", "800"))
SIDE_PX = 640
BAD = 3
PATIENCE_SECS = 400.0
RAY = ("--engine", "ray", "--shards", "shards")
STORE_BYTES = 100 * 2**20


def paint(file: Path, number: int) -> None:
    """A picture of nine patches and some noise, unlike any other."""
    rng = np.random.default_rng(number)
    patches = np.kron(rng.integers(0, 256, (3, 3, 3)), np.ones((SIDE_PX // 3, SIDE_PX // 3, 1)))
    noise = rng.normal(0.0, 12.0, patches.shape)
    Image.fromarray((patches + noise).clip(0, 255).astype(np.uint8)).save(file, quality=85)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ray") / "Pictures"
    folder.mkdir()
    for number in range(IMAGES):
        paint(folder / f"{number:05}.jpg", number)
    for number in range(BAD):
        (folder / f"bad {number}.jpg").write_bytes(b"no picture" + bytes([number]))
    return folder


@pytest.fixture
def cache(tmp_path: Path, indexed_words: Path) -> Path:
    shutil.copytree(indexed_words, tmp_path / "cache" / "vocabulary")
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def local(source: Path, tmp_path_factory: pytest.TempPathFactory, indexed_words: Path) -> tuple[Path, float]:
    """The cache of the local engine, and its images a second."""
    cache = tmp_path_factory.mktemp("local") / "cache"
    shutil.copytree(indexed_words, cache / "vocabulary")
    began = time.monotonic()
    report = json.loads(finished(index(source, cache, "--json"))[0])
    print(f"\nlocal engine: {IMAGES} images in {time.monotonic() - began:.1f} s with map, {report['seconds']}")
    return cache, report["images_per_second"]


def index(source: Path, cache: Path, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "atlas_rt", "index", str(source), "--cache", str(cache), *words]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, text=True, env=environment, cwd=cache.parent, **pipes)


def finished(process: subprocess.Popen[str], code: int = 0) -> tuple[str, str]:
    out, err = process.communicate(timeout=PATIENCE_SECS)
    assert process.returncode == code, err
    assert "Traceback" not in err
    return out, err


def vectors_of(source: Path, cache: Path) -> dict[str, np.ndarray]:
    """Path -> its vector."""
    model, place = registry.load("starter", cache), place_of((str(source),), cache)
    with StoreReader.open(place.folder) as store:
        return {
            each.path: read_vector(place.folder / model.id, each.known.vector_row, model.dim)
            for each in store.stored_images(model.id)
        }


def shards_of(cache: Path) -> list[Path]:
    """As they came; a command runs next to its cache."""
    return sorted((cache.parent / "shards").glob("[!.]*.parquet"), key=lambda path: path.stat().st_mtime_ns)


def assert_all_once(source: Path, cache: Path, local: tuple[Path, float]) -> None:
    """Every image is in the library with the local engine's vector, and in the shards just once."""
    ours, theirs = vectors_of(source, cache), vectors_of(source, local[0])
    assert len(ours) == IMAGES
    assert ours.keys() == theirs.keys()
    cosines = [float(ours[path] @ theirs[path] / np.linalg.norm(theirs[path]) ** 2) for path in ours]
    equal = sum(np.array_equal(ours[path], theirs[path]) for path in ours)
    print(f"vectors: {equal} of {IMAGES} equal to the bit, smallest cosine {min(cosines):.7f}")
    assert min(cosines) >= 0.9999
    times = Counter[str]()
    for path in shards_of(cache):
        with ShardFile(path) as shard:
            times.update(row.item.uri for row in shard.index())
    assert len(times) == IMAGES + BAD
    assert set(times.values()) == {1}, "embedded twice"


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[ray.cluster_utils.Cluster]:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # its workers import what is tested here
    made = ray.cluster_utils.Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 1, "include_dashboard": False, "object_store_memory": STORE_BYTES},
    )
    yield made
    made.shutdown()


def wait_for_shards(cache: Path, count: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + PATIENCE_SECS
    while len(shards_of(cache)) < count:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_as_fast_as_the_local_engine_on_the_same_cores(source: Path, cache: Path, local: tuple[Path, float]) -> None:
    began = time.monotonic()
    _, err = finished(index(source, cache, *RAY, "--json"))
    whole_secs = time.monotonic() - began
    times = [path.stat().st_mtime for path in shards_of(cache)]
    rows = [ShardFile(path).rows for path in shards_of(cache)]
    # the first shard ends the actors' start; those after it tell the rate
    rate = sum(rows[1:]) / max(times[-1] - times[0], 1e-9)
    print(f"\nRay, one node: {rate:.1f} images a second once it runs (local {local[1]:.1f}), {whole_secs:.1f} s in all")
    print(f"overhead of Ray an image: {1000 * (1 / rate - 1 / local[1]):.2f} ms of {1000 / local[1]:.1f}")
    print(err.strip())
    assert_all_once(source, cache, local)


def test_a_node_that_dies_loses_nothing(
    source: Path, cache: Path, local: tuple[Path, float], cluster: ray.cluster_utils.Cluster
) -> None:
    second = cluster.add_node(num_cpus=1, object_store_memory=STORE_BYTES)
    process = index(source, cache, *RAY, "--address", cluster.address)
    wait_for_shards(cache, 2, process)
    cluster.remove_node(second, allow_graceful=False)
    print(f"\nkilled the second node after {len(shards_of(cache))} shards")
    finished(process)
    assert_all_once(source, cache, local)
    again = finished(index(source, cache, *RAY, "--address", cluster.address))
    assert "workers" not in again[1], "something was sent again"


def test_a_head_that_dies_ends_in_one_line_and_the_next_run_goes_on(
    source: Path, cache: Path, local: tuple[Path, float], cluster: ray.cluster_utils.Cluster
) -> None:
    process = index(source, cache, *RAY, "--address", cluster.address)
    wait_for_shards(cache, 2, process)
    began = time.monotonic()
    cluster.head_node.kill_gcs_server()
    cluster.remove_node(cluster.head_node, allow_graceful=False)
    _, err = finished(process, code=3)
    kept = len(shards_of(cache))
    last = err.strip().splitlines()[-1]
    print(f"\nhead killed, told {time.monotonic() - began:.1f} s later with {kept} shards kept: {last}")
    assert last.startswith("atlas-rt: The Ray cluster at")
    assert "are kept; run it again for the others" in last
    finished(index(source, cache, *RAY))
    assert_all_once(source, cache, local)
