"""Frame times in the real window: whole frames of the app, from the first event to the return of the flip."""

from __future__ import annotations

import gc
import math
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from atlas_rt.bench.report import Bar, BenchReport, quantiles
from atlas_rt.bench.scene import PATHS, made_arrival, radius
from atlas_rt.core.channels import Latest
from atlas_rt.core.images import SMALL_TILE_PX
from atlas_rt.core.reports import IndexReport, Progress
from atlas_rt.core.scene import Pose, Scene
from atlas_rt.engine.messages import Job
from atlas_rt.engine.process import EngineProcess
from atlas_rt.library.cache_layout import place_of
from atlas_rt.search.vector_index import VectorIndex
from atlas_rt.settings import Settings
from atlas_rt.ui.input import Input, PointerMoved
from atlas_rt.window import arrivals
from atlas_rt.window.app import App, launch
from atlas_rt.workers.scenes import Arrival, made_ready

FRAMES = 600
WARM_FRAMES = 180
"""Three seconds in which the quality ladder settles and every program is compiled."""
WAIT_FRAMES = 6
MINUTE_FRAMES = 3600
FRAME_MS = 1000.0 / 60.0
SIZE_PX = (1280, 720)
FEW_NODES = 1000
UNPACED_FPS = 0
"""Frames in a row: a core that slept is slower for a while, and what waits for a deadline would be counted as work."""
PUBLISH_FRAMES = 100
COMPILING_SECS = 60.0
NO_TILES = np.zeros(0, np.int32), np.zeros((0, SMALL_TILE_PX, SMALL_TILE_PX, 3), np.uint8)


def measure(settings: Settings, *, nodes: int, arrival: Arrival | None = None) -> BenchReport:
    """Both camera paths over one scene, paced at 60 frames a second, frame figures and the search bar on.

    Raises MissingError without a display.
    """
    arrival = ready(arrival or made_arrival(nodes))
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
    within: Callable[[], None] = lambda: None,
) -> tuple[list[float], float]:
    """Frames along a path: the milliseconds of each, and the share that was late by the contract's definition.

    beside: called once a frame, outside of what is timed but inside of what can be late. within: inside of both.
    """
    times_ms: list[float] = []
    late, due = app.pacer.late_frames, app.pacer.due_frames
    for i in range(frames):
        dt_secs = app.pacer.begin()
        begun = time.perf_counter()
        within()
        app.parts.world.camera.pose = path(i / frames, reach)
        app.parts.world.stir()
        app.frame(min(dt_secs, 0.1))
        app.pacer.end()
        times_ms.append((time.perf_counter() - begun) * 1000.0)
        app.parts.display.observe(times_ms[-1])
        beside()
    return times_ms, (app.pacer.late_frames - late) / max(app.pacer.due_frames - due, 1)


def prepare(app: App, arrival: Arrival) -> None:
    """The scene in its place, with counts and provider shown, drawn by what will draw it."""
    begun = time.perf_counter()
    while app.parts.display.changing and time.perf_counter() - begun < COMPILING_SECS:
        app.frame(1.0 / 60.0)
        time.sleep(0.05)
    app.parts.display.show(arrival)
    app.parts.world.morph_to(arrival.scene, prepared=arrival.prepared)
    app.parts.panel_state.provider = "CPU"
    app.parts.panel_state.source = "bench"
    gc.collect()
    gc.freeze()  # as the app's own loop does before its first frame


def measure_submission(settings: Settings, *, nodes: int) -> BenchReport:
    """What a frame costs the processor besides the drawing, and that with few nodes: the dive, a pointer that moves.

    For GALLIUM_NOOP=1, under which Mesa draws nothing.
    """
    raw: dict[str, object] = {}
    medians = []
    for count in (FEW_NODES, nodes):
        app = launch(replace(settings, fps=UNPACED_FPS, quality="high"), (), size=SIZE_PX)
        try:
            arrival = ready(made_arrival(count))
            prepare(app, arrival)
            app.parts.panel_state.searching = True
            reach, point = radius(arrival.scene.positions), _Pointing(app).move
            fly(app, PATHS["dive"], reach, frames=WARM_FRAMES, within=point)
            busy = time.process_time()
            times_ms, _ = fly(app, PATHS["dive"], reach, frames=FRAMES, within=point)
            busy_ms = (time.process_time() - busy) / FRAMES * 1000.0
            raw[f"{count}"] = quantiles(times_ms) | {"all_threads_ms": round(busy_ms, 3)}
            medians.append(float(np.median(times_ms)))
            raw["renderer"] = app.parts.display.renderer_name
        finally:
            app.close()
    bars = (
        Bar("frame, submission: median", medians[1], "ms", "at most", 1.0),
        Bar("frame, submission: p99", float(np.percentile(times_ms, 99.0)), "ms", "at most", 2.0),
        Bar("frame, submission: against few nodes", medians[1] / medians[0], "times", "at most", 1.2),
        Bar("frame, submission: all threads", busy_ms, "ms of processor a frame", "at most", 3.0),
    )
    return BenchReport(bars, raw)


