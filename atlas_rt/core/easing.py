"""How a movement begins and ends."""

from __future__ import annotations


def smootherstep(t: float) -> float:
    """0..1 -> 0..1 with zero velocity and acceleration at both ends (Perlin 2002)."""
    t = min(max(t, 0.0), 1.0)
    return t * t * t * (t * (6.0 * t - 15.0) + 10.0)
