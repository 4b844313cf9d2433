"""The flat wall: every image in a cell of its own of a grid, next to its neighbours.

A map is seen from its broad side, each image goes to the nearest free cell, and then pairs of cells exchange what is in
them as long as that brings images nearer to their neighbours: first by how far these are, which pulls groups together,
and in the end only by which are among the nearest at all. Assignments to grids by exchange: Barthel et al., Improved
Evaluation and Generation of Grid Layouts using Distance Preservation Quality and Linear Assignment Sorting (2023).
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atlas_rt import kernel_cache
from atlas_rt.core.arrays import Floats, Ints

ROOM = 1.4
"""Cells for an image: what is left free lets groups stand apart, and new images in. Of 5,500 drawings 0.393 of the 15
nearest stand among the 15 nearest with 1.1, 0.411 here, and 0.417 with 1.6 (UMAP in two dimensions: 0.397)."""
LEAST_ROOM = 1.2
"""With fewer cells left for an image, the grid gets a border of new ones."""
ASPECT = 1.6
"""Width by height."""
GATHERING, SORTING = 12, 8
"""Rounds that bring groups together, and those that sort them."""
REACH = (4.0, 1.5)
"""Cells within which gathering tells near from nearer, in the first and the last of its rounds."""
NEAREST = 10.0
"""Square of the distance, in cells, beyond which sorting takes all for equally far: the 15 nearest lie within."""
STEPS = (3, 1)
"""Cells around where an exchange is aimed, in the first and the last round."""
TRIES = 6
"""Exchanges that are tried for each image in a round."""
_DISCS = (6, 24, 96, 384)
"""Radii of the discs in which a free cell is looked for, one after the other."""


def made(positions: Floats, pairs: Ints, *, seed: int, start: Ints | None = None) -> Ints:
    """(n, 2) int32 cells, column and row from the lower left, of images at positions (n, 3) of a map.

    pairs: (m, 2) rows that belong next to each other. start: (n, 2) cells of a wall to begin with. The same words give
    the same wall. 0.2 s at 5,000, 7 s at 100,000; 1.4 s more where the kernel is to be compiled.
    """
    count = len(positions)
    size = _grid_of(count)
    cells = _settled(_spread((positions if start is None else start)[:, :2], size), size)
    if count < 3 or not len(pairs):
        return cells
    graph, places = _graph(pairs, count), np.ascontiguousarray(cells.T)
    grid = np.full(size, -1, np.int32)
    grid[places[0], places[1]] = np.arange(count, dtype=np.int32)
    squares = np.arange(size[0] ** 2 + size[1] ** 2, dtype=np.float64)
    exchange, state = _kernel(), np.array([seed * 2 + 1], np.uint64)
    rounds = GATHERING + SORTING
    for round_ in range(rounds):
        share = min(round_ / (GATHERING - 1), 1.0)
        reach = REACH[0] * (REACH[1] / REACH[0]) ** share
        far = np.log1p(squares / reach**2) if round_ < GATHERING else np.minimum(squares, NEAREST)
        step = round(STEPS[0] + (STEPS[1] - STEPS[0]) * share)
        exchange(grid, places, graph, far.astype(np.float32), step, TRIES, state)
    return np.ascontiguousarray(places.T)


def warm_up() -> None:
    """Compile what a wall needs, in 1.4 s."""
    made(np.eye(3, dtype=np.float32), np.array([[0, 1], [1, 2]], np.int32), seed=0)


def grown(cells: Ints, known: NDArray[np.bool_], pairs: Ints, positions: Floats) -> Ints:
    """(n, 2) cells of a wall to which images came: the others stay in theirs, each new one takes the free cell nearest
    to that of its neighbour.

    cells: (n, 2), of which those that are not `known` say nothing. pairs: (m, 2) rows that belong next to each other,
    the nearest first. positions: (n, 3) on the map, for images none of whose neighbours is known.
    """
    new = np.flatnonzero(~known)
    if not len(new):
        return cells
    if len(new) == len(cells):
        return made(positions, pairs[:0], seed=0)
    low, high = cells[known].min(axis=0), cells[known].max(axis=0) + 1
    while np.prod(high - low) < LEAST_ROOM * len(cells):
        low, high = low - 1, high + 1
    aims = _aims(cells, known, new, pairs, positions) - low
    result = cells.copy()
    result[new] = _settled(aims, (int(high[0] - low[0]), int(high[1] - low[1])), taken=cells[known] - low) + low
    return result


def _aims(cells: Ints, known: NDArray[np.bool_], new: NDArray[np.intp], pairs: Ints, positions: Floats) -> Floats:
    """(k, 2) where new images belong: next to the first known one that they are paired with."""
    both = np.stack([pairs, pairs[:, ::-1]], axis=1).reshape(-1, 2)
    both = both[~known[both[:, 0]] & known[both[:, 1]]]
    friends = np.full(len(cells), -1, np.intp)
    friends[both[::-1, 0]] = both[::-1, 1]
    there = np.flatnonzero(known)
    for row in new[friends[new] < 0].tolist():
        friends[row] = there[np.argmin(np.square(positions[there] - positions[row]).sum(axis=1))]
    aims: Floats = (cells[friends[new]] + np.float32(0.5)).astype(np.float32)
    return aims


def _grid_of(count: int) -> tuple[int, int]:
    """Columns and rows."""
    columns = max(int(np.ceil(np.sqrt(count * ROOM * ASPECT))), 1)
    return columns, max(int(np.ceil(count * ROOM / columns)), 1)


def _spread(points: NDArray[Any], size: tuple[int, int]) -> Floats:
    """(n, 2) points over a grid of this size, along each axis in their order: what is crowded gets the room of what is
    not. (Where distances are kept, crowds have to go far for a free cell, and 0.401 of the neighbours are kept instead
    of 0.416.)"""
    ranks = np.argsort(np.argsort(points, axis=0, kind="stable"), axis=0, kind="stable")
    spread: Floats = ((ranks + 0.5) * np.array(size) / max(len(points), 1)).astype(np.float32)
    return spread


def _settled(aims: Floats, size: tuple[int, int], *, taken: Ints | None = None) -> Ints:
    """(n, 2) the free cell nearest to each aim, (n, 2) in cells; those nearest to the middle choose first."""
    cells = np.empty((len(aims), 2), np.int32)
    border = max(_DISCS)
    free = np.zeros((size[0] + 2 * border, size[1] + 2 * border), np.bool_)
    free[border : border + size[0], border : border + size[1]] = True
    if taken is not None:
        free[taken[:, 0] + border, taken[:, 1] + border] = False
    middle = aims.mean(axis=0) if len(aims) else 0.0
    homes = np.clip(aims.astype(np.int32), 0, np.array(size, np.int32) - 1)
    for row in np.argsort(np.square(aims - middle).sum(axis=1), kind="stable").tolist():
        column, line = (homes[row] + border).tolist()
        for radius in _DISCS:
            disc = _disc(radius)
            here = free[column + disc[0], line + disc[1]]
            nearest = int(here.argmax())
            if here[nearest]:
                column, line = column + int(disc[0, nearest]), line + int(disc[1, nearest])
                break
        else:
            column, line = np.argwhere(free)[0].tolist()
        free[column, line] = False
        cells[row] = column - border, line - border
    return cells


@cache
def _disc(radius: int) -> Ints:
    """(2, k) offsets of the cells in a disc, the nearest first."""
    sides = np.arange(-radius, radius + 1)
    across, down = np.meshgrid(sides, sides, indexing="ij")
    squares = (across**2 + down**2).ravel()
    order = np.argsort(squares, kind="stable")[: int((squares <= radius**2).sum())]
    return np.stack([across.ravel()[order], down.ravel()[order]]).astype(np.int32)


def _graph(pairs: Ints, count: int) -> tuple[Ints, Ints, Floats]:
    """The pairs from each of their ends: where each row's begin (n + 1,), the other ends, how often each is named."""
    both = np.concatenate([pairs, pairs[:, ::-1]]).astype(np.int64)
    both = both[both[:, 0] != both[:, 1]]
    keys, times = np.unique(both[:, 0] * count + both[:, 1], return_counts=True)
    starts = np.searchsorted(keys, np.arange(count + 1) * count)
    return starts.astype(np.int32), (keys % count).astype(np.int32), times.astype(np.float32)


