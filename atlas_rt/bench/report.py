"""What a measurement says: bars with the figures behind them, and the machine they were taken on."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class Bar:
    """One figure and what it should be. sense: "at most" or "at least"."""

    name: str
    value: float
    unit: str
    sense: str
    bar: float

    @property
    def holds(self) -> bool:
        return self.value <= self.bar if self.sense == "at most" else self.value >= self.bar


@dataclass(frozen=True, slots=True)
class BenchReport:
    """What one bench found. raw: every other figure, by name."""

    bars: tuple[Bar, ...]
    raw: dict[str, Any]

    def document(self) -> dict[str, Any]:
        """As JSON of the contract."""
        bars = [asdict(bar) | {"value": round(bar.value, 4), "holds": bar.holds} for bar in self.bars]
        return {"machine": machine(), "bars": bars, "raw": self.raw}


def machine() -> dict[str, Any]:
    """What this machine is, as far as it matters for timings."""
    return {
        "cpu": _cpu_name(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def quantiles(times_ms: Sequence[float]) -> dict[str, float]:
    """Median, p95 and p99 of some times."""
    values = np.percentile(np.asarray(times_ms, np.float64), [50.0, 95.0, 99.0])
    return {name: round(float(value), 3) for name, value in zip(("median", "p95", "p99"), values, strict=True)}


def _cpu_name() -> str:
    """The processor by its own name; Linux alone tells it in a file."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
