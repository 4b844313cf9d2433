"""Passes of the renderer that a person doesn't see by themselves: order, glow, parts of a picture, warm programs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import moderngl
import numpy as np
import pytest
from numpy.typing import NDArray

from atlas_rt.core import camera
from atlas_rt.core.quality import LADDER, step_named
from atlas_rt.core.scene import View
from atlas_rt.errors import NoGraphicsError
from atlas_rt.render.frame import Part
from atlas_rt.render.gl.depth_order import front_to_back
from atlas_rt.render.gl.large_picture import in_parts
from atlas_rt.render.gl.limits import DriverLimits, limits_of
from atlas_rt.render.gl.probe import probe_tiles, probe_view
from atlas_rt.render.gl.renderer import Renderer
from atlas_rt.render.gl.tiles import CELLS, SmallTiles
from tests.gpu.conftest import make_scene, make_view, pixel_of

Shoot = Callable[[Renderer, View], NDArray[np.int16]]
Make = Callable[[str], Renderer]
HIGH = LADDER[0]


def cloud(nodes: int, *, size_px: tuple[int, int], **changes: object) -> View:
    """Joined nodes at random places."""
    rng = np.random.default_rng(5)
    places = rng.normal(0.0, 0.35, (nodes, 3)).tolist()
    colours = rng.integers(20, 250, (nodes, 3)).tolist()
    edges = [[i, (i * 7 + 1) % nodes] for i in range(nodes) if i != (i * 7 + 1) % nodes]
    scene = make_scene(places, mean_rgb=colours, hues=colours[::-1], edges=edges, node_size=0.03)
    return make_view(scene, size_px=size_px, **changes)


def test_rows_are_sorted_by_depth_whatever_the_direction() -> None:
    rng = np.random.default_rng(1)
    positions = rng.normal(size=(500, 3)).astype(np.float32)
    forward = np.array([0.6, 0.0, -0.8], np.float32)
    depths = (positions @ forward)[front_to_back(positions, forward)]
    assert np.diff(depths).min() > -np.ptp(depths) / 10_000.0
    assert front_to_back(positions[:0], forward).shape == (0,)
    assert sorted(front_to_back(np.zeros((3, 3), np.float32), forward).tolist()) == [0, 1, 2]


def test_a_picture_does_not_depend_on_the_order_of_its_rows(make_renderer: Make, shoot: Shoot) -> None:
    """Cards are drawn from front to back, and their soft edges from back to front, in whatever order they come."""
    view = cloud(200, size_px=(320, 240))
    scene = view.scene
    turned = dataclasses.replace(
        scene,
        positions=scene.positions[::-1].copy(),
        mean_rgb=scene.mean_rgb[::-1].copy(),
        hues=scene.hues[::-1].copy(),
        edges=(len(scene.ids) - 1 - scene.edges).astype(np.int32),
    )
    one = shoot(make_renderer("high"), view)
    other = shoot(
        make_renderer("high"),
        dataclasses.replace(view, scene=turned, positions=turned.positions, old_positions=turned.positions),
    )
    assert np.abs(one - other).mean() < 0.05
    assert (np.abs(one - other).max(axis=2) > 8).mean() < 0.001


def test_a_card_has_no_dark_edge_before_another(make_renderer: Make, shoot: Shoot) -> None:
    """Blended while they write depth, edges would show the backdrop where a card lies behind."""
    white = [[255, 255, 255]] * 2
    scene = make_scene([[0.05, 0, 0.5], [0, 0, 0]], mean_rgb=white, hues=white, node_size=0.12)
    view = make_view(scene)
    pixels = shoot(make_renderer("high"), view)
    row, column = pixel_of(view, (0.0, 0.0, 0.0))
    assert pixels[row, column - 3 : column + 12].min() > 110


def test_glow_lies_around_its_node_as_wide_and_bright_as_a_disc(make_renderer: Make, shoot: Shoot) -> None:
    """A disc (1 - r^2)^3 of four cards' width: half of its light falls on either side, and at its border none."""
    hue = [[40, 255, 40]]
    plain = make_view(make_scene([[0, 0, 0]], hues=[[0, 0, 0]], node_size=0.02), size_px=(640, 400))
    lit = make_view(make_scene([[0, 0, 0]], hues=hue, node_size=0.02), size_px=(640, 400))
    renderer = make_renderer("high")
    gain = (shoot(renderer, lit)[..., 1] - shoot(make_renderer("high"), plain)[..., 1])[200]
    half = 0.02 * camera.focal_px(lit.fov_y, 400) / 2.0
    reach = 4.0 * half
    assert gain[320 + round(1.4 * half)] > 20
    assert gain[320 + round(0.5 * reach)] == pytest.approx(gain[319 - round(0.5 * reach)], abs=3)
    assert 0 <= gain[320 + round(1.4 * reach)] <= 4


