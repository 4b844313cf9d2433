"""Stacks on screen: which node stands for which images, and where these stand when it fans out."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.arrays import Floats, Ids, Ints, Rows, Tiers
from atlas_rt.core.scene import FANNED, HIDDEN, PLAIN, Scene, Stacks

GAP = 1.12
"""From card to card in a fan, in sides of the largest."""


def stacks_of(leader_ids: Ids) -> Stacks | None:
    """The stacks of a scene's rows by (n,) the ids of their leaders; None where there is none.

    A leader that the scene lacks is followed by the first of those that stack under it.
    """
    _, first, which, counts = np.unique(leader_ids, return_index=True, return_inverse=True, return_counts=True)
    leaders = first[which]
    own = leaders == np.arange(len(leaders))
    if own.all():
        return None
    sizes = counts[which].astype(np.int32)
    return Stacks(leaders.astype(np.int32), sizes, np.flatnonzero(~own))


def folded(edges: Ints, weights: Floats, stacks: Stacks) -> tuple[Ints, Floats]:
    """Edges (m, 2) and weights (m,) between the nodes: those of stacked images end at their leaders, each pair once."""
    ends = np.sort(stacks.leaders[edges], axis=1)
    apart = np.flatnonzero(ends[:, 0] != ends[:, 1])
    keys = ends[apart, 0].astype(np.int64) * len(stacks.leaders) + ends[apart, 1]
    _, first = np.unique(keys, return_index=True)
    kept = apart[np.sort(first)]
    return ends[kept], weights[kept]


def lit(lights: Floats, stacks: Stacks | None) -> Floats:
    """(n,) lights by which each leader shines with the best of its stack."""
    if stacks is None:
        return lights
    best = lights.copy()
    np.maximum.at(best, stacks.leaders[stacks.members], lights[stacks.members])
    return best


def others(stacks: Stacks, leader: int) -> Rows:
    """The rows that stack under this one."""
    rows = np.flatnonzero(stacks.leaders == leader)
    below: Rows = rows[rows != leader]
    return below


def closed(scene: Scene) -> Floats:
    """(n, 3) where every row stands while no stack is open. On the flat wall none is closed."""
    if scene.stacks is None or scene.flat:
        return scene.positions
    positions = scene.positions.copy()
    positions[scene.stacks.members] = positions[scene.stacks.leaders[scene.stacks.members]]
    return positions


def opened_by(stacks: Stacks | None, rows: Iterable[int]) -> frozenset[int]:
    """The leaders of the stacks that hold one of these rows."""
    if stacks is None:
        return frozenset()
    return frozenset(int(stacks.leaders[row]) for row in rows if stacks.sizes[row] > 1)


def node_of(stacks: Stacks | None, tiers: Tiers | None, row: int) -> int:
    """The row that is seen for this one: its leader's while it is under it. -1 stays -1."""
    if row < 0 or stacks is None or tiers is None or tiers[row] != HIDDEN:
        return row
    return int(stacks.leaders[row])


def counts(stacks: Stacks | None, let: NDArray[np.bool_]) -> Ints | None:
    """(n,) how many of each row's stack are among (n,) those that are let through; None where nothing stacks."""
    if stacks is None:
        return None
    through = np.bincount(stacks.leaders[let], minlength=len(stacks.leaders))[stacks.leaders]
    return through.astype(np.int32)


def tiers(
    scene: Scene,
    opened: Iterable[int],
    concealed: NDArray[np.bool_] | None = None,
    let: NDArray[np.bool_] | None = None,
) -> Tiers | None:
    """How each row is drawn while the stacks of these leaders are fanned out. concealed: (n,) rows that are not drawn,
    None where all are. let: (n,) rows that filters let through, None for all: where a stack's leader is not among them,
    the first of its images that is stands in for it, so that no node shows a picture that was filtered away."""
    stacked = scene.stacks is not None and not scene.flat
    if not stacked and concealed is None:
        return None
    result = np.zeros(len(scene.ids), np.int8)
    if stacked and scene.stacks is not None:
        result[scene.stacks.members] = HIDDEN
        if let is not None:
            rows = _stand_ins(scene.stacks, let)
            result[rows], result[scene.stacks.leaders[rows]] = PLAIN, HIDDEN
        for leader in opened:
            result[scene.stacks.leaders == leader] = FANNED
    if concealed is not None:
        result[concealed] = HIDDEN
    return result


def _stand_ins(stacks: Stacks, let: NDArray[np.bool_]) -> Rows:
    """The first row that is let through of each stack whose leader is not."""
    leaders = stacks.leaders[stacks.members]
    able = stacks.members[let[stacks.members] & ~let[leaders]]
    return able[np.unique(stacks.leaders[able], return_index=True)[1]]


def fan(scene: Scene, leader: int, *, eye: Floats, half: float) -> tuple[Rows, Floats]:
    """Where the images of a stack stand around their leader: rows (k,), positions (k, 3).

    On a honeycomb in the plane that faces the eye, ring after ring. half: half the side of a card, world units.
    """
    assert scene.stacks is not None
    rows, centre = others(scene.stacks, leader), scene.positions[leader]
    right, up = facing(eye - centre)
    root = np.sqrt(scene.aspects[np.append(rows, leader)])
    across, down = 2.0 * half * GAP * float(root.max()), 2.0 * half * GAP / float(root.min())
    cells = honeycomb(len(rows))
    offsets = cells[:, :1] * np.float32(across) * right + cells[:, 1:] * np.float32(down) * up
    return rows, (centre + offsets).astype(np.float32)


def facing(away: Floats) -> tuple[Floats, Floats]:
    """Right and up, unit vectors of the plane that is seen straight on from this direction; none is tilted sideways."""
    across = np.array([away[2], 0.0, -away[0]], np.float32)
    length = float(np.linalg.norm(across))
    right = across / np.float32(length) if length > 1e-6 else np.array([1.0, 0.0, 0.0], np.float32)
    up = np.cross(away, right)
    height = float(np.linalg.norm(up))
    return right, (up / np.float32(height) if height > 1e-6 else np.array([0.0, 1.0, 0.0])).astype(np.float32)


def honeycomb(count: int) -> Floats:
    """(count, 2) cells around the middle one, right and up, in steps of a row: a ring is full before the next begins,
    the last one's are spread over it."""
    cells: list[tuple[float, float]] = []
    ring = 1
    while len(cells) < count:
        places, wanted = 6 * ring, min(6 * ring, count - len(cells))
        cells += [_cell(ring, place * places // wanted) for place in range(wanted)]
        ring += 1
    return np.array(cells, np.float32).reshape(-1, 2)


def _cell(ring: int, place: int) -> tuple[float, float]:
    """One cell of a ring, counted against the clock from the right."""
    corner, along = divmod(place, ring)
    (x0, y0), (x1, y1) = _CORNERS[corner], _CORNERS[(corner + 1) % 6]
    return x0 * (ring - along) + x1 * along, y0 * (ring - along) + y1 * along


_CORNERS = ((1.0, 0.0), (0.5, 1.0), (-0.5, 1.0), (-1.0, 0.0), (-0.5, -1.0), (0.5, -1.0))
