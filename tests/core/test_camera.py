"""Poses, matrices and the way from a point to a pixel and back."""

from __future__ import annotations

import math

import numpy as np
import pytest

from atlas_rt.core import camera
from atlas_rt.core.scene import Pose

SIZE_PX = (1280, 720)
STRAIGHT = Pose(eye=(0.0, 0.0, 2.0), yaw=0.0, pitch=0.0)
LENS = camera.clip_from_view(math.radians(60), SIZE_PX[0] / SIZE_PX[1], 0.01, 50.0)


def _project(points: list[list[float]], pose: Pose) -> tuple[np.ndarray, np.ndarray]:
    return camera.project(np.array(points, np.float32), camera.view_from_world(pose), LENS, SIZE_PX)


def test_what_is_looked_at_is_in_the_middle() -> None:
    pose = camera.pose_looking_at((1.0, 2.0, 3.0), (-0.5, 0.2, 0.1))
    xy, depths = _project([[-0.5, 0.2, 0.1]], pose)
    assert xy[0] == pytest.approx((640, 360), abs=0.01)
    assert depths[0] == pytest.approx(math.dist((1, 2, 3), (-0.5, 0.2, 0.1)), rel=1e-5)


def test_right_is_right_and_up_is_up_on_screen() -> None:
    xy, _ = _project([[0.5, 0, 0], [0, 0.5, 0]], STRAIGHT)
    assert xy[0, 0] > 640
    assert xy[0, 1] == pytest.approx(360)
    assert xy[1, 1] < 360
    assert xy[1, 0] == pytest.approx(640)


def test_turning_right_moves_the_world_left() -> None:
    turned = Pose(STRAIGHT.eye, yaw=0.2, pitch=0.0)
    xy, _ = _project([[0, 0, 0]], turned)
    assert xy[0, 0] < 640


def test_behind_the_eye_has_no_depth() -> None:
    _, depths = _project([[0, 0, 5]], STRAIGHT)
    assert depths[0] <= 0


@pytest.mark.parametrize(("yaw", "pitch"), [(0.0, 0.0), (1.2, -0.7), (-3.0, 1.5)])
def test_basis_is_right_handed_and_never_rolls(yaw: float, pitch: float) -> None:
    right, up, forward = camera.basis(Pose((0, 0, 0), yaw, pitch))
    assert np.allclose(np.cross(right, up), -forward, atol=1e-6)
    assert right[1] == 0.0
    assert up[1] > 0.0


def test_looking_straight_down_stays_within_the_limit() -> None:
    pose = camera.pose_looking_at((0, 5, 0), (0, 0, 0))
    assert pose.pitch == pytest.approx(-camera.PITCH_LIMIT)
    assert np.isfinite(camera.view_from_world(pose)).all()


def test_looking_at_where_the_eye_is_looks_ahead() -> None:
    assert camera.pose_looking_at((1, 1, 1), (1, 1, 1)) == Pose((1.0, 1.0, 1.0), 0.0, 0.0)


def test_focal_length_in_pixels_agrees_with_the_projection() -> None:
    xy, _ = _project([[0.0, 0.5, 0.0]], STRAIGHT)
    assert 360 - xy[0, 1] == pytest.approx(0.5 * camera.focal_px(math.radians(60), 720) / 2.0, rel=1e-5)
