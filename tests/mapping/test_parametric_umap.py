"""The network from vectors to places."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnxruntime
import pytest
from threadpoolctl import threadpool_limits

from atlas_rt.core.arrays import Floats
from atlas_rt.mapping import layout, parametric_umap
from atlas_rt.mapping.fit import Layout, fit_umap
from atlas_rt.mapping.parametric_umap import Graph, Network

Crowd = Callable[[int], Floats]


@pytest.fixture(scope="module")
def vectors(crowd: Crowd) -> Floats:
    return crowd(500)


@pytest.fixture(scope="module")
def fitted(vectors: Floats) -> Layout:
    return fit_umap(vectors[:400], seed=0)


@pytest.fixture(scope="module")
def graph(fitted: Layout) -> Graph:
    assert fitted.graph is not None
    return fitted.graph


@pytest.fixture(scope="module")
def network(vectors: Floats, fitted: Layout, graph: Graph) -> Network:
    with threadpool_limits(1):
        return parametric_umap.train(vectors[:400], fitted.positions, graph, seed=0)


def test_the_graph_names_each_image_s_neighbours_and_how_strongly_they_belong(vectors: Floats, graph: Graph) -> None:
    assert graph.rows.shape == graph.weights.shape == (400, 14)
    assert (graph.rows != np.arange(400)[:, None]).all()
    assert graph.weights.min() > 0.0
    assert graph.weights.max() <= 1.0
    assert (graph.weights[:, 0] >= graph.weights[:, -1]).mean() > 0.95


def test_images_it_never_saw_come_near_their_nearest(vectors: Floats, fitted: Layout, network: Network) -> None:
    nearest = (vectors[400:] @ vectors[:400].T).argmax(axis=1)
    off = np.linalg.norm(network.places(vectors[400:]) - fitted.positions[nearest], axis=1)
    chance = np.linalg.norm(fitted.positions[nearest[::-1]] - fitted.positions[nearest], axis=1)
    assert np.median(off) < 0.4 * np.median(chance)


def test_the_same_seed_gives_the_same_bits(vectors: Floats, fitted: Layout, graph: Graph, network: Network) -> None:
    with threadpool_limits(1):
        again = parametric_umap.train(vectors[:400], fitted.positions, graph, seed=0)
        other = parametric_umap.train(vectors[:400], fitted.positions, graph, seed=1)
    assert parametric_umap.to_onnx(again) == parametric_umap.to_onnx(network)
    assert parametric_umap.to_onnx(other) != parametric_umap.to_onnx(network)


def test_the_written_graph_agrees_with_numpy(vectors: Floats, network: Network) -> None:
    session = onnxruntime.InferenceSession(parametric_umap.to_onnx(network), providers=["CPUExecutionProvider"])
    for count in (1, 7, 500):
        (places,) = session.run(["position"], {"vector": vectors[:count]})
        extent = np.abs(network.places(vectors)).max()
        assert np.abs(places - network.places(vectors[:count])).max() <= 1e-5 * max(1.0, extent)


def test_it_moves_into_the_map_s_frame(vectors: Floats, fitted: Layout, network: Network) -> None:
    positions = layout.normalise(fitted.positions)
    how = layout.align(fitted.positions, positions, mirror=True)
    moved = network.moved(how).places(vectors)
    assert moved == pytest.approx(how.apply(network.places(vectors)), abs=1e-4)


def test_its_gradients_are_those_of_umap_s_loss(vectors: Floats, graph: Graph) -> None:
    """Against differences, in double precision, away from where pulls are cut."""
    rng = np.random.default_rng(3)
    place, drawn, pushed = rng.normal(size=(1, 3)), rng.normal(size=(1, 5, 3)) * 2, rng.normal(size=(1, 4, 3)) * 2
    weights = rng.random((1, 5))

    def loss(at: Floats) -> float:
        a, b = parametric_umap.A, parametric_umap.B
        near = a * (((at[:, None] - drawn) ** 2).sum(-1)) ** b
        far = a * (((at[:, None] - pushed) ** 2).sum(-1)) ** b
        attracted = (weights * np.log1p(near)).sum()
        repelled = -np.log(far / (1 + far)).sum() * parametric_umap.NEGATIVES / 4 * weights.sum()
        return float(attracted + repelled)

    steps = np.eye(3) * 1e-5
    wanted = [(loss(place + step) - loss(place - step)) / 2e-5 for step in steps]
    assert parametric_umap._slopes(place, drawn, weights, pushed)[0] == pytest.approx(wanted, rel=5e-3, abs=5e-3)
