"""Amounts of data in words."""

from __future__ import annotations


def data_size(count: float) -> str:
    """Bytes as a person says them, in powers of ten: "812 B", "1.4 MB", "2,048 GB"."""
    for unit in ("B", "kB", "MB"):
        if count < 999.5:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 99.95 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:,.0f} GB" if count >= 99.95 else f"{count:.1f} GB"
