"""A layout that moves on under UMAP's forces while springs hold the images of an older map near their places.

Each epoch goes over the graph's edges as umap-learn does (draw together by an edge, push away from five images drawn at
random), then every held image goes a part of the way back. As that part falls with the step, what is left of an image's
shift in the end depends on the forces on it and not on how long it ran.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atlas_rt import kernel_cache
from atlas_rt.core.arrays import Floats, Ints
from atlas_rt.mapping.attraction_curve import A, B

EPOCHS = 200
RATE = 0.5
"""The first epoch's step; it falls to nothing."""
STIFFNESS = 5.0
"""Times the step: the part of the way back that a held image goes in an epoch."""
YIELDING = 60.0
"""An image all of whose neighbours are new has a spring so much weaker, one with a tenth new a tenth of that. After a
tenth was added, half of it of a new kind, in maps of 286, 660, 1,100 and 4,400 images: the old ones' median shift is
2.5, 2.2, 1.5 and 0.6 % of the radius, and 0.55, 0.53, 0.49 and 0.44 of the new ones' neighbours stand around them, as
in a cold refit (0.54, 0.52, 0.49, 0.44). Springs of one stiffness that hold as much find 0.49, 0.51, 0.47 and 0.42."""
SMALL = 6.0
"""Below this radius, in UMAP's units, springs are stiffer in proportion: what counts is a shift's share of it. Pictures
that resemble each other little make maps of 2, a few hundred that do of 6, thousands of 10."""
PUSHES = 5


def relax(
    start: Floats,
    held: NDArray[np.bool_],
    edges: tuple[Ints, Ints, Floats],
    *,
    seed: int,
    stiffness: float = STIFFNESS,
    epochs: int = EPOCHS,
    progress: Callable[[float], None] | None = None,
) -> Floats:
    """(n, 3) positions in UMAP's units. start: where all begin, and the held ones are drawn back to. edges: heads,
    tails and weights of the fuzzy graph, both directions of each."""
    heads, tails, weights = edges
    kept = weights >= weights.max() / epochs
    heads_kept, tails_kept = heads[kept], tails[kept]
    every = (weights.max() / weights[kept]).astype(np.float64)
    due = every.copy()
    places, springs = np.array(start, np.float32, order="C"), _springs(held, edges)[:, None]
    state = np.array([seed * 2 + 1], np.uint64)
    stiffness *= max(1.0, SMALL / _radius(start[held]))
    epoch_of = _kernel()
    for epoch in range(epochs):
        step = RATE * (1.0 - epoch / epochs)
        epoch_of(places, heads_kept, tails_kept, every, due, epoch, step, state)
        places += np.minimum(np.float32(stiffness * step) * springs, np.float32(1.0)) * (start - places)
        if progress:
            progress((epoch + 1) / epochs)
    return places


def _radius(points: Floats) -> float:
    if not len(points):
        return SMALL
    return max(float(np.percentile(np.linalg.norm(points - points.mean(axis=0), axis=1), 95.0)), 1e-3)


def _springs(held: NDArray[np.bool_], edges: tuple[Ints, Ints, Floats]) -> Floats:
    """(n,) how strongly each image is drawn back, in parts of the stiffness: where new ones come, the old give way."""
    heads, tails, weights = edges
    count = len(held)
    to_new = np.bincount(heads, weights * ~held[tails], count) / np.maximum(np.bincount(heads, weights, count), 1e-9)
    springs: Floats = (held / (1.0 + YIELDING * to_new)).astype(np.float32)
    return springs


@cache
def _kernel() -> Any:
    kernel_cache.prepare()
    import numba

    a, b, pushes = A, B, PUSHES

    compiled: Any = numba.njit

    def within(value: float) -> float:
        return min(4.0, max(-4.0, value))

    cut = compiled(within)

    def epoch_of(
        places: Any, heads: Any, tails: Any, every: Any, due: Any, epoch: int, step: float, state: Any
    ) -> None:
        count, drawn = len(places), state[0]
        for edge in range(len(heads)):
            if due[edge] > epoch:
                continue
            due[edge] += every[edge]
            one, other = heads[edge], tails[edge]
            squared = 0.0
            for axis in range(3):
                squared += (places[one, axis] - places[other, axis]) ** 2
            if squared > 0.0:
                pull = -2.0 * a * b * squared ** (b - 1.0) / (1.0 + a * squared**b)
                for axis in range(3):
                    move = cut(pull * (places[one, axis] - places[other, axis])) * step
                    places[one, axis] += move
                    places[other, axis] -= move
            for _ in range(pushes):
                drawn ^= drawn << numba.uint64(13)  # Marsaglia (2003), xorshift
                drawn ^= drawn >> numba.uint64(7)
                drawn ^= drawn << numba.uint64(17)
                far = int(drawn % numba.uint64(count))
                if far == one:
                    continue
                squared = 0.0
                for axis in range(3):
                    squared += (places[one, axis] - places[far, axis]) ** 2
                push = 2.0 * b / ((0.001 + squared) * (1.0 + a * squared**b))
                for axis in range(3):
                    places[one, axis] += cut(push * (places[one, axis] - places[far, axis])) * step
        state[0] = drawn

    return compiled(epoch_of)
