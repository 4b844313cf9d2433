"""The parametric UMAP: a small network from an image's vector to its place, trained on the map's graph.

UMAP's loss with one end of each edge held: an image's place is what the network gives, its neighbours and the images it
is pushed from stand where the layout put them. So the network speaks in the map's own frame, and every step costs one
pass (Sainburg, McInnes and Gentner 2021 train both ends and get a map of their own). Dense layers, their gradients and
Adam in numpy, written out as ONNX. One seed gives the same bits on one machine, whatever the number of threads.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from atlas_rt.core.arrays import Floats, Ints
from atlas_rt.mapping.attraction_curve import A, B
from atlas_rt.mapping.layout import Similarity

HIDDEN = (128, 128)
BATCH = 256
PUSHED = 8
"""Images drawn at random that each image of a batch is pushed from."""
NEGATIVES = 5.0
"""UMAP's negative samples: what those pushes weigh together, times an image's edges."""
EPOCHS, EPOCHS_LARGE, LARGE = 20, 8, 10_000
"""A 25th of UMAP's own, which are 500 up to 10,000 images and 200 above."""
RATE, FIRST_DECAY, SECOND_DECAY, TINY = 3e-3, 0.9, 0.999, 1e-8
"""Of Adam (Kingma and Ba 2015); the rate falls to nothing along half a cosine."""
GRADIENT_MAX = 4.0
"""By which UMAP cuts each pull and push."""
TOO_NEAR = 1e-3
"""Squared distance that is added in a push, as UMAP does."""

OPSET, IR = 17, 8


@dataclass(frozen=True, slots=True)
class Graph:
    """What a map was laid out by. rows (n, k): the neighbours of each image; weights (n, k): of UMAP's fuzzy set."""

    rows: Ints
    weights: Floats


