"""Poses that frame a map."""

from __future__ import annotations

import numpy as np
import pytest

from atlas_rt.core.camera import clip_from_view, project, view_from_world
from atlas_rt.core.framing import CLOSE_UP, FOV_Y, GROUP_SHARE, FreeView, group_pose, home_pose


def test_home_of_nothing_and_of_one_image() -> None:
    assert home_pose(np.zeros((0, 3), np.float32), 1.5).eye[2] > 0
    assert home_pose(np.zeros((1, 3), np.float32), 1.5).eye[2] > 0.1


@pytest.mark.parametrize("free", [FreeView(), FreeView(left=0.45), FreeView(0.28, 0.25, 0.72, 1.0)])
def test_a_cluster_fills_what_the_panels_leave_free(free: FreeView) -> None:
    rng = np.random.default_rng(5)
    points = (rng.normal(size=(80, 3)) * (0.2, 0.1, 0.15) + (0.4, -0.3, 0.2)).astype(np.float32)
    half, size_px = 0.01, (1280, 800)
    pose = group_pose(points, 1.6, coming_from=np.array([2.0, 0.5, 1.0], np.float32), free=free, half=half)
    xy, depths = project(points, view_from_world(pose), clip_from_view(FOV_Y, 1.6, 0.004, 40.0), size_px)
    assert (depths > 0.0).all()
    low = np.array([free.left, free.top]) * size_px
    high = np.array([free.right, free.bottom]) * size_px
    assert ((xy >= low) & (xy <= high)).all(axis=1).mean() >= GROUP_SHARE - 0.01
    spread = np.quantile(xy, 0.98, axis=0) - np.quantile(xy, 0.02, axis=0)
    assert float((spread / (high - low)).max()) > 0.7
    middle = (xy.min(axis=0) + xy.max(axis=0)) / 2.0
    assert (np.abs(middle - (low + high) / 2.0) < 0.12 * (high - low)).all()


def test_a_cluster_of_one_place_is_looked_at_as_one_image_is() -> None:
    points = np.tile(np.array([[0.2, 0.1, 0.0]], np.float32), (5, 1))
    pose = group_pose(points, 1.6, coming_from=np.zeros(3, np.float32), free=FreeView(), half=0.02)
    assert np.linalg.norm(np.array(pose.eye) - points[0]) == pytest.approx(CLOSE_UP * 0.02, rel=0.05)
