"""What it takes to show a scene, made ready on a thread: the frame that takes it up does nothing that grows with it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from atlas_rt.core import stacks
from atlas_rt.core.arrays import Floats, Tiers
from atlas_rt.core.cells import Boxes, Cells, cells_of
from atlas_rt.core.edges import all_ordered
from atlas_rt.core.framing import home_of
from atlas_rt.core.graph import Graph, graph_of
from atlas_rt.core.motion import outwards
from atlas_rt.core.regions import Region, regions_of
from atlas_rt.core.rows import rows_of
from atlas_rt.core.scene import Pose, Scene

ARRIVAL = np.float32(0.2)
"""How far out of its place a new image comes from, world units."""


@dataclass(frozen=True, slots=True)
class Way:
    """How a scene follows on another one, `before`, when that one stands still with its stacks closed.

    rows, known: (n,) the row there of each image, and whether it is there. gone: (m,) which rows there are not here.
    starts: (n, 3) where each image sets off, with boxes around them. moves: any does.
    """

    before: Scene
    rows: NDArray[np.intp]
    known: NDArray[np.bool_]
    gone: NDArray[np.bool_]
    starts: Floats
    boxes: Boxes
    moves: bool


@dataclass(frozen=True, slots=True)
class Preparation:
    """A scene with what is looked up in it.

    places: (n, 3) where every image stands while no stack is open; tiers: how it is drawn then. cells, boxes: of these
    places. edges: (k, 4) as `core.edges.ordered`; graph: of all edges. home: the pose that shows all of it in a picture
    of this aspect. regions: of the map. way: from the scene that was shown when this was made; None after none.
    """

    scene: Scene
    places: Floats
    tiers: Tiers | None
    cells: Cells
    boxes: Boxes
    edges: Floats
    graph: Graph
    home: Pose
    aspect: float
    regions: tuple[Region, ...]
    way: Way | None = None


def prepare(scene: Scene, *, aspect: float, before: Preparation | None = None) -> Preparation:
    """Make a scene ready to be shown. aspect: of the window. before: what it shows now."""
    places = stacks.closed(scene)
    cells = cells_of(places)
    way = None if before is None else way_from(before.scene, before.places, scene, places, cells)
    edges, seen = all_ordered(scene)
    return Preparation(
        scene=scene,
        places=places,
        tiers=stacks.tiers(scene, ()),
        cells=cells,
        boxes=cells.boxes(places),
        edges=edges[:seen],
        graph=graph_of(edges, scene.positions),
        home=home_of(scene, places, aspect),
        aspect=aspect,
        regions=regions_of(scene),
        way=way,
    )


def way_from(before: Scene, here: Floats, scene: Scene, places: Floats, cells: Cells) -> Way:
    """How a scene with its images at `places` (n, 3) follows on one whose images stand `here` (m, 3).

    Images both hold fly from where they are, new ones come in from outside the cloud.
    """
    rows, known = rows_of(before.ids, scene.ids)
    if len(here) == len(places) and known.all():  # the same images: they set off where they stand
        return Way(before, rows, known, ~known, here, cells.boxes(here), not np.array_equal(here, places))
    _, stays = rows_of(scene.ids, before.ids)
    starts = places.copy()
    starts[known] = here[rows[known]]
    if known.any():
        starts[~known] += ARRIVAL * outwards(starts[~known])
    moves = bool(len(starts)) and float(np.abs(starts - places).max()) > 0.0
    return Way(before, rows, known, ~stays, starts, cells.boxes(starts), moves)
