"""How a movement begins and ends."""

from __future__ import annotations

import pytest

from atlas_rt.core.easing import smootherstep


def test_smootherstep_rests_at_both_ends() -> None:
    assert smootherstep(0.0) == 0.0
    assert smootherstep(1.0) == 1.0
    assert smootherstep(0.01) < 1e-4
    assert smootherstep(-1.0) == 0.0
    assert smootherstep(2.0) == 1.0
    assert smootherstep(0.5) == pytest.approx(0.5)
