"""What a person would see: which pixels are lit, by what, and where."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import moderngl
import numpy as np
import pytest
from numpy.typing import NDArray

from atlas_rt.core.graph import reached_from
from atlas_rt.core.images import LARGE_TILE_PX, MEDIUM_TILE_PX, Tile
from atlas_rt.core.preparation import prepare
from atlas_rt.core.pulse import PACE, SPACING
from atlas_rt.core.quality import LADDER, Governor, step_named
from atlas_rt.core.scene import FANNED, HIDDEN, PLAIN, Leaving, Scene, View
from atlas_rt.core.visibility import pick
from atlas_rt.render.gl import renderer as renderer_module
from atlas_rt.render.gl.offscreen import OffscreenTarget
from atlas_rt.render.gl.renderer import Renderer
from tests.gpu.conftest import half_side_px, make_scene, make_view, pixel_of

Pixels = NDArray[np.int16]
Shoot = Callable[[Renderer, View], Pixels]
Make = Callable[[str], Renderer]

STEPS = ("high", "normal", "low")
RED, GREEN, BLUE, WHITE = (230, 20, 20), (20, 200, 20), (30, 40, 230), (250, 250, 250)


def flat_tiles(*colours: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Small tiles (k, 32, 32, 3) of one colour each."""
    return np.array([np.full((32, 32, 3), colour, np.uint8) for colour in colours]).reshape(-1, 32, 32, 3)


def flat_tile(record: int, level: int, colour: tuple[int, int, int]) -> Tile:
    side = {1: MEDIUM_TILE_PX, 2: LARGE_TILE_PX}[level]
    mips = []
    while side:
        mips.append(np.full((side, side, 4), (*colour, 255), np.uint8))
        side //= 2
    return Tile(record, record, level, tuple(mips))


def looks(pixel: Pixels) -> str:
    """The strongest of the three colours, "grey" where none stands out."""
    order = np.argsort(pixel)
    return ("red", "green", "blue")[order[2]] if pixel[order[2]] - pixel[order[1]] > 40 else "grey"


@pytest.mark.parametrize("quality", STEPS)
def test_one_node_is_where_it_should_be_and_nothing_else(make_renderer: Make, shoot: Shoot, quality: str) -> None:
    renderer = make_renderer(quality)
    view = make_view(make_scene([[0.3, 0.2, 0.0]], node_size=0.1))
    renderer.load_small(np.array([0], np.int32), flat_tiles(GREEN))
    pixels = shoot(renderer, view)
    row, column = pixel_of(view, (0.3, 0.2, 0.0))
    assert looks(pixels[row, column]) == "green"
    far_corner = pixels[view.size_px[1] - 10, 10]
    assert 0 < far_corner.max() < 60


@pytest.mark.parametrize("quality", STEPS)
def test_the_first_row_of_the_picture_is_on_top(make_renderer: Make, shoot: Shoot, quality: str) -> None:
    renderer = make_renderer(quality)
    tile = flat_tiles(BLUE)
    tile[0, :16] = RED
    renderer.load_small(np.array([0], np.int32), tile)
    view = make_view(make_scene([[0, 0, 0]]))
    pixels = shoot(renderer, view)
    reach = int(half_side_px(view, 0.2, 2.0) / 2)
    assert looks(pixels[120 - reach, 160]) == "red"
    assert looks(pixels[120 + reach, 160]) == "blue"


@pytest.mark.parametrize("node_size", [0.02, 0.2], ids=["sprite", "quad"])
def test_left_is_left_and_top_is_top_in_every_size(make_renderer: Make, shoot: Shoot, node_size: float) -> None:
    renderer = make_renderer("low")
    tile = flat_tiles(BLUE)
    tile[0, :16, 16:] = RED
    renderer.load_small(np.array([0], np.int32), tile)
    view = make_view(make_scene([[0, 0, 0]], node_size=node_size))
    pixels = shoot(renderer, view)
    reach = int(half_side_px(view, node_size, 2.0) / 2)
    assert looks(pixels[120 - reach, 160 + reach]) == "red"
    assert looks(pixels[120 - reach, 160 - reach]) == "blue"
    assert looks(pixels[120 + reach, 160 + reach]) == "blue"


@pytest.mark.parametrize("aspect", [0.4, 1.0, 2.5])
def test_a_card_has_the_aspect_of_its_image(make_renderer: Make, shoot: Shoot, aspect: float) -> None:
    renderer = make_renderer("low")
    view = make_view(make_scene([[0, 0, 0]], aspects=[aspect], node_size=0.2))
    renderer.load_small(np.array([0], np.int32), flat_tiles(WHITE))
    lit = shoot(renderer, view).min(axis=2) > 100
    width, height = int(lit[120].sum()), int(lit[:, 160].sum())
    assert width / height == pytest.approx(aspect, rel=0.12)
    assert width * height == pytest.approx((2 * half_side_px(view, 0.2, 2.0)) ** 2, rel=0.15)


