"""A hundred thousand files in one flat folder: one that is added is on the map within two seconds, nothing stalls."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import moderngl
import numpy as np
import pytest
from PIL import Image

from atlas_rt.bench.scene import made_arrival, made_vectors
from atlas_rt.core.maps import Map
from atlas_rt.core.scene import Scene
from atlas_rt.encoders import registry
from atlas_rt.encoders.registry import Model
from atlas_rt.library import maps
from atlas_rt.library.cache_layout import place_of
from atlas_rt.library.decoding.decode import read_image
from atlas_rt.library.scanning import scan
from atlas_rt.library.store_writer import Ready, StoreWriter
from atlas_rt.library.tile_files import TileFiles
from atlas_rt.library.tile_making import make_tiles
from atlas_rt.library.vectors import FILE_NAME, VectorFile
from atlas_rt.settings import Settings
from tests.libraries import Library
from tests.window.player import Player

IMAGES = int(os.environ.get("ATLAS_RT_CAMPAIGN_IMAGES", "100000"))
ADDED = 5
SIDE_PX = 32
BATCH = 5_000
WITHIN_SECS = 2.0
STALL_SECS = 0.1
"""By how much a frame may take longer while an image is added than the longest of those before."""
FRAMES = 120
PAUSE_SECS = 0.004
"""Between two frames: the engine steps back behind all else that computes."""


def paint(file: Path, number: int) -> None:
    """A picture of four patches and some noise, unlike any other."""
    rng = np.random.default_rng(number)
    patches = np.kron(rng.integers(0, 256, (2, 2, 3)), np.ones((SIDE_PX // 2, SIDE_PX // 2, 1)))
    noise = rng.normal(0.0, 12.0, (SIDE_PX, SIDE_PX, 3))
    Image.fromarray((patches + noise).clip(0, 255).astype(np.uint8)).save(file, quality=85)


def make_library(folder: Path, cache: Path) -> None:
    """A library of all files in a folder as an engine leaves it, but for vectors and places, which are drawn at random:
    to read and fit so many takes the better part of an hour."""
    model = registry.load("starter", cache)
    place = place_of((str(folder),), cache)
    scene = made_arrival(IMAGES).scene
    model_folder = place.folder / model.id
    model_folder.mkdir(parents=True)
    with StoreWriter.open(place.folder) as store:
        ids = fill(store, scene, model, place.folder, folder)
    maps.write_map(model_folder, map_of(scene, ids, model))


def fill(store: StoreWriter, scene: Scene, model: Model, place: Path, folder: Path) -> list[int]:
    """Store every file as an image; their ids."""
    store.note_dim(model.id, model.dim)
    vectors = VectorFile(place / model.id / FILE_NAME, model.dim, writable=True, rows=0)
    tiles = TileFiles(place, writable=True, count=0)
    a_tile = make_tiles(read_image(next(folder.iterdir()).read_bytes(), target_px=SIDE_PX))
    todo = store.reconcile(scan([str(folder)]), model.id, [str(folder)]).todo
    made = made_vectors(IMAGES, model.dim)
    for start in range(0, IMAGES, BATCH):
        part = todo[start : start + BATCH]
        tiles.append([a_tile] * len(part))
        vectors.append(made[start : start + BATCH])
        tiles.flush()
        vectors.flush()
        ready = [
            Ready(
                id=each.id,
                path=each.path,
                size=each.size,
                mtime_ns=each.mtime_ns,
                hash=row.to_bytes(16, "big"),
                width_px=SIDE_PX,
                height_px=SIDE_PX,
                mean_rgb=tuple(scene.mean_rgb[row].tolist()),
                aspect=1.0,
                tile=row,
                vector_row=row,
            )
            for row, each in enumerate(part, start)
        ]
        store.commit(model.id, ready)
    vectors.close()
    tiles.close()
    return [each.id for each in todo]


def map_of(scene: Scene, ids: list[int], model: Model) -> Map:
    return Map(
        ids=np.array(ids, np.int64),
        rows=np.arange(len(ids), dtype=np.int32),
        positions=scene.positions,
        edges=scene.edges,
        weights=scene.weights,
        clusters=scene.clusters,
        fitted=np.ones(len(ids), np.bool_),
        cluster_records=scene.cluster_records,
        generation=1,
        kind="umap",
        model=model.id,
        seed=42,
        fit=1,
        clusters_given=len(scene.cluster_records),
        stacks=np.array(ids, np.int64),
    )


def longest_frame(player: Player, frames: int = FRAMES) -> float:
    """Seconds."""
    return max(timed(player) for _ in range(frames))


def added(player: Player, file: Path, number: int) -> tuple[float, float]:
    """(seconds until an image that is added is on the map, seconds of the longest frame meanwhile)."""
    paint(file, number)
    begun, longest = time.monotonic(), 0.0
    while str(file) not in player.app.parts.world.scene.paths[-ADDED:]:
        assert time.monotonic() - begun < 60.0, player.shown()
        longest = max(longest, timed(player))
        time.sleep(PAUSE_SECS)
    return time.monotonic() - begun, longest


def timed(player: Player) -> float:
    begun = time.perf_counter()
    player.frame()
    return time.perf_counter() - begun


@pytest.mark.timeout(3600)
def test_one_more_file_in_a_large_flat_folder(context: moderngl.Context, indexed: Library, tmp_path: Path) -> None:
    folder = tmp_path / "flat"
    folder.mkdir()
    for number in range(IMAGES):
        paint(folder / f"{number:06}.jpg", number)
    cache = tmp_path / "cache"
    make_library(folder, cache)
    shutil.copytree(indexed.cache / "vocabulary", cache / "vocabulary")
    player = Player(context, Settings(cache=str(cache), offline=True, quality="low"), folder, size_px=(640, 360))
    state = player.app.parts.panel_state
    player.see(lambda: state.progress is not None)
    player.see(lambda: len(player.app.parts.world.scene.ids) == IMAGES and state.progress is None, secs=900.0)
    player.see(lambda: player.app.parts.world.resting)
    before = longest_frame(player)
    figures = [added(player, folder / f"{IMAGES + more:06}.jpg", IMAGES + more) for more in range(ADDED)]
    player.close()
    print(f"\n{IMAGES:,} images; the longest frame before: {before * 1000:.0f} ms")
    print("| added | on the map after | longest frame |\n| ---: | ---: | ---: |")
    for number, (secs, frame_secs) in enumerate(figures, start=1):
        print(f"| {number} | {secs:.2f} s | {frame_secs * 1000:.0f} ms |")
    assert max(secs for secs, _ in figures) <= WITHIN_SECS
    assert max(frame_secs for _, frame_secs in figures) <= before + STALL_SECS
