"""The fly camera's motion: held keys, looking, orbiting and flights to a place; eases, never rolls.

Velocities approach what the keys ask for by exponential smoothing, which feels the same at any frame rate. A flight
follows a smootherstep from pose to pose; any key of motion takes over from it at once.
"""

from __future__ import annotations

import math
from collections.abc import Collection

import numpy as np

from atlas_rt.core.arrays import Floats
from atlas_rt.core.camera import PITCH_LIMIT, basis
from atlas_rt.core.easing import smootherstep
from atlas_rt.core.scene import Pose
from atlas_rt.core.wall import Plane

EASE_SECS = 0.12
"""Time constant in which the velocity follows the keys: short enough to feel direct, long enough to have weight."""
LOOK_EASE_SECS = 0.035
FASTER = 4.0
PLANE_PACE = 1.6
"""Before a plane speed is a share of the distance: what is seen moves as fast from near as from afar."""
ZOOM, ZOOM_EASE_SECS = 0.2, 0.07
"""A step of the wheel comes nearer by this share, in about this time."""
USUAL_SPEED = 0.6
SPEEDS = (0.02, 6.0)
"""Slowest and fastest cruising speed, world units a second."""
DIRECTIONS = {
    "forward": (0.0, 0.0, 1.0),
    "back": (0.0, 0.0, -1.0),
    "right": (1.0, 0.0, 0.0),
    "left": (-1.0, 0.0, 0.0),
    "up": (0.0, 1.0, 0.0),
    "down": (0.0, -1.0, 0.0),
}
"""Held action -> (right, up, forward) in the camera's own axes; up and down follow the world."""


def shortest_turn(start: float, end: float) -> float:
    """The signed angle from start to end, within -pi..pi."""
    return (end - start + math.pi) % (2.0 * math.pi) - math.pi


def between(start: Pose, end: Pose, t: float) -> Pose:
    """The pose a share t of the way, turning the short way round."""
    eye = tuple(a + (b - a) * t for a, b in zip(start.eye, end.eye, strict=True))
    yaw = start.yaw + shortest_turn(start.yaw, end.yaw) * t
    return Pose((eye[0], eye[1], eye[2]), yaw, start.pitch + (end.pitch - start.pitch) * t)


def flight_secs(start: Pose, end: Pose) -> float:
    """How long a flight should last: longer for farther, never tiresome."""
    distance = math.dist(start.eye, end.eye)
    turn = abs(shortest_turn(start.yaw, end.yaw)) + abs(end.pitch - start.pitch)
    return min(0.45 + 0.55 * math.sqrt(distance) + 0.25 * turn, 2.2)


