"""Edges as segments on screen: cut before the eye, left out where they would change no pixel."""

from __future__ import annotations

import math

from atlas_rt.core import pulse
from atlas_rt.core.arrays import Floats, Ints
from atlas_rt.render import look
from atlas_rt.render.soft.kernels.compiler import kernel, part
from atlas_rt.render.soft.kernels.pixels import HALF, ONE, ZERO, f32
from atlas_rt.render.soft.kernels.projection import clarity, in_view, open_before, screen_x, screen_y
from atlas_rt.render.soft.kernels.records import Record, Records

NEAR_CUT = f32(look.NEAR_CUT)
LINE_LIGHT, LINE_LEAST, RIBBON_LEAST = f32(look.LINE_LIGHT), f32(look.LINE_LEAST), f32(look.RIBBON_LEAST)
CHOSEN_GAIN, CHOSEN_LEAST, CHOSEN_WIDTH = f32(look.CHOSEN_GAIN), f32(look.CHOSEN_LEAST), f32(look.CHOSEN_WIDTH)
RIBBON_WIDTH, RIBBON_MOST_PX, RIBBON_LINES = f32(look.RIBBON_WIDTH), f32(look.RIBBON_MOST_PX), f32(look.RIBBON_LINES)
RIBBON_REACH, RIBBON_SOFT_PX, RIBBON_THIN = f32(look.RIBBON_REACH), f32(look.RIBBON_SOFT_PX), f32(look.RIBBON_THIN)

PHASE = 0.61803398875
"""Times an edge's place in the order: where on it the light that drifts without a source begins."""
SPACING, UNREACHED = f32(pulse.SPACING), f32(1e6)

End = tuple[f32, f32, f32, f32, f32, f32]


@part
def _strength(frame: Record, a: Record, b: Record, strength: f32, is_chosen: bool, is_link: bool) -> f32:
    """How much light an edge gives."""
    if is_link:
        return strength
    lit = a.lit * b.lit
    strength = strength * frame.edge_gain * lit
    return max(strength * CHOSEN_GAIN, CHOSEN_LEAST) if is_chosen and lit > ZERO else strength


@part
def _end(frame: Record, mine: Record, other: Record, shift: tuple[f32, f32]) -> End:
    """x, y, nearness, share of the light, depth, and how far along the edge it is: cut where it passes the eye."""
    if mine.depth >= NEAR_CUT:
        return mine.x, mine.y, mine.near, mine.shine, mine.depth, ZERO
    share = (NEAR_CUT - mine.depth) / (other.depth - mine.depth)
    (right, up, _), (other_right, other_up, _) = in_view(frame, mine), in_view(frame, other)
    view_x, view_y = right + (other_right - right) * share, up + (other_up - up) * share
    away = f32(math.sqrt(view_x * view_x + view_y * view_y + NEAR_CUT * NEAR_CUT))
    x, y = screen_x(frame, view_x, NEAR_CUT) + shift[0], screen_y(frame, view_y, NEAR_CUT) + shift[1]
    return x, y, ONE / NEAR_CUT, clarity(frame, away) * open_before(away), NEAR_CUT, share


@part
def _reach(frame: Record, depth: f32, width: f32) -> tuple[f32, f32]:
    """Half the width of a ribbon in pixels, and what is left of its light where it is thinner than one."""
    wanted = RIBBON_WIDTH * frame.focal_px / depth * width
    most = RIBBON_MOST_PX * frame.size_px[1] / RIBBON_LINES
    thin = RIBBON_THIN + (ONE - RIBBON_THIN) * min(wanted, ONE)
    whole = min(max(wanted, ONE), max(most, ONE)) * RIBBON_REACH + RIBBON_SOFT_PX
    return HALF * whole, thin


@part
def _is_off(frame: Record, segment: Record) -> bool:
    """Nothing of it is on screen, or it is not a number."""
    reach = max(segment.reach0, segment.reach1) + ONE
    low_x, high_x = min(segment.x0, segment.x1) - reach, max(segment.x0, segment.x1) + reach
    low_y, high_y = min(segment.y0, segment.y1) - reach, max(segment.y0, segment.y1) + reach
    return not (high_x > ZERO and low_x < frame.size_px[0] and high_y > ZERO and low_y < frame.size_px[1])


@part
def _walk(frame: Record, one: Record, two: Record, reached: Floats, at: int, out: Record) -> None:
    """What the light that runs along an edge needs to know: see `core.pulse`."""
    x, y, z = one.wx - two.wx, one.wy - two.wy, one.wz - two.wz
    out.length = f32(math.sqrt(x * x + y * y + z * z))
    if frame.pulse_walks > ZERO:
        out.walk0, out.walk1 = reached[out.a], reached[out.b]
    else:
        phase = at * PHASE
        out.walk0, out.walk1 = f32(phase - math.floor(phase)) * SPACING, UNREACHED


@part
def _segment(
    frame: Record, nodes: Records, a: int, b: int, strength: f32, shift: tuple[f32, f32], is_ribbon: bool, out: Record
) -> bool:
    """Write the segment of an edge; whether anything of it can be seen."""
    one, two = nodes[a], nodes[b]
    if not (one.depth >= NEAR_CUT or two.depth >= NEAR_CUT):
        return False
    is_link = b == len(nodes) - 1
    is_chosen = a == frame.chosen[0] or a == frame.chosen[1] or b == frame.chosen[0] or b == frame.chosen[1]
    strength = _strength(frame, one, two, strength, is_chosen, is_link)
    is_ribbon = is_ribbon or is_link or is_chosen
    if not strength * max(one.clear, two.clear) >= (RIBBON_LEAST if is_ribbon else LINE_LEAST):
        return False
    out.x0, out.y0, out.near0, out.shine0, depth0, out.t0 = _end(frame, one, two, shift)
    out.x1, out.y1, out.near1, out.shine1, depth1, past = _end(frame, two, one, shift)
    out.t1 = ONE - past
    out.a, out.b, out.reach0, out.reach1 = a, b, ZERO, ZERO
    thin0 = thin1 = LINE_LIGHT
    if is_ribbon:
        width = CHOSEN_WIDTH if is_link or is_chosen else ONE
        out.reach0, thin0 = _reach(frame, depth0, width)
        out.reach1, thin1 = _reach(frame, depth1, width)
    out.shine0 *= strength * thin0
    out.shine1 *= strength * thin1
    return not _is_off(frame, out)


@kernel
def make_segments(
    frames: Records, nodes: Records, ends: Ints, strengths: Floats, reached: Floats, shift: tuple[f32, f32],
    is_ribbon: bool, segments: Records,
) -> int:  # fmt: skip
    """The segments of edges between the rows `ends` (m, 2); returns how many there are. The last of `nodes` is the
    live marker. reached: (n,) how far each row is from where light runs out from, along edges; read only where it does.
    is_ribbon: soft, 1 to 5 px wide, otherwise lines of one pixel."""
    frame = frames[0]
    count = 0
    for at in range(len(ends)):
        if _segment(frame, nodes, ends[at, 0], ends[at, 1], strengths[at], shift, is_ribbon, segments[count]):
            if frame.pulse_strength > ZERO:
                _walk(frame, nodes[ends[at, 0]], nodes[ends[at, 1]], reached, at, segments[count])
            count += 1
    return count
