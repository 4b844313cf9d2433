"""Golden pictures: a handful of states that every renderer draws, and the harness that compares them.

A renderer brings a function that draws a View (`Draw`); its pictures lie in `golden/` as `WAY-STATE.png`, where WAY
names it ("gl", "soft"). Two pictures are alike when few pixels differ by much and their means hardly at all: another
version of a driver rounds otherwise, a change of look does not pass. When one fails, the new picture and the
difference are saved in a folder that the failure names; `ATLAS_RT_GOLDEN=write` writes new ones instead.
"""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from atlas_rt.bench.scene import made_arrival
from atlas_rt.core import camera
from atlas_rt.core.arrays import Bytes
from atlas_rt.core.scene import FANNED, PLAIN, View
from atlas_rt.workers.scenes import Arrival

FOLDER = Path(__file__).with_name("golden")
SIZE_PX = (320, 200)
NODES = 240
FOV_Y = math.radians(55.0)
STEP = 24
"""Of 255: a pixel that differs by more in one colour counts as another."""
MOST_OTHER = 0.02
MOST_MEAN = 1.0
"""Share of pixels that may count as others, and how far all may lie off in the mean."""

GRAIN = 8
"""Golden pictures are kept in steps of so much: without the dither's noise they are half as large."""

Draw = Callable[[View], Bytes]
"""Draws a view with every tile of `arrival()` loaded: (h, w, 3) uint8."""


def arrival() -> Arrival:
    """The scene of all states, with a picture of its own on every card."""
    made = made_arrival(NODES)
    rng = np.random.default_rng(7)
    coarse = rng.integers(30, 230, (NODES, 4, 4, 3)).astype(np.uint8)
    return replace(made, pixels=np.ascontiguousarray(coarse.repeat(8, axis=1).repeat(8, axis=2)))


def states() -> dict[str, View]:
    """The views by name."""
    scene = arrival().scene
    overview = _view(scene.positions, eye=(0.5, 0.6, 2.4))
    inside = _view(scene.positions, eye=(0.15, 0.1, 0.6), gaze=(-0.2, 0.0, -0.3))
    rng = np.random.default_rng(3)
    x, y, z = scene.positions[7].tolist()
    near = _view(scene.positions, eye=(x + 0.1, y + 0.1, z + 0.8), gaze=(x, y, z))
    stack = np.argsort(np.linalg.norm(scene.positions - scene.positions[7], axis=1))[:5]
    tiers = np.full(NODES, PLAIN, np.int8)
    tiers[stack] = FANNED
    fanned = scene.positions.copy()
    fanned[stack] = scene.positions[7] + [(0.17 * (i - 2), 0.05, 0.0) for i in range(5)]
    marker = np.array([0.3, 0.25, 0.4], np.float32)
    return {
        "overview": overview,
        "inside": inside,
        "search": replace(overview, lights=rng.normal(0.0, 1.3, NODES).astype(np.float32), light_mix=1.0),
        "selection": replace(near, positions=fanned, tiers=tiers, selected=(int(stack[1]),), hovered=int(stack[2])),
        "marker": replace(overview, marker=marker, marker_neighbours=(3, 50, 120), ambient=1.0, pulse_secs=2.0),
    }


def compare(way: str, state: str, drawn: Bytes) -> None:
    """Fail unless `drawn` is like the golden picture of this way and state."""
    path = FOLDER / f"{way}-{state}.png"
    if os.environ.get("ATLAS_RT_GOLDEN") == "write":
        coarse = np.minimum((drawn.astype(np.uint16) + GRAIN // 2) // GRAIN * GRAIN, 255)
        _save(coarse.astype(np.uint8), path)
        return
    assert path.is_file(), f"there is no golden picture; ATLAS_RT_GOLDEN=write makes it: {path}"
    with Image.open(path) as image:
        golden = np.asarray(image.convert("RGB"))
    told = difference(golden, drawn)
    if told:
        folder = Path(tempfile.mkdtemp(prefix="atlas-golden-"))
        _save(drawn, folder / f"{way}-{state}-new.png")
        if drawn.shape == golden.shape:
            apart = np.abs(drawn.astype(np.int16) - golden)
            _save(np.minimum(apart * 4, 255).astype(np.uint8), folder / f"{way}-{state}-difference.png")
        raise AssertionError(f"{way}-{state} looks different: {told}; the new picture and the difference: {folder}")


def difference(golden: Bytes, drawn: Bytes) -> str:
    """What is unlike, in words; empty where the two are alike."""
    if drawn.shape != golden.shape:
        return f"its size is {drawn.shape[1]}x{drawn.shape[0]}, not {golden.shape[1]}x{golden.shape[0]}"
    apart = drawn.astype(np.int16) - golden
    other = float((np.abs(apart).max(axis=2) > STEP).mean())
    mean = float(np.abs(apart.mean(axis=(0, 1))).max())
    if other > MOST_OTHER:
        return f"{other:.1%} of its pixels differ by more than {STEP}"
    return f"it is brighter or darker by {mean:.1f} of 255" if mean > MOST_MEAN else ""


def _view(
    positions: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
    *,
    eye: tuple[float, float, float],
    gaze: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> View:
    return View(
        scene=arrival().scene,
        positions=positions,
        old_positions=positions,
        morph=1.0,
        settled=True,
        tiers=None,
        leaving=None,
        gone=1.0,
        lights=None,
        light_mix=0.0,
        eye=np.array(eye, np.float32),
        view_from_world=camera.view_from_world(camera.pose_looking_at(eye, gaze)),
        clip_from_view=camera.clip_from_view(FOV_Y, SIZE_PX[0] / SIZE_PX[1], 0.005, 40.0),
        fov_y=FOV_Y,
        size_px=SIZE_PX,
        hovered=-1,
        selected=(),
        marker=None,
        marker_neighbours=(),
        time_secs=100.0,
        pulse_secs=0.0,
        ambient=0.0,
    )


def _save(pixels: Bytes, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, optimize=True)
