"""The frame beside the peer's: one scene, one driver, in turn, and how faithful ours is to the richest picture."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np

from atlas_rt.bench.frame import SIZE_PX, WARM_FRAMES, fly, prepare
from atlas_rt.bench.likeness import likeness
from atlas_rt.bench.peer import FOV_Y_DEG, FRAMES, Peer, PeerTimes, write_scene
from atlas_rt.bench.report import Bar, BenchReport
from atlas_rt.bench.scene import PATHS, radius
from atlas_rt.core.scene import empty_scene
from atlas_rt.core.world import World
from atlas_rt.render.gl.context import renderer_name
from atlas_rt.render.gl.offscreen import OffscreenTarget
from atlas_rt.render.gl.renderer import Renderer
from atlas_rt.settings import Settings
from atlas_rt.window.app import App, launch
from atlas_rt.workers.scenes import Arrival

ROUNDS = 3
"""The machine has slow minutes, so each side has its best of three."""
COMPARED = 12
"""Frames of a path that are compared with the reference."""
FASTER = 5.0
LIKENESS = {0: 0.85, 20_000: 0.80}
"""From so many images on, how alike the picture that is measured must be to the reference."""


def measure(settings: Settings, arrival: Arrival, *, peer: Peer) -> BenchReport:
    """Both sides in turn. Raises MissingError where the peer fails."""
    ours: dict[str, list[float]] = {name: [] for name in PATHS}
    theirs: dict[str, list[PeerTimes]] = {name: [] for name in PATHS}
    alike: dict[str, list[float]] = {name: [] for name in PATHS}
    step = renderer = ""
    with tempfile.TemporaryDirectory() as folder:
        write_scene(arrival, Path(folder), size_px=SIZE_PX)
        for number in range(ROUNDS):
            app = launch(replace(settings, fps=0), (), size=SIZE_PX)
            try:
                prepare(app, arrival)
                renderer = renderer_name(app.parts.display.context)  # the driver's, whoever draws the map
                for name, times_ms in _flown(app, arrival).items():
                    ours[name].append(median(times_ms))
                step = app.parts.display.step
                if number == 0:
                    alike = compared(app, arrival)
            finally:
                app.close()
            for name, times in peer.measure(Path(folder), renderer=renderer.split(" ")[0]).items():
                theirs[name].append(times)
    wanted = max((bar for bar in LIKENESS.items() if bar[0] <= len(arrival.scene.ids)), default=(0, 0.85))[1]
    bars = []
    for name in PATHS:
        best = min(times.median_ms for times in theirs[name])
        bars.append(Bar(f"frame, same scene: {name}", best / min(ours[name]), "times faster", "at least", FASTER))
        bars.append(Bar(f"frame, faithful: {name}", median(alike[name]), "likeness", "at least", wanted))
    raw = {
        f"same scene, {name}": {
            "ours_ms": [round(each, 2) for each in ours[name]],
            "peer_ms": [round(each.median_ms, 2) for each in theirs[name]],
            "likeness": [round(each, 3) for each in alike[name]],
        }
        for name in PATHS
    }
    return BenchReport(tuple(bars), raw | {"same scene, step": step, "peer": theirs["orbit"][0].renderer})


def compared(app: App, arrival: Arrival) -> dict[str, list[float]]:
    """How alike the app's picture, without panels, is to the reference on both paths: likeness by path."""
    display = app.parts.display
    reference = Renderer(display.context, quality="high")
    targets = [OffscreenTarget(display.context, SIZE_PX) for _ in range(2)]
    try:
        reference.load_small(arrival.tiles, arrival.pixels)
        nothing = World()
        found: dict[str, list[float]] = {}
        reach = radius(arrival.scene.positions)
        for name, path in PATHS.items():
            found[name] = []
            for at in range(COMPARED):
                app.parts.world.camera.pose = nothing.camera.pose = path(at / COMPARED, reach)
                view = app.parts.world.view(SIZE_PX)
                display.draw(view, targets[0].target, panels=False)
                reference.draw(view, targets[1].target)
                shown, rich = (target.read() for target in targets)
                empty = replace(nothing.view(SIZE_PX), scene=empty_scene())
                display.draw(empty, targets[0].target, panels=False)
                reference.draw(empty, targets[1].target)
                found[name].append(likeness(shown, rich, targets[0].read(), targets[1].read()))
        return found
    finally:
        reference.release()
        for target in targets:
            target.release()


def _flown(app: App, arrival: Arrival) -> dict[str, list[float]]:
    """Milliseconds of each frame by path, as fast as it goes, with the peer's field of view, HUD and search bar on."""
    app.parts.world.fov_y = float(np.radians(FOV_Y_DEG))
    app.parts.panel_state.figures_open = app.parts.panel_state.searching = True
    reach = radius(arrival.scene.positions)
    times: dict[str, list[float]] = {}
    for name, path in PATHS.items():
        fly(app, path, reach, frames=WARM_FRAMES)
        times[name], _ = fly(app, path, reach, frames=FRAMES)
    return times
