"""Which images are nearly the same: each stacks under the first one that it resembles, to the model and to the eye.

To the model: the cosine of their vectors reaches the limit of the model (`Calibration.near_duplicate`). To the eye: a
difference hash of their 32-pixel tiles. The hash compares neighbouring areas, across and down, and tells brighter,
darker or neither: without "neither", the noise of flat areas would decide most bits of a drawing on white. As plain
pictures of any colour have the same hash, the mean colours are compared, too.

Only images that an edge of the map joins to another at the limit are looked at. In the order of their ids, each of a
group that is joined so joins the earliest leader that it matches itself, or becomes one: so frames of a film that
drifts make many short stacks and no long chain. What was decided stays so when images come.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.arrays import Bytes, Floats, Ids, Ints, Rows
from atlas_rt.core.images import SMALL_TILE_PX
from atlas_rt.core.rows import rows_of

AREAS = 8
"""Comparisons along each axis of a tile."""
NOISE = 3.0
"""Levels of 255 by which areas differ at least to be told apart; what JPEG leaves is below."""
HASH_LIMIT = 18
"""Bits of 256 in which near-duplicates differ at most; measured in `models/README.md`."""
COLOUR_LIMIT = 20.0
"""Levels of 255 by which their mean colours differ at most: a picture 8 % brighter stays within."""
ROUNDS = 64
"""Leaders of a group that all others of it are compared with."""
LUMA = np.array([0.299, 0.587, 0.114], np.float32)

Bits = NDArray[np.bool_]


def stacked(
    ids: Ids,
    edges: Ints,
    weights: Floats,
    *,
    limit: float,
    vectors_at: Callable[[Rows], Floats],
    tiles_at: Callable[[Rows], Bytes],
    decided: Ids | None = None,
) -> Ids:
    """(n,) for each of (n,) ascending ids the id of the image it stacks under, its own where it is alone.

    edges: (m, 2) rows; weights: (m,) cosines. vectors_at, tiles_at: rows -> (k, dim) unit vectors, (k, 32, 32, 3)
    tiles. decided: (n,) what was decided before, -1 where nothing was.
    """
    leaders = ids.copy() if decided is None else np.where(decided < 0, ids, decided)
    open_ = np.ones(len(ids), np.bool_) if decided is None else decided < 0
    above, _ = rows_of(ids, leaders)
    members = np.flatnonzero(leaders != ids)
    pairs = np.concatenate([edges[weights >= limit], np.stack([members, above[members]], axis=1)])
    group = lowest_joined(len(ids), pairs)
    paired = np.zeros(len(ids), np.bool_)
    paired[pairs] = True
    rows = np.flatnonzero(paired & (leaders == ids) & np.isin(group, group[open_ & paired]))
    if len(rows):
        place = np.full(len(ids), -1)
        place[rows] = np.arange(len(rows))
        near = place[edges[weights >= limit]]
        near = near[(near >= 0).all(axis=1)]
        looks = _Looks(vectors_at(rows), tiles_at(rows), limit)
        found = _first_matches(group[rows], open_[rows], near, looks)
        leaders[rows] = ids[rows[found]]
    return leaders


def carried(old_ids: Ids, old_rows: Ints, old_leaders: Ids, ids: Ids, rows: Ints) -> Ids:
    """(n,) what was decided of these images in a map before, -1 for what is new, changed, or lost its leader.

    old_leaders: empty where nobody had looked. rows: of the vectors; an image whose row is another has another content.
    """
    at, known = rows_of(old_ids, ids)
    if not known.any() or not len(old_leaders):
        return np.full(len(ids), -1, np.int64)
    kept = known & (old_rows[at] == rows)
    above, here = rows_of(ids, old_leaders[at])
    return np.where(kept & here & kept[above], old_leaders[at], -1)


def outlines(tiles: Bytes) -> Bits:
    """(n, 32, 32, 3) tiles -> (n, 256) bits: what is brighter than its neighbour, then what is darker."""
    grey = tiles.astype(np.float32) @ LUMA
    fine, coarse = _areas(AREAS), _areas(AREAS + 1)
    across = np.diff(fine @ grey @ coarse.T, axis=2).reshape(len(tiles), -1)
    down = np.diff(coarse @ grey @ fine.T, axis=1).reshape(len(tiles), -1)
    steps = np.concatenate([across, down], axis=1)
    return np.concatenate([steps > NOISE, steps < -NOISE], axis=1)


def lowest_joined(count: int, pairs: NDArray[np.integer]) -> Rows:
    """(count,) the lowest row that each row is joined to by (m, 2) pairs, directly or through others."""
    lowest = np.arange(count)
    while True:
        roots = lowest[pairs]
        np.minimum.at(lowest, roots.ravel(), np.minimum(roots[:, 0], roots[:, 1]).repeat(2))
        if np.array_equal(lowest, shorter := lowest[lowest]) and (lowest[pairs[:, 0]] == lowest[pairs[:, 1]]).all():
            return lowest
        lowest = shorter


class _Looks:
    """How k images look to the model and to the eye."""

    def __init__(self, vectors: Floats, tiles: Bytes, limit: float) -> None:
        self._vectors, self._limit, self._bits = vectors, limit, outlines(tiles)
        self._means = tiles.reshape(len(tiles), -1, 3).mean(axis=1, dtype=np.float32)

    def alike(self, mine: Rows, theirs: Rows) -> Bits:
        """(m,) whether each of these pairs is nearly the same."""
        found: Bits = np.einsum("nd,nd->n", self._vectors[mine], self._vectors[theirs]) >= self._limit
        found &= (self._bits[mine] != self._bits[theirs]).sum(axis=1) <= HASH_LIMIT
        found &= np.abs(self._means[mine] - self._means[theirs]).max(axis=1) <= COLOUR_LIMIT
        return found


def _first_matches(group: Rows, open_: Bits, near: Rows, looks: _Looks) -> Rows:
    """For each of k rows the first leader of its group that it matches; open_: who may join one, and not only lead.
    near: (m, 2) rows that an edge joins.

    Each round takes the first that is left of every group as a leader and has the others of its group join it that
    match. What a group has left after ROUNDS of them joins the first that it matches of its neighbours' leaders: a film
    of thousands of frames has hundreds, and to compare each frame with each of them would take minutes.
    """
    found, left = np.arange(len(group)), np.arange(len(group))
    for _ in range(ROUNDS):
        if not open_[left].any():
            return found
        _, first, which = np.unique(group[left], return_index=True, return_inverse=True)
        leader = left[first][which]
        others = (leader != left) & open_[left]
        mine, theirs = left[others], leader[others]
        alike = looks.alike(mine, theirs)
        found[mine[alike]] = theirs[alike]
        stay = leader != left
        stay[others] = ~alike
        left = left[stay]
        left = left[np.isin(group[left], group[left[open_[left]]])]  # who has nobody to join it is done with
    both = np.concatenate([near, near[:, ::-1]])
    both = both[np.argsort(both[:, 0], kind="stable")]
    starts = np.searchsorted(both[:, 0], np.arange(len(group) + 1))
    for row in left[open_[left]].tolist():
        beside = both[starts[row] : starts[row + 1], 1]
        # of later ones only those that lead already, as what is decided stands
        firsts = np.unique(found[beside[(beside < row) | ~open_[beside]]])
        alike = looks.alike(np.full(len(firsts), row), firsts)
        if alike.any():
            found[row] = firsts[alike.argmax()]
    return found


def _areas(count: int) -> Floats:
    """(count, 32) what each of so many equal stretches of a tile's side takes of every pixel; rows sum up to 1."""
    ends = np.linspace(0.0, SMALL_TILE_PX, count + 1)
    pixels = np.arange(SMALL_TILE_PX)
    shares = np.clip(np.minimum(ends[1:, None], pixels + 1) - np.maximum(ends[:-1, None], pixels), 0.0, None)
    weights: Floats = (shares / shares.sum(axis=1, keepdims=True)).astype(np.float32)
    return weights
