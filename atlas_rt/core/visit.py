"""The image that the person was taken to: the pose that shows it, and whether the cards before it make way.

A visit lasts until the person is at another image. Its glass follows the distance: it comes as a flight ends, goes as
the person flies away, and comes back when they do.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from atlas_rt.core.easing import smootherstep
from atlas_rt.core.flight import FlyCamera
from atlas_rt.core.framing import CardFraming
from atlas_rt.core.scene import Pose

GLASS_SECS = 0.3
"""The shortest time in which cards make way, or come back."""
GLASS_NEAR, GLASS_FAR = 1.25, 2.5
"""Distances, in those of the visit's pose, up to which cards make way altogether and from which they do not."""
GLIDE_SECS = 0.12
"""Time constant with which the pose follows what the panels leave free."""
THERE = 1e-3
"""A pose this close to the wanted one, as a share of the distance, is the wanted one."""


class Visit:
    """Owned by the world. id: of the visited image, -1 for none; pose: which shows it, and where the flight ends.

    glass: 0..1, how far cards make way. It is that of `glass_id`: the image visited before, while its cards come back.
    """

    def __init__(self) -> None:
        self.id = self.glass_id = -1
        self.pose = Pose((0.0, 0.0, 0.0), 0.0, 0.0)
        self.glass = 0.0
        self._wanted = 0.0
        self._gliding = False

    @property
    def resting(self) -> bool:
        """Nothing of it changes by itself."""
        return self.glass == self._wanted and self.glass_id == self.id

    def begin(self, id_: int, pose: Pose) -> None:
        """The flight there begins. The cards before the image visited until now come back first."""
        self.id, self.pose, self._gliding = id_, pose, True

    def end(self) -> None:
        """The person is elsewhere: cards come back."""
        self.id = -1

    def advance(self, dt_secs: float, camera: FlyCamera, card: CardFraming | None) -> None:
        """Let time pass. card: of the visited image, None where there is none."""
        if card is None:
            self.end()
        else:
            self._keep_framed(dt_secs, camera, card)
        is_other = self.glass_id != self.id
        self._wanted = 0.0 if is_other or card is None else self._glass_wanted(camera, card)
        step = 1.0 if camera.reduced_motion else dt_secs / GLASS_SECS
        self.glass = min(max(self._wanted, self.glass - step), self.glass + step)
        if is_other and self.glass == 0.0:
            self.glass_id = self.id

    def _glass_wanted(self, camera: FlyCamera, card: CardFraming) -> float:
        away = card.distance(camera.pose) / max(card.distance(self.pose), 1e-6)
        return 1.0 - smootherstep((away - GLASS_NEAR) / (GLASS_FAR - GLASS_NEAR))

    def _keep_framed(self, dt_secs: float, camera: FlyCamera, card: CardFraming) -> None:
        """Bring the pose closer to the wanted one: that of a flight under way, or of the eye that rests there."""
        is_flying = camera.destination == self.pose
        is_at_rest = camera.pose == self.pose and not camera.moving
        wanted = card.pose(self.pose)
        self._gliding |= not card.is_good(self.pose, wanted)
        if not (is_flying or (is_at_rest and self._gliding)):
            return
        share = 1.0 if camera.reduced_motion else 1.0 - math.exp(-dt_secs / GLIDE_SECS)
        self.pose = _closer(self.pose, wanted, share, least=THERE * card.distance(self.pose))
        self._gliding = self.pose != wanted
        if is_flying:
            camera.redirect(self.pose)
        else:
            camera.pose = self.pose


def _closer(pose: Pose, wanted: Pose, share: float, *, least: float) -> Pose:
    if share >= 1.0 or math.dist(pose.eye, wanted.eye) <= least:
        return wanted
    eye = np.asarray(pose.eye) + share * (np.asarray(wanted.eye) - np.asarray(pose.eye))
    x, y, z = eye.astype(np.float32).tolist()  # as an eye at rest keeps it
    return replace(wanted, eye=(x, y, z))
