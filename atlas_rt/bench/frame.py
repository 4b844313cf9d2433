"""Frame times in the real window: whole frames of the app, from the first event to the return of the flip."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from atlas_rt.bench.report import Bar, BenchReport, quantiles
from atlas_rt.bench.scene import PATHS, made_arrival, radius
from atlas_rt.core.reports import IndexReport, Progress
from atlas_rt.core.scene import Pose
from atlas_rt.engine.messages import Job
from atlas_rt.engine.process import EngineProcess
from atlas_rt.library.cache_layout import place_of
from atlas_rt.settings import Settings
from atlas_rt.window.app import App, launch
from atlas_rt.workers.scenes import Arrival

FRAMES = 600
WARM_FRAMES = 180
"""Three seconds in which the quality ladder settles and every program is compiled."""
WAIT_FRAMES = 6
MINUTE_FRAMES = 3600
FRAME_MS = 1000.0 / 60.0
SIZE_PX = (1280, 720)


def measure(settings: Settings, *, nodes: int, arrival: Arrival | None = None) -> BenchReport:
    """Both camera paths over one scene, paced at 60 frames a second, frame figures and the search bar on.

    Raises MissingError without a display.
    """
    arrival = arrival or made_arrival(nodes)
    app = launch(replace(settings, fps=60), (), size=SIZE_PX)
    try:
        prepare(app, arrival)
        app.parts.panel_state.figures_open = app.parts.panel_state.searching = True
        reach = radius(arrival.scene.positions)
        raw: dict[str, object] = {"nodes": len(arrival.scene.ids), "edges": len(arrival.scene.edges)}
        bars = []
        for name, path in PATHS.items():
            fly(app, path, reach, frames=WARM_FRAMES)
            times_ms, late = fly(app, path, reach, frames=FRAMES)
            within = float((np.array(times_ms) <= FRAME_MS).mean() * 100.0)
            bars.append(Bar(f"frame, alone: {name}", within, "% of frames within 16.7 ms", "at least", 95.0))
            raw[name] = quantiles(times_ms) | {"late_percent": round(late * 100.0, 2), "step": app.parts.display.step}
        raw["renderer"] = app.parts.display.renderer_name
        return BenchReport(tuple(bars), raw)
    finally:
        app.close()


def fly(
    app: App,
    path: Callable[[float, float], Pose],
    reach: float,
    *,
    frames: int,
    beside: Callable[[], None] = lambda: None,
) -> tuple[list[float], float]:
    """Frames along a path: the milliseconds of each, and the share that was late by the contract's definition.

    beside: called once a frame, outside of what is timed but inside of what can be late.
    """
    times_ms: list[float] = []
    late, due = app.pacer.late_frames, app.pacer.due_frames
    for i in range(frames):
        dt_secs = app.pacer.begin()
        begun = time.perf_counter()
        app.parts.world.camera.pose = path(i / frames, reach)
        app.parts.world.stir()
        app.frame(min(dt_secs, 0.1))
        app.pacer.end()
        times_ms.append((time.perf_counter() - begun) * 1000.0)
        app.parts.display.observe(times_ms[-1])
        beside()
    return times_ms, (app.pacer.late_frames - late) / max(app.pacer.due_frames - due, 1)


def prepare(app: App, arrival: Arrival) -> None:
    """The scene in its place, with counts and provider shown."""
    app.parts.display.show(arrival)
    app.parts.world.morph_to(arrival.scene, prepared=arrival.prepared)
    app.parts.panel_state.provider = "CPU"
    app.parts.panel_state.source = "bench"


def measure_while_indexing(
    settings: Settings, paths: tuple[str, ...], *, nodes: int, arrival: Arrival | None = None
) -> BenchReport:
    """One minute of orbit over a scene while an engine indexes and fits `paths` into a fresh cache.

    The minute begins with the engine's first word; an interpreter that starts is not yet indexing.
    """
    arrival = arrival or made_arrival(nodes)
    app = launch(replace(settings, fps=60), (), size=SIZE_PX)
    with tempfile.TemporaryDirectory() as folder:
        cache = Path(folder)
        engine: EngineProcess | None = None
        try:
            prepare(app, arrival)
            reach = radius(arrival.scene.positions)
            fly(app, PATHS["orbit"], reach, frames=WARM_FRAMES)
            engine = EngineProcess(
                Job(
                    place_of(paths, cache),
                    cache,
                    settings.model,
                    settings.seed,
                    0,
                    niceness=19,
                    runtime=settings.runtime(cache),
                )
            )
            watch = _Watch(engine)
            while not watch.heard:
                fly(app, PATHS["orbit"], reach, frames=WAIT_FRAMES, beside=watch.look)
            times_ms, late = fly(app, PATHS["orbit"], reach, frames=MINUTE_FRAMES, beside=watch.look)
        finally:
            if engine is not None:
                engine.stop()
            app.close()
    bar = Bar("frame, while indexing", late * 100.0, "% of frames late", "at most", 1.0)
    raw = quantiles(times_ms) | {"nodes": len(arrival.scene.ids), "indexed": watch.indexed, "rate": watch.rate}
    return BenchReport((bar,), raw | {"finished": watch.finished, "step": app.parts.display.step})


class _Watch:
    """Hears an engine between the frames."""

    def __init__(self, engine: EngineProcess) -> None:
        self._engine = engine
        self.indexed, self.rate, self.finished, self.heard = 0, 0.0, False, False

    def look(self) -> None:
        for message in self._engine.messages():
            self.heard = True
            if isinstance(message, Progress) and message.stage == "index":
                self.indexed, self.rate = message.done, round(message.rate, 2)
            elif isinstance(message, IndexReport):
                self.indexed, self.rate, self.finished = message.images, message.images_per_second, True
