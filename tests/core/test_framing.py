"""Poses that frame a map."""

from __future__ import annotations

import numpy as np

from atlas_rt.core.framing import home_pose


def test_home_of_nothing_and_of_one_image() -> None:
    assert home_pose(np.zeros((0, 3), np.float32), 1.5).eye[2] > 0
    assert home_pose(np.zeros((1, 3), np.float32), 1.5).eye[2] > 0.1
