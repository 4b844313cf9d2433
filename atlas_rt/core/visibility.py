"""How large a node is on screen, which nodes are near, and which one is under the pointer.

The vertex shader computes the same sizes (`shaders/lib/nodes.glsl`) from the same constants, so that what is hit is
what is seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.arrays import Floats, Rows
from atlas_rt.core.camera import focal_px, project
from atlas_rt.core.cells import Boxes
from atlas_rt.core.easing import smootherstep
from atlas_rt.core.glass import VisitedCard, standing
from atlas_rt.core.scene import FANNED, HIDDEN, View
from atlas_rt.core.wall import fitted

MIN_ANGLE = 0.0072
"""Half size of a card as a share of its depth that it never falls under, at MIN_ANGLE_NODES nodes."""
MIN_ANGLE_NODES = 1600
MIN_ANGLE_RANGE = (0.0024, 0.012)
GROWTH_MAX = 2.6
"""A far card grows at most this much to stay visible, or clusters would turn into piles of paper."""
LIGHT_FROM, LIGHT_TO = 1.4, 3.6
"""Deviations above the median between which a search lights a node from 0 to 1."""
LIT_SIZE = (0.75, 1.15)
"""A node's size while searching: the first, plus the second times its light."""
UNLIT, LIT_GAIN = 0.16, 1.09
"""A node's brightness while searching: the first, plus the second times its light."""
LIT_GROWTH = 1.2
"""What a search lit is at least this much larger than the smallest card: it is looked for from afar."""
FOUND_NEARER = 0.4
"""What a search lit is drawn before other cards, as if it were nearer by this share of its depth."""
CHOSEN_NEARER = 8.0
"""So is what is hovered or newly selected, by so many node sizes, at most half its depth."""
FANNED_NEARER = 0.6
"""And a stack that is fanned out, by this share of its depth: each of its cards must be visible."""
CHOSEN_FIRST = 1.05
"""Of cards that are before others for two reasons, what is hovered or selected is this much more so."""
VISITED_FIRST = 1.02
"""What the person was taken to is drawn before all else: as if it were this many times as deep as the near plane."""
NEAR_SIZES = 0.3
"""A card nearer to the eye than so many node sizes is not drawn."""
_LEAST_DEPTH = np.float32(1e-6)
PICK_REACH_PX = 14.0
"""A click this close to a node's centre still means it."""
LOOK_AGAIN_SECS = 0.045
"""How long the row under the pointer may be old while the camera flies."""
ASPECT_ROOT = 1.74
"""Half the long side of the longest card, as a share of half the side of a square of its area."""


@dataclass(frozen=True, slots=True)
class NearNodes:
    """The nodes that are large on screen in one frame.

    rows: (k,); depths: (k,) world units; radii_px: (k,) half side of the card as a square of the same area.
    """

    rows: NDArray[np.int64]
    depths: Floats
    radii_px: Floats

    def nearest(self, min_radius_px: float, count: int) -> tuple[NDArray[np.int64], Floats]:
        """At most `count` rows whose card is at least this large, nearest first, with their depths."""
        large = np.flatnonzero(self.radii_px >= min_radius_px)
        if len(large) > count:
            large = large[np.argpartition(self.depths[large], count)[:count]]
        large = large[np.argsort(self.depths[large])]
        return self.rows[large], self.depths[large]


NO_NODES = NearNodes(np.zeros(0, np.int64), np.zeros(0, np.float32), np.zeros(0, np.float32))


def min_angle(nodes: int) -> float:
    """The smallest half size of a card as a share of its depth: fewer nodes have more room each."""
    low, high = MIN_ANGLE_RANGE
    return float(np.clip(MIN_ANGLE * (MIN_ANGLE_NODES / max(nodes, 1)) ** 0.5, low, high))


def light_of(lights: Floats) -> Floats:
    """Deviations above the median -> 0..1."""
    share: Floats = np.clip((lights - LIGHT_FROM) / (LIGHT_TO - LIGHT_FROM), 0.0, 1.0)
    return share


def brightness_of(view: View, rows: NDArray[np.int64]) -> Floats:
    """(k,) how bright rows are drawn: 1 while nothing is searched, else by their lights."""
    if view.lights is None:
        return np.ones(len(rows), np.float32)
    lit: Floats = 1.0 + np.float32(view.light_mix) * (UNLIT + LIT_GAIN * light_of(view.lights[rows]) - 1.0)
    return lit


