"""The moments of a window's start, written for measurements when `ATLAS_RT_TRACE` names a file."""

from __future__ import annotations

import json
import time
from pathlib import Path


class StartupTrace:
    """Writes each moment once, a JSON line each: its name and its value (seconds since 1970 unless given)."""

    def __init__(self, path: str) -> None:
        self._path = Path(path) if path else None
        self._noted: set[str] = set()

    def note(self, moment: str, value: float | None = None) -> None:
        """Nothing is written, and almost nothing done, when no file is named."""
        if self._path is None or moment in self._noted:
            return
        self._noted.add(moment)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"moment": moment, "value": time.time() if value is None else value}) + "\n")

    def note_memory(self) -> None:
        """Resident memory of this process in MB, where the system tells it (Linux)."""
        status = Path("/proc/self/status")
        if self._path is not None and "rss_mb" not in self._noted and status.exists():
            lines = dict(line.split(":", 1) for line in status.read_text(encoding="utf-8").splitlines() if ":" in line)
            self.note("rss_mb", int(lines["VmRSS"].split()[0]) / 1024.0)
