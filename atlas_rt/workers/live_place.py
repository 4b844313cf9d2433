"""Where the camera's picture belongs, again and again: newest frame -> vector -> place -> newest fix."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from atlas_rt.core.answers import LiveFix
from atlas_rt.core.arrays import Bytes, Floats
from atlas_rt.core.channels import Latest
from atlas_rt.core.maps import Placement
from atlas_rt.core.troubles import reason_of
from atlas_rt.core.vectors import unit
from atlas_rt.workers.camera import Camera
from atlas_rt.workers.worker import Announce, Worker, unheard

FIXES_PER_SEC = 15.0
"""Faster than the eye follows the marker, and slow enough to leave the frame its cores."""
SMOOTHING = 0.45
"""Share of the newest vector in the running mean: a hand in the picture moves the marker, noise does not."""
PREVIEW_PX = 320

Encode = Callable[[Bytes], Floats]
"""A frame (h, w, 3) uint8 RGB -> (dim,) unit vector."""
FindPlace = Callable[[Floats], tuple[Placement, tuple[int, ...]] | None]
"""A vector -> its placement and the ids of its neighbours; None while there is no map."""


class LivePlaceWorker(Worker):
    """The live thread: owns the camera and the newest fix. What goes wrong is told as a fix with an error too."""

    part = "live"
    lost = "The camera cannot be followed"

    def __init__(
        self, source: str, *, encode: Callable[[], Encode], place: FindPlace, announce: Announce = unheard
    ) -> None:
        """encode makes the encoder on the live thread; place is called there."""
        super().__init__(announce=announce)
        self._source = source
        self._make_encode = encode
        self._place = place
        self._fixes: Latest[LiveFix] = Latest()
        self.start()

    def take(self) -> LiveFix | None:
        """The newest fix, or None; never waits."""
        return self._fixes.take()

    def close(self, *, limit_secs: float = 3.0) -> None:
        super().close(limit_secs=limit_secs)

    def work(self) -> None:
        camera = Camera(self._source)
        try:
            self._follow(camera, self._make_encode())
        finally:
            camera.close()

    def failed(self, error: BaseException) -> None:
        self._fixes.put(_without_fix(reason_of(error)))

    def _follow(self, camera: Camera, encode: Encode) -> None:
        mean: Floats | None = None
        due, last, fps = 0.0, time.perf_counter(), 0.0
        while not self.closing:
            frame = camera.take()
            if frame is None:
                if camera.error is not None:
                    raise camera.error
                self.rest(0.004)
                continue
            vector = encode(frame)
            mean = vector if mean is None else unit(mean + (vector - mean) * np.float32(SMOOTHING))
            placed = self._place(mean)
            now = time.perf_counter()
            fps += (1.0 / max(now - last, 1e-3) - fps) * 0.1
            last = now
            if placed is not None:
                placement, ids = placed
                self._fixes.put(
                    LiveFix(
                        placement.position, placement.uncertainty, ids, placement.similarities, _preview(frame), fps
                    )
                )
            due = max(due + 1.0 / FIXES_PER_SEC, now)
            self.went_well()
            self.rest(due - time.perf_counter())


def _preview(frame: Bytes) -> Bytes:
    """Every k-th pixel: a preview in the corner needs no better."""
    step = max(frame.shape[1] // PREVIEW_PX, 1)
    return np.ascontiguousarray(frame[::step, ::step])


def _without_fix(error: str) -> LiveFix:
    nothing = np.zeros(0, np.float32)
    return LiveFix(nothing, 1.0, (), nothing, np.zeros((0, 0, 3), np.uint8), 0.0, error)
