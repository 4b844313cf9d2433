"""What a window shows: a scene, what leaves it, and the view that one frame draws. Frozen.

Rows: every per-image array has the same order, ascending by id; `core.rows` finds a row.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.arrays import Bytes, Floats, Ids, Ints, Rows, Tiers
from atlas_rt.core.cells import Boxes, Cells
from atlas_rt.core.glass import VisitedCard
from atlas_rt.core.graph import Graph
from atlas_rt.core.maps import Cluster, Subcluster
from atlas_rt.core.word_names import IN_ENGLISH, Words

HIDDEN, PLAIN, FANNED = -1, 0, 1
"""Tiers of a view's rows: under their leader and not drawn; as they are; fanned out, before what is plain."""


@dataclass(frozen=True, slots=True)
class Stacks:
    """Near-duplicates that show as one node, in the rows of a scene.

    leaders: (n,) int32, the row of the node that shows each image: its own, or its stack's first. sizes: (n,) int32
    images that node stands for. members: (h,) rows of the images under another one's node.
    """

    leaders: Ints
    sizes: Ints
    members: Rows


@dataclass(frozen=True, slots=True)
class Scene:
    """All a window needs to show one map: rows are images with a place, ascending by id.

    node_size: half the side of a card, world units. hues: (n, 3) uint8 colour of the image's cluster.
    edges: (m, 2) int32 rows; weights: (m,) float32; those of stacked images end at their leaders. stacks: None where
    every image is a node of its own. away: (n,) bool, images shown although their files are not there, since their
    folder is absent; None where all are there. fitted: (n,) bool, as Map has it; (0,) where nobody said. flat: the
    positions are those of the wall (`core.wall`). words: the language in which clusters are named here, and labels are
    to be shown. The other arrays are those of Catalogue and Map.
    """

    ids: Ids
    paths: tuple[str, ...]
    positions: Floats
    aspects: Floats
    mean_rgb: Bytes
    hues: Bytes
    tiles: Ints
    sizes_px: Ints
    clusters: Ints
    edges: Ints
    weights: Floats
    cluster_records: tuple[Cluster, ...]
    cluster_hues: Bytes
    node_size: float
    generation: int
    kind: str
    model: str
    stacks: Stacks | None = None
    away: NDArray[np.bool_] | None = None
    subclusters: Ints = field(default_factory=lambda: np.zeros(0, np.int32))
    subcluster_records: tuple[Subcluster, ...] = ()
    wall: Ints = field(default_factory=lambda: np.zeros((0, 2), np.int32))
    flat: bool = False
    fitted: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))
    words: Words = IN_ENGLISH


@dataclass(frozen=True, slots=True)
class Leaving:
    """Images that are gone and may be seen going, (g,) each in the order of their ids.

    positions: (g, 3) where they stood; targets: (g, 3) where to they sink. The other arrays are those of Scene.
    """

    ids: Ids
    positions: Floats
    targets: Floats
    aspects: Floats
    mean_rgb: Bytes
    hues: Bytes
    tiles: Ints


@dataclass(frozen=True, slots=True)
class Pose:
    """Where the eye is and where it looks; no roll. yaw 0 looks along -z, growing to the right; pitch up is positive.
    Radians, world units."""

    eye: tuple[float, float, float]
    yaw: float
    pitch: float


@dataclass(frozen=True, slots=True)
class View:
    """What one frame draws, frozen.

    Arrays are uploaded only when they are another object than in the frame before.

    scene: the rows. positions: (n, 3) where each row comes to stand, stacked ones at their leader or fanned out around
    it; old_positions: (n, 3) where it stood before the morph; morph: 0..1 of the way. settled: every node stands at its
    place on the map; if anything moves, it is a stack that opens or closes. tiers: (n,) int8, HIDDEN, PLAIN or FANNED
    by row, None where all are plain. leaving: images beyond the rows; gone: 0..1 of their way out. lights: (n,) float32
    deviations above the median, or None when nothing is searched; light_mix: 0..1, how far the search has faded in. eye
    (3,), clip_from_view, view_from_world: (4, 4) float32, to be applied as matrix @ column. hovered: a row or -1.
    selected: rows, the last one the newest. marker: the live position, or None, with its neighbour rows. time_secs:
    the clock by which tiles fade in; it always runs. pulse_secs: the clock of ambient motion, whose strength `ambient`
    is 0 (still) to 1; it stands with reduced motion. size_px: framebuffer. concealed: ids of the clusters that are not
    drawn. pointed: the id of the cluster that is lit, -1 for none. cells: the rows by neighbourhood, with boxes around
    positions and old_boxes around old_positions; None: whoever looks around looks at every row. reached: (n,)
    world units walked along edges from what is selected or found, None where nothing is, or it is not known yet. graph:
    of all edges, None where nobody made it. visited: the card that the person was taken to,
    before which others make way. flatness: 0 where the images stand as on the map, 1 on the flat wall, on the way
    between. counts: (n,) how many images each row's node stands for while filters hide others, None: all of its stack.
    """

    scene: Scene
    positions: Floats
    old_positions: Floats
    morph: float
    settled: bool
    tiers: Tiers | None
    leaving: Leaving | None
    gone: float
    lights: Floats | None
    light_mix: float
    eye: Floats
    view_from_world: Floats
    clip_from_view: Floats
    fov_y: float
    size_px: tuple[int, int]
    hovered: int
    selected: tuple[int, ...]
    marker: Floats | None
    marker_neighbours: tuple[int, ...]
    time_secs: float
    pulse_secs: float
    ambient: float
    concealed: frozenset[int] = frozenset()
    pointed: int = -1
    cells: Cells | None = None
    boxes: Boxes | None = None
    old_boxes: Boxes | None = None
    reached: Floats | None = None
    graph: Graph | None = None
    visited: VisitedCard | None = None
    flatness: float = 0.0
    counts: Ints | None = None


def empty_scene() -> Scene:
    """A scene without an image."""
    ints = np.zeros(0, np.int32)
    floats = np.zeros(0, np.float32)
    return Scene(
        ids=np.zeros(0, np.int64),
        paths=(),
        positions=np.zeros((0, 3), np.float32),
        aspects=floats,
        mean_rgb=np.zeros((0, 3), np.uint8),
        hues=np.zeros((0, 3), np.uint8),
        tiles=ints,
        sizes_px=np.zeros((0, 2), np.int32),
        clusters=ints,
        edges=np.zeros((0, 2), np.int32),
        weights=floats,
        cluster_records=(),
        cluster_hues=np.zeros((0, 3), np.uint8),
        node_size=0.03,
        generation=0,
        kind="",
        model="",
    )
