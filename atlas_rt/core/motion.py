"""How rows move from one arrangement to the next, and how images that are gone sink away."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.arrays import Floats, Tiers
from atlas_rt.core.easing import smootherstep
from atlas_rt.core.scene import HIDDEN, Leaving, Scene

MORPH_SECS = 1.4
"""How long images fly to their places on another map."""
LEAVING_SECS = 0.6
LEAVING = np.float32(0.12)
"""How far an image that is gone sinks, world units."""


class Morph:
    """Every row's way from where it stood to its place, and how it is drawn until it is there."""

    def __init__(self, places: Floats, *, reduced_motion: bool) -> None:
        self.places = self.old_places = places
        """(n, 3) where every row comes to stand, and where it stood before."""
        self.tiers: Tiers | None = None
        """How every row is drawn now, None where all are plain."""
        self.settled = True
        """Whether all images stand at their places on the map: what moves, if anything, is a stack."""
        self._tiers_after: Tiers | None = None
        self.reduced_motion = reduced_motion
        self._secs = self._whole_secs = MORPH_SECS

    @property
    def share(self) -> float:
        """0..1 of the way."""
        return min(self._secs / self._whole_secs, 1.0)

    @property
    def done(self) -> bool:
        return self._secs >= self._whole_secs

    @property
    def left_secs(self) -> float:
        """How long the way still takes; less than nothing once it is over."""
        return self._whole_secs - self._secs

    def now(self) -> Floats:
        """(n, 3) where every row stands at this moment."""
        if self.share >= 1.0:
            return self.places
        share = np.float32(smootherstep(self.share))
        blended: Floats = self.old_places + (self.places - self.old_places) * share
        return blended

    def set_off(self, here: Floats, places: Floats, *, before: Tiers | None, after: Tiers | None, secs: float) -> None:
        """Move every row from `here` to its place, (n, 3) each; what goes under its leader is seen on its way.

        before, after: how each row was drawn until now, and how it is drawn once it is there. secs: 0 for at once.
        """
        self.old_places, self.places = here, places
        self._whole_secs = secs or MORPH_SECS
        self._secs = 0.0 if secs and not self.reduced_motion else self._whole_secs
        self.tiers = self._tiers_after = after
        if after is not None and self._secs == 0.0 and before is not None:
            self.tiers = np.where((after == HIDDEN) & (before != HIDDEN), before, after)

    def carried_tiers(self, count: int, rows: NDArray[np.intp], known: NDArray[np.bool_]) -> Tiers:
        """How the `count` rows of a coming scene are drawn now; newcomers are seen as they fly in.

        rows: the row here of each coming one, where it is `known`.
        """
        before = np.zeros(count, np.int8)
        if self.tiers is not None:
            before[known] = self.tiers[rows[known]]
        return before

    def advance(self, dt_secs: float) -> None:
        """Let time pass."""
        self._secs += dt_secs
        if self.done:
            self.tiers, self.settled = self._tiers_after, True


class Departure:
    """Images that are gone, for as long as they are seen going."""

    def __init__(self) -> None:
        self.images: Leaving | None = None
        self._secs = 0.0

    @property
    def share(self) -> float:
        """0..1 of their way out."""
        return min(self._secs / LEAVING_SECS, 1.0)

    def begin(self, images: Leaving) -> None:
        self.images, self._secs = images, 0.0

    def cancel(self) -> None:
        self.images = None

    def advance(self, dt_secs: float) -> None:
        """Let time pass."""
        self._secs += dt_secs
        if self._secs >= LEAVING_SECS:
            self.images = None


def leaving(scene: Scene, gone: NDArray[np.bool_], here: Floats) -> Leaving:
    """The rows of a scene that are `gone`, on their way outwards from `here`, (n, 3) where every row stands."""
    return Leaving(
        ids=scene.ids[gone],
        positions=here[gone],
        targets=here[gone] + LEAVING * outwards(here[gone]),
        aspects=scene.aspects[gone],
        mean_rgb=scene.mean_rgb[gone],
        hues=scene.hues[gone],
        tiles=scene.tiles[gone],
    )


def outwards(points: Floats) -> Floats:
    """(n, 3) unit directions away from the middle of the map; up where a point stands there."""
    lengths = np.linalg.norm(points, axis=1, keepdims=True)
    up = np.array([0.0, 1.0, 0.0], np.float32)
    directions: Floats = np.where(lengths > 1e-6, points / np.maximum(lengths, 1e-6), up).astype(np.float32)
    return directions
