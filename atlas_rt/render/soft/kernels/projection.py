"""Rows of a view as nodes on screen, and their order from front to back."""

from __future__ import annotations

import math

from atlas_rt.core import glass, visibility
from atlas_rt.core.arrays import Floats, Tiers
from atlas_rt.core.scene import FANNED, HIDDEN
from atlas_rt.render import look
from atlas_rt.render.soft.kernels.compiler import kernel, part
from atlas_rt.render.soft.kernels.pixels import HALF, ONE, ZERO, f32, smooth
from atlas_rt.render.soft.kernels.records import Counts, Record, Records

LIGHT_FROM, LIGHT_RANGE = f32(visibility.LIGHT_FROM), f32(visibility.LIGHT_TO - visibility.LIGHT_FROM)
LIT_LEAST, LIT_MORE = f32(visibility.LIT_SIZE[0]), f32(visibility.LIT_SIZE[1])
UNLIT, LIT_GAIN, LIT_GROWTH = f32(visibility.UNLIT), f32(visibility.LIT_GAIN), f32(visibility.LIT_GROWTH)
GROWTH_MAX = f32(visibility.GROWTH_MAX)
FOUND_NEARER, FANNED_NEARER = f32(visibility.FOUND_NEARER), f32(visibility.FANNED_NEARER)
CHOSEN_NEARER, CHOSEN_FIRST = f32(visibility.CHOSEN_NEARER), f32(visibility.CHOSEN_FIRST)
GLASS_FROM, GLASS_TO = f32(glass.GLASS_FROM), f32(glass.GLASS_TO)
FOG_DENSITY = f32(look.FOG_DENSITY)
BEHIND_CARD = f32(look.BEHIND_CARD)
OPEN_FROM, OPEN_TO = f32(look.OPEN_FROM), f32(look.OPEN_TO)
FAR_PX = f32(1e6)
"""Nothing lies further off the screen: what is put into an integer must fit."""
BUCKETS = 8192


@part
def clarity(frame: Record, away: f32) -> f32:
    """0..1, what the fog leaves of what is so far from the eye."""
    return f32(math.exp(-FOG_DENSITY * max(away - frame.fog_start, ZERO)))


@part
def open_before(away: f32) -> f32:
    """0..1, how much light an edge may give so close to the eye."""
    return smooth(OPEN_FROM, OPEN_TO, away)


@part
def in_view(frame: Record, node: Record) -> tuple[f32, f32, f32]:
    """To the right of the eye, above it, and before it."""
    m, x, y, z = frame.view_from_world, node.wx, node.wy, node.wz
    right = m[0, 0] * x + m[1, 0] * y + m[2, 0] * z + m[3, 0]
    up = m[0, 1] * x + m[1, 1] * y + m[2, 1] * z + m[3, 1]
    return right, up, -(m[0, 2] * x + m[1, 2] * y + m[2, 2] * z + m[3, 2])


@part
def _place(frame: Record, places: Floats, old_places: Floats, row: int, node: Record) -> None:
    """Where a row stands now."""
    way = frame.morph if row < frame.chosen[2] else frame.gone
    x, y, z = places[row, 0], places[row, 1], places[row, 2]
    if way < ONE:
        x = old_places[row, 0] + (x - old_places[row, 0]) * way
        y = old_places[row, 1] + (y - old_places[row, 1]) * way
        z = old_places[row, 2] + (z - old_places[row, 2]) * way
    node.wx, node.wy, node.wz = x, y, z


@part
def screen_x(frame: Record, view_x: f32, depth: f32) -> f32:
    """Pixels from the left."""
    across = view_x * frame.clip_from_view[0, 0] / depth
    return min(max((across + ONE) * HALF * frame.size_px[0], -FAR_PX), FAR_PX)


@part
def screen_y(frame: Record, view_y: f32, depth: f32) -> f32:
    """Pixels from the top."""
    up = view_y * frame.clip_from_view[1, 1] / depth
    return min(max((ONE - up) * HALF * frame.size_px[1], -FAR_PX), FAR_PX)


@part
def _shine(frame: Record, node: Record, away: f32, is_chosen: bool, is_drawn: bool, scale: f32) -> None:
    """The light of the card, and what it gives its edges, for a node so far from the eye."""
    searched = ONE + frame.light_mix * (UNLIT + LIT_GAIN * node.light - ONE)
    node.brightness = searched * scale
    if is_chosen:
        node.brightness = max(node.brightness, ONE)
    node.clear = clarity(frame, away)
    node.lit = searched * scale if is_drawn else ZERO
    node.shine = node.clear * open_before(away)
    node.near = away / (node.depth * (away + BEHIND_CARD * frame.node_size))


@part
def _half_px(frame: Record, card: Record, node: Record) -> f32:
    """Half the side of the card on screen as a square of the same area, before it leaves or makes way."""
    half = frame.node_size * (ONE + frame.size_mix * (LIT_LEAST + LIT_MORE * node.light - ONE))
    least = node.depth * frame.min_angle * (ONE + LIT_GROWTH * node.light * frame.light_mix)
    half = max(half, min(least, half * GROWTH_MAX))
    half /= ONE + frame.flatness * (max(card.root, ONE / card.root) - ONE)
    return f32(half * frame.focal_px / node.depth)


