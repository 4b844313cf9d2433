"""One frame of the cloud, from a View to an array of pixels, on the processor.

The order: all rows are projected; those on screen are sorted from front to back, edges become segments; both are listed
for bands of rows. Then each band is drawn whole: backdrop (with the glow of the nodes, summed small and blurred once),
cards, each pixel once, and what adds light: edges, rings, the live marker. Two threads share the rows and then the
bands; what they draw does not depend on how many they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from atlas_rt.core.arrays import Bytes, Floats, Ints
from atlas_rt.core.images import Tile
from atlas_rt.core.quality import LADDER, Step
from atlas_rt.core.scene import View
from atlas_rt.core.visibility import NO_NODES, near_nodes
from atlas_rt.render.draw_figures import DrawFigures
from atlas_rt.render.frame import FrameBlock
from atlas_rt.render.node_tiles import MEDIUM_FROM_PX, NodeTiles
from atlas_rt.render.soft.kernels.bands import draw_bands
from atlas_rt.render.soft.kernels.bins import bin_cards, bin_segments
from atlas_rt.render.soft.kernels.projection import BUCKETS, project, sort
from atlas_rt.render.soft.kernels.records import SEGMENT, Counts, Pixels, Records
from atlas_rt.render.soft.kernels.segments import make_segments
from atlas_rt.render.soft.refinement import PASSES, Refinement, Shift
from atlas_rt.render.soft.rings import rings_of
from atlas_rt.render.soft.rows import RowData
from atlas_rt.render.soft.space import Space, ordered_dither
from atlas_rt.render.soft.tiles import SmallTiles, Table, TileCache

STEP: Step = LADDER[0]
"""Sizes and strengths are those of the richest step."""
MEDIUM_SLOTS, LARGE_SLOTS = 256, 24
"""30 and 34 MB at most."""
LEAST_EDGES = 2500
"""A share of the edges is at least so many."""
LOOK_SECS = 0.05
"""How long the list of near nodes, and so of wanted tiles, may be old."""
BAND_PX = 92160
"""Pixels of a band: 72 rows of 1280. With their depths 0.55 MB, which fits in the second cache of a core."""
LEAST_BANDS, LEAST_ROWS = 8, 4
DITHER = ordered_dither()

STRAIGHT: Shift = (np.float32(0.0), np.float32(0.0))


class Rasterizer:
    """Owns the pixels, the tiles and the rows. All calls on one thread."""

    def __init__(self, *, threads: int = 2) -> None:
        self._threads = max(threads, 1)
        self._pool = ThreadPoolExecutor(self._threads - 1, "rasterizer") if self._threads > 1 else None
        self._small = SmallTiles()
        self._medium = TileCache(level=1, count=MEDIUM_SLOTS)
        self._large = TileCache(level=2, count=LARGE_SLOTS)
        self._table = Table()
        self._tiles = NodeTiles(self._small, (self._medium, self._large), self._table)
        self._rows = RowData()
        self._block = FrameBlock()
        self._canvas = Canvas((0, 0))
        self._lists = Lists()
        self._near = NO_NODES
        self._near_of: tuple[object, float] = (None, 0.0)
        self.figures = DrawFigures()

    def load_small(self, tiles: Ints, pixels: Bytes) -> None:
        """Keep small tiles: `pixels` (k, 32, 32, 3 or 4) for the tile records `tiles` (k,)."""
        self._tiles.load_small(tiles, pixels)

    def staging(self, tiles: Ints, pixels: Bytes) -> Iterator[None]:
        """As `load_small` in short steps, with room made for all of them first."""
        yield from self._tiles.staging(tiles, pixels)

    def accept(self, tile: Tile) -> None:
        """Keep one tile; it fades in over the coarser one."""
        self._tiles.accept(tile)

    def clear(self) -> None:
        """Forget every tile, because another library is shown from now on."""
        self._tiles.clear()
        self._near, self._near_of = NO_NODES, (None, 0.0)

    def wanted(self, view: View) -> list[tuple[int, int]]:
        """(id, level) of the medium and large tiles to fetch now, medium before large and nearest first.

        Cheap enough for every frame: it looks around again every LOOK_SECS.
        """
        scene, looked_secs = self._near_of
        if scene is not view.scene or abs(view.time_secs - looked_secs) >= LOOK_SECS:
            self._near = near_nodes(view, MEDIUM_FROM_PX)
            self._near_of = view.scene, view.time_secs
        return self._tiles.wanted(self._near, view.scene)

    def release(self) -> None:
        """End the threads; the rasterizer is of no use afterwards."""
        if self._pool is not None:
            self._pool.shutdown()

    def draw(self, view: View, *, edge_share: float = 1.0, glow: bool = True) -> Pixels:
        """(h, w) 0xFFRRGGBB, top row first, valid until the next call.

        edge_share: of the edges, the most visible first. glow: light behind every node; what a search found has it
        anyway.
        """
        return self.draw_sample(view, edge_share=edge_share, glow=glow, shift=STRAIGHT, is_still=False)

    def refined(self, view: View, passes: int = PASSES) -> Refinement:
        """The picture of a view at rest, to be made step by step; of no use once another view was drawn."""
        return Refinement(
            lambda shift: self.draw_sample(view, edge_share=1.0, glow=True, shift=shift, is_still=True),
            view,
            passes=passes,
        )

    def draw_sample(self, view: View, *, edge_share: float, glow: bool, shift: Shift, is_still: bool) -> Pixels:
        """As `draw`. shift: pixels by which all but the backdrop is moved. is_still: with blended texels in every card,
        and soft edges 1 to 5 px wide instead of lines of one."""
        if view.size_px != self._canvas.size_px:
            self._canvas = Canvas(view.size_px)
        canvas, rows, lists = self._canvas, self._rows, self._lists
        if not canvas.picture.size:
            return canvas.picture
        rows.update(view)
        self._tiles.update(view.scene, view.leaving, view.time_secs)
        edges = min(len(rows.ends), max(int(len(rows.ends) * edge_share), LEAST_EDGES))
        frames = self._frames(view, edges)
        count = self._project(frames, shift)
        listing = self._begin(lambda: self._list_edges(frames, edges, shift, is_still))
        sort(rows.nodes, lists.visible, count, lists.ordered, lists.buckets)
        lists.card_items = _binned(bin_cards, canvas, lists.card_items, rows.nodes, lists.ordered, count, lines=False)
        grid = canvas.space.grid(view, frames, rows.nodes, rows.cards, lists.visible, count, glow=glow)
        rings = rings_of(view, rows.nodes)
        segments = listing()
        self._draw_bands(frames, grid, rings, is_still)
        self.figures = DrawFigures("software", len(view.scene.ids), count, segments)
        return canvas.picture

    def _frames(self, view: View, edges: int) -> Records:
        self._block.fill(view, STEP, edges=edges, sprite_px=0.0)
        return self._block.values.reshape(1)

    def _project(self, frames: Records, shift: Shift) -> int:
        """Fill the nodes, and list which are on screen; how many these are."""
        rows, lists = self._rows, self._lists
        total = len(rows.nodes)
        lists.reserve_nodes(total)

        def part(first: int, last: int) -> int:
            return project(
                frames, rows.places, rows.old_places, rows.lights, rows.tiers, rows.cards, shift, rows.nodes,
                first, last, lists.visible,
            )  # fmt: skip

        middle = total // 2 if self._threads > 1 else total
        later = self._begin(lambda: part(middle, total))
        count = part(0, middle)
        more: int = later()
        lists.visible[count : count + more] = lists.visible[middle : middle + more]
        return count + more

    def _list_edges(self, frames: Records, edges: int, shift: Shift, is_still: bool) -> int:
        """Make the segments of the first `edges` and of the marker's links, and list them by bands."""
        rows, lists, canvas = self._rows, self._lists, self._canvas
        link_ends, link_strengths = rows.links
        lists.reserve_segments(edges + len(link_ends))
        count = make_segments(
            frames, rows.nodes, rows.ends[:edges], rows.strengths[:edges], rows.reached, shift, is_still, lists.segments
        )
        count += make_segments(
            frames, rows.nodes, link_ends, link_strengths, rows.reached, shift, True, lists.segments[count:]
        )  # fmt: skip
        lists.line_items = _binned(bin_segments, canvas, lists.line_items, lists.segments, count, lines=True)
        return count

    def _draw_bands(self, frames: Records, grid: Floats, rings: Records, is_still: bool) -> None:
        rows, lists, canvas = self._rows, self._lists, self._canvas
        tiles = self._small.texels, self._medium.texels, self._large.texels

        def part(first: int) -> None:
            draw_bands(
                frames, rows.nodes, rows.cards, self._table.rows, tiles, is_still, grid, canvas.space.cell_px, DITHER,
                canvas.card_starts, lists.card_items, lists.segments, canvas.line_starts, lists.line_items, rings,
                canvas.rows, first, self._threads, canvas.picture, canvas.depths,
            )  # fmt: skip

        others = [self._begin(lambda first=first: part(first)) for first in range(1, self._threads)]  # type: ignore[misc]
        part(0)
        for other in others:
            other()

    def _begin(self, work: Callable[[], Any]) -> Callable[[], Any]:
        """Begin work on another thread, where there is one; what is returned waits for it and gives its result."""
        if self._pool is not None:
            return self._pool.submit(work).result
        result = work()
        return lambda: result


