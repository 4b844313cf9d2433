"""Layouts that move on while springs hold some images."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from atlas_rt.core.arrays import Floats, Ints
from atlas_rt.mapping.anchored_refit import relax
from atlas_rt.mapping.fit import fit_umap

Crowd = Callable[[int], Floats]
Edges = tuple[Ints, Ints, Floats]


@pytest.fixture(scope="module")
def chain() -> Edges:
    """Each image joined to the next, both ways."""
    heads = np.arange(49, dtype=np.int32)
    return np.r_[heads, heads + 1], np.r_[heads + 1, heads], np.ones(98, np.float32)


@pytest.fixture(scope="module")
def start() -> Floats:
    return np.random.default_rng(1).normal(size=(50, 3)).astype(np.float32) * 5


def test_held_images_stay_near_and_free_ones_go_to_their_neighbours(start: Floats, chain: Edges) -> None:
    held = np.arange(50) < 40
    moved = np.linalg.norm(relax(start, held, chain, seed=0) - start, axis=1)
    assert np.median(moved[~held]) > 5 * np.median(moved[held])


def test_stiffer_springs_let_them_move_less(start: Floats, chain: Edges) -> None:
    held = np.ones(50, np.bool_)
    shifts = [
        np.median(np.linalg.norm(relax(start, held, chain, seed=0, stiffness=each) - start, axis=1))
        for each in (0.1, 1.0, 10.0)
    ]
    assert shifts == sorted(shifts, reverse=True)
    assert shifts[-1] > 0.0


def test_one_seed_gives_the_same_bits_and_leaves_the_start_alone(start: Floats, chain: Edges) -> None:
    held, before = np.arange(50) < 25, start.copy()
    one, same, other = (relax(start, held, chain, seed=seed) for seed in (3, 3, 4))
    assert (one == same).all()
    assert (one != other).any()
    assert (start == before).all()


def test_a_fit_that_is_held_keeps_the_old_places(crowd: Crowd) -> None:
    vectors = crowd(330)
    old = fit_umap(vectors[:300], seed=0).positions
    nearest = (vectors[300:] @ vectors[:300].T).argmax(axis=1)
    start = np.concatenate([old, old[nearest] + 0.1])
    new = fit_umap(vectors, seed=0, start=start, held=np.arange(330) < 300).positions
    radius = np.percentile(np.linalg.norm(old - old.mean(axis=0), axis=1), 95)
    assert np.median(np.linalg.norm(new[:300] - old, axis=1)) < 0.05 * radius