@part
def _size(frame: Record, card: Record, node: Record, scale: f32) -> None:
    """Half sides of the card on screen: as `half_card_px` of the shaders."""
    half_px = min(scale * _half_px(frame, card, node), FAR_PX)
    node.across = half_px * card.root
    node.down = half_px / card.root


@part
def _standing(frame: Record, card: Record, node: Record, right: f32, up: f32) -> f32:
    """What is left of a card where some make way for a visited one: `core.glass` has the same formula, and the
    reasons."""
    if node.depth <= frame.nearest or node.depth >= frame.visited_depth:
        return ONE
    half = _half_px(frame, card, node) / frame.focal_px
    across = frame.visited_card[2] + half * card.root - abs(right / node.depth - frame.visited_card[0])
    down = frame.visited_card[3] + half / card.root - abs(up / node.depth - frame.visited_card[1])
    overlap = min(across, down) / frame.glass_margin + ONE
    nearer = (frame.visited_depth - node.depth) / frame.visited_depth
    return f32(ONE - frame.glass * smooth(GLASS_FROM, GLASS_TO, nearer) * smooth(ZERO, ONE, overlap))


@part
def _covering(frame: Record, node: Record, is_chosen: bool, is_fanned: bool, is_visited: bool) -> f32:
    """The depth by which a card covers others: as in `clip_of_card` of the shaders."""
    nearer = node.depth * FOUND_NEARER * node.light * frame.light_mix
    if is_fanned:
        nearer = max(nearer, node.depth * FANNED_NEARER)
    if is_chosen:
        nearer = max(nearer * CHOSEN_FIRST, min(CHOSEN_NEARER * frame.node_size, HALF * node.depth))
    covering = node.depth - nearer
    if is_visited:
        covering *= f32((frame.first_depth / covering) ** frame.glass)
    return f32(covering)


@kernel
def project(
    frames: Records,
    places: Floats,
    old_places: Floats,
    lights: Floats,
    tiers: Tiers,
    cards: Records,
    shift: tuple[f32, f32],
    nodes: Records,
    first: int,
    last: int,
    visible: Counts,
) -> int:
    """Fill `nodes` of the rows first..last. visible: from `first` on, the rows whose card is on screen.

    shift: pixels by which all is moved, for the samples within a pixel. Returns how many are visible.
    """
    frame = frames[0]
    count = 0
    for row in range(first, last):
        node, card, tier = nodes[row], cards[row], tiers[row]
        _place(frame, places, old_places, row, node)
        right, up, node.depth = in_view(frame, node)
        away = f32(math.sqrt(right * right + up * up + node.depth * node.depth))
        node.light = ZERO
        if frame.light_mix > ZERO:
            node.light = min(max((lights[row] - LIGHT_FROM) / LIGHT_RANGE, ZERO), ONE)
        is_chosen = row == frame.chosen[0] or row == frame.chosen[1]
        scale = ONE if row < frame.chosen[2] else ONE - frame.gone
        if frame.glass > ZERO and row != frame.visited:
            scale *= _standing(frame, card, node, right, up)
        _shine(frame, node, away, is_chosen, tier != HIDDEN, scale)
        node.across = ZERO
        if not node.depth > ZERO:  # or it is not a number
            continue
        node.x = screen_x(frame, right, node.depth) + shift[0]
        node.y = screen_y(frame, up, node.depth) + shift[1]
        if tier == HIDDEN or not (node.depth > frame.nearest and scale > ZERO and away < FAR_PX):
            continue
        _size(frame, card, node, scale)
        node.covering = _covering(frame, node, is_chosen, tier == FANNED, row == frame.visited)
        across, down = node.across + ONE, node.down + ONE
        if (
            node.x > -across
            and node.x < frame.size_px[0] + across
            and node.y > -down
            and node.y < frame.size_px[1] + down
        ):
            visible[first + count] = row
            count += 1
    return count


@kernel
def sort(nodes: Records, visible: Counts, count: int, ordered: Counts, buckets: Counts) -> None:
    """The first `count` of `visible` rows from front to back, by counting: their depths fall into BUCKETS steps that
    grow with them. buckets: (BUCKETS + 1,) and (n,) of room behind it."""
    nearest, farthest = f32(1e30), f32(1e-30)
    for at in range(count):
        depth = max(nodes[visible[at]].covering, f32(1e-20))
        nearest, farthest = min(nearest, depth), max(farthest, depth)
    steps = f32(BUCKETS - 1) / max(f32(math.log(farthest / nearest)), f32(1e-6))
    for bucket in range(BUCKETS + 1):
        buckets[bucket] = 0
    for at in range(count):
        depth = max(nodes[visible[at]].covering, f32(1e-20))
        bucket = min(max(int(f32(math.log(depth / nearest)) * steps), 0), BUCKETS - 1)
        buckets[BUCKETS + 1 + at] = bucket
        buckets[bucket + 1] += 1
    for bucket in range(BUCKETS):
        buckets[bucket + 1] += buckets[bucket]
    for at in range(count):
        bucket = int(buckets[BUCKETS + 1 + at])
        ordered[buckets[bucket]] = visible[at]
        buckets[bucket] += 1