def positions_now(view: View, rows: NDArray[np.int64] | slice = slice(None)) -> Floats:
    """(n, 3) where every row stands in this frame, or (k, 3) where these do."""
    ends = view.positions[rows]
    if view.morph >= 1.0 or view.old_positions is view.positions:
        return ends
    starts = view.old_positions[rows]
    return starts + np.float32(smootherstep(view.morph)) * (ends - starts)


def place_of(view: View, row: int) -> Floats:
    """(3,) where one row stands in this frame."""
    end: Floats = view.positions[row]
    if view.morph >= 1.0:
        return end
    start: Floats = view.old_positions[row]
    return start + np.float32(smootherstep(view.morph)) * (end - start)


def grown(half: float, depth: float, nodes: int) -> float:
    """Half the side of a card at a depth, world units: far ones are drawn larger than they are."""
    return max(half, min(depth * min_angle(nodes), half * GROWTH_MAX))


def half_sizes(view: View, rows: NDArray[np.int64], depths: Floats) -> Floats:
    """(k,) half side in world units of the square with the area of each row's card."""
    half: Floats = np.full(len(rows), view.scene.node_size, np.float32)
    round_ = 1.0 - view.flatness  # on the wall no card may grow over another
    least: Floats = depths * np.float32(min_angle(len(view.scene.ids)) * round_)
    if view.lights is not None and view.light_mix > 0.0:
        light = light_of(view.lights[rows])
        half *= 1.0 + np.float32(view.light_mix * round_) * (LIT_SIZE[0] + LIT_SIZE[1] * light - 1.0)
        least *= 1.0 + np.float32(view.light_mix * LIT_GROWTH) * light
    grown: Floats = np.maximum(half, np.minimum(least, half * np.float32(GROWTH_MAX)))
    return grown if view.flatness == 0.0 else grown * fitted(view.scene.aspects[rows], view.flatness)


def near_plane(view: View) -> float:
    """Depth, world units, at which the picture begins."""
    clip = view.clip_from_view
    return float(clip[2, 3] / (clip[2, 2] - 1.0))


def nearest_depth(view: View) -> float:
    """Depth, world units, up to which no card is drawn: it would hide everything, or lie before the picture's near
    plane."""
    return max(NEAR_SIZES * view.scene.node_size, near_plane(view))


def visited_card(view: View, row: int, glass: float) -> VisitedCard | None:
    """A row's card as the one that the person was taken to; None where it is not before the eye."""
    rows = np.array([row])
    right, up, depths = _turned(place_of(view, row)[None], view)
    if not depths[0] > nearest_depth(view):
        return None
    depth = float(depths[0])
    half = float(half_sizes(view, rows, depths)[0]) / depth
    root = float(np.sqrt(view.scene.aspects[row]))
    return VisitedCard(row, glass, float(right[0]) / depth, float(up[0]) / depth, half * root, half / root, depth)


def near_nodes(view: View, min_half_px: float) -> NearNodes:
    """The nodes whose card may be larger than `min_half_px` and whose centre is about on screen; unsorted.

    A glance at the cells, then an exact look at the rows of those that are near and in sight.
    """
    largest = view.scene.node_size * (sum(LIT_SIZE) if view.lights is not None else 1.0)
    focal = focal_px(view.fov_y, view.size_px[1])
    least = min_angle(len(view.scene.ids)) * (1.0 + LIT_GROWTH if view.lights is not None else 1.0)
    grown = GROWTH_MAX if least * focal >= min_half_px else 1.0
    farthest, margin = largest * grown * focal / min_half_px, 4.0 * largest
    rows = _rows_in_sight(view, farthest=farthest, margin=margin)
    right, up, depths = _turned(positions_now(view, rows), view)
    slope_x, slope_y = _slopes(view)
    on_screen = (depths > 0.0) & (depths < np.float32(farthest))
    on_screen &= np.abs(right) < depths * slope_x + np.float32(margin)
    on_screen &= np.abs(up) < depths * slope_y + np.float32(margin)
    if view.tiers is not None:
        on_screen &= view.tiers[rows] != HIDDEN
    rows, depths = rows[on_screen], depths[on_screen]
    radii = screen_radii(view, rows, depths)
    if view.visited is not None:
        radii = radii * _standing(view, rows, right[on_screen] / depths, up[on_screen] / depths, depths, radii)
    return NearNodes(rows, depths, radii)


