"""One scene that shows everything, and both renderers to draw it with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import moderngl
import numpy as np
import pytest

from atlas_rt.bench.scene import PATHS, made_arrival, radius
from atlas_rt.core.arrays import Bytes
from atlas_rt.core.scene import Scene, View, empty_scene
from atlas_rt.core.world import World
from atlas_rt.render.gl.cleanup import sweep
from atlas_rt.render.gl.offscreen import OffscreenTarget
from atlas_rt.render.gl.renderer import Renderer
from atlas_rt.render.soft.kernels.records import Pixels
from atlas_rt.render.soft.rasterizer import Rasterizer
from atlas_rt.workers.scenes import Arrival

NODES = 500
SMALL_PX, LARGE_PX = (480, 270), (960, 540)
ViewOf = Callable[..., View]


@pytest.fixture(scope="session")
def arrival() -> Arrival:
    """Clusters of cards with shapes on them, so that a picture on its head is another picture."""
    made = made_arrival(NODES)
    pixels = made.pixels.copy()
    pixels[:, 4:14, 4:22] = 255 - pixels[:, 4:14, 4:22]
    pixels[::2, 18:28, 16:20] = 20
    return replace(made, pixels=pixels)


UNKNOWN: dict[str, None] = dict.fromkeys(("cells", "boxes", "old_boxes", "reached", "graph"))
"""What a view knows of its places: whoever gives it others must take it away."""


@pytest.fixture(scope="session")
def view_of(arrival: Arrival) -> ViewOf:
    """A view of the scene from a point of a path, with changes."""
    world = World()
    world.morph_to(arrival.scene)
    world.advance(20.0, frozenset())
    reach = radius(arrival.scene.positions)

    def view(path: str = "orbit", t: float = 0.1, *, size_px: tuple[int, int] = SMALL_PX, **changes: object) -> View:
        world.camera.pose = PATHS[path](t, reach)
        return replace(world.view(size_px), **{"time_secs": 1000.0, "ambient": 0.0, **UNKNOWN, **changes})  # type: ignore[arg-type]

    return view


@pytest.fixture(scope="session")
def rasterizer(arrival: Arrival) -> Iterator[Rasterizer]:
    made = Rasterizer()
    made.load_small(arrival.tiles, arrival.pixels)
    yield made
    made.release()


@pytest.fixture(scope="session")
def reference(context: moderngl.Context, arrival: Arrival) -> Iterator[Callable[[View], Bytes]]:
    """What OpenGL draws at its best."""
    renderer = Renderer(context, quality="high")
    renderer.load_small(arrival.tiles, arrival.pixels)

    def draw(view: View) -> Bytes:
        target = OffscreenTarget(context, view.size_px)
        renderer.draw(view, target.target)
        pixels = target.read()
        target.release()
        return pixels

    yield draw
    renderer.release()
    sweep(context)


def emptied(view: View) -> View:
    """The same view of nothing."""
    scene = empty_scene()
    return replace(
        view,
        scene=scene,
        positions=scene.positions,
        old_positions=scene.positions,
        tiers=None,
        leaving=None,
        lights=None,
        light_mix=0.0,
        hovered=-1,
        selected=(),
        marker=None,
        marker_neighbours=(),
        **UNKNOWN,
    )


def rgb_of(pixels: Pixels) -> Bytes:
    """(h, w, 3) of what the rasterizer gives, a copy."""
    height, width = pixels.shape
    return np.ascontiguousarray(pixels.view(np.uint8).reshape(height, width, 4)[..., 2::-1])


def plain_scene(positions: list[list[float]], **changes: object) -> Scene:
    """Grey square images at these places, joined in a row."""
    count = len(positions)
    values: dict[str, object] = {
        "ids": np.arange(count, dtype=np.int64),
        "paths": tuple(f"{row}.png" for row in range(count)),
        "positions": np.array(positions, np.float32).reshape(count, 3),
        "aspects": np.ones(count, np.float32),
        "mean_rgb": np.full((count, 3), 128, np.uint8),
        "hues": np.tile(np.array([120, 160, 255], np.uint8), (count, 1)),
        "tiles": np.arange(count, dtype=np.int32),
        "sizes_px": np.full((count, 2), 64, np.int32),
        "clusters": np.zeros(count, np.int32),
        "edges": np.array([(row, row + 1) for row in range(count - 1)], np.int32).reshape(-1, 2),
        "node_size": 0.2,
    }
    values |= changes
    values["weights"] = np.ones(len(values["edges"]), np.float32)  # type: ignore[arg-type]
    return replace(empty_scene(), **values)  # type: ignore[arg-type]
