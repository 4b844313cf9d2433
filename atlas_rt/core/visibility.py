"""How large a node is on screen, which nodes are near, and which one is under the pointer.

The vertex shader computes the same sizes (`shaders/lib/nodes.glsl`) from the same constants, so that what is hit is
what is seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from atlas_rt.core.arrays import Floats
from atlas_rt.core.camera import focal_px, project
from atlas_rt.core.easing import smootherstep
from atlas_rt.core.scene import FANNED, HIDDEN, View

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
_LEAST_DEPTH = np.float32(1e-6)
PICK_REACH_PX = 14.0
"""A click this close to a node's centre still means it."""


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


def grown(half: float, depth: float, nodes: int) -> float:
    """Half the side of a card at a depth, world units: far ones are drawn larger than they are."""
    return max(half, min(depth * min_angle(nodes), half * GROWTH_MAX))


def half_sizes(view: View, rows: NDArray[np.int64], depths: Floats) -> Floats:
    """(k,) half side in world units of the square with the area of each row's card."""
    half: Floats = np.full(len(rows), view.scene.node_size, np.float32)
    least: Floats = depths * np.float32(min_angle(len(view.scene.ids)))
    if view.lights is not None and view.light_mix > 0.0:
        light = light_of(view.lights[rows])
        half *= 1.0 + np.float32(view.light_mix) * (LIT_SIZE[0] + LIT_SIZE[1] * light - 1.0)
        least *= 1.0 + np.float32(view.light_mix * LIT_GROWTH) * light
    grown: Floats = np.maximum(half, np.minimum(least, half * np.float32(GROWTH_MAX)))
    return grown


def near_nodes(view: View, positions: Floats, min_half_px: float) -> NearNodes:
    """The nodes whose card may be larger than `min_half_px` and whose centre is about on screen; unsorted.

    Two passes over the positions (0.15 ms at 100,000), then an exact look at the few that remain.
    """
    largest = view.scene.node_size * (sum(LIT_SIZE) if view.lights is not None else 1.0)
    focal = focal_px(view.fov_y, view.size_px[1])
    least = min_angle(len(view.scene.ids)) * (1.0 + LIT_GROWTH if view.lights is not None else 1.0)
    grown = GROWTH_MAX if least * focal >= min_half_px else 1.0
    forward = -view.view_from_world[2, :3]
    offset = np.float32(forward @ view.eye)
    depths = positions @ forward
    rows = np.flatnonzero((depths > offset) & (depths < offset + np.float32(largest * grown * focal / min_half_px)))
    depths = depths[rows] - offset
    across = np.abs((positions[rows] - view.eye) @ view.view_from_world[:2, :3].T)
    reach = depths[:, None] / np.array([view.clip_from_view[0, 0], view.clip_from_view[1, 1]], np.float32)
    on_screen = np.all(across < reach + np.float32(4.0 * largest), axis=1)
    if view.tiers is not None:
        on_screen &= view.tiers[rows] != HIDDEN
    rows, depths = rows[on_screen], depths[on_screen]
    return NearNodes(rows, depths, screen_radii(view, rows, depths))


def screen_radii(view: View, rows: NDArray[np.int64], depths: Floats) -> Floats:
    """(k,) half side in pixels of each row's card, as a square of the same area."""
    focal = np.float32(focal_px(view.fov_y, view.size_px[1]))
    radii = half_sizes(view, rows, depths) * focal / np.maximum(depths, _LEAST_DEPTH)
    return radii.astype(np.float32, copy=False)


def pick(view: View, at_px: tuple[float, float]) -> int:
    """The row under a framebuffer pixel, or -1.

    The foremost card that contains the pixel; where none does, the node whose centre is closest on screen, within
    PICK_REACH_PX.
    """
    xy, depths = project(positions_now(view), view.view_from_world, view.clip_from_view, view.size_px)
    away = np.abs(xy - np.asarray(at_px, np.float32))
    largest_px = _largest_half_px(view, depths)
    rows = np.flatnonzero(
        (depths > 0.0) & (np.maximum(away[:, 0], away[:, 1]) <= np.maximum(largest_px, np.float32(PICK_REACH_PX)))
    )
    if view.tiers is not None:
        rows = rows[view.tiers[rows] != HIDDEN]
    if not len(rows):
        return -1
    root = np.sqrt(view.scene.aspects[rows])
    half = screen_radii(view, rows, depths[rows])
    inside = (away[rows, 0] <= half * root) & (away[rows, 1] <= half / root)
    if inside.any():
        hits = rows[inside]
        return int(hits[np.argmin(drawn_depths(view, hits, depths[hits]))])
    distance = np.hypot(away[rows, 0], away[rows, 1])
    best = int(np.argmin(distance))
    return int(rows[best]) if distance[best] <= PICK_REACH_PX else -1


def drawn_depths(view: View, rows: NDArray[np.int64], depths: Floats) -> Floats:
    """(k,) depths by which cards cover each other: as in `clip_of_card` of the shaders."""
    nearer = np.zeros(len(rows), np.float32)
    if view.lights is not None:
        nearer = depths * np.float32(FOUND_NEARER * view.light_mix) * light_of(view.lights[rows])
    most = np.minimum(np.float32(CHOSEN_NEARER * view.scene.node_size), depths * np.float32(0.5))
    if view.tiers is not None:
        fanned = view.tiers[rows] == FANNED
        nearer = np.where(fanned, np.maximum(nearer, depths * np.float32(FANNED_NEARER)), nearer)
    chosen = np.isin(rows, [view.hovered, *view.selected[-1:]])
    return depths - np.where(chosen, np.maximum(nearer * np.float32(CHOSEN_FIRST), most), nearer)


def rows_in_sight(view: View, count: int) -> NDArray[np.int64]:
    """The rows of the `count` largest cards whose centre is on screen, from left to right."""
    xy, depths = project(positions_now(view), view.view_from_world, view.clip_from_view, view.size_px)
    inside = (depths > 0.0) & (xy >= 0.0).all(axis=1) & (xy < np.asarray(view.size_px, np.float32)).all(axis=1)
    if view.tiers is not None:
        inside &= view.tiers != HIDDEN
    rows = np.flatnonzero(inside)
    largest = rows[np.argsort(-screen_radii(view, rows, depths[rows]), kind="stable")[:count]]
    return largest[np.argsort(xy[largest, 0], kind="stable")]


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


def _largest_half_px(view: View, depths: Floats) -> Floats:
    """(n,) an upper bound of half a card's long side in pixels."""
    focal = focal_px(view.fov_y, view.size_px[1])
    largest = view.scene.node_size * GROWTH_MAX * sum(LIT_SIZE) * float(np.sqrt(3.0))
    bound = np.float32(largest * focal) / np.maximum(depths, _LEAST_DEPTH)
    return bound.astype(np.float32, copy=False)