def screen_radii(view: View, rows: NDArray[np.int64], depths: Floats) -> Floats:
    """(k,) half side in pixels of each row's card, as a square of the same area."""
    focal = np.float32(focal_px(view.fov_y, view.size_px[1]))
    radii = half_sizes(view, rows, depths) * focal / np.maximum(depths, _LEAST_DEPTH)
    return radii.astype(np.float32, copy=False)


def seen_radii(view: View, rows: NDArray[np.int64], xy: Floats, depths: Floats) -> Floats:
    """The same as they are seen: less where a card makes way for a visited one (`core.glass`), 0 where it is gone.

    xy: (k, 2) their middles, in pixels of the view.
    """
    radii = screen_radii(view, rows, depths)
    if view.visited is None:
        return radii
    focal = np.float32(focal_px(view.fov_y, view.size_px[1]))
    middle = np.array([view.size_px[0] / 2.0, view.size_px[1] / 2.0], np.float32)
    x, y = (xy - middle).T / focal
    return radii * _standing(view, rows, x, -y, depths, radii)


def _standing(view: View, rows: NDArray[np.int64], x: Floats, y: Floats, depths: Floats, radii: Floats) -> Floats:
    """(k,) what is left of cards of these radii in pixels; x, y: tangents of their middles."""
    root: Floats = np.sqrt(view.scene.aspects[rows])
    half: Floats = radii / np.float32(focal_px(view.fov_y, view.size_px[1]))
    return standing(view.visited, rows, (x, y), (half * root, half / root), depths)


def pick(view: View, at_px: tuple[float, float]) -> int:
    """The row under a framebuffer pixel, or -1.

    The foremost card that contains the pixel; where none does, the node whose centre is closest on screen, within
    PICK_REACH_PX.
    """
    rows = _rows_under(view, at_px)
    if view.tiers is not None:
        rows = rows[view.tiers[rows] != HIDDEN]
    xy, depths = project(positions_now(view, rows), view.view_from_world, view.clip_from_view, view.size_px)
    before = depths > nearest_depth(view)
    rows, depths, away = rows[before], depths[before], np.abs(xy[before] - np.asarray(at_px, np.float32))
    if not len(rows):
        return -1
    root = np.sqrt(view.scene.aspects[rows])
    half = seen_radii(view, rows, xy[before], depths)
    inside = (away[:, 0] <= half * root) & (away[:, 1] <= half / root)
    if inside.any():
        hits = rows[inside]
        return int(hits[np.argmin(drawn_depths(view, hits, depths[inside]))])
    distance = np.where(half > 0.0, np.hypot(away[:, 0], away[:, 1]), np.float32(np.inf))
    best = int(np.argmin(distance))
    return int(rows[best]) if distance[best] <= PICK_REACH_PX else -1


class Pointer:
    """The row under the pointer, looked for only when something moved.

    While the camera flies or rows are on their way, so often as LOOK_AGAIN_SECS: a card passes under a pointer that
    stands still in several frames. Where rows mean other images or are drawn otherwise, and where the pointer itself
    moved alone, at once.
    """

    def __init__(self) -> None:
        self._rows: tuple[object, ...] = ()
        self._pose: tuple[object, ...] = ()
        self._at_px = (-1.0, -1.0)
        self._looked_secs = 0.0
        self._row = -1

    def row_under(self, view: View, at_px: tuple[float, float]) -> int:
        """As `pick`."""
        rows = (view.scene, view.positions, view.tiers)
        light = (view.light_mix, id(view.lights)) if view.light_mix > 0.0 else ()
        chosen = (view.hovered, view.selected, view.visited)
        pose = (view.view_from_world.tobytes(), view.size_px, view.morph, *chosen, *light)
        same = len(rows) == len(self._rows) and all(one is other for one, other in zip(rows, self._rows, strict=True))
        moved, pointed = pose != self._pose, at_px != self._at_px
        soon = moved and 0.0 <= view.time_secs - self._looked_secs < LOOK_AGAIN_SECS
        if not same or ((moved or pointed) and not soon):
            self._row = pick(view, at_px)
            self._rows, self._pose, self._at_px, self._looked_secs = rows, pose, at_px, view.time_secs
        return self._row


