"""What a window costs while nobody touches it: processor time of all its threads, and frames drawn while minimised."""

from __future__ import annotations

import time
from dataclasses import replace

from atlas_rt.bench.frame import SIZE_PX, prepare
from atlas_rt.bench.report import Bar, BenchReport
from atlas_rt.bench.scene import made_arrival
from atlas_rt.core.requests import Do
from atlas_rt.settings import Settings
from atlas_rt.window.actions import carry_out
from atlas_rt.window.app import App, launch
from atlas_rt.workers.scenes import Arrival

QUIET_SECS = 15.0
"""After the last input, before it is measured: ambient motion and notices have faded by then."""
MEASURED_SECS = 30.0
HIDDEN_SECS = 5.0


def measure(settings: Settings, *, nodes: int, arrival: Arrival | None = None) -> BenchReport:
    """A window at rest, with the search console closed and open, and minimised.

    Raises MissingError without a display.
    """
    arrival = arrival or made_arrival(nodes)
    app = launch(replace(settings, fps=60), (), size=SIZE_PX)
    try:
        prepare(app, arrival)
        run(app, QUIET_SECS)
        closed, drawn = _percent(app)
        carry_out(app.parts, Do("search"))
        app.frame(0.0)
        run(app, QUIET_SECS)
        opened, drawn_open = _percent(app)
        app.parts.window.set_visible(False)
        run(app, 0.5)
        hidden = run(app, HIDDEN_SECS)
    finally:
        app.close()
    bars = (
        Bar("rest", closed, "% of a core", "at most", 1.0),
        Bar("rest, search console open", opened, "% of a core", "at most", 3.0),
        Bar("rest, minimised", float(hidden), "frames drawn", "at most", 0.0),
    )
    raw = {"nodes": len(arrival.scene.ids), "seconds": MEASURED_SECS, "drawn": drawn, "drawn, console open": drawn_open}
    return BenchReport(bars, raw)


def run(app: App, secs: float) -> int:
    """The frame loop for so long; how many frames were drawn."""
    drawn, until = 0, time.perf_counter() + secs
    while time.perf_counter() < until:
        drawn += app.step()
    return drawn


def _percent(app: App) -> tuple[float, int]:
    """Processor time of the process, in % of a core, and frames drawn."""
    begun_cpu, begun = time.process_time(), time.perf_counter()
    drawn = run(app, MEASURED_SECS)
    return (time.process_time() - begun_cpu) / (time.perf_counter() - begun) * 100.0, drawn
