"""Small scenes, drawn in the one headless context; each test must leave it without an error."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import moderngl
import numpy as np
import pytest
from numpy.typing import NDArray

from atlas_rt.core import camera
from atlas_rt.core.scene import Scene, View
from atlas_rt.render.gl.cleanup import sweep
from atlas_rt.render.gl.offscreen import OffscreenTarget
from atlas_rt.render.gl.renderer import Renderer

FOV_Y = math.radians(50)
SIZE_PX = (320, 240)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "/gpu/" in item.nodeid:
            item.add_marker(pytest.mark.gpu)


@pytest.fixture
def ctx(context: moderngl.Context) -> Iterator[moderngl.Context]:
    """The context, without an error before and after."""
    assert context.error == "GL_NO_ERROR"
    yield context
    context.finish()
    assert context.error == "GL_NO_ERROR"
    sweep(context)


@pytest.fixture
def make_renderer(ctx: moderngl.Context) -> Iterator[Callable[[str], Renderer]]:
    """Renderers by quality, released after the test."""
    made: list[Renderer] = []

    def make(quality: str) -> Renderer:
        made.append(Renderer(ctx, quality=quality))
        return made[-1]

    yield make
    for renderer in made:
        renderer.release()


@pytest.fixture
def shoot(ctx: moderngl.Context) -> Callable[[Renderer, View], NDArray[np.int16]]:
    """Draw one frame and give its pixels (h, w, 3), signed so that differences are safe."""

    def draw(renderer: Renderer, view: View) -> NDArray[np.int16]:
        picture = OffscreenTarget(ctx, view.size_px)
        renderer.draw(view, picture.target)
        pixels = picture.read().astype(np.int16)
        picture.release()
        return pixels

    return draw


def make_scene(
    positions: list[list[float]],
    *,
    aspects: list[float] | None = None,
    mean_rgb: list[list[int]] | None = None,
    hues: list[list[int]] | None = None,
    edges: list[list[int]] | None = None,
    ids: list[int] | None = None,
    tiles: list[int] | None = None,
    node_size: float = 0.2,
) -> Scene:
    """Nodes at these places: grey unless told, edges of full weight."""
    n, m = len(positions), len(edges or [])
    hue_rows = np.array(hues or [[120, 160, 255]] * n, np.uint8).reshape(n, 3)
    return Scene(
        ids=np.array(ids if ids is not None else range(n), np.int64),
        paths=tuple(f"{row}.png" for row in range(n)),
        positions=np.array(positions, np.float32).reshape(n, 3),
        aspects=np.array(aspects or [1.0] * n, np.float32),
        mean_rgb=np.array(mean_rgb or [[128, 128, 128]] * n, np.uint8).reshape(n, 3),
        hues=hue_rows,
        tiles=np.array(tiles if tiles is not None else range(n), np.int32),
        sizes_px=np.full((n, 2), 64, np.int32),
        clusters=np.zeros(n, np.int32),
        edges=np.array(edges or [], np.int32).reshape(m, 2),
        weights=np.ones(m, np.float32),
        cluster_records=(),
        cluster_hues=hue_rows[:1],
        node_size=node_size,
        generation=1,
        kind="umap",
        model="starter",
    )


def make_view(scene: Scene, *, size_px: tuple[int, int] = SIZE_PX, distance: float = 2.0, **changes: object) -> View:
    """The scene from (0, 0, distance) along -z, with nothing searched, hovered or moving."""
    values: dict[str, object] = {
        "scene": scene,
        "positions": scene.positions,
        "old_positions": scene.positions,
        "morph": 1.0,
        "settled": True,
        "tiers": None,
        "leaving": None,
        "gone": 1.0,
        "lights": None,
        "light_mix": 0.0,
        "eye": np.array([0.0, 0.0, distance], np.float32),
        "view_from_world": camera.view_from_world(camera.pose_looking_at((0, 0, distance), (0, 0, 0))),
        "clip_from_view": camera.clip_from_view(FOV_Y, size_px[0] / size_px[1], 0.01, 50.0),
        "fov_y": FOV_Y,
        "size_px": size_px,
        "hovered": -1,
        "selected": (),
        "marker": None,
        "marker_neighbours": (),
        "time_secs": 100.0,
        "pulse_secs": 0.0,
        "ambient": 0.0,
    }
    return View(**{**values, **changes})  # type: ignore[arg-type]


def pixel_of(view: View, point: tuple[float, float, float]) -> tuple[int, int]:
    """(row, column) of the pixel where a point of the world appears."""
    xy, _ = camera.project(np.array([point], np.float32), view.view_from_world, view.clip_from_view, view.size_px)
    return int(xy[0, 1]), int(xy[0, 0])


def half_side_px(view: View, size: float, depth: float) -> float:
    """What a length takes on screen at this depth."""
    return size * camera.focal_px(view.fov_y, view.size_px[1]) / depth
