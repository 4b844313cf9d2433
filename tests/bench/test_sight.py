"""What `bench sight` measures, on a small scene."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from atlas_rt.bench import scene, sight
from atlas_rt.core.hud import VisitedImage
from atlas_rt.search.vector_index import VectorIndex

pytestmark = pytest.mark.gpu


def test_flights_are_measured_by_both_renderers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sight, "BEST", 1)
    monkeypatch.setattr(sight, "SETUPS", (sight.Setup(", small", (640, 480), (720, 400), 1.0),))
    made = scene.made_arrival(300)
    vectors = scene.vectors_of_places(made.scene.positions)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    report = sight.measure(replace(made, vector_index=VectorIndex(vectors)), images=1, queries=1)
    assert [bar.name for bar in report.bars] == [
        "sight, software, small", "sight, software, small, size", "sight, gl, small", "sight, gl, small, size",
    ]  # fmt: skip
    assert all(bar.holds for bar in report.bars)
    assert (report.raw["cases"], report.raw["nodes"]) == (2, 300)


def test_what_lies_over_a_card_is_not_seen() -> None:
    card = VisitedImage(1, 20.0, 20.0, 80.0, 60.0, 1.0)
    alone = np.zeros((100, 100, 3), np.uint8)
    alone[20:60, 20:80] = 120
    frame = alone.copy()
    frame[:20] = frame[60:] = 200  # beside it
    assert sight.seen(frame, alone, card) == 1.0
    frame[20:60, 50:80, 1] += 16
    assert sight.seen(frame, alone, card) == 1.0
    frame[20:60, 50:80, 1] += 1
    assert sight.seen(frame, alone, card) == pytest.approx(0.5, abs=0.03)
    assert sight.seen(frame, alone, replace(card, left=200.0, right=260.0)) == 0.0
