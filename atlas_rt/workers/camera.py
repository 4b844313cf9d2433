"""A webcam, or a film played as one: the newest frame, and nothing older.

A thread reads as fast as the camera gives (a film at its own rate, in a loop) and keeps the latest frame only. One
failed read in the middle of a damaged film is no end; thirty in a row are. A film that gave no frame since it began
again has no more.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import numpy as np

from atlas_rt.core.arrays import Bytes
from atlas_rt.core.channels import Latest
from atlas_rt.core.library_path import library_path_kept
from atlas_rt.errors import MissingError
from atlas_rt.workers.worker import State, Worker

os.environ.setdefault("OPENCV_LOG_LEVEL", "OFF")
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
# macOS: OpenCV asks for access to the camera on the main thread only, and refuses on ours; macOS itself asks on any.
os.environ.setdefault("OPENCV_AVFOUNDATION_SKIP_AUTH", "1")

with library_path_kept():
    import cv2

FAILURES_MAX = 30
OPEN_TRIES = 2
WIDTH_PX, HEIGHT_PX = 640, 480


class Camera(Worker):
    """A capture device and the thread that reads it. Frames are (h, w, 3) uint8 RGB.

    One that gives no more frames has failed; whoever opened it opens another.
    """

    part = "camera"
    lost = "The camera gives no pictures"
    again = False

    def __init__(self, source: str) -> None:
        """source: a number, or the path of a film. Raises MissingError when it cannot be opened."""
        super().__init__()
        self._source = source
        self._is_film = not source.isdigit()
        self._capture = _opened(source)
        self._latest: Latest[Bytes] = Latest()
        self.start()

    def take(self) -> Bytes | None:
        """The newest frame not taken before, or None; never waits."""
        return self._latest.take()

    def close(self, *, limit_secs: float = 1.0) -> None:
        """Stop reading. A driver that hangs in a read is left behind after the limit."""
        super().close(limit_secs=limit_secs)
        if self.state is State.STOPPED:
            self._capture.release()

    def work(self) -> None:
        failures, given = 0, False
        fps = self._capture.get(cv2.CAP_PROP_FPS) if self._is_film else 0.0
        period_secs = 1.0 / fps if 1.0 <= fps <= 240.0 else 0.0
        due = time.perf_counter()
        while not self.closing:
            ok, frame = self._capture.read()
            if ok and frame is not None:
                failures, given = 0, True
                self._latest.put(np.ascontiguousarray(frame[..., ::-1]))
            else:
                failures += 1
                ended = failures >= FAILURES_MAX
                if self._is_film and given and (ended or self._at_end()):
                    failures, given = 0, False
                    ended = not self._begin_anew()
                if ended:
                    raise MissingError(
                        "the film has no more frames" if self._is_film else "the camera stopped giving pictures"
                    )
            due = max(due + period_secs, time.perf_counter() - period_secs)
            self.rest(max(due - time.perf_counter(), 0.0 if ok else 0.02))

    def _begin_anew(self) -> bool:
        """Open the film again: setting its position does nothing for one of a single frame, a picture or a stream."""
        self._capture.release()
        try:
            self._capture = _opened(self._source)
        except MissingError:
            return False
        return True

    def _at_end(self) -> bool:
        """By the frame counter: one failed read in a damaged film is not the end."""
        return bool(self._capture.get(cv2.CAP_PROP_POS_FRAMES) >= self._capture.get(cv2.CAP_PROP_FRAME_COUNT) - 1)


def _opened(source: str) -> cv2.VideoCapture:
    if not source.isdigit() and not Path(source).is_file():
        raise MissingError(f"there is no film at this path: {source}")
    for attempt in range(OPEN_TRIES):
        capture = cv2.VideoCapture(int(source) if source.isdigit() else source)
        if capture.isOpened():
            if source.isdigit():
                capture.set(cv2.CAP_PROP_FRAME_WIDTH, WIDTH_PX)
                capture.set(cv2.CAP_PROP_FRAME_HEIGHT, HEIGHT_PX)
                capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
            return capture
        capture.release()
        if attempt + 1 < OPEN_TRIES:
            time.sleep(0.1)
    if source.isdigit():
        raise MissingError(
            f"camera {source} cannot be opened: plug one in, close the program that uses it, or allow access to it"
            f"{_where_to_allow(sys.platform)}; --webcam FILE plays a film instead"
        )
    raise MissingError(f"this file cannot be played as a camera: {source}")


def _where_to_allow(system: str) -> str:
    """Where a person allows a program the camera, on the systems that ask. system: as `sys.platform` calls it."""
    if system == "darwin":
        return " (System Settings, Privacy & Security, Camera: the terminal it is started from)"
    if system == "win32":
        return " (Settings, Privacy & security, Camera: let desktop apps use it)"
    return ""