class Canvas:
    """The pixels of one size, and the bands they are drawn in."""

    def __init__(self, size_px: tuple[int, int]) -> None:
        width, height = size_px
        self.size_px = size_px
        self.picture: Pixels = np.zeros((height, width), np.uint32)
        self.depths = np.zeros((height, width), np.uint16)
        if not self.picture.size:
            return
        self.space = Space(size_px)
        self.rows = min(max(BAND_PX // width, LEAST_ROWS), max(-(-height // LEAST_BANDS), LEAST_ROWS))
        self.bands = -(-height // self.rows)
        self.card_starts: Counts = np.zeros(self.bands + 1, np.int32)
        self.line_starts: Counts = np.zeros(self.bands + 1, np.int32)


class Lists:
    """Room for the lists of one frame, which grows when it must."""

    def __init__(self) -> None:
        self.visible: Counts = np.zeros(0, np.int32)
        self.ordered: Counts = np.zeros(0, np.int32)
        self.buckets: Counts = np.zeros(0, np.int32)
        self.segments: Records = np.zeros(0, SEGMENT)
        self.card_items: Counts = np.zeros(0, np.int32)
        self.line_items: Counts = np.zeros(0, np.int32)

    def reserve_nodes(self, count: int) -> None:
        if len(self.visible) < count:
            self.visible, self.ordered = np.zeros((2, count + count // 4), np.int32)
            self.buckets = np.zeros(BUCKETS + 1 + len(self.visible), np.int32)

    def reserve_segments(self, count: int) -> None:
        if len(self.segments) <= count:
            self.segments = np.zeros(count + count // 4 + 1, SEGMENT)


def _binned(kernel: Callable[..., int], canvas: Canvas, items: Counts, *of: object, lines: bool) -> Counts:
    """Fill `items` by bands, or a longer array where it is too short, and return it."""
    starts = canvas.line_starts if lines else canvas.card_starts
    ends = np.empty(canvas.bands, np.int32)
    total = kernel(*of, canvas.rows, starts, items, ends)
    if total > len(items):
        items = np.zeros(total + total // 4, np.int32)
        kernel(*of, canvas.rows, starts, items, ends)
    return items
