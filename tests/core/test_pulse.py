"""Light along edges: fronts walk outward at a constant pace and grow faint."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from atlas_rt.core.pulse import FADE, PACE, SPACING, WIDTH, ambient_pulse, pulse, strength_of
from tests.core.test_visibility import make_view

LINE = np.linspace(0.0, 0.8, 801, dtype=np.float32)
BEGIN = SPACING / 2.0 / PACE
"""When a front sets off."""


def front(light: np.ndarray) -> float:
    return float(LINE[np.argmax(light)])


@pytest.mark.parametrize("secs", [0.5, 1.0, 2.0])
def test_a_front_walks_outward_at_its_pace(secs: float) -> None:
    far = np.full_like(LINE, 1e6)
    assert front(pulse(LINE, far, BEGIN + secs)) == pytest.approx(PACE * secs, abs=0.01)


def test_fronts_that_come_over_both_ends_meet_in_the_middle() -> None:
    light = pulse(LINE, LINE[::-1].copy(), BEGIN + 0.4 / PACE)
    assert front(light) == pytest.approx(0.4, abs=0.01)
    assert light[0] < 0.01 * light.max()


def test_fronts_grow_faint_with_the_distance_walked() -> None:
    at = np.array([0.0, 1.0], np.float32) * np.float32(SPACING)
    near, far = pulse(at, at, BEGIN)
    assert far / near == pytest.approx(np.exp(-FADE * SPACING), rel=1e-3)
    assert WIDTH < SPACING / 4.0  # a front is a spark and no glow


def test_without_a_source_each_edge_has_its_own_front() -> None:
    one, other = (front(ambient_pulse(LINE, np.float32(phase), 3.0)) for phase in (0.3, 0.7))
    assert abs(one - other) > 2.0 * WIDTH


def test_how_strong_the_fronts_are() -> None:
    view = dataclasses.replace(make_view([[0, 0, 0]]), ambient=1.0)
    reached = dataclasses.replace(view, reached=np.zeros(1, np.float32))
    assert strength_of(dataclasses.replace(reached, selected=(0,))) == 1.0
    assert strength_of(dataclasses.replace(reached, light_mix=0.5)) == 0.5
    assert 0.0 < strength_of(view) < 0.3
    assert strength_of(dataclasses.replace(reached, selected=(0,), ambient=0.0)) == 0.0  # reduced motion
