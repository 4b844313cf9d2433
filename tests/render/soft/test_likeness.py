"""Every state of a view, drawn by both renderers: a person shall not see which of them it was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from atlas_rt.bench.likeness import likeness
from atlas_rt.bench.sight import alone, seen
from atlas_rt.core import motion, pulse
from atlas_rt.core.arrays import Bytes
from atlas_rt.core.camera import project, view_from_world
from atlas_rt.core.edges import ordered
from atlas_rt.core.framing import FOV_Y
from atlas_rt.core.graph import graph_of, reached_from
from atlas_rt.core.scene import FANNED, HIDDEN, PLAIN, Scene, View
from atlas_rt.core.tags import visited_image
from atlas_rt.core.visibility import near_nodes, visited_card
from atlas_rt.core.wall import home_pose, unfolded
from atlas_rt.render.soft.rasterizer import Rasterizer
from tests.render.soft.conftest import LARGE_PX, NODES, ViewOf, emptied, rgb_of

pytestmark = pytest.mark.gpu
Reference = Callable[[View], Bytes]


def lights() -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return np.where(np.arange(NODES) % 9 == 0, 3.2, np.arange(NODES) % 5 * 0.5).astype(np.float32)


def tiers() -> np.ndarray[tuple[int], np.dtype[np.int8]]:
    rows = np.full(NODES, PLAIN, np.int8)
    rows[::4] = HIDDEN
    rows[1::50] = FANNED
    return rows


def scattered(scene: Scene) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    moved = scene.positions + np.random.default_rng(4).normal(size=(NODES, 3)) * 0.3
    return moved.astype(np.float32)


def reached(scene: Scene) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    graph = graph_of(ordered(scene), scene.positions)
    return reached_from(graph, np.array([3]), limit=pulse.REACH)


def before_the_eye(view_of: ViewOf) -> View:
    """With small cards, and one of them so near that it lies before the picture's near plane."""
    view = view_of("dive", 0.3, scene=replace(view_of().scene, node_size=0.005))
    forward = -np.linalg.inv(view.view_from_world)[:3, 2]
    positions = view.positions.copy()
    positions[0] = view.eye + 0.003 * forward
    return replace(view, scene=replace(view.scene, positions=positions), positions=positions, old_positions=positions)


