"""Nearest images, exactly and always the same."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import faiss
import numpy as np
import pytest

from atlas_rt.core.arrays import Floats
from atlas_rt.mapping import neighbours
from atlas_rt.mapping.neighbours import BLAS_FROM, knn, knn_edges, knn_graph, nearest

Crowd = Callable[[int], Floats]


def test_the_nearest_are_those_with_the_highest_cosine(crowd: Crowd) -> None:
    vectors = crowd(200)
    similarities, rows = nearest(vectors[:150], vectors[150:], 7)
    exact = vectors[150:] @ vectors[:150].T
    assert rows.dtype == np.int32
    assert (rows == np.argsort(-exact, axis=1, kind="stable")[:, :7]).all()
    assert similarities == pytest.approx(-np.sort(-exact, axis=1)[:, :7], abs=1e-6)


def test_an_answer_has_the_same_bits_whatever_is_asked_with_it(crowd: Crowd) -> None:
    vectors = crowd(900)
    library, queries = vectors[:800], vectors[800:]
    together = nearest(library, queries, 15)
    for alone in (nearest(library, queries[i : i + 1], 15) for i in range(0, 100, 9)):
        row = int(np.flatnonzero((together[0] == alone[0]).all(axis=1))[0])
        assert (together[1][row] == alone[1][0]).all()
    assert all((a == b).all() for a, b in zip(together, nearest(library, queries, 15, threads=2), strict=True))


def test_threads_that_search_in_two_ways_do_not_change_how_the_other_is_answered(crowd: Crowd) -> None:
    """FAISS's threshold for BLAS is one for the whole process."""
    vectors = crowd(2000)
    alone = nearest(vectors, vectors[:100], 15), knn(vectors, 15)
    with ThreadPoolExecutor(2) as pool:
        direct = [pool.submit(nearest, vectors, vectors[:100], 15) for _ in range(6)]
        blas = [pool.submit(knn, vectors, 15) for _ in range(2)]
    for found, known in [*((each, alone[0]) for each in direct), *((each, alone[1]) for each in blas)]:
        assert all((a == b).all() for a, b in zip(found.result(), known, strict=True))
    assert faiss.cvar.distance_compute_blas_threshold == BLAS_FROM


def test_an_image_is_not_its_own_neighbour(crowd: Crowd) -> None:
    _, rows = knn(crowd(300), 15)
    assert rows.shape == (300, 15)
    assert not (rows == np.arange(300)[:, None]).any()


def test_some_rows_have_the_neighbours_they_have_among_all(crowd: Crowd) -> None:
    vectors = crowd(300)
    some = np.array([3, 299, 17], np.int32)
    assert (knn(vectors, 5, of=some)[1] == knn(vectors, 5)[1][some]).all()


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_fewer_images_than_neighbours(crowd: Crowd, count: int) -> None:
    vectors = crowd(count)
    similarities, rows = knn(vectors, 5)
    assert similarities.shape == rows.shape == (count, max(count - 1, 0))
    edges, weights = knn_edges(vectors, 5)
    assert edges.shape == (count * (count - 1) // 2, 2)
    assert len(weights) == len(edges)
    assert nearest(vectors, crowd(4), 5)[1].shape == (4, count)


def test_equal_ones_come_in_the_order_of_their_rows() -> None:
    vectors = np.tile(np.array([[0.6, 0.8]], np.float32), (6, 1))
    assert nearest(vectors, vectors[:1], 4)[1].tolist() == [[0, 1, 2, 3]]


def test_a_thousand_copies_of_one_image_have_neighbours() -> None:
    vectors = np.tile(np.eye(1, 8, dtype=np.float32), (1000, 1))
    _, rows = knn(vectors, 5)
    assert rows.shape == (1000, 5)
    assert not (rows == np.arange(1000)[:, None]).any()
    edges, weights = knn_edges(vectors, 5)
    assert (edges[:, 0] < edges[:, 1]).all()
    assert (weights == 1).all()


def test_each_pair_is_one_edge_mutual_ones_first(crowd: Crowd) -> None:
    vectors = crowd(120)
    edges, weights = knn_edges(vectors, 5)
    _, rows = knn(vectors, 5)
    near = [set(row.tolist()) for row in rows]
    mutual = [b in near[a] and a in near[b] for a, b in edges.tolist()]
    first_single = mutual.index(False)
    assert edges.dtype == np.int32
    assert (edges[:, 0] < edges[:, 1]).all()
    assert len({tuple(edge) for edge in edges.tolist()}) == len(edges)
    assert {(min(a, b), max(a, b)) for a, row in enumerate(near) for b in row} == {tuple(e) for e in edges.tolist()}
    assert all(mutual[:first_single])
    assert not any(mutual[first_single:])
    assert (np.diff(weights[:first_single]) <= 0).all()
    assert weights == pytest.approx((vectors[edges[:, 0]] * vectors[edges[:, 1]]).sum(axis=1), abs=1e-6)


def test_the_graph_of_very_many_is_nearly_exact_and_always_the_same(
    crowd: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors = crowd(3000)
    exact = knn(vectors, 14)[1]
    assert (knn_graph(vectors, 14)[1] == exact).all()  # few are compared each with every other
    monkeypatch.setattr(neighbours, "ALL_EXACT_TO", 1000)
    similarities, rows = knn_graph(vectors, 14)
    assert (
        np.mean([np.isin(mine, true).mean() for mine, true in zip(rows, exact, strict=True)]) > 0.85
    )  # of noise; 0.99 of pictures
    assert not (rows == np.arange(3000)[:, None]).any()
    assert similarities == pytest.approx(np.einsum("nd,nkd->nk", vectors, vectors[rows]), abs=1e-6)
    again = knn_graph(vectors, 14, threads=2)
    assert (again[0] == similarities).all()
    assert (again[1] == rows).all()


def test_edges_of_many_are_exact_whatever_the_graph_knows(crowd: Crowd, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = crowd(1500)
    exact = knn_edges(vectors, 5)
    assert all((a == b).all() for a, b in zip(knn_edges(vectors, 5, known=knn(vectors, 14)), exact, strict=True))
    monkeypatch.setattr(neighbours, "ALL_EXACT_TO", 1000)
    assert all((a == b).all() for a, b in zip(knn_edges(vectors, 5, known=knn_graph(vectors, 14)), exact, strict=True))
    monkeypatch.setattr(neighbours, "EDGES_EXACT_TO", 1200)
    found = {tuple(pair) for pair in knn_edges(vectors, 5)[0].tolist()}
    assert len(found & {tuple(pair) for pair in exact[0].tolist()}) > 0.95 * len(exact[0])


def test_what_is_far_from_all_has_neighbours_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists of one image each say nothing of a stranger's nearest: those are looked for among all."""
    monkeypatch.setattr(neighbours, "ALL_EXACT_TO", 100)
    rng = np.random.default_rng(0)
    vectors = np.concatenate([np.tile(np.eye(1, 64), (500, 1)), rng.normal(size=(40, 64))]).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    _, rows = knn_graph(vectors, 14)
    assert rows.min() >= 0
    assert not (rows == np.arange(540)[:, None]).any()