def drawn_depths(view: View, rows: NDArray[np.int64], depths: Floats) -> Floats:
    """(k,) depths by which cards cover each other: as in `clip_of_card` of the shaders."""
    nearer = np.zeros(len(rows), np.float32)
    if view.lights is not None:
        nearer = depths * np.float32(FOUND_NEARER * view.light_mix) * light_of(view.lights[rows])
    most = np.minimum(np.float32(CHOSEN_NEARER * view.scene.node_size), depths * np.float32(0.5))
    if view.tiers is not None:
        fanned = view.tiers[rows] == FANNED
        nearer = np.where(fanned, np.maximum(nearer, depths * np.float32(FANNED_NEARER)), nearer)
    chosen = rows == view.hovered
    if view.selected:
        chosen |= rows == view.selected[-1]
    drawn: Floats = depths - np.where(chosen, np.maximum(nearer * np.float32(CHOSEN_FIRST), most), nearer)
    if (visited := view.visited) is not None:
        first = np.float32(VISITED_FIRST * near_plane(view))
        drawn = np.where(rows == visited.row, drawn * (first / drawn) ** np.float32(visited.glass), drawn)
    return drawn


def rows_in_sight(view: View, count: int) -> NDArray[np.int64]:
    """The rows of the `count` largest cards whose centre is on screen, from left to right."""
    rows = np.sort(_rows_in_sight(view, farthest=np.inf, margin=0.0))
    xy, depths = project(positions_now(view, rows), view.view_from_world, view.clip_from_view, view.size_px)
    inside = (
        (depths > nearest_depth(view))
        & (xy >= 0.0).all(axis=1)
        & (xy < np.asarray(view.size_px, np.float32)).all(axis=1)
    )
    if view.tiers is not None:
        inside &= view.tiers[rows] != HIDDEN
    rows, xy, depths = rows[inside], xy[inside], depths[inside]
    radii = seen_radii(view, rows, xy, depths)
    largest = np.argsort(-radii, kind="stable")[: min(count, int((radii > 0.0).sum()))]
    return rows[largest[np.argsort(xy[largest, 0], kind="stable")]]


def neighbour_towards(view: View, row: int, direction: tuple[float, float]) -> int:
    """Of the rows joined to `row` by an edge the one most in a direction (right, down) on screen; -1 for none.

    In a stack that is fanned out: of what is joined to the stack, and of the others in it.
    """
    edges, stacks = view.scene.edges, view.scene.stacks
    node = row if stacks is None else int(stacks.leaders[row])
    joined = np.concatenate([edges[edges[:, 0] == node, 1], edges[edges[:, 1] == node, 0]])
    if stacks is not None and stacks.sizes[row] > 1:
        joined = np.append(joined, np.flatnonzero(stacks.leaders == node))
        joined = joined[joined != row]
    if view.tiers is not None:
        joined = joined[view.tiers[joined] != HIDDEN]
    if not len(joined):
        return -1
    points = positions_now(view, np.append(joined, row))
    xy, _ = project(points, view.view_from_world, view.clip_from_view, view.size_px)
    away = xy[:-1] - xy[-1]
    along = away @ np.asarray(direction, np.float32) / np.maximum(np.linalg.norm(away, axis=1), 1e-6)
    return int(joined[np.argmax(along)])


# -- cells -------------------------------------------------------------------------------------------------------------


def _rows_in_sight(view: View, *, farthest: float, margin: float) -> Rows:
    """The rows of the cells of which a part may be on screen and less deep than `farthest`, with some around it.

    margin: world units.
    """
    boxes = _boxes_now(view)
    if boxes is None or view.cells is None:
        return np.arange(len(view.scene.ids))
    right, up, depths = _turned(boxes.middles, view)
    reach_right, reach_up, reach = _reaches(boxes.halves, view.view_from_world[:3, :3])
    slope_x, slope_y = _slopes(view)
    deepest, edge = depths + reach, np.float32(margin)
    seen = (deepest > 0.0) & (depths - reach < np.float32(farthest))
    seen &= np.abs(right) - reach_right <= deepest * slope_x + edge
    seen &= np.abs(up) - reach_up <= deepest * slope_y + edge
    return view.cells.rows_in(np.flatnonzero(seen))


