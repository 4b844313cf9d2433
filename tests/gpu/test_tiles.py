"""The atlas keeps cells apart, levels are what they should be, bulk uploads are quick."""

from __future__ import annotations

import time
from collections.abc import Callable

import moderngl
import numpy as np
import pytest
from numpy.typing import NDArray

from atlas_rt.core.scene import View
from atlas_rt.render.gl.raw_gl import RawGL
from atlas_rt.render.gl.renderer import Renderer
from atlas_rt.render.gl.tiles import CELLS, CELLS_ACROSS, SmallTiles, runs, small_levels
from tests.gpu.conftest import make_scene, make_view, pixel_of

Shoot = Callable[[Renderer, View], NDArray[np.int16]]
Make = Callable[[str], Renderer]


def test_levels_are_means_of_the_level_before() -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    levels = small_levels(pixels)
    assert [level.shape for level in levels] == [(3, side, side, 4) for side in (32, 16, 8, 4)]
    assert (levels[0][..., :3] == pixels).all()
    assert all((level[..., 3] == 255).all() for level in levels)
    block = pixels[1, 2:4, 6:8].reshape(4, 3).astype(int)
    assert levels[1][1, 1, 3, :3].tolist() == ((block.sum(axis=0) + 2) // 4).tolist()


def test_runs_end_at_gaps_and_at_the_end_of_a_row_of_cells() -> None:
    records = np.array([1, 2, 3, 7, CELLS_ACROSS - 1, CELLS_ACROSS, CELLS_ACROSS + 1], np.int32)
    assert runs(records) == [(0, 3), (3, 4), (4, 5), (5, 7)]
    assert runs(np.array([4], np.int32)) == [(0, 1)]


@pytest.mark.parametrize("node_size", [0.012, 0.03, 0.12, 0.5])
@pytest.mark.parametrize("quality", ["low", "high"])
def test_neighbours_in_the_atlas_do_not_bleed(
    make_renderer: Make, shoot: Shoot, node_size: float, quality: str
) -> None:
    renderer = make_renderer(quality)
    black_between_white = np.full((3 * CELLS_ACROSS, 32, 32, 3), 255, np.uint8)
    middle = CELLS_ACROSS + 5
    black_between_white[middle] = 0
    renderer.load_small(np.arange(len(black_between_white), dtype=np.int32), black_between_white)
    scene = make_scene([[0, 0, 0]], tiles=[middle], hues=[[0, 0, 0]], mean_rgb=[[0, 0, 0]], node_size=node_size)
    assert shoot(renderer, make_view(scene)).max() < 60


def test_records_on_a_later_page_are_found_after_the_atlas_grew(make_renderer: Make, shoot: Shoot) -> None:
    renderer = make_renderer("low")
    tiles = np.zeros((2, 32, 32, 3), np.uint8)
    tiles[0, ..., 0] = tiles[1, ..., 2] = 230
    renderer.load_small(np.array([9], np.int32), tiles[:1])
    renderer.load_small(np.array([CELLS + 70], np.int32), tiles[1:])
    view = make_view(make_scene([[-0.5, 0, 0], [0.5, 0, 0]], tiles=[9, CELLS + 70], node_size=0.1))
    pixels = shoot(renderer, view)
    left, right = pixels[pixel_of(view, (-0.5, 0, 0))], pixels[pixel_of(view, (0.5, 0, 0))]
    assert left[0] > 120 > left[2]
    assert right[2] > 120 > right[0]


def test_growing_keeps_every_level(make_renderer: Make, shoot: Shoot) -> None:
    renderer = make_renderer("low")
    red = np.zeros((1, 32, 32, 3), np.uint8)
    red[..., 0] = 230
    renderer.load_small(np.array([9], np.int32), red)
    renderer.load_small(np.array([CELLS], np.int32), red)
    for node_size in (0.01, 0.02, 0.05, 0.2):
        view = make_view(make_scene([[0, 0, 0]], tiles=[9], node_size=node_size, hues=[[230, 0, 0]]))
        assert shoot(renderer, view)[120, 160, 0] > 120


def test_alpha_of_a_tile_is_accepted(ctx: moderngl.Context) -> None:
    small = SmallTiles(ctx, RawGL(ctx), smooth=True, layers=8)
    small.load(np.array([0], np.int32), np.full((1, 32, 32, 4), 200, np.uint8))
    assert small.loaded[0]
    assert not small.loaded[1]
    small.release()


def test_ten_thousand_tiles_load_well_within_a_second(ctx: moderngl.Context) -> None:
    small = SmallTiles(ctx, RawGL(ctx), smooth=False, layers=8)
    pixels = np.random.default_rng(1).integers(0, 256, (10_000, 32, 32, 3), dtype=np.uint8)
    start = time.process_time()
    small.load(np.arange(10_000, dtype=np.int32), pixels)
    ctx.finish()
    assert time.process_time() - start < 1.0
    small.release()
