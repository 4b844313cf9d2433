"""The flat wall as cells: each image in one of its own, next to its neighbours, and in its place when others come."""

from __future__ import annotations

import numpy as np
import pytest

from atlas_rt.bench.scene import made_vectors
from atlas_rt.core.arrays import Floats, Ints
from atlas_rt.mapping import wall
from atlas_rt.mapping.layout import normalise, principal_axes
from atlas_rt.mapping.map_quality import quality_of
from atlas_rt.mapping.neighbours import knn

COUNT = 600


@pytest.fixture(scope="module")
def library() -> tuple[Floats, Floats, Ints]:
    """Vectors, positions and neighbours."""
    vectors = made_vectors(COUNT, 32, seed=3)
    rows = knn(vectors, 14)[1]
    pairs = np.stack([np.repeat(np.arange(COUNT), 14), rows.ravel()], axis=1).astype(np.int32)
    return vectors, normalise(principal_axes(vectors)), pairs


def recall(vectors: Floats, cells: Ints) -> float:
    return quality_of(vectors, np.pad(cells, ((0, 0), (0, 1))).astype(np.float32)).recall


def one_each(cells: Ints) -> bool:
    return len(np.unique(cells, axis=0)) == len(cells)


def test_every_image_has_a_cell_of_its_own_next_to_its_neighbours(library: tuple[Floats, Floats, Ints]) -> None:
    vectors, positions, pairs = library
    cells = wall.made(positions, pairs, seed=1)
    assert one_each(cells)
    assert (cells.max(axis=0) - cells.min(axis=0) < [40, 25]).all()
    spread = recall(vectors, wall.made(positions, pairs[:0], seed=1))
    assert recall(vectors, cells) > max(1.3 * spread, 5 * 15 / COUNT)
    assert np.array_equal(cells, wall.made(positions, pairs, seed=1))


def test_those_that_come_take_free_cells_and_nobody_moves(library: tuple[Floats, Floats, Ints]) -> None:
    _, positions, pairs = library
    known = np.arange(COUNT) % 10 != 0
    new_row = np.cumsum(known) - 1
    inner = new_row[pairs[known[pairs].all(axis=1)]].astype(np.int32)
    cells = np.zeros((COUNT, 2), np.int32)
    cells[known] = wall.made(positions[known], inner, seed=1)
    grown = wall.grown(cells, known, pairs, positions)
    assert one_each(grown)
    assert np.array_equal(grown[known], cells[known])
    lost = wall.grown(cells, known, pairs, np.roll(positions, 300, axis=0))
    assert np.array_equal(lost, grown)  # by whom they are paired with
    mean = [float(np.abs(grown[one] - grown[other]).mean()) for one, other in (pairs[~known[pairs[:, 0]]].T, (0, 300))]
    assert mean[0] < 12.0


def test_a_full_wall_gets_a_border(library: tuple[Floats, Floats, Ints]) -> None:
    _, positions, pairs = library
    known = np.arange(COUNT) < 50
    cells = np.zeros((COUNT, 2), np.int32)
    cells[known] = wall.made(positions[known], pairs[:0], seed=1)
    grown = wall.grown(cells, known, pairs[:0], positions)
    assert one_each(grown)
    assert np.array_equal(grown[known], cells[known])


@pytest.mark.parametrize("count", [0, 1, 2, 9])
def test_a_few_images_have_a_wall_too(count: int) -> None:
    positions = np.random.default_rng(0).normal(size=(count, 3)).astype(np.float32)
    cells = wall.made(positions, np.zeros((0, 2), np.int32), seed=0)
    assert cells.shape == (count, 2)
    assert one_each(cells)


def test_copies_on_one_spot_stand_apart() -> None:
    positions = np.zeros((200, 3), np.float32)
    assert one_each(wall.made(positions, np.zeros((0, 2), np.int32), seed=0))
