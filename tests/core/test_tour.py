"""The tour: smooth, past the clusters, without a jump at its beginning."""

from __future__ import annotations

import numpy as np

from atlas_rt.core.flight import shortest_turn
from atlas_rt.core.scene import Pose
from atlas_rt.core.tour import SECS_PER_STOP, Tour
from tests.scenes import scene_of

START = Pose((0.2, 0.1, 2.5), 0.3, -0.1)


def tour_of(clusters: list[int]) -> Tour:
    rng = np.random.default_rng(3)
    positions = [tuple(p) for p in rng.normal(size=(len(clusters), 3))]
    return Tour(scene_of(list(range(1, len(clusters) + 1)), positions, clusters=clusters), START)


def test_it_begins_where_the_eye_is_and_looks_where_it_looks() -> None:
    pose = tour_of([0, 1, 2, 0, 1, 2]).pose_at(0.0)
    assert np.allclose(pose.eye, START.eye, atol=1e-5)
    assert abs(shortest_turn(pose.yaw, START.yaw)) < 1e-4
    assert abs(pose.pitch - START.pitch) < 1e-4


def test_it_is_smooth_and_closes() -> None:
    tour = tour_of([0, 1, 2, 3, 0, 1, 2, 3])
    round_secs = SECS_PER_STOP * 5  # the start, and each cluster
    poses = [tour.pose_at(secs) for secs in np.arange(0, round_secs + 1, 1 / 30)]
    steps = np.linalg.norm(np.diff([pose.eye for pose in poses], axis=0), axis=1)
    assert steps.max() < 0.12
    assert np.allclose(tour.pose_at(round_secs).eye, START.eye, atol=1e-4)


def test_a_map_without_clusters_has_a_tour_too() -> None:
    tour = tour_of([-1] * 12)
    assert np.isfinite(tour.advance(5.0).eye).all()
    assert not np.allclose(tour.pose_at(10.0).eye, START.eye, atol=0.01), "it is not at home again so soon"


def test_a_single_image_has_a_tour_too() -> None:
    tour = tour_of([-1])
    assert np.isfinite(tour.pose_at(3.0).eye).all()
