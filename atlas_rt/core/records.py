"""The frozen values that cross threads, processes and folders.

Rows: every per-image array of one record has the same order, ascending by id, so `core.rows` finds a
row. World units: 95 % of the images lie within the unit sphere around the origin. Colours are sRGB bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
Ids = NDArray[np.int64]
Bytes = NDArray[np.uint8]
Rows = NDArray[np.intp]
Tiers = NDArray[np.int8]

HIDDEN, PLAIN, FANNED = -1, 0, 1
"""Tiers of a view's rows: under their leader and not drawn; as they are; fanned out, before what is plain."""

SMALL_TILE_PX = 32
"""Side of the tile every image has on the GPU."""
MEDIUM_TILE_PX = 128
"""Side of the tile kept on disk for cards that are near."""
LARGE_TILE_PX = 512
"""Side of the tile decoded from the source for the few nearest cards."""
CARD_ASPECT_MAX = 3.0
"""Tiles of images longer than this (width / height, or its inverse) are cut to it around the centre."""


@dataclass(frozen=True, slots=True)
class Image:
    """One file of the source, as the library knows it.

    id: never used again for another image.
    width_px, height_px: after EXIF orientation.
    mean_rgb: mean colour, 0..255 each.
    tile: its record in the tile files; grows by one with each image.
    """

    id: int
    path: str
    width_px: int
    height_px: int
    mean_rgb: tuple[int, int, int]
    tile: int


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What the library knows of all its images, in arrays.

    ids: (n,) int64 ascending; paths: n absolute paths; aspects: (n,) float32 width / height of the tile, within
    1/CARD_ASPECT_MAX..CARD_ASPECT_MAX; mean_rgb: (n, 3) uint8; tiles: (n,) int32 tile records; sizes_px: (n, 2) int32.
    """

    ids: Ids
    paths: tuple[str, ...]
    aspects: Floats
    mean_rgb: Bytes
    tiles: Ints
    sizes_px: Ints


@dataclass(frozen=True, slots=True)
class Cluster:
    """A group of images that stand together.

    named_by: "vocabulary", "claude", "user" or "exemplar". exemplars, borderline: image ids, best first.
    centre: (3,) mean position, world units.
    """

    id: int
    name: str
    why: str
    named_by: str
    size: int
    exemplars: tuple[int, ...]
    borderline: tuple[int, ...]
    centre: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Map:
    """Where every image stands. A new map is a new object, and a published one is never written to again.

    ids: (n,) int64 ascending. rows: (n,) int32, where each image's vector lies: a changed image is told by another row.
    positions: (n, 3) float32, world units. edges: (m, 2) int32 rows, each pair once.
    weights: (m,) float32 cosine similarity of each edge. clusters: (n,) int32, -1 for none.
    kind: how the positions were made: "principal axes" (provisional), "umap so far" (of the library's first images,
    while it is first indexed) or "umap". fitted: (n,) bool, whether an image counts as old: it took part in the fit, or
    was there when one went back to this fit. (The others were placed by the projector.)
    fit: which of the library's fits it comes from, 0 for none. scale: UMAP's units in a world unit, 0 where unknown.
    drift: by how much that fit moved the images known before, in the median, as a share of the radius.
    network: the parametric UMAP, an ONNX graph from `vector` (n, dim) to `position` (n, 3); empty where there is none.
    granularity: "few", "some" or "many" clusters were asked for.
    clusters_given: the first id never given to a cluster (removed clusters and undone maps count too); 0 in maps older
    than this field.
    stacks: (n,) int64, for each image the id of the one it stacks under, its own where it is alone; (0,) where nobody
    looked for near-duplicates.
    """

    ids: Ids
    rows: Ints
    positions: Floats
    edges: Ints
    weights: Floats
    clusters: Ints
    fitted: NDArray[np.bool_]
    cluster_records: tuple[Cluster, ...]
    generation: int
    kind: str
    model: str
    seed: int
    fit: int = 0
    scale: float = 0.0
    drift: float = 0.0
    network: bytes = b""
    granularity: str = "some"
    clusters_given: int = 0
    stacks: Ids = field(default_factory=lambda: np.zeros(0, np.int64))


@dataclass(frozen=True, slots=True)
class Placement:
    """Where an image outside the map would stand.

    position: (3,) float32; uncertainty: 0 (certain) to 1; neighbours: (k,) rows of the map, nearest first, with their
    cosine similarities in `similarities`.
    """

    position: Floats
    uncertainty: float
    neighbours: Ints
    similarities: Floats


@dataclass(frozen=True, slots=True)
class Stacks:
    """Near-duplicates that show as one node, in the rows of a scene.

    leaders: (n,) int32, the row of the node that shows each image: its own, or its stack's first. sizes: (n,) int32
    images that node stands for. tops: (k,) rows of the leaders of more than one. members: (h,) rows of all the others
    in these stacks.
    """

    leaders: Ints
    sizes: Ints
    tops: Rows
    members: Rows


@dataclass(frozen=True, slots=True)
class Scene:
    """All a window needs to show one map: rows are images with a place, ascending by id.

    node_size: half the side of a card, world units. hues: (n, 3) uint8 colour of the image's cluster.
    edges: (m, 2) int32 rows; weights: (m,) float32; those of stacked images end at their leaders. stacks: None where
    every image is a node of its own. The other arrays are those of Catalogue and Map.
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
class Tile:
    """An image's thumbnail, ready to upload.

    id, record: the image, and its tile record when the tile was asked for; a changed image has another record, so what
    is kept by record never shows it as it was. level: 0 small, 1 medium, 2 large (sides SMALL_, MEDIUM_,
    LARGE_TILE_PX). mips: RGBA arrays (side, side, 4) uint8, C-contiguous, each half the side of the one before, top row
    first. The image fills the square: cards restore its aspect.
    """

    id: int
    record: int
    level: int
    mips: tuple[Bytes, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """One result of a search. band: "strong", "weak" or "none"."""

    id: int
    score: float
    band: str


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """Every image's score for one query.

    ids: the very array of the scene it was asked for, whose rows it speaks of. lights: (n,) float32, deviations above
    the library's median. best: the ranked list's head. error: why the query could not be answered, empty when it was.
    """

    query: str
    ids: Ids
    lights: Floats
    best: tuple[Match, ...]
    encode_ms: float
    search_ms: float
    error: str = ""


@dataclass(frozen=True, slots=True)
class LiveFix:
    """Where the camera's newest picture belongs.

    neighbours: image ids, nearest first. picture: (h, w, 3) uint8 RGB preview. fps: fixes a second. error: why there
    is none (position and neighbours are then empty).
    """

    position: Floats
    uncertainty: float
    neighbours: tuple[int, ...]
    similarities: Floats
    picture: Bytes
    fps: float
    error: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the engine is. stage: "scan", "index", "fit", "label", "search", "idle". done of total in images; rate
    per second; eta_secs: None while unknown."""

    stage: str
    done: int
    total: int
    rate: float
    eta_secs: float | None
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that could not become an image, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What bringing a library up to date did. Counts are images; seconds by stage.

    failed: files that could not become images. incomplete: images of which something is missing, and what.
    """

    images: int = 0
    new: int = 0
    unchanged: int = 0
    changed: int = 0
    removed: int = 0
    skipped: int = 0
    failed: tuple[Failure, ...] = ()
    incomplete: tuple[Failure, ...] = ()
    model: str = ""
    generation: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    images_per_second: float = 0.0


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
    is 0 (still) to 1; it stands with reduced motion. size_px: framebuffer.
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


@dataclass(frozen=True, slots=True)
class Runtime:
    """On what encoders are to run.

    require_gpu: fail rather than run on the processor. tensorrt: try TensorRT before CUDA. cache: the program's cache
    folder, where what a GPU's compiler made is kept; None keeps nothing.
    """

    require_gpu: bool = False
    tensorrt: bool = False
    cache: Path | None = None


ANYWHERE = Runtime()
"""On the best that works here, keeping nothing."""


@dataclass(frozen=True, slots=True)
class LibraryPlace:
    """Where one library lives on disk: `folder` in the cache, `sources` in the person's files."""

    folder: Path
    sources: tuple[str, ...]