def on_wall(view_of: ViewOf, flatness: float, **changes: object) -> View:
    """Cards of many shapes side by side, seen straight on."""
    rows, side = np.arange(NODES), int(np.ceil(np.sqrt(NODES)))
    aspects = (0.4 + rows % 7 * 0.4).astype(np.float32)
    cells = np.stack([rows % side, rows // side], axis=1).astype(np.int32)
    flat = unfolded(replace(view_of().scene, wall=cells, aspects=aspects))
    eye = home_pose(flat.positions, flat.node_size, 16.0 / 9.0, FOV_Y)
    place = np.asarray(eye.eye, np.float32)
    places = {"positions": flat.positions, "old_positions": flat.positions, "cells": None}
    view = view_of(scene=flat, eye=place, view_from_world=view_from_world(eye), flatness=flatness, **places)
    return replace(view, **changes)


def nearest(view: View) -> int:
    return int(np.argmin(np.linalg.norm(view.positions - view.eye, axis=1)))


def visited(view_of: ViewOf, glass: float, **changes: object) -> View:
    """Deep in the cloud, at a card that others stand before."""
    view = view_of("dive", 0.6, **changes)
    xy, depths = project(view.positions, view.view_from_world, view.clip_from_view, view.size_px)
    inside = np.flatnonzero((depths > 0.1) & (np.abs(xy / view.size_px - 0.5) < 0.3).all(axis=1))
    row = max(inside.tolist(), key=lambda row: making_way(replace(view, visited=visited_card(view, row, 1.0))))
    return replace(view, selected=(row,), visited=visited_card(view, row, glass))


def making_way(view: View) -> int:
    """How many cards are gone before the visited one."""
    return int((near_nodes(view, 2.0).radii_px == 0.0).sum())


STATES: dict[str, Callable[[ViewOf], View]] = {
    "orbit": lambda view_of: view_of(),
    "orbit, other side": lambda view_of: view_of(t=0.6),
    "dive": lambda view_of: view_of("dive", 0.3),
    "dive, within": lambda view_of: view_of("dive", 0.75),
    "searched": lambda view_of: view_of(lights=lights(), light_mix=1.0),
    "search fading in": lambda view_of: view_of("dive", 0.2, lights=lights(), light_mix=0.4),
    "pulsing": lambda view_of: view_of("dive", 0.3, ambient=1.0, pulse_secs=3.0),
    "light along the graph": lambda view_of: view_of(
        "dive", 0.3, ambient=1.0, pulse_secs=3.0, selected=(3,), reached=reached(view_of().scene)
    ),
    "selected and hovered": lambda view_of: view_of(
        "dive", 0.3, selected=(3, nearest(view_of("dive", 0.3))), hovered=9
    ),
    "stacks": lambda view_of: view_of(tiers=tiers(), selected=(1,)),
    "moving": lambda view_of: view_of(old_positions=scattered(view_of().scene), morph=0.4),
    "leaving": lambda view_of: view_of(
        leaving=motion.leaving(view_of().scene, np.arange(NODES) % 7 == 0, view_of().scene.positions), gone=0.5
    ),
    "live": lambda view_of: view_of(
        "dive", 0.2, marker=np.array([0.1, 0.1, 0.2], np.float32), marker_neighbours=tuple(range(8)), ambient=1.0
    ),
    "before the eye": before_the_eye,
    "visited": lambda view_of: visited(view_of, 1.0),
    "on the way to it": lambda view_of: visited(view_of, 0.5, lights=lights(), light_mix=1.0),
    "wall": lambda view_of: on_wall(view_of, 1.0),
    "wall, searched": lambda view_of: on_wall(view_of, 1.0, lights=lights(), light_mix=1.0),
    "half unfolded": lambda view_of: on_wall(view_of, 0.5, old_positions=view_of().scene.positions, morph=0.5),
    "away": lambda view_of: view_of(scene=replace(view_of().scene, away=np.arange(NODES) % 2 == 0)),
}


def alike(view: View, draw: Callable[[View], Bytes], reference: Reference) -> float:
    nothing = emptied(view)
    return likeness(draw(view), reference(view), draw(nothing), reference(nothing))


def at_rest(rasterizer: Rasterizer, view: View) -> Bytes:
    """The refined picture."""
    refinement = rasterizer.refined(view)
    picture = None
    while (step := refinement.step()) is not None:
        picture = step
    assert picture is not None
    return rgb_of(picture)


@pytest.mark.parametrize("state", STATES)
def test_moving_pictures_are_alike(rasterizer: Rasterizer, reference: Reference, view_of: ViewOf, state: str) -> None:
    view = STATES[state](view_of)
    assert alike(view, lambda each: rgb_of(rasterizer.draw(each)), reference) >= 0.88
    drawn, wanted = rgb_of(rasterizer.draw(view)).astype(int), reference(view).astype(int)
    assert np.abs(drawn - wanted).mean() < 8.0
    assert np.abs(drawn.mean(axis=(0, 1)) - wanted.mean(axis=(0, 1))).max() < 6.0


@pytest.mark.parametrize(("path", "t"), [("orbit", 0.1), ("dive", 0.6)])
def test_a_picture_at_rest_is_more_alike(
    rasterizer: Rasterizer, reference: Reference, view_of: ViewOf, path: str, t: float
) -> None:
    view = view_of(path, t, size_px=LARGE_PX)

    moving = alike(view, lambda each: rgb_of(rasterizer.draw(each)), reference)
    assert alike(view, lambda each: at_rest(rasterizer, each), reference) >= max(moving, 0.95)


def test_a_visited_card_is_wholly_seen(rasterizer: Rasterizer, reference: Reference, view_of: ViewOf) -> None:
    """Also at rest, while a search lights others, light runs along edges, and the live marker is there; without it, it
    is not."""
    view = visited(view_of, 1.0, lights=lights(), light_mix=1.0, ambient=1.0, pulse_secs=3.0)
    view = replace(view, marker=view.positions[view.selected[0]], marker_neighbours=(1, 2, 3))
    card = visited_image(view, view.size_px)
    assert card is not None
    assert seen(reference(view), reference(alone(view)), card) >= 0.97
    assert seen(rgb_of(rasterizer.draw(view)), rgb_of(rasterizer.draw(alone(view))), card) >= 0.99
    assert seen(at_rest(rasterizer, view), at_rest(rasterizer, alone(view)), card) >= 0.97
    hidden = replace(view, visited=None, selected=(), marker=None)
    assert seen(rgb_of(rasterizer.draw(hidden)), rgb_of(rasterizer.draw(alone(view))), card) < 0.9


def test_without_anything_only_the_backdrop_is_seen(
    rasterizer: Rasterizer, reference: Reference, view_of: ViewOf
) -> None:
    view = emptied(view_of())
    difference = np.abs(rgb_of(rasterizer.draw(view)).astype(int) - reference(view))
    assert difference.max() <= 2
    assert difference.mean() < 0.7


def test_an_empty_picture_is_not_alike(rasterizer: Rasterizer, reference: Reference, view_of: ViewOf) -> None:
    """What the bars are worth."""
    assert alike(view_of(), lambda each: rgb_of(rasterizer.draw(emptied(each))), reference) < 0.4
