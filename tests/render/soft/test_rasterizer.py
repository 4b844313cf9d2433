"""What could go wrong in arrays without bounds: sizes, places that are no numbers, scenes that change; and that nothing
depends on threads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from atlas_rt.core.images import LARGE_TILE_PX, MEDIUM_TILE_PX, Tile
from atlas_rt.core.scene import HIDDEN, View
from atlas_rt.render.soft.rasterizer import Rasterizer
from atlas_rt.workers.scenes import Arrival
from tests.gpu.conftest import half_side_px, make_view, pixel_of
from tests.render.soft.conftest import ViewOf, emptied, plain_scene, rgb_of

RED, GREEN, BLUE = (230, 20, 20), (20, 200, 20), (30, 40, 230)
NAN = float("nan")


@pytest.fixture
def fresh() -> Iterator[Rasterizer]:
    made = Rasterizer()
    yield made
    made.release()


def flat(*colours: tuple[int, int, int]) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.array([np.full((32, 32, 3), colour, np.uint8) for colour in colours])


def flat_tile(record: int, level: int, colour: tuple[int, int, int]) -> Tile:
    side = {1: MEDIUM_TILE_PX, 2: LARGE_TILE_PX}[level]
    mips = tuple(np.full((side >> at, side >> at, 4), (*colour, 255), np.uint8) for at in range(side.bit_length()))
    return Tile(record, record, level, mips)


def colour_at(rasterizer: Rasterizer, view: View, point: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> str:
    pixel = rgb_of(rasterizer.draw(view))[pixel_of(view, point)].astype(int)
    order = np.argsort(pixel)
    return ("red", "green", "blue")[order[2]] if pixel[order[2]] - pixel[order[1]] > 40 else "grey"


def test_the_same_view_gives_the_same_bits_with_any_number_of_threads(arrival: Arrival, view_of: ViewOf) -> None:
    view = view_of("dive", 0.4, ambient=1.0, selected=(4,), hovered=8)
    pictures = []
    for threads in (1, 2, 2, 3):
        rasterizer = Rasterizer(threads=threads)
        rasterizer.load_small(arrival.tiles, arrival.pixels)
        rasterizer.draw(view_of())
        pictures.append(rasterizer.draw(view).copy())
        rasterizer.release()
    assert all((picture == pictures[0]).all() for picture in pictures)


@pytest.mark.parametrize(
    "size_px", [(0, 0), (5, 0), (1, 1), (3, 2), (1, 700), (700, 1), (20000, 1), (1, 20000), (17, 31), (2561, 97)]
)
def test_any_size_is_drawn(rasterizer: Rasterizer, view_of: ViewOf, size_px: tuple[int, int]) -> None:
    view = view_of("dive", 0.5, size_px=(64, 64), selected=(1,), marker=np.zeros(3, np.float32))
    picture = rasterizer.draw(replace(view, size_px=size_px))
    assert picture.shape == size_px[::-1]
    assert (picture >> 24 == 255).all()
    refined = rasterizer.refined(replace(view, size_px=size_px), passes=1).step()
    assert refined is not None
    assert refined.shape == size_px[::-1]


def test_pixels_are_opaque_with_red_above_blue(rasterizer: Rasterizer, view_of: ViewOf) -> None:
    picture = rasterizer.draw(view_of())
    assert picture.dtype == np.uint32
    assert picture.flags.c_contiguous
    assert (picture >> 24 == 255).all()


def test_places_that_are_no_numbers_are_not_drawn_and_harm_nobody(fresh: Rasterizer) -> None:
    places = [[0.0, 0.0, 0.0], [NAN, 0.0, 0.0], [float("inf"), 0.0, -1.0], [1e30, -1e30, 1e30], [0.0, NAN, NAN]]
    fresh.load_small(np.array([0], np.int32), flat(GREEN))
    view = make_view(plain_scene(places))
    assert colour_at(fresh, view) == "green"
    alone = make_view(plain_scene(places[:1]))
    difference = rgb_of(fresh.draw(view)).astype(int) - rgb_of(fresh.draw(alone))
    assert (np.abs(difference).max(axis=2) > 8).mean() < 0.02
    fresh.draw(replace(view, eye=view.eye * np.float32(NAN), view_from_world=view.view_from_world * np.float32(NAN)))


def test_nothing_at_all_is_a_dark_backdrop(fresh: Rasterizer) -> None:
    picture = rgb_of(fresh.draw(emptied(make_view(plain_scene([[0, 0, 0]])))))
    assert 0 < picture.max() < 60


def test_scenes_grow_and_shrink_from_frame_to_frame(fresh: Rasterizer) -> None:
    rng = np.random.default_rng(3)
    for count in (1, 5000, 2, 0, 20000, 7):
        places = rng.normal(size=(count, 3)) * 0.4
        scene = plain_scene(places.tolist(), node_size=0.01)
        fresh.draw(make_view(scene))
        assert fresh.figures.nodes == count
    assert fresh.figures.edges <= 6


def test_hidden_rows_are_not_drawn(fresh: Rasterizer) -> None:
    scene = plain_scene([[0, 0, 0], [0.8, 0, 0]])
    fresh.load_small(np.array([0, 1], np.int32), flat(RED, RED))
    tiers = np.array([HIDDEN, 0], np.int8)
    assert colour_at(fresh, make_view(scene)) == "red"
    assert colour_at(fresh, make_view(scene, tiers=tiers)) == "grey"
    assert fresh.figures.edges == 0


def test_left_is_left_and_top_is_top_in_every_size(fresh: Rasterizer) -> None:
    tile = flat(BLUE)
    tile[0, :16, 16:] = RED
    fresh.load_small(np.array([0], np.int32), tile)
    for node_size in (0.06, 0.4):
        view = make_view(plain_scene([[0, 0, 0]], node_size=node_size))
        reach = half_side_px(view, node_size, 2.0) / 2 / half_side_px(view, 1.0, 2.0)
        assert colour_at(fresh, view, (reach, reach, 0.0)) == "red"
        assert colour_at(fresh, view, (-reach, reach, 0.0)) == "blue"
        assert colour_at(fresh, view, (reach, -reach, 0.0)) == "blue"


def test_the_nearer_card_hides_the_farther_unless_that_is_chosen(fresh: Rasterizer) -> None:
    fresh.load_small(np.array([0, 1], np.int32), flat(RED, BLUE))
    assert colour_at(fresh, make_view(plain_scene([[0, 0, 0.3], [0, 0, 0]]))) == "red"
    assert colour_at(fresh, make_view(plain_scene([[0, 0, 0], [0, 0, 0.3]]))) == "blue"
    assert colour_at(fresh, make_view(plain_scene([[0, 0, 0], [0, 0, 0.3]]), hovered=0)) == "red"


@pytest.mark.parametrize("level", [1, 2])
def test_a_better_tile_fades_in_over_the_smaller(fresh: Rasterizer, level: int) -> None:
    fresh.load_small(np.array([0], np.int32), flat(RED))
    scene = plain_scene([[0, 0, 0]], node_size=0.4)
    fresh.draw(make_view(scene, time_secs=10.0))
    fresh.accept(flat_tile(0, level, BLUE))
    assert colour_at(fresh, make_view(scene, time_secs=10.02)) == "red"
    half_way = rgb_of(fresh.draw(make_view(scene, time_secs=10.125)))[120, 160]
    assert half_way[0] > 60
    assert half_way[2] > 60
    assert colour_at(fresh, make_view(scene, time_secs=10.4)) == "blue"
    fresh.clear()
    assert colour_at(fresh, make_view(scene, time_secs=10.6)) == "grey"


def test_near_images_are_wanted_until_they_came(fresh: Rasterizer) -> None:
    view = make_view(plain_scene([[0, 0, 0]], ids=np.array([42]), node_size=0.8))
    assert fresh.wanted(view) == [(42, 1), (42, 2)]
    fresh.accept(flat_tile(0, 1, BLUE))
    assert fresh.wanted(replace(view, time_secs=101.0)) == [(42, 2)]


def test_an_edge_behind_the_eye_is_cut_not_smeared(fresh: Rasterizer) -> None:
    joined = make_view(plain_scene([[0.3, 0.0, 1.0], [0.3, 0.0, 3.0]], node_size=0.01))
    apart = make_view(plain_scene([[0.3, 0.0, 1.0], [0.3, 0.0, 3.0]], node_size=0.01, edges=np.zeros((0, 2), np.int32)))
    gain = rgb_of(fresh.draw(joined)).astype(int) - rgb_of(fresh.draw(apart))
    row, column = pixel_of(joined, (0.3, 0.0, 1.0))
    assert gain[:, : column - 3].max() <= 3
    assert gain[row, column + 4 :].max() > 10


def test_edges_shine_between_their_ends_and_behind_cards_not_at_all(fresh: Rasterizer) -> None:
    places = [[-0.4, 0.3, 0], [0.4, 0.3, 0], [0.0, 0.225, 0.5]]
    edges = np.array([[0, 1]], np.int32)
    view = make_view(plain_scene(places[:2], edges=edges, node_size=0.03))
    bare = make_view(plain_scene(places[:2], edges=edges[:0], node_size=0.03))
    row, column = pixel_of(view, (0.0, 0.3, 0.0))
    gain = rgb_of(fresh.draw(view)).astype(int) - rgb_of(fresh.draw(bare))
    assert gain[row - 2 : row + 3, column].max() > 15
    assert gain[row + 20 :].max() <= 3
    covered = make_view(plain_scene(places, edges=edges, node_size=0.03))
    plain = make_view(plain_scene(places, edges=edges[:0], node_size=0.03))
    gain = rgb_of(fresh.draw(covered)).astype(int) - rgb_of(fresh.draw(plain))
    assert gain[row - 2 : row + 3, column - 2 : column + 3].max() <= 3


def test_a_refinement_ends_and_can_be_dropped_at_any_step(rasterizer: Rasterizer, view_of: ViewOf) -> None:
    view = view_of()
    dropped = rasterizer.refined(view)
    assert dropped.step() is not None
    moving = rasterizer.draw(view).copy()
    refinement = rasterizer.refined(view, passes=3)
    steps = [step.copy() for _ in range(3) if (step := refinement.step()) is not None]
    assert len(steps) == 3
    assert refinement.step() is None
    assert (rasterizer.draw(view) == moving).all()
    again = rasterizer.refined(view, passes=3)
    assert all((step == other).all() for step in steps if (other := again.step()) is not None)


def test_a_share_of_the_edges_and_no_glow_draw_less(rasterizer: Rasterizer, view_of: ViewOf) -> None:
    view = view_of()
    whole = rgb_of(rasterizer.draw(view)).mean()
    edges = rasterizer.figures.edges
    assert rgb_of(rasterizer.draw(view, glow=False)).mean() < whole
    rasterizer.draw(view, edge_share=0.1)
    assert rasterizer.figures.edges <= edges
