"""From a real library on disk to scenes: whole, in step, and each small tile once."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from atlas_rt.core.images import SMALL_TILE_PX, Failure, LibraryPlace
from atlas_rt.encoders.registry import Model
from atlas_rt.errors import MissingError
from atlas_rt.library import maps
from atlas_rt.library.changes import FailedFile
from atlas_rt.library.scanning import scan
from atlas_rt.library.store_writer import StoreWriter
from atlas_rt.library.tile_files import TileFiles
from atlas_rt.workers.scenes import NODE_SIZE_LIMITS, Arrival, SceneReader, SceneWorker, node_size
from tests.libraries import Library, same_bits, wait_for

PART = ("a*", "b*", "s*", "t*")
"""Patterns of pictures that vanish."""


def reader_of(library: Library) -> SceneReader:
    return SceneReader(library.place, model=library.model.id, dim=library.model.dim)


def look(library: Library, *exclude: str) -> None:
    """Compare the folder with the library, as an engine does: what is left out has vanished."""
    with StoreWriter.open(library.place.folder) as store:
        store.reconcile(scan(library.place.sources, exclude=exclude), library.model.id)


def publish(library: Library) -> int:
    """The same map once more, as the next generation."""
    generation = library.map.generation + 1
    maps.write_map(library.model_folder, dataclasses.replace(library.map, generation=generation))
    return generation


# Reading


def test_a_scene_joins_what_is_known_of_each_image_in_the_same_rows(arrival: Arrival, indexed: Library) -> None:
    scene, map_ = arrival.scene, indexed.map
    assert (scene.generation, scene.kind, scene.model) == (map_.generation, "umap", indexed.model.id)
    assert list(scene.paths) == sorted(str(path) for path in indexed.source.glob("*.webp"))
    assert same_bits(scene.ids, map_.ids)
    assert same_bits(scene.positions, map_.positions)
    assert same_bits(scene.edges, map_.edges)
    assert scene.cluster_records == map_.cluster_records
    assert len(scene.cluster_hues) == len(scene.cluster_records)
    assert all(
        len(values) == 138 for values in (scene.aspects, scene.mean_rgb, scene.hues, scene.sizes_px, scene.clusters)
    )
    assert NODE_SIZE_LIMITS[0] <= scene.node_size <= NODE_SIZE_LIMITS[1]
    assert arrival.vector_index.whole().shape == (138, indexed.model.dim)
    assert arrival.vector_index.whole().dtype == np.float32
    assert np.linalg.norm(arrival.vector_index.whole(), axis=1) == pytest.approx(1.0, abs=2e-3)
    assert arrival.failures == ()


def test_a_first_reading_brings_every_small_tile(arrival: Arrival, indexed: Library) -> None:
    assert sorted(arrival.tiles) == sorted(arrival.scene.tiles) == list(range(138))
    assert arrival.pixels.shape == (138, SMALL_TILE_PX, SMALL_TILE_PX, 3)
    stored = TileFiles(indexed.place.folder).small(arrival.tiles)
    assert same_bits(arrival.pixels, stored)
    means = arrival.pixels.reshape(138, -1).mean(axis=1)
    assert means.std() > 5.0  # they are pictures


def test_the_next_reading_brings_only_new_tiles(library: Library) -> None:
    look(library, *PART)
    reader = reader_of(library)
    first = reader.read()
    look(library)
    second, third = reader.read(), reader.read()
    assert first is not None
    assert second is not None
    assert third is not None
    assert 80 < len(first.tiles) < 138
    assert sorted([*first.tiles, *second.tiles]) == list(range(138))
    assert len(third.tiles) == len(third.pixels) == 0


def test_a_vanished_image_is_left_out_with_its_edges(library: Library) -> None:
    """The map may still hold it: what is gone is known first."""
    look(library, *PART)
    arrival = reader_of(library).read()
    assert arrival is not None
    scene, map_ = arrival.scene, library.map
    names = [Path(path).name for path in scene.paths]
    assert not [name for name in names if name[0] in "abst"]
    assert len(scene.ids) == len(names) == len(arrival.vector_index)
    joined = {tuple(pair) for pair in scene.ids[scene.edges].tolist()}
    stayed = np.isin(map_.ids[map_.edges], scene.ids).all(axis=1)
    assert joined == {tuple(pair) for pair in map_.ids[map_.edges[stayed]].tolist()}
    ends = (arrival.vector_index.at(scene.edges[:, side]) for side in (0, 1))
    scores = np.multiply(*ends).sum(axis=1)
    assert scene.weights == pytest.approx(scores, abs=1e-4)


def test_there_is_no_scene_before_there_is_a_map(tmp_path: Path, model: Model) -> None:
    place = LibraryPlace(tmp_path, ("/pictures",))
    reader = SceneReader(place, model=model.id, dim=model.dim)
    assert reader.read() is None
    StoreWriter.open(tmp_path).close()
    assert reader.read() is None


def test_a_damaged_map_is_passed_over(library: Library) -> None:
    whole = library.map.generation
    for generation, found in ((publish(library), whole), (whole, whole - 1)):
        file = library.model_folder / f"map-{generation}" / "positions.npy"
        file.write_bytes(file.read_bytes()[:-4] + b"\xff\xff\xff\x7f")
        arrival = reader_of(library).read()
        assert arrival is not None
        assert arrival.scene.generation == found


def test_a_reading_that_failed_loses_no_tile(library: Library) -> None:
    reader, file = reader_of(library), library.place.folder / "tiles-32.bin"
    file.rename(file.with_suffix(".away"))
    with pytest.raises(MissingError, match="The stored library is damaged"):
        reader.read()
    file.with_suffix(".away").rename(file)
    arrival = reader.read()
    assert arrival is not None
    assert len(arrival.tiles) == 138


def test_failures_come_with_the_scene(library: Library, tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.touch()
    with StoreWriter.open(library.place.folder) as store:
        (todo,) = store.reconcile(scan((*library.place.sources, str(broken))), library.model.id).todo
        failed = FailedFile(todo.path, todo.size, todo.mtime_ns, "the file is empty")
        store.commit(library.model.id, [], failed=[failed])
    arrival = reader_of(library).read()
    assert arrival is not None
    assert arrival.failures == (Failure(str(broken), "the file is empty"),)


def test_cards_are_sized_by_how_near_images_stand() -> None:
    rng = np.random.default_rng(0)
    wide = (0.2 * rng.normal(size=(300, 3))).astype(np.float32)
    assert NODE_SIZE_LIMITS[0] < node_size(wide) < NODE_SIZE_LIMITS[1]
    assert node_size(wide * np.float32(0.5)) == pytest.approx(node_size(wide) / 2, rel=1e-4)
    assert node_size(wide * np.float32(100)) == NODE_SIZE_LIMITS[1]
    assert node_size(np.zeros((5, 3), np.float32)) == NODE_SIZE_LIMITS[0]
    assert node_size(wide[:1]) == node_size(wide[:0]) == NODE_SIZE_LIMITS[1]


# The thread


@pytest.fixture
def worker(library: Library) -> Iterator[SceneWorker]:
    worker = SceneWorker(reader_of(library))
    yield worker
    worker.close()


def test_a_poke_brings_the_scene_and_nothing_comes_without(worker: SceneWorker) -> None:
    time.sleep(0.05)
    assert worker.take() is None
    worker.poke()
    arrival = wait_for(worker.take)
    assert len(arrival.scene.ids) == len(arrival.tiles) == 138
    assert worker.trouble == ""
    time.sleep(0.05)
    assert worker.take() is None


def test_the_newest_scene_wins_and_brings_the_tiles_of_those_nobody_took(worker: SceneWorker, library: Library) -> None:
    look(library, *PART)
    worker.poke()
    wait_for(lambda: worker._arrivals._item)
    look(library)
    generation = publish(library)
    worker.poke()
    wait_for(lambda: (waiting := worker._arrivals._item) and waiting.scene.generation == generation)
    arrival = worker.take()
    assert arrival is not None
    assert len(arrival.scene.ids) == 138
    assert sorted(arrival.tiles) == list(range(138))
    assert same_bits(arrival.pixels, TileFiles(library.place.folder).small(arrival.tiles))
    assert worker.take() is None


def test_a_scene_that_cannot_be_read_is_told_and_the_next_poke_tries_again(
    worker: SceneWorker, library: Library
) -> None:
    file = library.place.folder / "tiles-32.bin"
    file.rename(file.with_suffix(".away"))
    worker.poke()
    told = "New images cannot be shown: The stored library is damaged"
    assert wait_for(lambda: worker.trouble).startswith(told)
    assert worker.take() is None
    file.with_suffix(".away").rename(file)
    worker.poke()
    assert len(wait_for(worker.take).tiles) == 138
    assert worker.trouble == ""


def test_a_library_that_another_process_writes_is_looked_at_and_read_only_when_it_changed(library: Library) -> None:
    worker = SceneWorker(reader_of(library), poll_secs=0.02)
    try:
        first = wait_for(worker.take)
        time.sleep(0.3)
        assert worker.take() is None
        generation = publish(library)
        second = wait_for(worker.take)
        assert first.scene.generation < second.scene.generation == generation
        look(library, *PART)
        assert wait_for(lambda: 80 < len(wait_for(worker.take).scene.ids) < 138)  # the writer's opening is news, too
    finally:
        worker.close()


def test_what_was_read_before_the_thread_began_is_no_news(library: Library) -> None:
    reader = reader_of(library)
    assert reader.has_news()
    reader.read()
    assert not reader.has_news()
    worker = SceneWorker(reader, poll_secs=0.02)
    time.sleep(0.2)
    assert worker.take() is None
    worker.close()


def test_closing_ends_the_thread_at_once(library: Library) -> None:
    worker = SceneWorker(reader_of(library), poll_secs=60.0)
    begun = time.monotonic()
    worker.close()
    assert time.monotonic() - begun < 1.0
    assert not worker._thread.is_alive()


def test_stacked_images_are_rows_like_others_but_no_nodes(library: Library) -> None:
    """The first three stack, wherever they stand on the map."""
    map_ = library.map
    stacks = map_.ids.copy()
    stacks[1:3] = stacks[0]
    maps.write_map(library.model_folder, dataclasses.replace(map_, stacks=stacks, generation=map_.generation + 1))
    arrival = reader_of(library).read()
    assert arrival is not None
    scene = arrival.scene
    assert same_bits(scene.positions, map_.positions)
    assert scene.stacks is not None
    assert scene.stacks.members.tolist() == [1, 2]
    assert not np.isin(scene.edges, [1, 2]).any()
    of_three = map_.edges[(map_.edges < 3).any(axis=1)]
    beyond = set(of_three[of_three >= 3].tolist())
    assert beyond == set(scene.edges[(scene.edges == 0).any(axis=1)].max(axis=1).tolist())
    assert (scene.hues[:3] == scene.hues[0]).all()
    assert scene.node_size == node_size(np.delete(map_.positions, [1, 2], axis=0))


def test_when_a_leader_is_gone_the_next_one_leads(library: Library) -> None:
    map_ = library.map
    stacks = map_.ids.copy()
    stacks[1:3] = stacks[0]
    maps.write_map(library.model_folder, dataclasses.replace(map_, stacks=stacks, generation=map_.generation + 1))
    first = min(library.source.glob("*.webp"))
    look(library, first.name)
    arrival = reader_of(library).read()
    assert arrival is not None
    assert arrival.scene.ids[0] == map_.ids[1]
    assert arrival.scene.stacks is not None
    assert arrival.scene.stacks.leaders[:3].tolist() == [0, 0, 2]
