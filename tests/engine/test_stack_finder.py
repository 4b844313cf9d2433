"""Near-duplicates in a real engine: they stack, whenever they come, and nothing that comes changes who leads."""

from __future__ import annotations

import dataclasses
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from atlas_rt.core.maps import Map
from atlas_rt.core.reports import IndexReport
from atlas_rt.core.submap import submap
from atlas_rt.engine.messages import Refit
from atlas_rt.engine.process import EngineProcess
from atlas_rt.library import maps
from atlas_rt.library.store import StoreReader
from atlas_rt.workers.scenes import SceneReader
from tests.libraries import PICTURES, Library, copy_pictures, hear, index, job_of, latest_map, same_bits

TIGER = next(picture for picture in PICTURES if picture.stem == "tiger-walking")


def on_white(picture: Path) -> Image.Image:
    drawing = Image.open(picture).convert("RGBA")
    ground = Image.new("RGB", drawing.size, "white")
    ground.paste(drawing, mask=drawing.getchannel("A"))
    return ground


def write_copies(folder: Path, *names: str) -> None:
    """One picture, each time saved a little differently."""
    image = on_white(TIGER)
    for number, name in enumerate(names):
        ImageEnhance.Brightness(image).enhance(1.0 + 0.01 * number).save(folder / name, quality=90 - 3 * number)


def named(map_: Map, place: Library) -> dict[str, str]:
    """File -> the file it stacks under, of those that are shown."""
    with StoreReader.open(place.place.folder) as store:
        catalogue = store.catalogue(place.model.id)
    map_ = submap(map_, np.isin(map_.ids, catalogue.ids))
    names = dict(zip(catalogue.ids.tolist(), (Path(path).name for path in catalogue.paths), strict=True))
    return {names[id_]: names[leader] for id_, leader in zip(map_.ids.tolist(), map_.stacks.tolist(), strict=True)}


@pytest.fixture
def make_home(indexed: Library, tmp_path: Path) -> Callable[[int], Library]:
    """A folder of so many drawings and three copies of another, not indexed yet."""

    def make(drawings: int) -> Library:
        source = copy_pictures(PICTURES[:drawings], tmp_path / "pictures")
        write_copies(source, "m1.jpg", "m2.jpg", "m3.jpg")
        shutil.copytree(indexed.cache / "vocabulary", tmp_path / "cache" / "vocabulary")
        job = job_of(source, tmp_path / "cache")
        return Library(source, tmp_path / "cache", job.place, (), {})

    return make


@pytest.fixture
def home(make_home: Callable[[int], Library]) -> Library:
    """Enough for a fit."""
    return make_home(14)


@pytest.fixture
def small(make_home: Callable[[int], Library]) -> Library:
    """Too few for one, so that an engine takes a moment."""
    return make_home(3)


@pytest.mark.slow
def test_copies_stack_when_a_folder_is_indexed_and_after_a_refit_as_a_window_reads_it(home: Library) -> None:
    index(job_of(home.place, home.cache))
    map_ = home.map
    under = named(map_, home)
    assert map_.kind == "umap"
    assert {name for name, leader in under.items() if name != leader} == {"m2.jpg", "m3.jpg"}
    assert under["m2.jpg"] == under["m3.jpg"] == "m1.jpg"
    arrival = SceneReader(home.place, model=home.model.id, dim=home.model.dim).read()
    assert arrival is not None
    assert arrival.scene.stacks is not None
    sizes = arrival.scene.stacks.sizes
    assert sizes[sizes > 1].tolist() == [3, 3, 3]
    assert same_bits(arrival.scene.positions, map_.positions)
    assert sum(record.size for record in map_.cluster_records) == int((map_.clusters >= 0).sum())  # each image counts
    index(job_of(home.place, home.cache, request=Refit()))
    assert home.map.fit == map_.fit + 1
    assert same_bits(home.map.stacks, map_.stacks)


def test_copies_that_come_later_join_and_the_rest_leads_when_the_first_goes(small: Library) -> None:
    engine = EngineProcess(job_of(small.place, small.cache, stay=True))
    try:
        hear(engine)
        first = small.map
        write_copies(small.source, "a.jpg")  # first by its name, but not by its id
        wait_round(engine, images=7)
        later = small.map
        assert named(later, small)["a.jpg"] == "m1.jpg"
        assert same_bits(later.stacks[:6], first.stacks)
        (small.source / "m1.jpg").unlink()
        wait_round(engine, images=6)
        under = named(small.map, small)
        assert (under["m2.jpg"], under["m3.jpg"], under["a.jpg"]) == ("m2.jpg", "m2.jpg", "m2.jpg")
    finally:
        engine.stop()


def wait_round(engine: EngineProcess, *, images: int) -> None:
    """Until a round reports so many."""
    deadline = time.monotonic() + 30.0
    while time.monotonic() < deadline:
        report = hear(engine)[-1]
        if isinstance(report, IndexReport) and report.images == images:
            return
    raise AssertionError(f"there were never {images} images")


def test_in_one_round_or_two_the_same_images_lead(small: Library, tmp_path: Path, indexed: Library) -> None:
    """The same files come to one library at once, to another by and by."""
    index(job_of(small.place, small.cache))
    shutil.copytree(small.cache, tmp_path / "other")
    other = job_of(small.source, tmp_path / "other")
    write_copies(small.source, "n1.jpg", "n2.jpg")
    shutil.copy(PICTURES[30], small.source / "n3.webp")
    index(job_of(small.place, small.cache))
    for name in ("n2.jpg", "n3.webp"):
        (small.source / name).rename(tmp_path / name)
    index(other)
    for name in ("n2.jpg", "n3.webp"):
        (tmp_path / name).rename(small.source / name)
    index(other)
    assert named(small.map, small) == named(
        latest_map(other.place), Library(small.source, other.cache, other.place, (), {})
    )


def test_a_handful_of_images_stacks_too(small: Library) -> None:
    index(job_of(small.place, small.cache))
    assert small.map.kind == "principal axes"
    assert (small.map.stacks != small.map.ids).sum() == 2


def test_a_map_written_before_images_stacked_is_looked_over_at_the_next_start(small: Library) -> None:
    index(job_of(small.place, small.cache))
    now = small.map
    old = dataclasses.replace(now, generation=now.generation + 1, stacks=np.zeros(0, np.int64))
    maps.write_map(small.model_folder, old)
    report = index(job_of(small.place, small.cache))
    assert report.seconds["fit"] == 0.0
    assert same_bits(small.map.stacks, now.stacks)
    assert same_bits(small.map.positions, now.positions)
    generation = small.map.generation
    index(job_of(small.place, small.cache))
    assert small.map.generation == generation
