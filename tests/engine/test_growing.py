"""A library's first indexing: ever larger fits of its first images, and the same last map whatever the timing."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing import Pipe
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from atlas_rt.core.maps import Map
from atlas_rt.core.reports import IndexReport
from atlas_rt.core.rows import rows_of
from atlas_rt.distributed import image_worker
from atlas_rt.engine import fit_in_hand, map_scheduler, pipeline
from atlas_rt.engine.engine import Engine
from atlas_rt.engine.fit_process import Cancelled, FitProcess
from atlas_rt.engine.labeller import Labeller
from atlas_rt.engine.messages import FromEngine, Job, Published, Stop
from atlas_rt.engine.pending_requests import Stopped
from atlas_rt.library import maps
from atlas_rt.mapping.layout import align
from tests.libraries import PICTURES, Library, copy_pictures, job_of, latest_map, same_bits

READ_IMAGE = image_worker.read_image
STAGES = (40, 90)
"""As if the first fits were of so many images."""


class Warm(FitProcess):
    """The child that fits, warm already, as a library's own: it takes six seconds to begin."""

    def __init__(self, inner: FitProcess, folder: Path) -> None:
        self.__dict__ |= vars(inner) | {"_folder": folder}

    def close(self) -> None:
        self._put_away()


@pytest.fixture(scope="module", autouse=True)
def early(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    fitter = FitProcess(tmp_path_factory.mktemp("model"))
    while not fitter._ready:
        fitter.poll(0.1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(map_scheduler, "FIRST_STAGES", STAGES)
        patch.setattr(fit_in_hand, "FitProcess", lambda folder: Warm(fitter, folder))
        yield
    fitter.close()


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_pictures(PICTURES[:130], tmp_path_factory.mktemp("growing") / "pictures")


def work(job: Job, *, each: Callable[[FromEngine], bool] = lambda _: False) -> list[FromEngine]:
    """An engine in this process, until it has reported or `each` has said so; its child is a real one."""
    ours, theirs = Pipe()
    told: list[FromEngine] = []

    def listen() -> None:
        while True:
            try:
                message = ours.recv()
            except (EOFError, OSError):
                return
            told.append(message)
            if each(message) or isinstance(message, IndexReport):
                ours.send(Stop())

    listener = threading.Thread(target=listen)
    listener.start()
    try:
        Engine(job, theirs).work()
    except (Stopped, Cancelled):
        pass
    finally:
        theirs.close()
        listener.join()
    return told


@pytest.fixture(scope="module")
def quick(pictures: Path, indexed: Library, tmp_path_factory: pytest.TempPathFactory) -> Map:
    """The last map where nothing was slow: one thread, no window looking on."""
    cache = tmp_path_factory.mktemp("quick") / "cache"
    shutil.copytree(indexed.cache / "vocabulary", cache / "vocabulary")
    work(job_of(pictures, cache, threads=1))
    return latest_map(job_of(pictures, cache).place)


@pytest.fixture
def cache(indexed: Library, tmp_path: Path) -> Path:
    """One in which the words are at hand: no fit begins before they are."""
    shutil.copytree(indexed.cache / "vocabulary", tmp_path / "cache" / "vocabulary")
    return tmp_path / "cache"


class Slow:
    """Decoding that is held up at random, so that images and fits come in another order each time."""

    def __init__(self, longest_secs: float) -> None:
        self._chance, self._longest_secs, self._inner = np.random.default_rng(), longest_secs, READ_IMAGE

    def __call__(self, *args: Any, **options: Any) -> Any:
        time.sleep(float(self._chance.random()) * self._longest_secs)
        return self._inner(*args, **options)


def same_map(one: Map, other: Map) -> None:
    for name in ("ids", "positions", "edges", "weights", "clusters", "fitted", "subclusters"):
        assert same_bits(getattr(one, name), getattr(other, name)), name
    assert one.cluster_records == other.cluster_records
    assert one.subcluster_records == other.subcluster_records
    assert (one.kind, one.scale, one.drift, one.network) == ("umap", other.scale, other.drift, other.network)


def test_the_last_map_is_the_same_however_slowly_images_come_and_when_it_is_stopped_midway(
    pictures: Path, quick: Map, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = job_of(pictures, cache, threads=3, stay=True)
    monkeypatch.setattr(image_worker, "read_image", Slow(0.08))
    seen: list[int] = []

    def after_the_first_fit(message: FromEngine) -> bool:
        if isinstance(message, Published) and not seen:
            kind = maps.read_map(next(job.place.folder.glob("starter-*")), message.generation).kind
            if kind == "umap so far":
                seen.append(message.images)
        return bool(seen)

    told = work(job, each=after_the_first_fit)
    assert seen
    assert 40 <= seen[0] < 130
    assert not any(isinstance(message, IndexReport) for message in told)
    monkeypatch.setattr(image_worker, "read_image", Slow(0.02))
    work(job)
    same_map(latest_map(job.place), quick)


def test_words_that_come_late_name_the_clusters_of_a_library_that_ends_with_a_stage(
    pictures: Path, indexed: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fit of its last stage is that of all images, and is not to be made without words."""
    exactly = copy_pictures(sorted(pictures.iterdir())[: STAGES[1]], tmp_path / "exactly")
    monkeypatch.setattr(map_scheduler, "LOOK_EVERY_SECS", 0.0)
    made = []
    for number in (0, 1):
        monkeypatch.setattr(image_worker, "read_image", Slow(0.05 * number))
        cache = tmp_path / f"cache-{number}"
        shutil.copytree(indexed.cache / "vocabulary", cache / "vocabulary")
        job = job_of(exactly, cache, stay=bool(number))
        work(job)
        made.append(latest_map(job.place))
        monkeypatch.setattr(Labeller, "ready", property(lambda _: False))
    assert made[0].cluster_records
    assert all(record.name for record in made[1].cluster_records)
    same_map(made[1], made[0])


def test_the_map_of_a_handful_is_the_same_however_slowly_they_come(
    pictures: Path, indexed: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is too small for a fit: what was shown on the way must not be what stays."""
    handful = copy_pictures(sorted(pictures.iterdir())[:9], tmp_path / "handful")
    monkeypatch.setattr(map_scheduler, "LOOK_EVERY_SECS", 0.0)
    monkeypatch.setattr(pipeline, "COMMIT_SECS", 0.05)
    made, shown = list[Map](), list[int]()
    for number, (longest_secs, stay) in enumerate([(0.0, False), (0.02, True), (0.2, True), (0.2, True)]):
        cache = tmp_path / f"cache-{number}"
        shutil.copytree(indexed.cache / "vocabulary", cache / "vocabulary")
        monkeypatch.setattr(image_worker, "read_image", Slow(longest_secs))
        job = job_of(handful, cache, stay=stay, threads=2)
        told = work(job)
        shown += [message.images for message in told if isinstance(message, Published)]
        made.append(latest_map(job.place))
    assert set(shown) - {9}  # some of them came later than others
    for other in made[1:]:
        for name in ("ids", "positions", "edges", "weights"):
            assert same_bits(getattr(other, name), getattr(made[0], name)), name
        assert other.kind == "principal axes"


def test_fits_of_the_first_images_are_shown_while_the_others_come(
    pictures: Path, quick: Map, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = job_of(pictures, cache, stay=True)
    monkeypatch.setattr(image_worker, "read_image", Slow(0.15))
    shown: list[Map] = []

    def keep(message: FromEngine) -> bool:
        if isinstance(message, Published):
            shown.append(maps.read_map(next(job.place.folder.glob("starter-*")), message.generation))
        return False

    work(job, each=keep)
    same_map(shown[-1], quick)
    kinds = [map_.kind for map_ in shown]
    assert list(dict.fromkeys(kinds)) == ["principal axes", "umap so far", "umap"]
    counts = [len(map_.ids) for map_ in shown]
    assert counts == sorted(counts)
    assert {int(map_.fitted.sum()) for map_ in shown if map_.kind == "umap so far"} <= set(STAGES)
    first, second = (next(m for m in shown if m.fitted.sum() == size) for size in (40, 90))
    at, known = rows_of(second.ids, first.ids[first.fitted])
    assert known.all()
    turn = align(second.positions[at], first.positions[first.fitted], mirror=True).turn
    assert turn == pytest.approx(np.eye(3), abs=1e-3)  # no other would bring it nearer to the one before
