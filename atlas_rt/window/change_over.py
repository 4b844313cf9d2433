"""The rasterizer on its way: a thread loads or compiles it, and gives it the tiles that came meanwhile.

Compiling takes seconds, once; until then OpenGL draws. What the window is told of tiles goes to both: a queue keeps it
in order, the thread works it off, and whoever takes the rasterizer adds what came last. So nothing is missing when the
next frame is drawn by it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from atlas_rt.core.arrays import Bytes, Ints
from atlas_rt.core.images import Tile
from atlas_rt.core.preparation import Preparation
from atlas_rt.core.troubles import reason_of
from atlas_rt.workers.worker import Worker

if TYPE_CHECKING:
    from atlas_rt.render.soft.rasterizer import Rasterizer

LARGER_KEPT = 280
"""As many larger tiles as a rasterizer has room for."""


class ChangeOver(Worker):
    """Makes a rasterizer with `load`. All calls on the main thread."""

    part = "rasterizer"
    lost = "The map is drawn by OpenGL, because the faster way does not work here"
    again = False

    def __init__(self, load: Callable[[], Rasterizer]) -> None:
        super().__init__()
        self._load = load
        self._small: deque[tuple[Ints, Bytes] | None] = deque()
        """Small tiles in bulk; None stands for: forget them all."""
        self._larger: deque[Tile] = deque(maxlen=LARGER_KEPT)
        self._rasterizer: Rasterizer | None = None
        self._over = threading.Event()
        self.start()

    def load_small(self, tiles: Ints, pixels: Bytes) -> None:
        """For the rasterizer: small tiles in bulk."""
        self._small.append((tiles, pixels))

    def staging(self, prepared: Preparation | None, tiles: Ints, pixels: Bytes) -> Iterator[None]:  # noqa: ARG002
        """For the rasterizer: a coming scene's small tiles."""
        if len(tiles):
            self.load_small(tiles, pixels)
        yield

    def accept(self, tile: Tile) -> None:
        """For the rasterizer: one larger tile. The newest are kept."""
        self._larger.append(tile)

    def clear(self) -> None:
        """For the rasterizer: another library is shown from now on."""
        self._larger.clear()
        self._small.append(None)

    def take(self, *, patience_secs: float | None = 0.0) -> Rasterizer | None:
        """The rasterizer, once, with all tiles; None while it is not there, and where there will be none (`failure`).

        patience_secs: how long to wait for it, None for as long as it takes.
        """
        self._over.wait(patience_secs)
        rasterizer = self._rasterizer if self._over.is_set() else None
        if rasterizer is not None:
            self._rasterizer = None
            self._hand_over(rasterizer)
        return rasterizer

    @property
    def failure(self) -> str:
        """Why there will be no rasterizer, as a sentence; empty unless loading it has failed."""
        return f"{self.lost}: {reason_of(self.error)}" if self._over.is_set() and self.error else ""

    def work(self) -> None:
        rasterizer = self._load()
        self._hand_over(rasterizer)
        self._rasterizer = rasterizer
        self._over.set()

    def failed(self, error: BaseException) -> None:  # noqa: ARG002
        self._over.set()

    def close(self, *, limit_secs: float = 0.0) -> None:
        """Compiling cannot be interrupted: the thread is left to end by itself, or with the process."""
        super().close(limit_secs=limit_secs)
        if (rasterizer := self.take()) is not None:
            rasterizer.release()

    def _hand_over(self, rasterizer: Rasterizer) -> None:
        while self._small:
            bulk = self._small.popleft()
            if bulk is None:
                rasterizer.clear()
            else:
                rasterizer.load_small(*bulk)
        while self._larger:
            rasterizer.accept(self._larger.popleft())
