"""Why an image stands where it does on the map: which images gave it its place, and how well that came out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.arrays import Floats
from atlas_rt.core.hud import WhyHere
from atlas_rt.core.scene import Scene
from atlas_rt.mapping.projector import NEIGHBOURS, TWIN_FROM

SHOWN = 8
AXES = "principal axes"
ITSELF = 1
"""UMAP counts an image among its own neighbours."""
Rows = NDArray[np.intp]


def why_here(scene: Scene, row: int, scores: Floats) -> WhyHere | None:
    """None where nobody knows, and for the flat wall. scores: (n,) how near every image is, the image itself at -inf.
    2 ms at 100,000."""
    if scene.stacks is not None and (leader := int(scene.stacks.leaders[row])) != row:
        name = Path(scene.paths[leader]).name
        sentence = f"It is nearly the same as {name} and has its place; the two show as one."
        return WhyHere(sentence, _told(scene, np.array([leader]), scores))
    if scene.kind == AXES:
        return WhyHere("This is a first sketch of the map, by principal axes: only its neighbourhood says something.")
    if scene.flat or len(scene.fitted) != len(scene.ids):
        return None
    near = nearest_rows(np.where(scene.fitted, scores, -np.inf), NEIGHBOURS - ITSELF * int(scene.fitted[row]))
    if not len(near):
        return None
    squares = ((scene.positions - scene.positions[row]) ** 2).sum(axis=1)
    squares[row] = np.inf
    came_out = _came_out(scene, near, squares)
    if scene.fitted[row]:
        sentence = f"The map was fitted with it, and drew it to the {len(near)} images most like it. {came_out}"
    elif scores[near[0]] >= TWIN_FROM:
        sentence = "It came after the map was fitted, and was put beside the one image that is nearly the same."
        near = near[:1]
    else:
        sentence = f"It came after the map was fitted, and was placed by the {len(near)} most like it. {came_out}"
    near = near[np.argsort(squares[near], kind="stable")]
    return WhyHere(sentence, _told(scene, near[:SHOWN], scores))


def nearest_rows(scores: Floats, count: int) -> Rows:
    """The rows of the best scores, best first; none of -inf."""
    count = min(count, int(np.isfinite(scores).sum()))
    if not count:
        return np.zeros(0, np.intp)
    best = np.argpartition(-scores, count - 1)[:count]
    rows: Rows = best[np.lexsort((best, -scores[best]))]
    return rows


def _came_out(scene: Scene, near: Rows, squares: Floats) -> str:
    """How many of them stand around it, among the images that were asked: a map cannot keep all of them near."""
    around = nearest_rows(np.where(scene.fitted, -squares, -np.inf), len(near))
    return f"{len(np.intersect1d(around, near))} of them are among the {len(near)} that stand nearest to it."


def _told(scene: Scene, rows: Rows, scores: Floats) -> tuple[tuple[int, float], ...]:
    return tuple((int(scene.ids[row]), float(scores[row])) for row in rows)
