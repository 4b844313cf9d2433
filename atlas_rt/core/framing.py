"""Poses from which something fills the picture: the whole map, some of its images, or one image from near."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from atlas_rt.core import wall
from atlas_rt.core.arrays import Floats
from atlas_rt.core.camera import pose_looking_at, view_from_world
from atlas_rt.core.scene import Pose, Scene

FOV_Y = float(np.radians(55.0))
"""How much of the world a picture shows from top to bottom, radians, unless the person wants another angle."""
HOME_MARGIN = 1.1
HOME_STEPS = 6
GROUP_MARGIN, GROUP_STEPS, DAMPING = 1.08, 24, 0.6
GROUP_SHARE = 0.96
"""A cluster is framed without the farthest of its images, which would keep the eye away from all others."""
CLOSE_UP = 7.0
"""Distance from which a cluster of one place is looked at, in half sides of a card."""
CARD_HEIGHT, CARD_ROOM, CARD_WIDTH = 0.46, 0.6, 0.72
"""A visited card takes at most the first share of the picture's height, and the others of the free height and width:
its neighbours stand around it."""
CARD_LEAST, CARD_FULL = 0.33, 0.92
"""Where that would be lower than the first share of the picture, it takes up to the second of the free height."""
CARD_SIZES, CARD_OFF = (0.85, 1.15), 0.08
"""A card at rest may be so much smaller or larger than it would be framed now, and so far off by its own size, before
it is framed again: a line that a panel shows for a moment moves nothing."""


class FreeView(NamedTuple):
    """What panels leave of the picture, as shares of its width and height from the top left corner."""

    left: float = 0.0
    top: float = 0.0
    right: float = 1.0
    bottom: float = 1.0


def home_of(scene: Scene, places: Floats, aspect: float, *, fov_y: float = FOV_Y) -> Pose:
    """The pose from which all of these places (n, 3) of a scene fill the picture."""
    if scene.flat:
        return wall.home_pose(places, scene.node_size, aspect, fov_y)
    return home_pose(places, aspect, fov_y=fov_y)


def home_pose(positions: Floats, aspect: float, *, fov_y: float = FOV_Y) -> Pose:
    """The pose from which the map fills the picture: looking along -z at all but the farthest hundredth of the images.

    Nearer images spread wider on screen, so the eye's place and distance are found together, in a few steps. Columns
    are looked at one by one, which is five times as fast as rows: 100,000 images take 15 ms.
    """
    if not len(positions):
        return Pose((0.0, 0.0, 2.4), 0.0, 0.0)
    columns = np.ascontiguousarray(positions.T)
    away = np.square(columns - np.median(columns, axis=1, keepdims=True)).sum(axis=0)
    sides = columns[:, away <= np.percentile(away, 99.0)]
    tan_y = float(np.tan(fov_y / 2.0)) / HOME_MARGIN
    slopes = (tan_y * aspect, tan_y)
    nearest = float(sides[2].max())
    eye = [float(sides[0].mean()), float(sides[1].mean()), nearest + 1.0]
    for _ in range(HOME_STEPS):
        depths = np.maximum(eye[2] - sides[2], 1e-3)
        usual, needed = float(np.median(depths)), nearest + 0.3
        for axis, slope in enumerate(slopes):
            across = (sides[axis] - eye[axis]) / depths  # tangents of the angles on screen
            eye[axis] += float(across.max() + across.min()) / 2.0 * usual
            needed = max(needed, float((sides[2] + np.abs(sides[axis] - eye[axis]) / slope).max()))
        eye[2] = needed
    x, y, z = np.array(eye, np.float32).tolist()  # as a flight there ends
    return Pose((x, y, z), 0.0, 0.0)


def close_up_pose(target: Floats, *, coming_from: Floats, distance: float) -> Pose:
    """The pose that looks at a point from a distance (world units), on the side that the eye comes from, and never
    from steeply above or below."""
    away = coming_from - target
    length = float(np.linalg.norm(away))
    away = np.array([0.0, 0.0, 1.0], np.float32) if length < 1e-6 else away / np.float32(length)
    away[1] = np.clip(away[1], -0.5, 0.5)
    away /= np.linalg.norm(away)
    return pose_looking_at(target + away * np.float32(distance), target)


class CardFraming(NamedTuple):
    """A card that is to stand in the middle of what is free of the picture.

    place: (3,) in the world. halves: half its sides across and down, world units. aspect: width by height of the
    picture.
    """

    place: Floats
    halves: tuple[float, float]
    aspect: float
    free: FreeView
    fov_y: float = FOV_Y

    def pose(self, gaze: Pose) -> Pose:
        """The pose from which it stands there, looking as `gaze` does."""
        (across, down), free = self.halves, self.free
        tan_y = float(np.tan(self.fov_y / 2.0))
        room = max(free.bottom - free.top, 0.1)
        height = min(max(CARD_ROOM * room, min(CARD_LEAST, CARD_FULL * room)), CARD_HEIGHT)
        width = CARD_WIDTH * max(free.right - free.left, 0.1)
        depth = max(down / (height * tan_y), across / (width * tan_y * self.aspect))
        right = (free.left + free.right - 1.0) * tan_y * self.aspect * depth
        up = (1.0 - free.top - free.bottom) * tan_y * depth
        offset = np.array([right, up, -depth], np.float32) @ view_from_world(gaze)[:3, :3]
        x, y, z = (self.place - offset).astype(np.float32).tolist()
        return replace(gaze, eye=(x, y, z))

    def distance(self, pose: Pose) -> float:
        """How far the eye is from the card, world units."""
        return float(np.linalg.norm(np.asarray(pose.eye, np.float32) - self.place))

    def seen_from(self, pose: Pose) -> FreeView:
        """Where in the picture it appears, as shares of its width and height; all zeros where it is behind the eye."""
        right, up, back = (view_from_world(pose) @ np.append(self.place, np.float32(1.0)))[:3].tolist()
        if back >= 0.0:
            return FreeView(0.0, 0.0, 0.0, 0.0)
        tan_y = float(np.tan(self.fov_y / 2.0)) * -back
        tan_x = tan_y * self.aspect
        x, y = 0.5 + right / tan_x / 2.0, 0.5 - up / tan_y / 2.0
        across, down = self.halves[0] / tan_x / 2.0, self.halves[1] / tan_y / 2.0
        return FreeView(x - across, y - down, x + across, y + down)

    def is_good(self, pose: Pose, wanted: Pose) -> bool:
        """Whether it stands about where and as large as from the wanted pose."""
        card, best = self.seen_from(pose), self.seen_from(wanted)
        width, height = best.right - best.left, max(best.bottom - best.top, 1e-6)
        across = abs(card.left + card.right - best.left - best.right) / 2.0
        down = abs(card.top + card.bottom - best.top - best.bottom) / 2.0
        is_same_size = CARD_SIZES[0] <= (card.bottom - card.top) / height <= CARD_SIZES[1]
        return is_same_size and across <= CARD_OFF * width and down <= CARD_OFF * height


def group_pose(
    points: Floats, aspect: float, *, coming_from: Floats, free: FreeView, half: float, fov_y: float = FOV_Y
) -> Pose:
    """The pose from which the cards at points (k, 3), at least one, fill what is free of the picture.

    coming_from: where the eye is, from whose side they are looked at. half: half the side of a card, world units. As in
    `home_pose`, the eye's place and distance are found together.
    """
    middle = np.median(points, axis=0)
    away = np.linalg.norm(points - middle, axis=1)
    points = points[away <= np.quantile(away, GROUP_SHARE)]
    pose = close_up_pose(middle, coming_from=coming_from, distance=1.0)
    turn = view_from_world(pose)[:3, :3]
    seen = (points - middle) @ turn.T  # (k, 3) to the right, up, towards the eye
    tan_y = float(np.tan(fov_y / 2.0))
    slopes = np.array([tan_y * aspect, tan_y], np.float32)
    low = slopes * np.array([2.0 * free.left - 1.0, 1.0 - 2.0 * free.bottom], np.float32)
    high = slopes * np.array([2.0 * free.right - 1.0, 1.0 - 2.0 * free.top], np.float32)
    room = np.maximum(high - low, 1e-3) / np.float32(GROUP_MARGIN)
    nearest = float(seen[:, 2].max()) + CLOSE_UP * half
    eye = np.array([0.0, 0.0, nearest + float(away.max(initial=0.0))], np.float32)
    for _ in range(GROUP_STEPS):
        depths = np.maximum(eye[2] - seen[:, 2:], 1e-4)
        least = ((seen[:, :2] - half - eye[:2]) / depths).min(axis=0)  # tangents of the angles on screen
        most = ((seen[:, :2] + half - eye[:2]) / depths).max(axis=0)
        usual = float(np.median(depths))
        eye[:2] += (least + most - low - high) / 2.0 * usual
        eye[2] = max(float(eye[2]) + (float(((most - least) / room).max()) - 1.0) * usual * DAMPING, nearest)
    x, y, z = (middle + eye @ turn).tolist()
    return Pose((x, y, z), pose.yaw, pose.pitch)