@cache
def _kernel() -> Any:
    kernel_cache.prepare()
    import numba

    compiled: Any = numba.njit

    def costs(row: int, cell: Any, other: int, places: Any, graph: Any, far: Any) -> Any:
        """How far the neighbours of a row are from a cell, without the `other` row, which exchanges with it."""
        starts, ends, weights = graph
        total = numba.float32(0.0)
        for edge in range(starts[row], starts[row + 1]):
            end = ends[edge]
            if end != other:
                across, down = cell[0] - places[0, end], cell[1] - places[1, end]
                total += weights[edge] * far[across * across + down * down]
        return total

    cost = compiled(costs)

    def exchange(grid: Any, places: Any, graph: Any, far: Any, step: int, tries: int, state: Any) -> None:
        starts, ends, _ = graph
        columns, lines = grid.shape
        drawn, wide = state[0], 2 * step + 1
        for row in range(places.shape[1]):
            degree = starts[row + 1] - starts[row]
            if degree == 0:
                continue
            for attempt in range(tries):
                drawn ^= drawn << numba.uint64(13)  # Marsaglia (2003), xorshift
                drawn ^= drawn >> numba.uint64(7)
                drawn ^= drawn << numba.uint64(17)
                end = ends[starts[row] + numba.int64((drawn >> numba.uint64(40)) % numba.uint64(degree))]
                here = (places[0, row], places[1, row])
                eighths = numba.int64((drawn >> numba.uint64(32)) % numba.uint64(8))
                share = 8 if attempt % 3 == 0 else eighths if attempt % 3 == 1 else 0  # of the way to a neighbour
                column = here[0] + (places[0, end] - here[0]) * share // 8
                line = here[1] + (places[1, end] - here[1]) * share // 8
                column += numba.int64((drawn >> numba.uint64(8)) % numba.uint64(wide)) - step
                line += numba.int64((drawn >> numba.uint64(20)) % numba.uint64(wide)) - step
                if column < 0 or line < 0 or column >= columns or line >= lines:
                    continue
                cell, there = (column, line), grid[column, line]
                if there == row:
                    continue
                gain = cost(row, here, there, places, graph, far) - cost(row, cell, there, places, graph, far)
                if there >= 0:
                    gain += cost(there, cell, row, places, graph, far) - cost(there, here, row, places, graph, far)
                if gain > 0.0:
                    grid[column, line], grid[here[0], here[1]] = row, there
                    places[0, row], places[1, row] = column, line
                    if there >= 0:
                        places[0, there], places[1, there] = here
        state[0] = drawn

    return compiled(exchange)
