"""Which band of the picture each card and each edge touches: lists for every band, in the order they came in."""

from __future__ import annotations

import numpy as np

from atlas_rt.render.soft.kernels.compiler import kernel, part
from atlas_rt.render.soft.kernels.pixels import HALF, ONE, ZERO, f32
from atlas_rt.render.soft.kernels.records import Counts, Records


@part
def band_of(y: f32, bands: int, share: f32) -> int:
    """The band of a height in pixels, or the nearest one. share: one over the rows of a band."""
    return int(min(max(y * share, ZERO), f32(bands - 1)))


@part
def _starts(starts: Counts, ends: Counts) -> int:
    """Counts of each band (at 1 + band) -> where its list begins, in both arrays; returns the length of all."""
    for band in range(len(ends)):
        ends[band] = starts[band]
        starts[band + 1] += starts[band]
    return int(starts[len(ends)])


@kernel
def bin_cards(
    nodes: Records, ordered: Counts, count: int, rows: int, starts: Counts, items: Counts, ends: Counts
) -> int:
    """items[starts[b] : starts[b + 1]]: the rows whose card touches band b, front to back.

    Returns how many items there are; if that is more than `items` holds, they are not written.
    """
    bands, share = len(ends), ONE / f32(rows)
    for band in range(len(starts)):
        starts[band] = 0
    for at in range(count):
        node = nodes[ordered[at]]
        reach = node.down + ONE
        for band in range(band_of(node.y - reach, bands, share), band_of(node.y + reach, bands, share) + 1):
            starts[band + 1] += 1
    total = _starts(starts, ends)
    if total > len(items):
        return total
    for at in range(count):
        node = nodes[ordered[at]]
        reach = node.down + ONE
        for band in range(band_of(node.y - reach, bands, share), band_of(node.y + reach, bands, share) + 1):
            items[ends[band]] = ordered[at]
            ends[band] += 1
    return total


@kernel
def bin_segments(segments: Records, count: int, rows: int, starts: Counts, items: Counts, ends: Counts) -> int:
    """The same for the first `count` segments of edges."""
    bands, share = len(ends), ONE / f32(rows)
    for band in range(len(starts)):
        starts[band] = 0
    for at in range(count):
        segment = segments[at]
        reach = max(segment.reach0, segment.reach1) * f32(1.5) + HALF
        low, high = min(segment.y0, segment.y1) - reach, max(segment.y0, segment.y1) + reach
        for band in range(band_of(low, bands, share), band_of(high, bands, share) + 1):
            starts[band + 1] += 1
    total = _starts(starts, ends)
    if total > len(items):
        return total
    for at in range(count):
        segment = segments[at]
        reach = max(segment.reach0, segment.reach1) * f32(1.5) + HALF
        low, high = min(segment.y0, segment.y1) - reach, max(segment.y0, segment.y1) + reach
        for band in range(band_of(low, bands, share), band_of(high, bands, share) + 1):
            items[ends[band]] = np.int32(at)
            ends[band] += 1
    return total
