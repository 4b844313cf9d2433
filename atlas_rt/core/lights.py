"""The light of a search: one for every row, fading from one answer to the next, and in and out as a whole."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.arrays import Floats, Ints

LIGHT_SECS = 0.18
"""How long a fade takes."""
CLUSTER_LIGHT = 3.0
"""What the images of a cluster shine with while it is pointed at in a panel, in deviations above the median: nearly as
what a search finds."""


class Lights:
    """The lights of a scene's rows, in deviations above the median."""

    def __init__(self) -> None:
        self.now: Floats | None = None
        """(n,) what every row shines with at this moment, None while nothing is lit. A new object in every frame that
        changes it."""
        self.mix = 0.0
        """0..1, how far the search as a whole has faded in."""
        self._from: Floats | None = None
        self._to: Floats | None = None
        self._secs = LIGHT_SECS

    @property
    def lit(self) -> bool:
        """Whether a search lights some rows, or begins to."""
        return self._to is not None

    @property
    def resting(self) -> bool:
        """Whether no fade is on its way."""
        return self.mix in (0.0, 1.0) and self._secs >= LIGHT_SECS

    def fade_to(self, lights: Floats) -> None:
        """Go over to other lights, (n,)."""
        self._from = lights if self.now is None else self.now
        self._to = lights
        self._secs = 0.0

    def fade_out(self) -> None:
        self._to = None

    def carry(self, rows: NDArray[np.intp], known: NDArray[np.bool_]) -> None:
        """Keep each image's light over a change of rows; newcomers wait at the median for the next answer.

        rows: the old row of each new one, where it is `known`.
        """
        if self.now is not None and self._to is not None:
            self.now = self._from = self._to = carried(self._to, rows, known)
        elif self.now is not None:
            self.now, self.mix = None, 0.0

    def advance(self, dt_secs: float) -> None:
        """Let time pass."""
        self._secs += dt_secs
        step = dt_secs / LIGHT_SECS
        self.mix = min(self.mix + step, 1.0) if self.lit else max(self.mix - step, 0.0)
        if self._to is not None and self.now is not self._to:
            assert self._from is not None
            t = self._secs / LIGHT_SECS
            self.now = self._to if t >= 1.0 else self._from + (self._to - self._from) * np.float32(t)
        elif not self.lit and self.mix == 0.0:
            self.now = None


def carried(lights: Floats, rows: NDArray[np.intp], known: NDArray[np.bool_]) -> Floats:
    """Each image's light after a change of rows; newcomers stand at the median.

    rows: the old row of each new one, where it is `known`.
    """
    result = np.zeros(len(rows), np.float32)
    result[known] = lights[rows[known]]
    return result


def lights_of_cluster(clusters: Ints, cluster: int) -> Floats:
    """(n,) lights by which one cluster shines and all else dims. clusters: (n,) the cluster of each row."""
    return np.where(clusters == cluster, np.float32(CLUSTER_LIGHT), np.float32(0.0)).astype(np.float32)
