"""The frame beside a peer's: the scene it is given, how alike two pictures are. How fast either is, no test asks."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from atlas_rt.bench.likeness import likeness
from atlas_rt.bench.peer import Peer, write_scene
from atlas_rt.bench.scene import enlarged, made_arrival, radius
from atlas_rt.core.arrays import Bytes
from atlas_rt.errors import MissingError

SIZE_PX = (320, 180)


@pytest.fixture(scope="module")
def noise() -> Bytes:
    small = np.random.default_rng(1).integers(0, 255, (18, 32, 3), np.uint8)
    return np.kron(small, np.ones((10, 10, 1), np.uint8)).astype(np.uint8)


def test_likeness_falls_with_what_differs_and_leaves_out_what_is_empty(noise: Bytes) -> None:
    empty = np.zeros_like(noise)
    assert likeness(noise, noise, empty, empty) == pytest.approx(1.0)
    slightly = np.clip(noise.astype(np.int16) + np.random.default_rng(2).normal(0, 12, noise.shape), 0, 255)
    other = np.ascontiguousarray(noise[::-1])
    alike = likeness(slightly.astype(np.uint8), noise, empty, empty)
    assert 0.6 < alike < 0.99
    assert likeness(other, noise, empty, empty) < 0.3
    assert likeness(empty, noise, empty, empty) < 0.3
    half, mine = noise.copy(), slightly.astype(np.uint8)
    half[90:], mine[90:] = 0, 0  # where neither shows anything, nothing is compared
    assert likeness(mine, half, empty, empty) == pytest.approx(alike, abs=0.05)
    assert likeness(empty, empty, empty, empty) == 1.0


def test_a_scene_is_written_as_the_peer_reads_it(tmp_path: Path) -> None:
    arrival = made_arrival(300)
    write_scene(arrival, tmp_path, size_px=SIZE_PX)
    facts = json.loads((tmp_path / "scene.json").read_text())
    assert (facts["nodes"], facts["cell"], facts["width"], facts["height"]) == (300, 32, *SIZE_PX)
    positions = np.fromfile(tmp_path / "positions.f32", "<f4").reshape(-1, 3)
    assert np.array_equal(positions, arrival.scene.positions)
    edges = np.fromfile(tmp_path / "edges.u32", "<u4").reshape(-1, 2)
    assert np.array_equal(edges, arrival.scene.edges)
    assert len(edges) == facts["edges"]
    cells = np.fromfile(tmp_path / "cells.rgba", np.uint8).reshape(300, 32, 32, 4)
    assert np.array_equal(cells[..., :3], arrival.pixels)
    assert (cells[..., 3] == 255).all()


def test_a_real_scene_is_enlarged_by_copies_that_stand_close_by() -> None:
    arrival = made_arrival(400)
    grown = enlarged(arrival, 2000).scene
    assert np.array_equal(grown.positions[:400], arrival.scene.positions)
    away = np.linalg.norm(grown.positions[400:] - np.tile(arrival.scene.positions, (4, 1)), axis=1)
    assert np.allclose(away, away[0], rtol=1e-3)
    assert 0.0 < away[0] < 0.5 * radius(arrival.scene.positions)
    assert np.array_equal(grown.tiles[400:800], arrival.scene.tiles)
    assert set(np.bincount(grown.edges[:, 0], minlength=2000)) == {5}


def test_without_its_tools_the_peer_says_what_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingError, match=r"the peer needs node, npm, chromium; on Debian: apt install"):
        Peer()