@dataclass(frozen=True, slots=True)
class Network:
    """Dense layers, relu between them: weights (inputs, outputs) and biases (outputs,) of each, float32."""

    weights: tuple[Floats, ...]
    biases: tuple[Floats, ...]

    def places(self, vectors: Floats) -> Floats:
        """(n, dim) -> (n, 3) float32."""
        return self.activations(vectors)[-1]

    def activations(self, vectors: Floats) -> list[Floats]:
        """What goes into each layer, and what comes out of the last."""
        states = [vectors]
        for layer, (weights, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            states.append(states[-1] @ weights + bias)
            if layer < len(self.weights) - 1:
                np.maximum(states[-1], 0.0, out=states[-1])
        return states

    def moved(self, how: Similarity) -> Network:
        """The same network in another frame: `how` applied to its places."""
        turn = (how.scale * how.turn).astype(np.float32)
        last = (self.biases[-1] @ turn + how.shift).astype(np.float32)
        return Network((*self.weights[:-1], self.weights[-1] @ turn), (*self.biases[:-1], last))


def train(
    vectors: Floats,
    positions: Floats,
    graph: Graph,
    *,
    seed: int,
    progress: Callable[[float], None] | None = None,
) -> Network:
    """vectors (n, dim) unit, positions (n, 3) in UMAP's own units, in the rows of the graph. A fifth of the layout's
    time, and never more. To be called where BLAS has one thread, as its last bits depend on them."""
    random = np.random.default_rng(seed)
    network, mean = _started(vectors, positions, random), vectors.mean(axis=0)
    parameters = [*network.weights, *network.biases]
    adam = _Adam(parameters)
    epochs = EPOCHS if len(vectors) <= LARGE else EPOCHS_LARGE
    steps = epochs * -(-len(vectors) // BATCH)
    usual = float(graph.weights.sum(axis=1).mean())
    for step, rows in enumerate(_batches(len(vectors), epochs, random)):
        states = network.activations(vectors[rows] - mean)
        pushed = random.integers(len(vectors), size=(len(rows), PUSHED))
        slope = _slopes(states[-1], positions[graph.rows[rows]], graph.weights[rows], positions[pushed])
        gradients = _gradients(network, states, slope / np.float32(usual * len(rows)))
        adam.step(gradients, 0.5 + 0.5 * np.cos(np.pi * step / steps))
        if progress:
            progress(step / steps)
    first = network.biases[0] - mean @ network.weights[0]
    return Network(network.weights, (first, *network.biases[1:]))


def _batches(count: int, epochs: int, random: np.random.Generator) -> Iterator[Ints]:
    for _ in range(epochs):
        order = random.permutation(count).astype(np.int32)
        yield from (order[start : start + BATCH] for start in range(0, count, BATCH))


def _started(vectors: Floats, positions: Floats, random: np.random.Generator) -> Network:
    """He's initialisation (2015), for inputs of the vectors' spread; the last layer starts at the map's middle."""
    sizes = (vectors.shape[1], *HIDDEN, 3)
    weights = [
        (random.standard_normal((ins, outs)) * np.sqrt(2.0 / ins)).astype(np.float32)
        for ins, outs in itertools.pairwise(sizes)
    ]
    spread = float(np.sqrt(((vectors - vectors.mean(axis=0)) ** 2).mean()))
    weights[0] /= np.float32(max(spread, 1e-6))
    biases = [np.zeros(outs, np.float32) for outs in sizes[1:]]
    biases[-1] += positions.mean(axis=0)
    return Network(tuple(weights), tuple(biases))


def _slopes(places: Floats, drawn: Floats, weights: Floats, pushed: Floats) -> Floats:
    """(b, 3): the gradient of UMAP's loss by each place. drawn (b, k, 3) of the neighbours, pushed (b, m, 3).

    McInnes, Healy and Melville (2018), section 3.2 and appendix.
    """
    a, b = np.float32(A), np.float32(B)
    away = places[:, None] - drawn
    squared = np.maximum(np.einsum("bkc,bkc->bk", away, away), np.float32(TOO_NEAR))
    power = squared ** (b - 1)
    pull = 2 * a * b * power / (1 + a * power * squared)
    away_from = places[:, None] - pushed
    squared = np.einsum("bkc,bkc->bk", away_from, away_from)
    push = 2 * b / ((np.float32(TOO_NEAR) + squared) * (1 + a * squared**b))
    share = np.float32(NEGATIVES / pushed.shape[1]) * weights.sum(axis=1)
    limit = np.float32(GRADIENT_MAX)
    pulls = np.clip(pull[..., None] * away, -limit, limit)
    pushes = np.clip(push[..., None] * away_from, -limit, limit)
    slopes: Floats = np.einsum("bk,bkc->bc", weights, pulls) - share[:, None] * pushes.sum(axis=1)
    return slopes


def _gradients(network: Network, states: list[Floats], slope: Floats) -> list[Floats]:
    """Of the weights of each layer, then of the biases."""
    weights, biases = [], []
    for layer in reversed(range(len(network.weights))):
        weights.append(states[layer].T @ slope)
        biases.append(slope.sum(axis=0))
        if layer:
            slope = (slope @ network.weights[layer].T) * (states[layer] > 0)
    return weights[::-1] + biases[::-1]


class _Adam:
    """Changes the arrays it is made with, in place."""

    def __init__(self, parameters: list[Floats]) -> None:
        self._parameters, self._steps = parameters, 0
        self._first, self._second = ([np.zeros_like(each) for each in parameters] for _ in range(2))

    def step(self, gradients: list[Floats], share: float) -> None:
        self._steps += 1
        rate = RATE * share * np.sqrt(1 - SECOND_DECAY**self._steps) / (1 - FIRST_DECAY**self._steps)
        for place, gradient in enumerate(gradients):
            first, second = self._first[place], self._second[place]
            first += np.float32(1 - FIRST_DECAY) * (gradient - first)
            second += np.float32(1 - SECOND_DECAY) * (gradient * gradient - second)
            self._parameters[place] -= np.float32(rate) * first / (np.sqrt(second) + np.float32(TINY))


def to_onnx(network: Network) -> bytes:
    """The network as a graph: `vector` (n, dim) float32 -> `position` (n, 3) float32."""
    from onnx import TensorProto, checker, helper, numpy_helper

    nodes, constants, name = [], [], "vector"
    for layer, (weights, bias) in enumerate(zip(network.weights, network.biases, strict=True)):
        constants += [
            numpy_helper.from_array(weights, f"weights{layer}"),
            numpy_helper.from_array(bias, f"bias{layer}"),
        ]
        last = layer == len(network.weights) - 1
        out = "position" if last else f"sum{layer}"
        nodes.append(helper.make_node("Gemm", [name, f"weights{layer}", f"bias{layer}"], [out]))
        if not last:
            name = f"state{layer}"
            nodes.append(helper.make_node("Relu", [out], [name]))
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "parametric UMAP",
        [value("vector", TensorProto.FLOAT, ["n", len(network.weights[0])])],
        [value("position", TensorProto.FLOAT, ["n", 3])],
        constants,
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR, producer_name="atlas_rt"
    )
    checker.check_model(model)
    serialised: bytes = model.SerializeToString()
    return serialised
