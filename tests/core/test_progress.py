"""What the engine is doing and how long it takes, in words."""

from __future__ import annotations

from atlas_rt.core.progress import duration


def test_a_duration_is_told_in_two_units_at_most() -> None:
    told = [duration(secs) for secs in (-1.0, 0.2, 41.4, 59.6, 200, 7800, 90_000)]
    assert told == ["0 s", "0 s", "41 s", "1 min 0 s", "3 min 20 s", "2 h 10 min", "25 h 0 min"]
