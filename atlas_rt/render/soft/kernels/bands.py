"""The picture in bands of rows, small enough for a core's cache: each is drawn whole before the next is begun.

Bands know nothing of each other, so any number of threads draws the same bits.
"""

from __future__ import annotations

import numpy as np

from atlas_rt.core.arrays import Floats, Ints
from atlas_rt.render.soft.kernels.backdrop import backdrop
from atlas_rt.render.soft.kernels.beacons import draw_marker, draw_rings
from atlas_rt.render.soft.kernels.cards import Tiles, draw_cards
from atlas_rt.render.soft.kernels.compiler import kernel
from atlas_rt.render.soft.kernels.lines import draw_segments
from atlas_rt.render.soft.kernels.records import Counts, Depths, Pixels, Records


@kernel
def draw_bands(
    frames: Records, nodes: Records, cards: Records, table: Floats, tiles: Tiles, is_still: bool,
    grid: Floats, cell_px: int, noise: Ints, card_starts: Counts, card_items: Counts,
    segments: Records, line_starts: Counts, line_items: Counts, rings: Records,
    rows: int, first: int, step: int, picture: Pixels, depths: Depths,
) -> None:  # fmt: skip
    """Draw every `step`th band of so many rows, from `first` on."""
    height, width = picture.shape
    columns = np.empty((4, width), np.uint32)
    for band in range(first, len(card_starts) - 1, step):
        top, bottom = band * rows, min((band + 1) * rows, height)
        backdrop(grid, cell_px, noise, picture, depths, top, bottom)
        draw_cards(
            frames, nodes, cards, table, tiles, is_still, card_items, card_starts[band], card_starts[band + 1],
            columns, picture, depths, top, bottom,
        )  # fmt: skip
        draw_segments(
            frames,
            segments,
            cards,
            line_items,
            line_starts[band],
            line_starts[band + 1],
            picture,
            depths,
            top,
            bottom,
        )
        draw_rings(rings, picture, depths, top, bottom)
        draw_marker(frames, nodes[-1], picture, top, bottom)
