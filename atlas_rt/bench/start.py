"""From the command to the first frame with every image at its place, on the second start, in a process of its own."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from atlas_rt.bench.report import Bar, BenchReport
from atlas_rt.errors import AtlasError
from atlas_rt.settings import Settings

RUNS = 5
LIMIT_SECS = 60.0
START_SECS = 2.0
TILES_SECS = 1.0


def measure(settings: Settings, *, paths: tuple[str, ...], images: int) -> BenchReport:
    """paths: of a library that is indexed. Raises AtlasError when the window does not come."""
    runs = [_start(settings, paths) for _ in range(RUNS + 1)][1:]  # the first warms the file cache
    shown = statistics.median(run["shown"] for run in runs)
    tiles = statistics.median(run["tiles"] - run["shown"] for run in runs)
    memory = statistics.median(run["rss_mb"] for run in runs)
    bars = (
        Bar("start", shown, f"s to the first whole frame of {images:,} images", "at most", START_SECS),
        Bar("start, tiles", tiles, "s more until all small tiles are there", "at most", TILES_SECS),
    )
    return BenchReport(bars, {"images": images, "runs": runs, "window_rss_mb": round(memory, 1)})


def _start(settings: Settings, paths: tuple[str, ...]) -> dict[str, float]:
    """One start: seconds from the command to each moment the window noted."""
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "trace.jsonl"
        words = [*paths, "--offline", "--quiet", *(["--cache", settings.cache] if settings.cache else [])]
        begun = time.time()
        window = subprocess.Popen(
            [sys.executable, "-P", "-m", "atlas_rt", *words], env=os.environ | {"ATLAS_RT_TRACE": str(trace)}
        )
        try:
            moments = _await(trace, window, begun + LIMIT_SECS)
        finally:
            window.terminate()
            window.wait()
    return {name: round(value - begun if name != "rss_mb" else value, 4) for name, value in moments.items()}


def _await(trace: Path, window: subprocess.Popen[bytes], until: float) -> dict[str, float]:
    while time.time() < until and window.poll() is None:
        if trace.exists():
            moments = {entry["moment"]: entry["value"] for entry in map(json.loads, trace.read_text().splitlines())}
            if "rss_mb" in moments:
                return moments
        time.sleep(0.02)
    raise AtlasError("the window did not show its images in time")