def measure_arrivals(settings: Settings, *, nodes: int) -> BenchReport:
    """Frames of the dive while new maps of the same images are published, one every so many frames."""
    app = launch(replace(settings, fps=60, quality="high"), (), size=SIZE_PX)
    publisher = _Publisher(app)
    try:
        arrival = ready(made_arrival(nodes))
        prepare(app, arrival)
        reach = radius(arrival.scene.positions)
        fly(app, PATHS["dive"], reach, frames=WARM_FRAMES)
        times_ms, _ = fly(app, PATHS["dive"], reach, frames=FRAMES, within=publisher.take, beside=publisher.publish)
    finally:
        publisher.close()
        app.close()
    median, p99 = float(np.median(times_ms)), float(np.percentile(times_ms, 99.0))
    bars = (
        Bar("frame, a map arrives: p99", p99, "ms", "at most", FRAME_MS),
        Bar("frame, a map arrives: longest", max(times_ms) / median, "medians", "at most", 2.0),
    )
    raw = quantiles(times_ms) | {"maps": publisher.taken, "longest_ms": max(times_ms)}
    return BenchReport(bars, raw | {"renderer": app.parts.display.renderer_name, "nodes": nodes})


def ready(arrival: Arrival) -> Arrival:
    """An arrival as the thread that reads scenes hands it over."""
    return made_ready(arrival, aspect=SIZE_PX[0] / SIZE_PX[1])


class _Pointing:
    """Moves the pointer over the middle of the window."""

    def __init__(self, app: App) -> None:
        self._parts, self._frame = app.parts, 0
        self._poll = app.parts.window.poll
        app.parts.window.poll = self._polled  # type: ignore[method-assign]

    def move(self) -> None:
        self._frame += 1

    def _polled(self) -> Input:
        across, down = math.sin(self._frame / 9.0), math.cos(self._frame / 7.0)
        at_px = SIZE_PX[0] / 2.0 + 200.0 * across, SIZE_PX[1] / 2.0 + 100.0 * down
        return replace(self._poll(), pointer_px=at_px, events=(PointerMoved(at_px),))


class _Publisher:
    """Makes other maps of the images that an app shows, on a thread, and hands them over as a library's thread does."""

    def __init__(self, app: App) -> None:
        self._parts, self._rng = app.parts, np.random.default_rng(0)
        self._arrivals: Latest[Arrival] = Latest()
        self._thread: threading.Thread | None = None
        self._frame, self.taken = 0, 0

    def publish(self) -> None:
        """Once a frame: begin another map when it is time."""
        if self._frame % PUBLISH_FRAMES == 0 and (self._thread is None or not self._thread.is_alive()):
            self._thread = threading.Thread(target=self._make, args=(self._parts.world.scene,))
            self._thread.start()
        self._frame += 1

    def take(self) -> None:
        coming = self._parts.incoming is not None
        arrivals.take_scene(self._parts, self._arrivals.take)
        self.taken += coming and self._parts.incoming is None

    def close(self) -> None:
        if self._thread is not None:
            self._thread.join()

    def _make(self, scene: Scene) -> None:
        moved = self._rng.normal(0.0, 0.02, scene.positions.shape).astype(np.float32)
        # Arrays are new objects, as what is read from disk is.
        other = replace(scene, ids=scene.ids.copy(), tiles=scene.tiles.copy(), positions=scene.positions + moved)
        arrival = Arrival(other, VectorIndex(np.zeros((len(scene.ids), 1), np.float32)), *NO_TILES, ())
        shown, aspect = self._parts.world.prepared, self._parts.world.aspect
        self._arrivals.put(made_ready(arrival, aspect=aspect, shown=shown))


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
