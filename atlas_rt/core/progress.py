"""What the engine is doing and how long it takes, in words."""

from __future__ import annotations

from atlas_rt.core.reports import Progress

STAGES = {
    "scan": "looking for images",
    "fetch": "fetching shards",
    "import": "checking shards",
    "index": "indexing",
    "fit": "laying out the map",
    "label": "finding words for the images",
    "metadata": "reading file details",
    "places": "looking up places",
    "reading": "reading text in the images",
    "search": "preparing the search",
}
"""Stage of a `Progress` -> what is being done. At rest ("idle") nothing is."""


def duration(secs: float) -> str:
    """A time as a person says it: "41 s", "3 min 20 s", "2 h 10 min"."""
    secs = max(round(secs), 0)
    if secs < 60:
        return f"{secs} s"
    if secs < 3600:
        return f"{secs // 60} min {secs % 60} s"
    return f"{secs // 3600} h {secs % 3600 // 60} min"


def pace(progress: Progress) -> str:
    """Speed and time left, as far as known."""
    parts = [f"{progress.rate:,.0f}/s"] if progress.rate >= 1.0 else []
    if progress.eta_secs is not None:
        parts.append(f"{duration(progress.eta_secs)} left")
    return "  ·  ".join(parts)