def _rows_under(view: View, at_px: tuple[float, float]) -> Rows:
    """The rows, ascending, of which a card may lie under a pixel, or the centre within PICK_REACH_PX of it."""
    slope_x, slope_y = _slopes(view)
    at_x = np.float32(2.0 * at_px[0] / max(view.size_px[0], 1) - 1.0) * slope_x
    at_y = np.float32(1.0 - 2.0 * at_px[1] / max(view.size_px[1], 1)) * slope_y
    lit = view.lights is not None and view.light_mix > 0.0
    half = view.scene.node_size * (sum(LIT_SIZE) if lit else 1.0)
    least = min_angle(len(view.scene.ids)) * (1.0 + LIT_GROWTH if lit else 1.0)
    near = PICK_REACH_PX / focal_px(view.fov_y, view.size_px[1])

    def under(points: Floats, halves: Floats | None) -> Rows:
        """Which points, or boxes around them, may lie there."""
        right, up, depths = _turned(points, view)
        # How far a point lies beside the ray through the pixel is linear in its place, as its depth is.
        beside, above = np.abs(right - at_x * depths), np.abs(up - at_y * depths)
        if halves is not None:
            turn = view.view_from_world[:3, :3]
            reach = _reaches(halves, np.stack([turn[0] + at_x * turn[2], turn[1] + at_y * turn[2], turn[2]]))
            beside, above, depths = beside - reach[0], above - reach[1], depths + reach[2]
        card = np.maximum(np.float32(half), np.minimum(depths * np.float32(least), np.float32(half * GROWTH_MAX)))
        reach_px = np.maximum(card * np.float32(ASPECT_ROOT), depths * np.float32(near))
        return np.flatnonzero((depths > 0.0) & (np.maximum(beside, above) <= reach_px))

    boxes = _boxes_now(view)
    if boxes is None or view.cells is None:
        return under(positions_now(view), None)
    rows = view.cells.rows_in(under(boxes.middles, boxes.halves))
    found: Rows = np.sort(rows[under(positions_now(view, rows), None)])
    return found


def _boxes_now(view: View) -> Boxes | None:
    """The boxes of the view's cells in this frame; None where it has none."""
    if view.boxes is None or view.old_boxes is None:
        return None
    return view.old_boxes.on_the_way(view.boxes, smootherstep(view.morph))


def _turned(points: Floats, view: View) -> tuple[Floats, Floats, Floats]:
    """How far points (k, 3) are to the right, up, and deep: (k,) each, world units from the eye.

    Without a matrix product: the library behind it wakes threads, which costs milliseconds where the cores are busy.
    """
    matrix = view.view_from_world
    x, y, z = points[:, 0], points[:, 1], points[:, 2]
    right = x * matrix[0, 0] + y * matrix[0, 1] + z * matrix[0, 2] + matrix[0, 3]
    up = x * matrix[1, 0] + y * matrix[1, 1] + z * matrix[1, 2] + matrix[1, 3]
    depths = -(x * matrix[2, 0] + y * matrix[2, 1] + z * matrix[2, 2] + matrix[2, 3])
    return right, up, depths


def _reaches(halves: Floats, directions: Floats) -> tuple[Floats, Floats, Floats]:
    """How far boxes of these half sides (k, 3) reach from their middles along three directions (3, 3): (k,) each."""
    x, y, z = halves[:, 0], halves[:, 1], halves[:, 2]
    first, second, third = np.abs(directions)
    return (
        x * first[0] + y * first[1] + z * first[2],
        x * second[0] + y * second[1] + z * second[2],
        x * third[0] + y * third[1] + z * third[2],
    )


def _slopes(view: View) -> tuple[np.float32, np.float32]:
    """Tangents of half the angles that the picture shows across and down."""
    return np.float32(1.0) / view.clip_from_view[0, 0], np.float32(1.0) / view.clip_from_view[1, 1]
