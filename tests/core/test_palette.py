"""Hues: told apart, alike for neighbours, defined for every image."""

from __future__ import annotations

import numpy as np

from atlas_rt.core.palette import cluster_hues, node_hues


def test_every_cluster_has_its_own_hue_in_the_order_of_directions() -> None:
    angles = np.radians([10, 100, 190, 280])
    hues = cluster_hues(np.stack([np.cos(angles), np.sin(angles), np.zeros(4)], axis=1).astype(np.float32))
    assert len(np.unique(hues, axis=0)) == 4


def test_an_image_of_no_cluster_takes_its_nearest_clusters_hue_paler() -> None:
    centres = np.array([(1, 0, 0), (-1, 0, 0)], np.float32)
    positions = np.array([(1, 0, 0), (-1, 0, 0), (0.9, 0.1, 0)], np.float32)
    hues = node_hues(positions, np.array([0, 1, -1], np.int32), centres).astype(int)
    assert np.ptp(hues[2]) < np.ptp(hues[0])
    assert (np.argsort(hues[2]) == np.argsort(hues[0])).all()


def test_without_clusters_all_are_alike() -> None:
    hues = node_hues(np.zeros((3, 3), np.float32), np.full(3, -1, np.int32), np.zeros((0, 3), np.float32))
    assert hues.shape == (3, 3)
    assert len(np.unique(hues, axis=0)) == 1
