"""Vectors of length one."""

from __future__ import annotations

import numpy as np

from atlas_rt.core.vectors import unit


def test_each_row_has_length_one_and_keeps_its_direction() -> None:
    rows = unit(np.array([[3.0, 4.0], [0.0, -2.0]]))
    assert rows.dtype == np.float32
    assert np.allclose(rows, [[0.6, 0.8], [0.0, -1.0]])


def test_one_vector_is_taken_as_it_comes() -> None:
    assert np.allclose(unit(np.array([0.0, 5.0, 0.0], np.float32)), [0.0, 1.0, 0.0])


def test_a_vector_without_a_length_stays_without_one() -> None:
    assert unit(np.zeros((1, 3), np.float32)).tolist() == [[0.0, 0.0, 0.0]]
