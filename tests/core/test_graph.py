"""Distances along edges, and which edges lead away from a node."""

from __future__ import annotations

import numpy as np
import pytest

from atlas_rt.core.graph import UNREACHED, Graph, graph_of, reached_from


def graph(pairs: list[tuple[int, int]], positions: list[tuple[float, float, float]]) -> Graph:
    rows = np.zeros((len(pairs), 4), np.float32)
    rows[:, :2] = np.array(pairs, np.float32).reshape(-1, 2)
    return graph_of(rows, np.array(positions, np.float32))


def test_the_way_along_edges_counts_and_not_the_way_through_space() -> None:
    corner = graph([(0, 1), (1, 2), (3, 2)], [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 0.1, 0), (9, 9, 9)])
    reached = reached_from(corner, np.array([0]), limit=5.0)
    assert reached[:4] == pytest.approx([0.0, 1.0, 2.0, 2.0 + np.hypot(1.0, 0.9)])
    assert reached[4] == UNREACHED


def test_the_nearest_source_counts_and_what_is_too_far_is_not_reached() -> None:
    chain = graph([(i, i + 1) for i in range(6)], [(i * 0.3, 0, 0) for i in range(7)])
    reached = reached_from(chain, np.array([0, 6]), limit=0.7)
    assert reached == pytest.approx([0.0, 0.3, 0.6, UNREACHED, 0.6, 0.3, 0.0])


def test_distances_are_the_shortest_ones() -> None:
    rng = np.random.default_rng(5)
    positions = rng.normal(0.0, 0.5, (60, 3)).astype(np.float32)
    pairs = [(int(a), int(b)) for a, b in rng.integers(0, 60, (150, 2)) if a != b]
    shortest = np.full(60, np.inf)
    shortest[3] = 0.0
    for _ in range(60):
        for a, b in pairs:
            length = float(np.linalg.norm(positions[a] - positions[b]))
            shortest[a], shortest[b] = min(shortest[a], shortest[b] + length), min(shortest[b], shortest[a] + length)
    reached = reached_from(graph(pairs, [tuple(place) for place in positions.tolist()]), np.array([3]), limit=100.0)
    assert np.where(reached == UNREACHED, np.inf, reached) == pytest.approx(shortest, rel=1e-5)


def test_edges_of_a_row() -> None:
    star = graph([(0, 1), (2, 0), (1, 2)], [(0, 0, 0), (1, 0, 0), (0, 1, 0)])
    assert star.edges_of([0, -1]).tolist() == [0, 1]
    assert star.edges_of([0, 1]).tolist() == [0, 1, 2]
    assert graph([], [(0, 0, 0)]).edges_of([0, 7]).tolist() == []