def test_glow_moves_smoothly_with_its_node(make_renderer: Make, shoot: Shoot) -> None:
    """Its small picture has texels of several pixels, which must not show as steps."""
    renderer = make_renderer("high")
    middles = []
    for offset in np.linspace(0.0, 0.06, 7):
        place = [[float(offset), 0, 0]]
        lit, dark = (
            make_view(make_scene(place, hues=[hue], node_size=0.02), size_px=(640, 400))
            for hue in ([40, 255, 40], [0, 0, 0])
        )
        light = (shoot(renderer, lit) - shoot(renderer, dark))[..., 1]
        columns = np.maximum(light, 0).sum(axis=0)
        middles.append(float((columns * np.arange(640)).sum() / columns.sum()))
    steps = np.diff(middles)
    wanted = 0.01 * camera.focal_px(lit.fov_y, 400) / 2.0
    assert steps == pytest.approx(np.full(6, wanted), rel=0.1)


@pytest.mark.parametrize("step", [HIGH, LADDER[step_named("low")]], ids=["high", "low"])
def test_a_picture_in_parts_is_the_whole_picture(make_renderer: Make, ctx: moderngl.Context, step: object) -> None:
    view = cloud(150, size_px=(480, 300), selected=(3,), marker=np.array([0.2, 0.1, 0.5], np.float32))
    renderer = make_renderer("high")
    whole = in_parts(ctx, renderer, view, step, part_px=480)  # type: ignore[arg-type]
    parts = in_parts(ctx, renderer, view, step, part_px=180)  # type: ignore[arg-type]
    assert whole.shape == (300, 480, 3)
    apart = np.abs(whole.astype(int) - parts).max(axis=2)
    assert (apart > 6).mean() < 0.001
    assert apart.mean() < 1.0
    seams = [apart[:, x - 1 : x + 1].mean() for x in (180, 360)] + [apart[y - 1 : y + 1].mean() for y in (120,)]
    assert max(seams) < 1.5
    assert np.array_equal(parts, in_parts(ctx, renderer, view, step, part_px=180))  # type: ignore[arg-type]


def test_a_part_knows_its_place_in_the_whole() -> None:
    part = Part(100, 0, 200, 50)
    assert part.whole((400, 100)) == (0.5, 0.5, 0.0, -0.5)


def test_after_warming_nothing_is_compiled_for_any_step(
    make_renderer: Make, shoot: Shoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    renderer = make_renderer("auto")
    rounds = 1
    while not renderer.warm(0.05):
        rounds += 1
        assert rounds < 200
    assert rounds > 1  # it kept to its budget
    for tile in probe_tiles():
        renderer.accept(tile)

    def refuse(*_: object, **__: object) -> moderngl.Program:
        raise AssertionError("compiled")

    monkeypatch.setattr("atlas_rt.render.gl.program.Programs._compile", refuse)
    for step in LADDER:
        renderer._governor._index = step_named(step.name)
        shoot(renderer, probe_view())


def test_the_driver_is_asked_for_its_limits(ctx: moderngl.Context) -> None:
    limits = limits_of(ctx)
    assert limits.layers >= 256
    assert limits.texture_px >= 1024
    limits.check(texture_px=1024, block_bytes=16384)
    with pytest.raises(NoGraphicsError, match=r"textures of 512 px and 2,048 are needed"):
        DriverLimits(512, 512, 256, 1.0, 16384).check(texture_px=2048, block_bytes=16)


def test_images_beyond_the_drivers_layers_keep_their_mean_colour(make_renderer: Make, shoot: Shoot) -> None:
    renderer = make_renderer("high")
    monkey = SmallTiles(renderer._ctx, renderer._small._raw, smooth=False, layers=1)
    monkey.load(np.array([3, CELLS + 1], np.int32), np.zeros((2, 32, 32, 3), np.uint8))
    assert monkey.loaded.nonzero()[0].tolist() == [3]
    monkey.release()
