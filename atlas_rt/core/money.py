"""Amounts of money in words."""

from __future__ import annotations


def money(usd: float) -> str:
    """An amount with as many digits as it takes to see it: "$0.0005", "$1.20"."""
    if usd and abs(usd) < 0.1:
        digits = max(0, -int(f"{usd:e}".partition("e")[2])) + 1
        return f"${usd:.{digits}f}"
    return f"${usd:,.2f}"