def test_hardware_and_software_draw_the_same_cards(
    make_renderer: Make, shoot: Shoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = make_scene([[-0.5, 0, 0.5], [0.4, 0.1, 0], [0, -0.4, -2]], node_size=0.15)
    pictures = []
    for software in (True, False):
        monkeypatch.setattr("atlas_rt.render.gl.renderer.is_software", lambda _, answer=software: answer)
        renderer = make_renderer("high")
        renderer.load_small(np.arange(3, dtype=np.int32), flat_tiles(RED, GREEN, BLUE))
        pictures.append(shoot(renderer, make_view(scene)))
    assert np.abs(pictures[0] - pictures[1]).max() < 60
    assert np.abs(pictures[0] - pictures[1]).mean() < 0.5


def test_corners_are_round(make_renderer: Make, shoot: Shoot) -> None:
    renderer = make_renderer("low")
    view = make_view(make_scene([[0, 0, 0]], node_size=0.5))
    renderer.load_small(np.array([0], np.int32), flat_tiles(WHITE))
    pixels = shoot(renderer, view)
    half = int(half_side_px(view, 0.5, 2.0))
    assert pixels[120 - half + 2, 160 - half + 2].max() < 60
    assert pixels[120 - half + 3, 160].max() > 80


@pytest.mark.parametrize("quality", STEPS)
def test_before_its_tile_is_here_a_card_has_its_mean_colour(make_renderer: Make, shoot: Shoot, quality: str) -> None:
    renderer = make_renderer(quality)
    view = make_view(make_scene([[0, 0, 0]], mean_rgb=[[220, 30, 30]], hues=[[60, 90, 250]], tiles=[5000]))
    assert looks(shoot(renderer, view)[120, 160]) == "red"


def test_the_right_picture_is_on_the_right_node_after_the_scene_changed(make_renderer: Make, shoot: Shoot) -> None:
    renderer = make_renderer("low")
    renderer.load_small(np.array([7, 3, 9], np.int32), flat_tiles(RED, GREEN, BLUE))
    places = [[-0.5, 0, 0], [0.5, 0, 0]]
    before = make_view(make_scene(places, ids=[10, 20], tiles=[7, 3], node_size=0.1))
    after = make_view(
        make_scene([*places[:1], [0, 0.4, 0], *places[1:]], ids=[10, 15, 20], tiles=[7, 9, 3], node_size=0.1)
    )
    seen = shoot(renderer, before)
    assert looks(seen[pixel_of(before, (-0.5, 0, 0))]) == "red"
    assert looks(seen[pixel_of(before, (0.5, 0, 0))]) == "green"
    seen = shoot(renderer, after)
    assert looks(seen[pixel_of(after, (-0.5, 0, 0))]) == "red"
    assert looks(seen[pixel_of(after, (0, 0.4, 0))]) == "blue"
    assert looks(seen[pixel_of(after, (0.5, 0, 0))]) == "green"


def test_the_nearer_card_hides_the_farther_in_either_order(make_renderer: Make, shoot: Shoot) -> None:
    renderer = make_renderer("low")
    renderer.load_small(np.array([0, 1], np.int32), flat_tiles(RED, BLUE))
    assert looks(shoot(renderer, make_view(make_scene([[0, 0, 0.3], [0, 0, 0]])))[120, 160]) == "red"
    assert looks(shoot(renderer, make_view(make_scene([[0, 0, 0], [0, 0, 0.3]])))[120, 160]) == "blue"


@pytest.mark.parametrize("level", [1, 2])
def test_a_better_tile_fades_in_over_the_smaller(make_renderer: Make, shoot: Shoot, level: int) -> None:
    renderer = make_renderer("low")
    renderer.load_small(np.array([0], np.int32), flat_tiles(RED))
    scene = make_scene([[0, 0, 0]], ids=[42], node_size=0.4)
    shoot(renderer, make_view(scene, time_secs=10.0))
    renderer.accept(flat_tile(0, level, BLUE))
    assert looks(shoot(renderer, make_view(scene, time_secs=10.02))[120, 160]) == "red"
    half_way = shoot(renderer, make_view(scene, time_secs=10.125))[120, 160]
    assert half_way[0] > 60
    assert half_way[2] > 60
    assert looks(shoot(renderer, make_view(scene, time_secs=10.4))[120, 160]) == "blue"


@pytest.mark.parametrize("level", [1, 2])
def test_a_card_whose_better_tile_is_here_is_seen_from_far_too(make_renderer: Make, shoot: Shoot, level: int) -> None:
    renderer = make_renderer("low")
    renderer.load_small(np.array([0], np.int32), flat_tiles(RED))
    scene = make_scene([[0, 0, 0]], ids=[42], node_size=0.1)
    shoot(renderer, make_view(scene, time_secs=10.0))
    renderer.accept(flat_tile(0, level, BLUE))
    far = make_view(scene, distance=6.0, time_secs=12.0)
    assert shoot(renderer, far)[120, 160].max() > 40


def test_a_tile_that_had_to_leave_shows_the_small_one_again(make_renderer: Make, shoot: Shoot) -> None:
    renderer = make_renderer("low")
    renderer.load_small(np.array([0], np.int32), flat_tiles(RED))
    scene = make_scene([[0, 0, 0]], ids=[0], node_size=0.4)
    shoot(renderer, make_view(scene))
    renderer.accept(flat_tile(0, 2, BLUE))
    assert looks(shoot(renderer, make_view(scene, time_secs=101.0))[120, 160]) == "blue"
    for stranger in range(1, 40):
        renderer.accept(flat_tile(stranger, 2, GREEN))
    assert looks(shoot(renderer, make_view(scene, time_secs=102.0))[120, 160]) == "red"


def test_tiles_stay_with_their_images_when_rows_move(make_renderer: Make, shoot: Shoot) -> None:
    renderer = make_renderer("low")
    renderer.load_small(np.array([0, 1], np.int32), flat_tiles(RED, RED))
    shoot(renderer, make_view(make_scene([[0, 0, 0]], ids=[5], tiles=[0])))
    renderer.accept(flat_tile(0, 1, BLUE))
    moved = make_view(make_scene([[-0.5, 0, 0], [0.5, 0, 0]], ids=[2, 5], tiles=[1, 0]), time_secs=105.0)
    seen = shoot(renderer, moved)
    assert looks(seen[pixel_of(moved, (-0.5, 0, 0))]) == "red"
    assert looks(seen[pixel_of(moved, (0.5, 0, 0))]) == "blue"


@pytest.mark.parametrize("quality", STEPS)
def test_edges_run_between_the_right_ends(make_renderer: Make, shoot: Shoot, quality: str) -> None:
    places = [[-0.4, 0.3, 0], [0.4, 0.3, 0], [-0.4, -0.3, 0], [0.4, -0.3, 0]]
    joined = make_view(make_scene(places, edges=[[0, 1]], node_size=0.03))
    apart = make_view(make_scene(places, node_size=0.03))
    gain = (shoot(make_renderer(quality), joined) - shoot(make_renderer(quality), apart)).max(axis=2)
    row, column = pixel_of(joined, (0.0, 0.3, 0.0))
    assert gain[row - 3 : row + 4, column].max() > 15
    assert gain[pixel_of(joined, (0.0, -0.3, 0.0))[0] - 20 :].max() < 5


def test_an_edge_behind_the_eye_is_cut_not_smeared(make_renderer: Make, shoot: Shoot) -> None:
    places = [[0.3, 0.0, 1.0], [0.3, 0.0, 3.0]]
    joined = make_view(make_scene(places, edges=[[0, 1]], node_size=0.01))
    apart = make_view(make_scene(places, node_size=0.01))
    gain = (shoot(make_renderer("high"), joined) - shoot(make_renderer("high"), apart)).max(axis=2)
    assert gain[:, :150].max() < 5


@pytest.mark.parametrize("quality", STEPS)
def test_a_search_lights_some_and_dims_the_rest(make_renderer: Make, shoot: Shoot, quality: str) -> None:
    renderer = make_renderer(quality)
    renderer.load_small(np.array([0, 1], np.int32), flat_tiles(WHITE, WHITE))
    scene = make_scene([[-0.4, 0, 0], [0.4, 0, 0]], node_size=0.08)
    plain = make_view(scene)
    searched = make_view(scene, lights=np.array([4.0, 0.0], np.float32), light_mix=1.0)
    before, during = shoot(renderer, plain), shoot(renderer, searched)
    lit, dim = pixel_of(plain, (-0.4, 0, 0)), pixel_of(plain, (0.4, 0, 0))
    assert during[lit].sum() >= before[lit].sum() - 10
    assert during[dim].sum() < 0.6 * before[dim].sum()
    assert (during[:, :160].min(axis=2) > 120).sum() > 2.0 * (before[:, :160].min(axis=2) > 120).sum()


@pytest.mark.parametrize("quality", STEPS)
@pytest.mark.parametrize("node_size", [0.02, 0.2], ids=["sprite", "quad"])
def test_an_image_that_is_away_is_darker_and_has_its_own_colour_still(
    make_renderer: Make, shoot: Shoot, quality: str, node_size: float
) -> None:
    renderer = make_renderer(quality)
    scene = make_scene([[-0.3, 0, 0], [0.3, 0, 0]], node_size=node_size)
    scene = dataclasses.replace(scene, mean_rgb=np.array([RED, RED], np.uint8))
    away = dataclasses.replace(scene, away=np.array([True, False]))
    all_here, one_away, back = (shoot(renderer, make_view(each)) for each in (scene, away, scene))
    left, right = pixel_of(make_view(scene), (-0.3, 0, 0)), pixel_of(make_view(scene), (0.3, 0, 0))
    assert looks(one_away[left]) == looks(all_here[left])
    assert 0.3 * all_here[left].sum() < one_away[left].sum() < 0.8 * all_here[left].sum()
    assert np.abs(one_away[right] - all_here[right]).max() <= 3
    assert np.abs(back[left] - all_here[left]).max() <= 3


def test_a_search_fades_in(make_renderer: Make, shoot: Shoot) -> None:
    renderer = make_renderer("low")
    renderer.load_small(np.array([0], np.int32), flat_tiles(WHITE))
    scene = make_scene([[0, 0, 0]], node_size=0.1)
    lights = np.array([0.0], np.float32)
    shades = [
        int(shoot(renderer, make_view(scene, lights=lights, light_mix=mix))[120, 160].sum()) for mix in (0.0, 0.5, 1.0)
    ]
    assert shades[0] > shades[1] > shades[2]


def test_half_way_through_a_morph_a_node_is_half_way(make_renderer: Make, shoot: Shoot) -> None:
    renderer = make_renderer("low")
    renderer.load_small(np.array([0], np.int32), flat_tiles(WHITE))
    scene = make_scene([[0.6, 0, 0]], node_size=0.05)
    old = np.array([[-0.6, 0, 0]], np.float32)
    for morph, x in ((0.0, -0.6), (0.5, 0.0), (1.0, 0.6)):
        lit = shoot(renderer, make_view(scene, old_positions=old, morph=morph)).min(axis=2) > 120
        middle = np.argwhere(lit).mean(axis=0)
        assert middle == pytest.approx(pixel_of(make_view(scene), (x, 0, 0)), abs=1.5)


@pytest.mark.parametrize("quality", STEPS)
def test_hovered_and_selected_cards_have_a_ring(make_renderer: Make, shoot: Shoot, quality: str) -> None:
    renderer = make_renderer(quality)
    scene = make_scene([[0, 0, 0]], mean_rgb=[[10, 10, 10]], hues=[[20, 20, 20]])
    plain = shoot(renderer, make_view(scene))
    hovered = shoot(renderer, make_view(scene, hovered=0)) - plain
    selected = shoot(renderer, make_view(scene, selected=(0,))) - plain
    border = 160 + round(half_side_px(make_view(scene), 0.2, 2.0))
    assert hovered[120, border - 1 : border + 4].max() > 80
    assert selected[120, border - 1 : border + 4].max() > 80
    halo = selected[120, border + 4 : border + 12].astype(int).sum(axis=0)
    assert halo[0] > halo[2], "the ring of a selection is warm"


def test_what_a_search_found_stands_before_its_pile(make_renderer: Make, shoot: Shoot) -> None:
    renderer = make_renderer("low")
    renderer.load_small(np.array([0, 1], np.int32), flat_tiles(RED, BLUE))
    scene = make_scene([[0, 0, 0], [0, 0, 0.05]])
    found = np.array([4.0, 0.0], np.float32)
    assert looks(shoot(renderer, make_view(scene, lights=found, light_mix=1.0))[120, 160]) == "red"


def test_what_is_hovered_stands_before_its_pile(make_renderer: Make, shoot: Shoot) -> None:
    renderer = make_renderer("low")
    renderer.load_small(np.array([0, 1], np.int32), flat_tiles(RED, BLUE))
    scene = make_scene([[0, 0, 0], [0, 0, 0.05]])
    assert looks(shoot(renderer, make_view(scene))[120, 160]) == "blue"
    assert looks(shoot(renderer, make_view(scene, hovered=0))[120, 160]) == "red"


@pytest.mark.parametrize("quality", STEPS)
def test_the_live_marker_shines_and_is_joined_to_its_neighbours(
    make_renderer: Make, shoot: Shoot, quality: str
) -> None:
    scene = make_scene([[0.8, 0, 0]], node_size=0.02)
    marker = np.array([-0.5, 0.0, 0.0], np.float32)
    plain = shoot(make_renderer(quality), make_view(scene))
    live = make_view(scene, marker=marker, marker_neighbours=(0,))
    gain = (shoot(make_renderer(quality), live) - plain).max(axis=2)
    assert gain[pixel_of(live, (-0.5, 0, 0))] > 150
    row, column = pixel_of(live, (0.3, 0, 0))
    assert gain[row - 2 : row + 3, column].max() > 20


def test_the_marker_goes_when_the_camera_is_off(make_renderer: Make, shoot: Shoot) -> None:
    renderer = make_renderer("low")
    scene = make_scene([[0.8, 0, 0]], node_size=0.02)
    plain = shoot(renderer, make_view(scene))
    shoot(renderer, make_view(scene, marker=np.zeros(3, np.float32), marker_neighbours=(0,)))
    assert np.abs(shoot(renderer, make_view(scene)) - plain).max() <= 1


def test_steps_of_the_ladder_look_alike(make_renderer: Make, shoot: Shoot) -> None:
    rng = np.random.default_rng(4)
    view = make_view(make_scene(rng.normal(0, 0.4, (40, 3)).tolist(), node_size=0.06))
    tiles = rng.integers(0, 255, (40, 32, 32, 3), dtype=np.uint8)
    pictures = []
    for quality in STEPS:
        renderer = make_renderer(quality)
        renderer.load_small(np.arange(40, dtype=np.int32), tiles)
        pictures.append(shoot(renderer, view).mean())
    assert np.ptp(pictures) < 0.35 * np.mean(pictures)


@pytest.mark.parametrize("step", [step.name for step in LADDER])
def test_every_rung_shows_the_same_places(make_renderer: Make, shoot: Shoot, step: str) -> None:
    renderer = make_renderer("auto")
    renderer._governor = Governor(start=step_named(step), fixed=True)
    renderer.load_small(np.array([0, 1], np.int32), flat_tiles(RED, BLUE))
    view = make_view(make_scene([[-0.5, 0.3, 0], [0.5, -0.3, 0]], node_size=0.12))
    seen = shoot(renderer, view)
    assert renderer.figures.step == step
    assert looks(seen[pixel_of(view, (-0.5, 0.3, 0))]) == "red"
    assert looks(seen[pixel_of(view, (0.5, -0.3, 0))]) == "blue"
    assert seen[pixel_of(view, (0.5, 0.3, 0))].max() < 60


def test_the_last_frame_before_a_rest_is_sharp(make_renderer: Make, ctx: moderngl.Context) -> None:
    view = make_view(make_scene([[0, 0, 0]], node_size=0.2))
    renderer = make_renderer("auto")
    renderer._governor = Governor(start=step_named("least"), fixed=True)
    stripes = np.zeros((1, 32, 32, 3), np.uint8)
    stripes[:, ::2] = 255
    renderer.load_small(np.array([0], np.int32), stripes)
    contrast = {}
    for still in (False, True):
        picture = OffscreenTarget(ctx, view.size_px)
        renderer.draw(view, picture.target, still=still)
        contrast[still] = picture.read()[110:130, 160].astype(int).std()
        picture.release()
    assert contrast[True] > 1.3 * contrast[False]


@pytest.mark.parametrize("nodes", [0, 1, 2])
@pytest.mark.parametrize("quality", STEPS)
def test_few_or_no_images_draw(make_renderer: Make, shoot: Shoot, quality: str, nodes: int) -> None:
    renderer = make_renderer(quality)
    view = make_view(make_scene([[0.1 * node, 0, 0] for node in range(nodes)]))
    assert shoot(renderer, view).shape == (240, 320, 3)
    assert {image_id for image_id, _ in renderer.wanted(view)} == set(range(nodes))
    assert renderer.figures.nodes == nodes


@pytest.mark.parametrize("quality", ["low", "high"])
def test_a_4k_target_works_and_a_change_of_size_too(make_renderer: Make, shoot: Shoot, quality: str) -> None:
    renderer = make_renderer(quality)
    renderer.load_small(np.array([0], np.int32), flat_tiles(WHITE))
    scene = make_scene([[0, 0, 0]], node_size=0.05)
    for size_px in ((3840, 2160), (640, 360)):
        pixels = shoot(renderer, make_view(scene, size_px=size_px))
        assert pixels.shape == (size_px[1], size_px[0], 3)
        assert pixels[size_px[1] // 2, size_px[0] // 2].min() > 150


def test_wanted_tiles_are_the_near_ones_medium_before_large(make_renderer: Make, shoot: Shoot) -> None:
    renderer = make_renderer("low")
    scene = make_scene([[0, 0, -20], [0.1, 0, 0], [-0.1, 0, 1.2]], ids=[7, 8, 9])
    view = make_view(scene, size_px=(640, 480))
    shoot(renderer, view)
    assert renderer.wanted(view) == [(9, 1), (8, 1), (9, 2)]
    renderer.accept(flat_tile(2, 1, RED))
    assert renderer.wanted(view) == [(8, 1), (9, 2)]


def test_auto_starts_low_on_software_and_says_so(make_renderer: Make, shoot: Shoot, ctx: moderngl.Context) -> None:
    renderer = make_renderer("auto")
    shoot(renderer, make_view(make_scene([[0, 0, 0]])))
    expected = "low" if "llvmpipe" in ctx.info["GL_RENDERER"] else "high"
    assert renderer.figures.step == expected
    assert renderer.figures.drawn == "1 images, 1 near, 0 edges"


def test_frames_over_the_budget_lower_the_step(make_renderer: Make, shoot: Shoot) -> None:
    renderer = make_renderer("auto")
    view = make_view(make_scene([[0, 0, 0]]))
    shoot(renderer, view)
    before = renderer.figures.step
    assert any(renderer.observe(40.0) for _ in range(3))
    shoot(renderer, view)
    assert renderer.figures.step != before


def test_nothing_is_uploaded_or_made_anew_in_a_still_view(
    ctx: moderngl.Context, make_renderer: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    renderer = make_renderer("high")
    rng = np.random.default_rng(2)
    view = make_view(make_scene(rng.normal(0, 0.3, (50, 3)).tolist(), edges=[[0, 1], [2, 3]]))
    picture = OffscreenTarget(ctx, view.size_px)
    renderer.draw(view, picture.target)
    written: list[str] = []
    monkeypatch.setattr(moderngl.Texture, "write", lambda *_, **__: written.append("texture"))
    monkeypatch.setattr(moderngl.Context, "buffer", lambda *_, **__: written.append("buffer"))
    monkeypatch.setattr(moderngl.Context, "vertex_array", lambda *_, **__: written.append("vertex array"))
    renderer.draw(view, picture.target)
    picture.release()
    assert written == []


def test_the_clock_of_a_kiosk_may_run_for_weeks(make_renderer: Make, shoot: Shoot) -> None:
    renderer = make_renderer("low")
    renderer.load_small(np.array([0], np.int32), flat_tiles(RED))
    scene = make_scene([[0, 0, 0]], node_size=0.4)
    weeks = 3.0 * 7 * 86400 + 3599.9
    shoot(renderer, make_view(scene, time_secs=weeks))
    renderer.accept(flat_tile(0, 1, BLUE))
    assert looks(shoot(renderer, make_view(scene, time_secs=weeks + 0.5))[120, 160]) == "blue"


@pytest.mark.parametrize("node_size", [0.01, 0.2], ids=["sprite", "quad"])
@pytest.mark.parametrize("quality", STEPS)
def test_nothing_is_seen_of_an_image_under_its_leader(
    make_renderer: Make, shoot: Shoot, quality: str, node_size: float
) -> None:
    scene = make_scene([[-0.5, 0, 0], [0.5, 0, 0]], node_size=node_size, mean_rgb=[[250, 250, 250]] * 2)
    alone = make_scene([[-0.5, 0, 0]], node_size=node_size, mean_rgb=[[250, 250, 250]])
    hidden = np.array([PLAIN, HIDDEN], np.int8)
    lights = np.array([9.0, 9.0], np.float32)
    view = make_view(scene, tiers=hidden, lights=lights, light_mix=1.0, hovered=1)
    seen = shoot(make_renderer(quality), view)
    wanted = shoot(make_renderer(quality), make_view(alone, lights=lights[:1], light_mix=1.0))
    row, column = pixel_of(view, (0.5, 0, 0))
    assert seen[row, column].max() < 60
    right = np.abs(seen - wanted)[:, column - 30 :]
    assert right.max() <= 6
    assert len(make_renderer(quality).wanted(view)) == len(make_renderer(quality).wanted(make_view(alone)))


@pytest.mark.parametrize(
    ("tiers", "hovered", "seen"),
    [
        ((PLAIN, PLAIN), -1, "blue"),
        ((FANNED, PLAIN), -1, "red"),
        ((FANNED, FANNED), 0, "red"),
        ((FANNED, FANNED), 1, "blue"),
    ],
)
def test_a_fan_stands_before_what_is_nearer_and_what_is_hovered_before_the_rest_of_it(
    make_renderer: Make, shoot: Shoot, tiers: tuple[int, int], hovered: int, seen: str
) -> None:
    renderer = make_renderer("low")
    renderer.load_small(np.array([0, 1], np.int32), flat_tiles(RED, BLUE))
    scene = make_scene([[0, 0, 0], [0, 0, 0.02]])
    view = make_view(scene, tiers=np.array(tiers, np.int8), hovered=hovered)
    assert looks(shoot(renderer, view)[120, 160]) == seen
    assert pick(view, (160, 120)) == ("red", "blue").index(seen)  # what is hit is what is seen


def test_a_card_that_is_fanned_out_has_its_aspect_and_a_faint_ring_while_its_stack_is_selected(
    make_renderer: Make, shoot: Shoot
) -> None:
    scene = make_scene([[-0.3, 0, 0], [0.3, 0, 0]], aspects=[2.0, 2.0], node_size=0.1)
    plain = shoot(make_renderer("low"), make_view(scene))
    view = make_view(scene, tiers=np.array([FANNED, FANNED], np.int8))
    fanned = shoot(make_renderer("low"), view)
    assert np.abs(fanned - plain).max() <= 2
    selected = shoot(make_renderer("low"), dataclasses.replace(view, selected=(0,)))
    other = np.abs(selected - plain)[:, 160:].max(axis=2)
    _, column = pixel_of(view, (0.3, 0, 0))
    half = half_side_px(view, 0.1, 2.0) * 2.0**0.5
    assert other[:, round(column + half) - 160].max() > 20
    assert other[120, column - 160] <= 4


def leaving_of(scene: Scene, *, target: tuple[float, float, float]) -> Leaving:
    """All images of a scene on their way to a place."""
    return Leaving(
        ids=scene.ids,
        positions=scene.positions,
        targets=np.tile(np.array(target, np.float32), (len(scene.ids), 1)),
        aspects=scene.aspects,
        mean_rgb=scene.mean_rgb,
        hues=scene.hues,
        tiles=scene.tiles,
    )


@pytest.mark.parametrize("node_size", [0.015, 0.2], ids=["sprite", "quad"])
@pytest.mark.parametrize("quality", STEPS)
def test_what_leaves_shrinks_on_its_way_and_then_is_gone(
    make_renderer: Make, shoot: Shoot, quality: str, node_size: float
) -> None:
    renderer = make_renderer(quality)
    renderer.load_small(np.array([3, 5], np.int32), flat_tiles(RED, BLUE))
    stays = make_scene([[-0.6, 0, 0]], ids=[1], tiles=[3], mean_rgb=[[230, 20, 20]], node_size=node_size)
    gone = make_scene([[0.4, 0, 0]], ids=[2], tiles=[5], mean_rgb=[[30, 40, 230]], hues=[[30, 40, 230]])
    leaving = leaving_of(gone, target=(0.4, 0.4, 0.0))
    bright = []
    for share in (0.0, 0.5, 0.9):
        view = make_view(stays, leaving=leaving, gone=share)
        pixels = shoot(renderer, view)
        assert looks(pixels[pixel_of(view, (-0.6, 0, 0))]) == "red"
        blue = (pixels[..., 2] - pixels[..., 0] > 40) & (pixels[..., 2] > 90)
        bright.append(int(blue[:, 160:].sum()))
        if share < 0.9:
            place = pixel_of(view, (0.4, 0.4 * share, 0.0))
            assert looks(pixels[place]) == "blue"
    assert bright[0] > bright[1] > bright[2]
    after = shoot(renderer, make_view(stays))
    assert np.array_equal(after, shoot(make_fresh(make_renderer, quality), make_view(stays)))


def make_fresh(make_renderer: Make, quality: str) -> Renderer:
    """A renderer that never saw anything leave."""
    renderer = make_renderer(quality)
    renderer.load_small(np.array([3, 5], np.int32), flat_tiles(RED, BLUE))
    return renderer


def test_a_card_that_leaves_keeps_the_better_tile_it_had(make_renderer: Make, shoot: Shoot) -> None:
    renderer = make_renderer("low")
    renderer.load_small(np.array([0, 1], np.int32), flat_tiles(RED, RED))
    both = make_scene([[-0.5, 0, 0], [0.5, 0, 0]])
    shoot(renderer, make_view(both))
    renderer.accept(flat_tile(1, 1, BLUE))
    seen = make_view(both, time_secs=101.0)
    assert looks(shoot(renderer, seen)[pixel_of(seen, (0.5, 0, 0))]) == "blue"
    rest, gone = make_scene([[-0.5, 0, 0]]), make_scene([[0.5, 0, 0]], ids=[1], tiles=[1])
    view = make_view(rest, leaving=leaving_of(gone, target=(0.5, 0, 0)), gone=0.1, time_secs=102.0)
    pixels = shoot(renderer, view)
    assert looks(pixels[pixel_of(view, (0.5, 0, 0))]) == "blue"
    assert looks(pixels[pixel_of(view, (-0.5, 0, 0))]) == "red"


# -- a scene that comes, light along edges -----------------------------------------------------------------------------


def ring_scene(*, turned: float = 0.0) -> Scene:
    """Six nodes around the middle with an edge from each to the next."""
    angles = np.arange(6) * np.pi / 3.0 + turned
    positions = np.stack([0.7 * np.cos(angles), 0.7 * np.sin(angles), 0.0 * angles], axis=1)
    edges = np.array([(i, (i + 1) % 6) for i in range(6)], np.int32)
    scene = make_scene(positions.tolist(), node_size=0.05)
    return dataclasses.replace(scene, edges=edges, weights=np.full(6, 0.9, np.float32))


@pytest.mark.parametrize("quality", STEPS)
def test_a_staged_scene_is_drawn_like_any_other_and_the_old_one_until_then(
    make_renderer: Make, shoot: Shoot, quality: str
) -> None:
    before, after = prepare(ring_scene(), aspect=1.0), prepare(ring_scene(turned=0.4), aspect=1.0)
    tiles = np.arange(6, dtype=np.int32), flat_tiles(RED, GREEN, BLUE, WHITE, RED, GREEN)
    renderer, plain = make_renderer(quality), make_renderer(quality)
    for _ in renderer.staging(before, *tiles):
        pass
    plain.load_small(*tiles)
    views = [
        make_view(each.scene, distance=2.5)
        if each is before
        else make_view(each.scene, distance=2.5, positions=each.places, old_positions=before.places, morph=morph)
        for each, morph in ((before, 1.0), (after, 0.5), (after, 1.0))
    ]
    for _ in renderer.staging(after, tiles[0][:0], tiles[1][:0]):
        assert np.array_equal(shoot(renderer, views[0]), shoot(plain, views[0]))
    for view in views[1:]:
        assert np.array_equal(shoot(renderer, view), shoot(plain, view))


def test_a_staged_scene_that_is_shown_otherwise_is_drawn_as_it_is_shown(make_renderer: Make, shoot: Shoot) -> None:
    """A stack was opened, or a cluster hidden, while it went up."""
    staged, other = prepare(ring_scene(), aspect=1.0), ring_scene(turned=0.4)
    renderer, plain = make_renderer("low"), make_renderer("low")
    for _ in renderer.staging(staged, np.zeros(0, np.int32), flat_tiles()):
        pass
    view = make_view(staged.scene, positions=other.positions, tiers=np.array([0, 0, HIDDEN, 0, 0, 0], np.int8))
    assert np.array_equal(shoot(renderer, view), shoot(plain, view))
    elsewhere = make_view(other)
    assert np.array_equal(shoot(renderer, elsewhere), shoot(plain, elsewhere))


def test_light_walks_along_edges_and_not_through_space(make_renderer: Make, shoot: Shoot) -> None:
    """From the first node around: what lies across is near in space and three edges away."""
    scene, renderer = ring_scene(), make_renderer("lean")
    reached = reached_from(prepare(scene, aspect=1.0).graph, np.array([0]), limit=9.0)
    assert reached == pytest.approx([0.0, 0.7, 1.4, 2.1, 1.4, 0.7], abs=1e-5)
    dark = shoot(renderer, make_view(scene, distance=2.5)).sum(axis=2)

    def light_at(walked: float, secs: float) -> float:
        """How much brighter the edge is there, so far along from the first node."""
        view = make_view(scene, distance=2.5, selected=(0,), reached=reached, ambient=1.0, pulse_secs=secs)
        lit = shoot(renderer, view).sum(axis=2)
        edge, part = divmod(walked / 0.7, 1.0)
        a, b = scene.positions[int(edge)], scene.positions[int(edge) + 1]
        row, column = pixel_of(view, tuple((a + (b - a) * np.float32(part)).tolist()))
        return float((lit - dark)[row - 1 : row + 2, column - 1 : column + 2].max())

    begin = SPACING / 2.0 / PACE
    for walked in (
        1.05,
        1.75,
    ):  # in the middle of the second edge, and of the third, which no longer touches the source
        there, before = light_at(walked, begin + walked / PACE), light_at(walked, begin + (walked - 0.25) / PACE)
        assert there > before + 15.0, walked


def test_edges_of_what_is_hovered_are_drawn_although_their_step_leaves_them_out(
    make_renderer: Make, shoot: Shoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renderer_module, "LEAST_EDGES", 0)
    prepared, renderer = prepare(ring_scene(), aspect=1.0), make_renderer("bare")  # of six edges not one
    view = make_view(prepared.scene, distance=2.5, graph=prepared.graph)
    row, column = pixel_of(view, tuple(prepared.scene.positions[:2].mean(axis=0).tolist()))

    def brightness(view: View) -> int:
        return int(shoot(renderer, view)[row - 2 : row + 3, column - 2 : column + 3].sum(axis=2).max())

    plain, hovered = brightness(view), brightness(dataclasses.replace(view, hovered=0))
    assert hovered > plain + 30
    assert brightness(dataclasses.replace(view, hovered=3)) < plain + 10  # of another node
    assert brightness(dataclasses.replace(view, selected=(1,))) > plain + 30