class FlyCamera:
    """The eye of the person. Owned by the world; nothing else moves it."""

    def __init__(self, pose: Pose, *, reduced_motion: bool = False) -> None:
        self.pose = pose
        self.speed = self._usual_speed = USUAL_SPEED
        self.reduced_motion = reduced_motion
        self._velocity = np.zeros(3, np.float32)
        self._look = [0.0, 0.0]
        self._flight: tuple[Pose, Pose, float, float] | None = None
        self._past: list[Pose] = []
        self._future: list[Pose] = []
        self._elsewhere: tuple[list[Pose], list[Pose]] = (
            [],
            [],
        )  # the same of the map while before the wall, and so on
        self._plane: Plane | None = None
        self._zoom, self._zoom_at = 0.0, (0.0, 0.0)

    @property
    def flying(self) -> bool:
        """A flight to a place is under way."""
        return self._flight is not None

    @property
    def destination(self) -> Pose | None:
        """Where the flight under way ends."""
        return self._flight[1] if self._flight else None

    def redirect(self, pose: Pose) -> None:
        """Let the flight under way end at another pose, at the same time."""
        if self._flight:
            start, _, elapsed, duration = self._flight
            self._flight = (start, pose, elapsed, duration)

    @property
    def moving(self) -> bool:
        """The pose changes by itself at the next step."""
        return (
            self.flying
            or bool(np.abs(self._velocity).max() > 1e-4)
            or max(*map(abs, self._look), abs(self._zoom)) > 1e-4
        )

    @property
    def held(self) -> bool:
        """It is held before a plane, which it looks at straight on: it pans and zooms instead of turning."""
        return self._plane is not None

    def hold_before(self, plane: Plane | None) -> None:
        """Hold the eye before a plane from now on, or let it go. Each has its own places to go back to."""
        if (plane is None) != (self._plane is None):
            self.stop()
            (self._past, self._future), self._elsewhere = self._elsewhere, (self._past, self._future)
        self._plane = plane

    def pan(self, right: float, up: float) -> None:
        """Move along the plane it is held before, world units."""
        self._flight = None
        x, y, z = self.pose.eye
        self._move_to(np.array([x + right, y + up, z], np.float32))

    def zoom(self, steps: float, at: tuple[float, float]) -> None:
        """Come nearer by steps of the wheel, spread over the next moments; what is seen at these tangents to the right
        and up stays where it is."""
        self._flight = None
        self._zoom += steps * ZOOM
        self._zoom_at = at

    def set_usual_speed(self, times: float) -> None:
        """Fly so many times as fast as usual; what the wheel changed since is let go of where that is new."""
        if self._usual_speed != times * USUAL_SPEED:
            self.speed = self._usual_speed = times * USUAL_SPEED

    def change_speed(self, steps: float) -> None:
        """One step of the wheel is a fifth faster or slower."""
        self.speed = min(max(self.speed * 1.2**steps, SPEEDS[0]), SPEEDS[1])

    def look(self, yaw: float, pitch: float) -> None:
        """Turn by radians, spread over the next moments."""
        self._flight = None
        self._look[0] += yaw
        self._look[1] += pitch

    def orbit(self, pivot: Floats, yaw: float, pitch: float) -> None:
        """Turn around a point in world, keeping its distance and its place on screen."""
        self._flight = None
        before = np.stack(basis(self.pose))
        offset = before @ (np.asarray(pivot, np.float32) - np.asarray(self.pose.eye, np.float32))
        turned = Pose(self.pose.eye, self.pose.yaw + yaw, self._clamped(self.pose.pitch + pitch))
        eye = np.asarray(pivot, np.float32) - np.stack(basis(turned)).T @ offset
        self.pose = Pose((float(eye[0]), float(eye[1]), float(eye[2])), turned.yaw, turned.pitch)

    def fly_to(self, pose: Pose, *, remember: bool = True) -> None:
        """Begin a flight; with reduced motion, be there at once."""
        if remember:
            self._past.append(self.pose)
            self._future.clear()
        self._begin(pose)

    def step_back(self) -> bool:
        """Fly to where the last flight began; False when there is no such place."""
        return self._travel(self._past, self._future)

    def step_forward(self) -> bool:
        """Undo a step back."""
        return self._travel(self._future, self._past)

    def stop(self) -> None:
        """Let go of everything: flight, velocity, turn."""
        self._flight, self._look, self._zoom = None, [0.0, 0.0], 0.0
        self._velocity[:] = 0.0

    def advance(self, dt_secs: float, held: Collection[str]) -> None:
        """Move for one frame by the held actions' names."""
        self._advance_look(dt_secs)
        self._advance_zoom(dt_secs)
        wanted = self._wanted_velocity(held)
        if wanted.any():
            self._flight = None
        if self._flight:
            self._advance_flight(dt_secs)
            return
        self._velocity += (wanted - self._velocity) * np.float32(1.0 - math.exp(-dt_secs / EASE_SECS))
        eye = np.asarray(self.pose.eye, np.float32) + self._velocity * np.float32(dt_secs)
        self._move_to(eye)

    def _move_to(self, eye: Floats) -> None:
        if self._plane is not None:
            self.pose = self._plane.held(eye, self.pose.eye)
        else:
            self.pose = Pose((float(eye[0]), float(eye[1]), float(eye[2])), self.pose.yaw, self.pose.pitch)

    def _begin(self, pose: Pose) -> None:
        self.stop()
        if self.reduced_motion:
            self.pose = pose
        else:
            self._flight = (self.pose, pose, 0.0, flight_secs(self.pose, pose))

    def _travel(self, source: list[Pose], other: list[Pose]) -> bool:
        if not source:
            return False
        other.append(self.pose)
        self._begin(source.pop())
        return True

    def _advance_flight(self, dt_secs: float) -> None:
        assert self._flight
        start, end, elapsed, duration = self._flight
        elapsed += dt_secs
        self.pose = between(start, end, smootherstep(elapsed / duration)) if elapsed < duration else end
        self._flight = (start, end, elapsed, duration) if elapsed < duration else None

    def _advance_look(self, dt_secs: float) -> None:
        share = 1.0 - math.exp(-dt_secs / LOOK_EASE_SECS)
        yaw, pitch = self._look[0] * share, self._look[1] * share
        self._look = [self._look[0] - yaw, self._look[1] - pitch]
        if abs(yaw) + abs(pitch) > 1e-6:
            self.pose = Pose(self.pose.eye, self.pose.yaw + yaw, self._clamped(self.pose.pitch + pitch))

    def _advance_zoom(self, dt_secs: float) -> None:
        if self._plane is None or abs(self._zoom) < 1e-6:
            return
        now = self._zoom * (1.0 - math.exp(-dt_secs / ZOOM_EASE_SECS))
        self._zoom -= now
        x, y, z = self.pose.eye
        nearer = self._plane.held(np.array([x, y, z * math.exp(-now)], np.float32), self.pose.eye).eye[2]
        right, up = ((z - nearer) * tangent for tangent in self._zoom_at)
        self._move_to(np.array([x + right, y + up, nearer], np.float32))

    def _wanted_velocity(self, held: Collection[str]) -> Floats:
        right, _, forward = basis(self.pose)
        wanted = np.zeros(3, np.float32)
        for name in held:
            if name in DIRECTIONS:
                r, u, f = DIRECTIONS[name]
                wanted += r * right + f * forward + np.array([0.0, u, 0.0], np.float32)
        length = float(np.linalg.norm(wanted))
        if length == 0.0:
            return wanted
        pace = self.speed if self._plane is None else self.speed * self.pose.eye[2] * PLANE_PACE
        return wanted * np.float32(pace * (FASTER if "faster" in held else 1.0) / length)

    @staticmethod
    def _clamped(pitch: float) -> float:
        return min(max(pitch, -PITCH_LIMIT), PITCH_LIMIT)
