"""Frames at an even pace: sleep until shortly before the deadline, then spin.

A frame begins at its deadline's predecessor and is late when its flip returns more than half a period after its
deadline (8.3 ms at 60 a second). Deadlines stay on one grid, so lateness adds up; who falls behind by a whole period
misses deadlines, and those are counted as late too. While nothing changes no frame is due at all.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

import numpy as np

from atlas_rt.core.hud import FrameFigures

SPIN_SECS = 0.0005
"""How long before the deadline sleeping ends: what the system's timer may oversleep (measured: 0.1 to 0.4 ms)."""
REST_SECS = 0.1
"""How long a rest lasts unless the person ends it: so late does a window at rest hear its threads."""
REMEMBERED = 240
"""Frames that the figures cover: four seconds at 60 a second."""
TOLD_SECS = 0.25
"""So long the same figures are told: what flickers cannot be read, and it costs half a millisecond."""


class Pacer:
    """The clock of the frame loop: `begin`, the frame's work with its flip, `end`.

    fps: 0 for as fast as it goes, where nothing is late.
    """

    def __init__(
        self,
        fps: float = 60.0,
        *,
        clock: Callable[[], float] = time.perf_counter,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._period = 1.0 / fps if fps > 0 else 0.0
        self._clock, self._sleep = clock, sleep
        self._begun = self._deadline = clock()
        self._work_ms: deque[float] = deque(maxlen=REMEMBERED)
        self._intervals: deque[float] = deque(maxlen=REMEMBERED)
        self._late: deque[int] = deque(maxlen=REMEMBERED)
        self._due: deque[int] = deque(maxlen=REMEMBERED)
        self._missed = 0
        self._told: tuple[float, FrameFigures] | None = None
        self.late_frames = self.due_frames = 0
        """Since the start: deadlines that were not kept, and all there were."""

    def begin(self) -> float:
        """Wait until the next frame is due. Returns the seconds since the one before began."""
        self._missed = self._skip_missed()
        self._wait_until(self._deadline)
        now = self._clock()
        elapsed, self._begun = now - self._begun, now
        self._intervals.append(elapsed)
        self._deadline += self._period
        return elapsed

    def end(self) -> None:
        """The flip has returned."""
        now = self._clock()
        late = int(self._period > 0 and now > self._deadline + self._period / 2.0) + self._missed
        self._work_ms.append((now - self._begun) * 1000.0)
        self._late.append(late)
        self._due.append(1 + self._missed)
        self.late_frames += late
        self.due_frames += 1 + self._missed

    def rest(self, wait: Callable[[float], None]) -> None:
        """Nothing changes: `wait(seconds)` in place of the frames that would look alike. None of them is late."""
        wait(REST_SECS)
        self._deadline = self._clock()

    def figures(self, *, step: str = "", drawn: str = "") -> FrameFigures:
        """Frame times of the last seconds, from a frame's first line to the return of its flip, the same for TOLD_SECS.
        late: 0..1."""
        if self._told is None or self._begun - self._told[0] >= TOLD_SECS:
            self._told = self._begun, self._reckoned(step, drawn)
        return self._told[1]

    def _reckoned(self, step: str, drawn: str) -> FrameFigures:
        times_ms = np.array(self._work_ms or [0.0], np.float32)
        return FrameFigures(
            fps=len(self._intervals) / max(sum(self._intervals), 1e-9),
            median_ms=float(np.median(times_ms)),
            p99_ms=float(np.percentile(times_ms, 99.0)),
            late=sum(self._late) / max(sum(self._due), 1),
            times_ms=times_ms,
            step=step,
            drawn=drawn,
        )

    def _skip_missed(self) -> int:
        """Leave out the deadlines that have passed by a whole period."""
        behind = self._clock() - self._deadline
        missed = int(behind / self._period) if self._period and behind >= self._period else 0
        self._deadline += missed * self._period
        if not self._period:
            self._deadline = self._clock()
        return missed

    def _wait_until(self, moment: float) -> None:
        remaining = moment - self._clock() - SPIN_SECS
        if remaining > 0:
            self._sleep(remaining)
        while self._clock() < moment:
            pass
